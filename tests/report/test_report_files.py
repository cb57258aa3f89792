"""Four files beside the journal: whole or not there at all, and as private as it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report import journals

from chaos import report
from chaos.history import History, fold
from chaos.journal import read
from chaos.verdict import Verdict, judge, judge_safely


def judged(path: Path) -> tuple[History, Verdict]:
    history = fold(read(path))
    return history, judge(history)


def test_four_reports_stand_beside_the_journal(tmp_path: Path) -> None:
    path = journals.region_outage(tmp_path)
    paths = report.write_reports(path.parent, *judged(path))
    assert sorted(paths) == ["junit.xml", "report.html", "report.md", "verdict.json"]
    assert {p.name for p in path.parent.iterdir()} == {"journal.jsonl", *paths}
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in paths.values())


def test_the_verdict_is_json_with_a_version(tmp_path: Path) -> None:
    path = journals.region_outage(tmp_path)
    history, verdict = judged(path)
    paths = report.write_reports(path.parent, history, verdict)
    found = json.loads(paths["verdict.json"].read_text())
    assert found == json.loads(json.dumps(verdict.to_json()))
    assert (found["version"], found["value"], found["exit_code"]) == (1, "held", 0)


def names(value: Any) -> Iterator[str]:
    """The names of all fields; what is in a lever's name or value is the lever's own."""
    for item in value if isinstance(value, list) else ():
        yield from names(item)
    for name, item in value.items() if isinstance(value, dict) else ():
        yield name
        if name not in ("lever", "prior", "value", "found"):
            yield from names(item)


def test_every_field_of_the_verdict_is_documented(tmp_path: Path) -> None:
    path = journals.region_outage(tmp_path)
    told = (Path(__file__).parents[2] / "docs" / "verdict-json.md").read_text()
    found = judged(path)[1].to_json()
    found["probes"] = list(found["probes"].values())  # their names are the experiment's
    missing = {name for name in names(found) if f"`{name}`" not in told}
    assert not missing
    assert f"version {found['version']}" in told


def test_reports_are_written_anew(tmp_path: Path) -> None:
    path = journals.region_outage(tmp_path)
    first = report.write_reports(path.parent, *judged(path))["report.html"].read_bytes()
    again = report.write_reports(path.parent, *judged(path))["report.html"].read_bytes()
    assert first == again


def test_a_full_disk_leaves_the_old_report_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journals.region_outage(tmp_path)
    before = report.write_reports(path.parent, *judged(path))["verdict.json"].read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        report.write_reports(path.parent, *judged(path))
    assert (path.parent / "verdict.json").read_bytes() == before
    assert not [p.name for p in path.parent.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("cut", [1, 2, 5, 12, 60, 300])
def test_a_journal_that_was_cut_off_anywhere_gives_all_reports(tmp_path: Path, cut: int) -> None:
    path = journals.region_outage(tmp_path)
    history = fold(read(path)[:cut])
    paths = report.write_reports(path.parent, history, judge(history))
    assert '"value":"unknown"' in paths["report.html"].read_text()


def test_a_defect_in_judging_still_gives_all_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("chaos.verdict.verdict.measure", defect)
    path = journals.region_outage(tmp_path)
    history = fold(read(path))
    paths = report.write_reports(path.parent, history, judge_safely(history))
    assert "could not be judged" in paths["report.html"].read_text()
    assert "could not be judged" in paths["junit.xml"].read_text()

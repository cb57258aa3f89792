"""`chaos list`: what there is, whatever is wrong with some of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import called, document, printed
from installed_package import installed

from chaos import library, reference
from chaos.cli import layout
from chaos.journal import Journal
from chaos.runs import Runs

SMALL = """
name: small
title: it is small
probes: {api: {kind: http, url: "http://api.stream.example/playback"}}
faults: [{kind: region_outage, region: REGION, lasts: 60s}]
objectives: {api: {heals_within: 10s}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(name: str, text: str | bytes) -> None:
    path = Path("experiments") / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def rows(*args: str, **env: str) -> dict[str, list[str]]:
    """The columns of each line behind its first, by that."""
    lines = [re.split(r" {2,}", line) for line in printed("list", *args, **env).splitlines()]
    return {name: cells for name, *cells in lines}


def test_shipped_experiments_are_told_with_the_lab_that_they_need() -> None:
    found = rows()
    assert [*found] == [path.name for path in library.shipped()]
    title = "us-east-1 goes dark; playback moves to us-west-2"
    assert found["region-outage.yaml"] == ["shipped", "streaming", title]
    assert not any("problem" in " ".join(row) for row in found.values())


def test_ones_own_come_first_and_are_marked() -> None:
    own("small.yaml", SMALL.replace("REGION", "us-east-1"))
    first, *_ = rows().items()
    assert first == ("small.yaml", ["own", "streaming", "it is small"])


def test_one_that_is_broken_does_not_break_the_list() -> None:
    own("small.yaml", SMALL.replace("REGION", "us-east-1").replace("lasts", "lats"))
    own("syntax.yaml", ": {")
    own("binary.yaml", b"\xff\xfe\x00")
    own("empty.yaml", "")
    own("other.yaml", "a list of: [other, things]")
    (Path("experiments") / "directory.yaml").mkdir()
    found = rows()
    for name in ("small", "syntax", "binary", "empty", "other"):
        assert found[f"{name}.yaml"][-1].endswith(f"; see: chaos validate experiments/{name}.yaml")
    assert "region-outage.yaml" in found
    assert "directory.yaml" not in found


def test_one_that_wants_values_says_which() -> None:
    text = SMALL.replace("REGION", '"${region}"') + "variables: {region: {}}\n"
    own("open.yaml", text)
    own("both.yaml", text.replace("lasts", "lats"))
    found = rows()
    assert found["open.yaml"][-1] == "it is small (needs --var region=…)"
    assert "problem" in found["both.yaml"][-1]


@pytest.mark.parametrize("family", ["fault", "probe", "lever"])
def test_kinds_are_told_with_their_summary(family: reference.Family) -> None:
    found = rows(f"{family}s")
    assert [*found] == reference.names(family)
    for kind in reference.kinds(family):
        assert found[kind.kind][-1] == kind.summary


def test_kinds_of_installed_packages_are_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(tmp_path, monkeypatch):
        found = rows("faults")
    assert found["acme_unplug"][-1] == "pull a plug (of acme-chaos 1.2)"
    assert "cannot be loaded" in found["acme_broken"][-1]
    assert "region_outage" in found


def journal(run: str, **about: Any) -> Journal:
    written = Journal.create(Runs(Path("chaos-runs")).journal(run), lambda: 0.0)
    written.write("run", v=1, wall="2026-11-21T10:00:30.123+00:00", experiment=about)
    return written


@pytest.fixture
def some_runs() -> Iterator[None]:
    for run, verdict in {
        "1-held": {"value": "held", "exit_code": 0},
        "2-open": {"value": "unknown", "exit_code": 4},
        "3-none": None,
        "4-strange": ["held"],
    }.items():
        written = journal(run, name="drill", title="something happens")
        written.close()
        if verdict is not None:
            written.path.with_name("verdict.json").write_text(json.dumps(verdict))
    still = journal("5-on", name="drill", title="")
    (Path("chaos-runs") / "6-torn").mkdir()
    (Path("chaos-runs") / "6-torn" / "journal.jsonl").write_text('{"n": 0, "t"')
    yield
    still.close()


@pytest.mark.usefixtures("some_runs")
def test_runs_are_told_with_what_became_of_them() -> None:
    when = "2026-11-21 10:00 UTC"
    assert rows("runs") == {
        "1-held": [when, "held", "exit 0", "something happens"],
        "2-open": [when, "unknown", "exit 4", "something happens"],
        "3-none": [when, "no verdict", "something happens"],
        "4-strange": [when, "no verdict", "something happens"],
        "5-on": [when, "goes on", "drill"],
        "6-torn": ["no verdict"],
    }


@pytest.mark.usefixtures("some_runs")
def test_runs_as_json() -> None:
    first, *_, on, torn = document("list", "runs")["runs"]
    assert first == {
        "run": "1-held",
        "journal": "chaos-runs/1-held/journal.jsonl",
        "began": "2026-11-21T10:00:30.123+00:00",
        "experiment": "drill",
        "title": "something happens",
        "state": "held",
        "exit_code": 0,
    }
    assert (on["state"], on["exit_code"]) == ("goes on", None)
    assert (torn["began"], torn["state"]) == ("", "no verdict")


def test_no_runs_are_told_without_a_line_on_stdout() -> None:
    done = called("list", "runs")
    assert (done.stdout, done.stderr) == ("", "there are no runs in chaos-runs\n")
    assert document("list", "runs") == {"runs": []}


def test_what_is_listed_as_json_is_what_show_tells() -> None:
    listed = {kind["kind"]: kind for kind in document("list", "faults")["faults"]}
    assert [listed["region_outage"]] == document("show", "region_outage")["kinds"]
    own("small.yaml", SMALL.replace("REGION", "us-east-1"))
    first, *_ = document("list")["experiments"]
    assert first == {
        "name": "small",
        "file": "experiments/small.yaml",
        "shipped": False,
        "title": "it is small",
        "lab": "streaming",
        "needs": [],
        "problem": "",
    }
    shown = document("show", "small")["experiment"]
    assert shown == {**first, "text": SMALL.replace("REGION", "us-east-1")}


def test_a_table_is_as_wide_as_the_terminal_and_endless_without_one() -> None:
    rows = [("a", "bb", "one two three four five six"), ("ccc", "d", "")]
    assert layout.table(rows, 1000) == "a    bb  one two three four five six\nccc  d"
    assert layout.table(rows, 33) == "a    bb  one two three four five\n         six\nccc  d"
    assert layout.table(rows, 20) == "a    bb\n    one two three\n    four five six\nccc  d"
    narrow = printed("list", COLUMNS="40").splitlines()
    assert max(map(len, narrow)) <= 60  # a path or a name alone may be longer
    assert len(narrow) > len(printed("list").splitlines())

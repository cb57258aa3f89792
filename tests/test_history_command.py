"""`chaos history`, and how a run comes into it: the journal is the truth, the history follows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest
from calls import called, document, printed
from report import journals

from chaos import results
from chaos.errors import InvalidInput
from chaos.runs import Runs

RUNS = Runs(Path("chaos-runs"))
ID = "20261121-094312-region-outage-4f2a"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHAOS_HISTORY", raising=False)
    return tmp_path


@pytest.fixture
def journal() -> Path:
    """That of a run which has ended, in ./chaos-runs; nobody has judged it yet."""
    return journals.region_outage(RUNS.directory)


def kept() -> list[tuple[str, str]]:
    return [(run.run, run.value) for run in results.runs(RUNS.history)]


def test_a_run_that_is_judged_is_in_it_once(journal: Path) -> None:
    for _ in range(2):
        assert called("report", "latest").exit_code == 0
        assert kept() == [(ID, "held")]
    line = printed("history").strip()
    assert line.startswith(f"2026-11-21 09:43  {ID}  embedded, speed 8  held  ")
    assert "playback RTO 74.1 – 74.6 s; playback availability " in line
    assert "steady again" not in line


def test_a_history_of_ones_own_is_named_by_option_or_variable(journal: Path) -> None:
    called("report", "latest", "--history", "sqlite:own.sqlite")
    called("report", "latest", CHAOS_HISTORY="named.sqlite")
    called("report", "latest", "--history", "none")
    for name in ("own.sqlite", "named.sqlite"):
        assert [run.run for run in results.runs(name)] == [ID]
    assert not RUNS.history.exists()


def test_a_journal_from_elsewhere_is_in_none_unless_that_is_named(here: Path) -> None:
    path = journals.region_outage(here / "elsewhere")
    called("report", str(path))
    assert not list(here.rglob("*.sqlite"))
    called("report", str(path), "--history", "mine.sqlite")
    assert [run.run for run in results.runs("mine.sqlite")] == [ID]


def test_a_history_that_cannot_be_written_changes_no_verdict(journal: Path) -> None:
    RUNS.history.write_bytes(b"no database at all, but text that is longer than a header" * 9)
    done = called("report", "latest")
    assert done.exit_code == 0
    assert "the history is damaged (file is not a database)" in done.stderr
    assert "The verdict stands; to take the run in later: chaos history --import" in done.stderr
    assert "Traceback" not in done.stderr
    assert (journal.parent / "report.html").exists()


def test_what_is_no_history_is_refused_before_anything_is_done(journal: Path) -> None:
    done = called("report", "latest", "--history", "mysql://db/x")
    assert isinstance(done.exception, InvalidInput)
    assert not (journal.parent / "report.html").exists()


def test_runs_that_are_not_in_it_are_told_and_taken_in(journal: Path) -> None:
    done = called("history")
    assert "there is no such run in chaos-runs/history.sqlite" in done.stderr
    assert "1 run of chaos-runs not in it; to take all of them in:" in done.stderr
    assert not RUNS.history.exists()
    assert printed("history", "--import", "chaos-runs") == (
        "1 run taken into chaos-runs/history.sqlite\n"
    )
    assert kept() == [(ID, "held")]
    assert called("history").stderr == ""


def test_a_journal_that_cannot_be_read_is_left_out_and_told(journal: Path) -> None:
    broken = RUNS.journal("20260101-broken")
    broken.parent.mkdir()
    broken.write_text("no journal\n{}\n")
    done = called("history", "--import", "chaos-runs", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["imported"]) == (2, [ID])
    assert "20260101-broken" in told["problems"][0]
    assert "left out: " in called("history", "--import", "chaos-runs").stderr
    assert kept() == [(ID, "held")]


def test_a_journal_replaces_what_the_history_has_of_its_run(journal: Path) -> None:
    called("report", "latest")
    found = results.runs(RUNS.history)[0]
    location = results.located(str(RUNS.history))
    assert location is not None
    with results.opened(location) as store:
        store.put(replace(found, value="broken"))
    printed("history", "--import", "chaos-runs")
    assert kept() == [(ID, "held")]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("region-outage", "--since", "2026-11-21"), 1),
        (("--environment", "embedded", "--sha", "A9"), 1),
        (("other",), 0),
        (("--since", "2026-11-22"), 0),
        (("--since", "2026-11-21T10:44+01:00"), 0),
        (("--environment", "aws"), 0),
        (("--sha", "ffff"), 0),
    ],
)
def test_only_the_runs_that_are_asked_for(
    journal: Path, options: tuple[str, ...], found: int
) -> None:
    sha = json.loads(journal.read_text().splitlines()[0])["experiment"]["sha256"]
    called("report", "latest")
    told = document("history", *(sha[:2].upper() if each == "A9" else each for each in options))
    assert [run["run"] for run in told["runs"]] == [ID] * found
    if found:
        rto = told["runs"][0]["results"][0]
        assert (rto["objective"], rto["measured"]["low"] > 74) == ("rto", True)


@pytest.mark.parametrize("since", ["yesterday", "3 days", "2026-13-01"])
def test_a_time_that_is_none_is_refused(since: str) -> None:
    done = called("history", "--since", since)
    assert "is neither a duration such as 14d nor a date" in str(done.exception)


@pytest.mark.parametrize(
    "option",
    [
        ("--since", "0001-01-01T00:00+14:00"),
        ("--since", "9999-12-31T23:59-14:00"),
        ("--limit", "99999999999999999999"),
    ],
)
def test_what_no_history_can_have_is_refused(journal: Path, option: tuple[str, str]) -> None:
    called("report", "latest")
    done = called("history", *option)
    assert isinstance(done.exception, click.BadParameter), done.exception


def test_of_no_history_nothing_is_shown() -> None:
    done = called("history", "--history", "none")
    assert isinstance(done.exception, InvalidInput)

"""What the terminal shows: plain lines while a run goes on, one screen when it is over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report import journals

from chaos.history import fold
from chaos.journal import Event, read
from chaos.report import words, write_reports
from chaos.report.progress import TURNS, Progress
from chaos.report.terminal import verdict_block
from chaos.verdict import Result, judge, percent
from probes.outages import Interval


def block_of(tmp_path: Path, *, width: int = 80, colour: bool = False, **variant: Any) -> str:
    path = journals.region_outage(tmp_path, **variant)
    history = fold(read(path))
    verdict = judge(history)
    paths = write_reports(path.parent, history, verdict)
    return verdict_block(history, verdict, paths, width=width, colour=colour)


# --- the verdict --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"failover": None},
        {"bites": False},
        {"steady": False},
        {"outcomes": ("failed", "restored", "conflict", "open")},
    ],
)
def test_the_verdict_fits_one_screen(tmp_path: Path, variant: dict[str, Any]) -> None:
    lines = block_of(tmp_path, **variant).splitlines()
    whole = [line for line in lines if str(tmp_path) not in line]  # paths must be copied whole
    assert len(lines) <= 24
    assert max(map(len, whole)) <= 80


def test_a_held_verdict_says_what_was_measured_and_where_the_report_is(tmp_path: Path) -> None:
    block = block_of(tmp_path)
    assert "✓ HELD  us-east-1 goes dark" in block
    assert "RTO           ≤ 2 min     74.1 – 74.6 s\n    back while the fault was on" in block
    assert "put back   4 of 4" in block
    assert "exit code  0: held" in block
    assert "/report.html" in block
    assert "lab time, 8 times faster than the wall" in block


def test_a_broken_verdict_says_that_lifting_the_fault_mended_it(tmp_path: Path) -> None:
    block = block_of(tmp_path, failover=None)
    assert "✗ BROKEN" in block
    assert "only after the fault was lifted" in block
    assert "exit code  1: broken" in block


def test_a_lever_that_is_not_back_comes_first_with_the_command_to_run(tmp_path: Path) -> None:
    outcomes = ("failed", "restored", "conflict", "open")
    lines = block_of(tmp_path, outcomes=outcomes).splitlines()
    assert lines[2] == "ROLLBACK INCOMPLETE: 3 levers not as before; run next:"
    assert lines[3] == f"  chaos rollback {tmp_path / '20261121-094312-region-outage-4f2a'}"
    assert "  reachability us-east-1 (was open): NOT PUT BACK" in lines
    assert "put back   1 of 4, 1 CHANGED BY SOMEBODY ELSE, 1 FAILED, 1 NOT TRIED" in lines
    assert "exit code  4: rollback incomplete" in lines


def test_without_reports_the_command_names_the_run(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path, outcomes=("open",) * 4)))
    block = verdict_block(history, judge(history), {})
    assert "chaos rollback 20261121-094312-region-outage-4f2a" in block
    assert "report  " not in block


def test_many_levers_that_are_not_back_still_fit_the_screen(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path, outcomes=("open",) * 4)))
    many = replace(history, pulls=history.pulls * 10)
    lines = verdict_block(many, judge(many), {}).splitlines()
    assert "ROLLBACK INCOMPLETE: 40 levers not as before; run next:" in lines
    assert "  and 36 more" in lines
    assert len(lines) <= 30


def test_a_one_way_door_is_told_as_kept(tmp_path: Path) -> None:
    assert "put back   0 of 4, 4 kept: nothing brings them back" in block_of(
        tmp_path, outcomes=("kept",) * 4
    )


def test_a_run_that_changed_nothing_says_so(tmp_path: Path) -> None:
    block = block_of(tmp_path, steady=False)
    assert "no steady state within 60 s" in block
    assert "pulled     nothing: nothing was changed" in block


def test_colour_comes_only_when_asked_for(tmp_path: Path) -> None:
    assert "\x1b[" not in block_of(tmp_path / "plain")
    assert "\x1b[1;32m✓ HELD" in block_of(tmp_path / "coloured", colour=True)


def test_text_of_a_run_cannot_command_the_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in block_of(tmp_path, title="evil \x1b[2J\x07 title\nsecond")


def test_a_narrow_terminal_gets_narrow_lines(tmp_path: Path) -> None:
    lines = block_of(tmp_path, width=60, title="a title that goes on and on " * 4).splitlines()
    assert max(len(line) for line in lines if not line.startswith(("report", "  ✓"))) <= 60


# --- progress -----------------------------------------------------------------------------


def lines_of(path: Path) -> list[str]:
    progress = Progress()
    return [line for event in read(path) if (line := progress.line(event))]


def test_a_run_is_told_line_by_line(tmp_path: Path) -> None:
    lines = lines_of(journals.region_outage(tmp_path))
    told = [line[11:] for line in lines]
    assert told[:5] == [
        "run 20261121-094312-region-outage-4f2a, at 8 times the wall's speed",
        "steady state: waiting until every probe is good",
        "every probe is good; beginning",
        "region_outage us-east-1: injecting",
        "region_outage us-east-1: injected",
    ]
    assert "playback is down: no answer within 2 s, while at connect" in told
    assert "playback is back after 47 s, from us-west-2" in told
    assert "region_outage us-east-1: lifted, all its levers are back" in told
    assert "history: the ledger has 7 records" in told
    assert "putting back what is still changed" not in told
    assert lines[2].startswith("    +8.4s  ")


def test_what_people_are_to_mark_is_told_and_what_they_have_marked() -> None:
    progress = Progress()
    experiment = {"faults": [], "probes": {}, "marks": {"decided": 60.0}}
    place = {"kind": "embedded"}
    begun = {"run": "r", "speed": 1.0, "environment": place, "experiment": experiment}
    told = [
        progress.line({"t": 0.0, "event": "run", **begun}),
        progress.line({"t": 1.0, "event": "phase", "phase": "hold"}),
        progress.line({"t": 2.0, "event": "mark", "what": "decided", "since": 1.8, "by": "kim"}),
    ]
    assert [line and line[11:] for line in told][1:] == [
        "the fault is on; watching; to be marked by chaos mark latest --as NAME: decided",
        "marked: decided, by kim",
    ]


def test_attempts_that_end_late_are_no_second_outage(tmp_path: Path) -> None:
    told = "\n".join(lines_of(journals.region_outage(tmp_path, relapse=False)))
    assert told.count("playback is down") == told.count("playback is back") == 1


def test_a_lever_that_is_not_put_back_is_told(tmp_path: Path) -> None:
    outcomes = ("failed", "restored", "conflict", "open")
    told = "\n".join(lines_of(journals.region_outage(tmp_path, outcomes=outcomes)))
    assert "replication us-east-1: NOT PUT BACK: lab put_reachability failed" in told
    assert "api_rule global-control-planes: CONFLICT: somebody else changed it" in told
    assert "putting back what is still changed" in told


def test_what_is_not_back_is_not_told_to_be() -> None:
    progress = Progress()
    for happened in (
        event("pull", pull=0, lever={"kind": "dns_rule", "id": "x"}, irreversible=False),
        event("restored", pull=0, outcome="conflict"),
    ):
        progress.line(happened)
    again = progress.line(event("restored", pull=0, outcome="conflict"))
    assert again is not None
    assert "dns_rule x: CONFLICT" in again
    waiting = "all is put back; waiting until every probe is good again"
    recover = event("phase", phase="recover")
    assert progress.line(recover) == f"   +12.3s  not {waiting}"
    progress.line(event("restored", pull=0, outcome="restored"))
    assert progress.line(recover) == f"   +12.3s  {waiting}"


def event(name: str, /, **fields: Any) -> Event:
    return {"n": 0, "t": 12.34, "event": name, **fields}


def sample(start: float, *, ok: bool, crashed: bool = False) -> Event:
    error = "" if ok else "refused"
    fields = {"start": start, "ok": ok, "crashed": crashed, "error": error, "detail": {}}
    return event("sample", probe="p", **fields)


@pytest.mark.parametrize(
    ("happened", "line"),
    [
        (event("stop", why="stopped by SIGINT"), "stopping: stopped by SIGINT"),
        (event("note", text="a \x1b[31mnote\n"), ">>> a  [31mnote "),
        (
            event("fault", fault=0, kind="slow_dns", state="failed", error="no such name"),
            "slow_dns: FAILED: no such name",
        ),
        (
            event("ledger", probe="p", when="end", found=[], error="refused"),
            "p: the ledger cannot be read: refused",
        ),
        (event("ledger", probe="p", when="end", found=[7], error=""), "p: the ledger has 1 record"),
    ],
)
def test_a_line_has_the_time_and_one_sentence(happened: Event, line: str) -> None:
    assert Progress().line(happened) == f"   +12.3s  {line}"


@pytest.mark.parametrize(
    "happened", [event("end"), event("pulled", pull=0, read="x"), event("something_new")]
)
def test_what_need_not_be_seen_gives_no_line(happened: Event) -> None:
    assert Progress().line(happened) is None


def test_a_probe_that_broke_itself_says_nothing_of_the_system() -> None:
    assert Progress().line(sample(1, ok=False, crashed=True)) is None


def test_a_probe_that_flaps_does_not_fill_the_screen() -> None:
    progress = Progress()
    lines = [progress.line(sample(n, ok=bool(n % 2))) for n in range(500)]
    told = [line for line in lines if line]
    assert len(told) == TURNS
    assert "it goes up and down" in told[-1]


# --- words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(74.1, 74.6), "74.1 – 74.6 s"),
        (Interval(0.0, 0.275), "0 s – 275 ms"),
        (Interval(0.0, 0.0), "0 s"),
        (Interval(90.0, 130.0), "90 s – 2 min 10 s"),
        (Interval(130.0, 185.0), "2 min 10 s – 3 min 5 s"),
        (Interval(40.0, float("inf")), "more than 40 s"),
        (None, "–"),
    ],
)
def test_an_interval_is_told_with_its_unit_once(interval: Interval | None, text: str) -> None:
    assert words.span(interval) == text


def test_what_never_failed_in_a_run_that_was_cut_off_was_not_down() -> None:
    seen = Result(
        probe="canary",
        objective="unaffected",
        wanted=True,
        measured=Interval(0.0, 0.0),
        value="unknown",
        how="unaffected",
        reason="canary was unaffected",
    )
    assert words.measured(seen) == "no failure"


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100%"), (0.999999, "99.99%"), (0.4, "40%"), (0.0, "0%")]
)
def test_only_what_is_whole_is_called_a_hundred_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_slow_lab_is_told_too(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    slow = replace(history, header={**history.header, "speed": 0.5})
    assert words.place(slow).endswith("2 times slower than the wall.")

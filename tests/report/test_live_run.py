"""A run while it goes on: the fold over its events, and what is shown of it at a moment."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from report import journals
from report.moments import at, by_hand, events_of, noted

from chaos.history import fold as fold_history
from chaos.journal import Event, read
from chaos.report import live as live_run
from chaos.report.frame import frame
from chaos.report.live import CELLS, fold
from chaos.report.progress import Progress
from chaos.report.promises import Timer
from chaos.verdict import judge


def promise(events: list[Event], t: float, name: str) -> Timer:
    shown = frame(at(events, t), t, 40)
    return next(timer for timer in shown.promises if timer.name == name)


def fault_line(events: list[Event], t: float) -> Timer:
    return frame(at(events, t), t, 40).faults[0]


def test_nothing_is_shown_before_the_run_begins() -> None:
    assert fold(None, {"n": 0, "t": 0.0, "event": "phase", "phase": "steady"}) is None


def test_what_was_taken_never_changes(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    early = at(events, 60.0)
    seen = frame(early, 60.0, 40)
    at(events, 300.0)
    assert frame(early, 60.0, 40) == seen


def test_events_that_are_not_known_yet_are_passed_over(tmp_path: Path) -> None:
    live = at(events_of(tmp_path), 60.0)
    later = fold(live, {"n": 9, "t": 61.0, "event": "weather", "sky": "blue"})
    assert later == replace(live, t=61.0)


# --- the clock of RTO ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "mood", "text"),
    [
        (4.0, "idle", "at most 2 min"),
        (9.0, "good", "no failure yet; 2 min allowed"),
        (40.0, "doubt", "31 s of 2 min"),
        (60.0, "good", "back after 46.6 – 47.2 s of 2 min"),
        (81.0, "doubt", "72 s of 2 min"),  # a relapse: it runs again, from the injection
        (120.0, "good", "back after 74.1 – 74.6 s of 2 min"),
        (220.0, "good", "back after 74.1 – 74.6 s of 2 min"),
    ],
)
def test_the_clock_runs_from_the_injection_until_the_recovery_is_confirmed(
    tmp_path: Path, t: float, mood: str, text: str
) -> None:
    timer = promise(events_of(tmp_path), t, "playback RTO")
    assert (timer.mood, timer.text) == (mood, text)


def test_the_clock_stops_where_the_verdict_has_it(tmp_path: Path) -> None:
    path = journals.region_outage(tmp_path)
    (result,) = (r for r in judge(fold_history(read(path))).results if r.objective == "rto")
    live = at(read(path), 220.0)
    assert live.injected is not None
    assert live.probes["playback"].under.back(live.injected) == result.measured


def test_a_clock_beyond_its_limit_is_alarming(tmp_path: Path) -> None:
    timer = promise(events_of(tmp_path, failover=None), 170.0, "playback RTO")
    assert (timer.mood, timer.text) == ("bad", "2 min 41 s of 2 min")
    assert timer.share is not None
    assert timer.share > 1


def test_a_recovery_after_the_lifting_stops_no_clock(tmp_path: Path) -> None:
    timer = promise(events_of(tmp_path, failover=None), 225.0, "playback RTO")
    assert timer.mood == "bad"
    assert timer.text == "not back while the fault was on; 2 min allowed"


def test_what_a_person_breaks_counts_from_the_first_failure_before_the_mark(
    tmp_path: Path,
) -> None:
    events = by_hand(events_of(tmp_path))
    marked = next(e for e in events if e.get("state") == "injected")
    marked["t"] = 20.0
    history = fold_history(sorted(events, key=lambda e: e["t"]))
    live = at(sorted(events, key=lambda e: e["t"]), 60.0)
    assert live.injected == history.first_injection
    assert live.injected is not None
    assert 8.4 < live.injected < 9.0


# --- the other promises -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "name", "mood", "text"),
    [
        (4.0, "playback availability", "idle", "at least 40%"),
        (60.0, "playback availability", "doubt", "8.74% so far, at least 40%"),
        (120.0, "playback availability", "good", "54.71% so far, at least 40%"),
        (4.0, "west_canary unaffected", "idle", "no failure so far"),
        (60.0, "west_canary unaffected", "good", "no failure so far"),
        (60.0, "history RPO", "idle", "at most 5 s; read while the fault is on"),
        (195.0, "history RPO", "idle", "at most 5 s; read at the end"),
        (233.39, "history RPO", "idle", "at most 5 s; the verdict has it"),
        (189.0, "all steady again", "doubt", "0 s of 2 min"),
        (225.0, "all steady again", "good", "all good; 2 min allowed"),
    ],
)
def test_each_promise_says_how_it_stands(
    tmp_path: Path, t: float, name: str, mood: str, text: str
) -> None:
    timer = promise(events_of(tmp_path), t, name)
    assert (timer.mood, timer.text) == (mood, text)


def test_availability_that_was_missed_is_alarming_once_the_fault_is_over(tmp_path: Path) -> None:
    timer = promise(events_of(tmp_path, failover=None), 225.0, "playback availability")
    assert (timer.mood, timer.text) == ("bad", "0.28%, at least 40%")


def test_one_failure_breaks_the_promise_to_be_unaffected(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    first = next(e for e in events if e.get("probe") == "west_canary" and e["t"] > 30)
    first["ok"] = False
    timer = promise(events, 60.0, "west_canary unaffected")
    assert (timer.mood, timer.text) == ("bad", "1 attempt failed")


@pytest.mark.parametrize(
    ("t", "mood", "text"),
    [
        (60.0, "idle", "at most 30 s after the lifting"),
        (189.0, "doubt", "0 s of 30 s"),
        (195.0, "good", "healed after 0 s of 30 s"),
    ],
)
def test_healing_counts_from_the_lifting(tmp_path: Path, t: float, mood: str, text: str) -> None:
    events = events_of(tmp_path)
    events[0]["experiment"]["objectives"]["playback"] |= {"rto": None, "heals_within": 30.0}
    timer = promise(events, t, "playback heals within")
    assert (timer.mood, timer.text) == (mood, text)


def alarmed(tmp_path: Path, rings: float | None, since: float = 20.0) -> list[Event]:
    """The run, had playback been an alarm that rings from `rang` on; `since` it answers at all."""
    events = copy.deepcopy(events_of(tmp_path))
    events[0]["experiment"]["objectives"]["playback"] = {"detects_within": 60.0}
    for event in events:
        if event.get("probe") == "playback" and event["event"] == "sample":
            answers = event["t"] < 8.0 or event["t"] > since
            seen = rings is not None and event["start"] >= rings
            event["detail"] = {"detected": seen} if answers else {}
    return events


@pytest.mark.parametrize(
    ("rings", "t", "mood", "text"),
    [
        (30.0, 5.0, "idle", "at most 60 s"),
        (30.0, 28.0, "doubt", "19 s of 60 s"),
        (30.0, 40.0, "good", "detected after 21.1 – 23.6 s of 60 s"),
        (80.0, 75.0, "bad", "66 s of 60 s"),
        (80.0, 90.0, "bad", "detected after 71.1 – 71.6 s of 60 s"),
        (5.0, 40.0, "doubt", "told of a fault before there was one"),
        (None, 195.0, "bad", "not detected while the fault was on; 60 s allowed"),
    ],
)
def test_a_detection_is_timed_from_the_fault(
    tmp_path: Path, rings: float | None, t: float, mood: str, text: str
) -> None:
    timer = promise(alarmed(tmp_path, rings), t, "playback detects within")
    assert (timer.mood, timer.text) == (mood, text)


def test_an_alarm_rings_and_is_silent_again(tmp_path: Path) -> None:
    events = alarmed(tmp_path, 30.0)
    for event in events:
        if event.get("probe") == "playback" and "detected" in event.get("detail", {}):
            rings = 30.0 <= event["start"] < 120.0
            event |= {"ok": not rings, "detail": {"detected": rings}, "error": "it is in ALARM"}
        elif event.get("probe") == "playback":
            event["ok"] = True
    rows = frame(at(events, 60.0), 60.0, 40).rows
    assert (rows[0].mood, rows[0].state) == ("bad", "alarm 29 s")
    progress = Progress()
    told = [line.split("s  ", 1)[1] for e in events if (line := progress.line(e)) is not None]
    assert "playback rings: it is in ALARM" in told
    assert any(line.startswith("playback is silent again after 90 s") for line in told)


# --- faults and their levers --------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "mood", "text"),
    [
        (4.0, "idle", "next, for 3 min"),
        (8.43, "busy", "being injected; 1 lever pulled"),
        (60.0, "busy", "on for 2 min 8 s more; 4 levers pulled"),
        (188.62, "busy", "being lifted; 2 of 4 levers back"),
        (225.0, "idle", "lifted after 3 min; 4 of 4 levers back"),
    ],
)
def test_a_fault_says_what_is_broken_and_for_how_long_yet(
    tmp_path: Path, t: float, mood: str, text: str
) -> None:
    timer = fault_line(events_of(tmp_path), t)
    assert (timer.mood, timer.text) == (mood, text)


def test_levers_that_are_not_back_are_alarming(tmp_path: Path) -> None:
    timer = fault_line(
        events_of(tmp_path, outcomes=("failed", "restored", "conflict", "restored")), 225.0
    )
    assert (timer.mood, timer.text) == ("bad", "not lifted; 2 of 4 levers NOT PUT BACK")


def test_one_way_doors_are_told_as_kept(tmp_path: Path) -> None:
    events = events_of(tmp_path, outcomes=("kept",) * 4)
    assert fault_line(events, 225.0).text.endswith("4 levers kept: nothing brings them back")


def test_a_fault_that_fails_says_why(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    failed = {"event": "fault", "fault": 0, "kind": "region_outage", "state": "failed"}
    live = fold(at(events, 8.43), {"n": 1, "t": 9.0, **failed, "error": "access denied"})
    assert live is not None
    assert frame(live, 9.0, 40).faults[0].text == "FAILED: access denied; 1 lever pulled"


def test_a_fault_that_nothing_lifts_and_one_that_comes_later(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    fault = events[0]["experiment"]["faults"][0]
    fault["lasts"] = None
    events[0]["experiment"]["faults"].append({**fault, "at": 90.0, "lasts": 30.0})
    first, second = frame(at(events, 60.0), 60.0, 40).faults
    assert first.text == "done 51 s ago, nothing lifts it; 4 levers pulled"
    assert second.text == "in 38 s"
    assert frame(at(events, 4.0), 4.0, 40).faults[1].text == "90 s after the first, for 30 s"
    assert frame(at(events, 240.0), 240.0, 40).faults[1].text == "not injected"


# --- probes -------------------------------------------------------------------------------


def test_a_probe_says_whether_it_is_good_and_how_available_it_was(tmp_path: Path) -> None:
    rows = {row.name: row for row in frame(at(events_of(tmp_path), 40.0), 40.0, 40).rows}
    assert (rows["playback"].mood, rows["playback"].state) == ("bad", "down 31 s")
    assert (rows["playback"].latency, rows["playback"].available) == ("", "0%")
    assert (rows["west_canary"].mood, rows["west_canary"].state) == ("good", "good")
    assert (rows["west_canary"].latency, rows["west_canary"].available) == ("17 ms", "100%")


def test_a_probe_that_breaks_itself_is_neither_good_nor_down(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    last = next(e for e in reversed(events) if e.get("probe") == "west_canary")
    last |= {"ok": False, "crashed": True}
    row = frame(at(events, last["t"]), last["t"], 40).rows[1]
    assert (row.mood, row.state) == ("doubt", "crashed")
    assert row.cells[-1] is not None
    assert row.cells[-1].crashed == 1


def test_a_probe_that_has_not_answered_says_so(tmp_path: Path) -> None:
    row = frame(at(events_of(tmp_path), 0.005), 0.005, 40).rows[0]
    assert (row.mood, row.state, row.cells) == ("idle", "no answer yet", ())


def test_all_of_the_run_fits_whatever_the_width(tmp_path: Path) -> None:
    live = at(events_of(tmp_path), 233.0)
    for width in (1, 7, 38, 200):
        rows = frame(live, 233.0, width).rows
        assert all(len(row.cells) <= width for row in rows)
        attempts = sum(c.good + c.bad for c in rows[0].cells if c is not None)
        assert attempts == sum(c.good + c.bad for c in live.probes["playback"].cells)


def test_a_run_longer_than_planned_is_kept_in_fewer_cells(tmp_path: Path) -> None:
    live = at(events_of(tmp_path), 4.0)
    sample = {"event": "sample", "probe": "playback", "ok": True, "crashed": False, "error": ""}
    for n in range(3000):
        now = 5.0 + n
        later = fold(live, {"n": n, "t": now, **sample, "start": now, "end": now + 0.02})
        assert later is not None
        live = later
    cells = live.probes["playback"].cells
    assert len(cells) <= CELLS
    assert sum(cell.good for cell in cells) == 3000 + 8
    assert [cell.at for cell in cells] == sorted({cell.at for cell in cells})


def test_an_attempt_that_hung_is_shown_where_it_began(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    live = at(events, 40.0)
    cells = {cell.at: cell for cell in live.probes["playback"].cells}
    began = next(e for e in events if e["event"] == "sample" and not e["ok"])
    assert cells[int(began["start"] // live.step)].bad >= 1


# --- what a person is to do ---------------------------------------------------------------


def test_an_instruction_stands_until_the_fault_is_injected(tmp_path: Path) -> None:
    events = by_hand(events_of(tmp_path))
    live = noted(events, 8.43, "BY HAND: pull the plug — then press Enter")
    shown = frame(live, 30.0, 40)
    assert shown.instructions == ("BY HAND: pull the plug — then press Enter",)
    assert shown.faults[0].text == "waiting for the mark; 1 lever pulled"
    done = next(e for e in events if e.get("state") == "injected")
    after = fold(live, done)
    assert after is not None
    assert frame(after, 30.0, 40).instructions == ()


def test_what_another_fault_answers_leaves_the_instruction(tmp_path: Path) -> None:
    events = by_hand(events_of(tmp_path))
    other = {"kind": "region_outage", "region": "us-west-2", "at": 0.0, "lasts": 9.0}
    events[0]["experiment"]["faults"].append(other)
    live = noted(events, 8.43, "BY HAND: pull the plug")
    injected = {"event": "fault", "fault": 1, "kind": "region_outage", "state": "injected"}
    after = fold(live, {"n": 1, "t": 9.0, **injected})
    assert after is not None
    assert after.notes == ("BY HAND: pull the plug",)


def test_a_run_that_stops_says_why_and_a_finished_one_makes_no_promise(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    live = fold(at(events, 60.0), {"n": 1, "t": 61.0, "event": "stop", "why": "SIGINT\x1b[2J"})
    assert live is not None
    assert frame(live, 61.0, 40).stopping == "SIGINT [2J"
    done = frame(at(events, 300.0), 900.0, 40)
    assert (done.phase, done.promises) == ("done", ())
    assert done.ran == "ran 3 min 53 s, lab time at 8 times the wall's speed"


def test_every_event_of_the_journal_is_known_here() -> None:
    told = {"pulled", "noticed", "run"}  # nothing of them is shown while the run goes on
    page = (Path(__file__).parent.parent.parent / "docs" / "journal.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    documented = {row[1].strip(" `") for row in rows}
    assert documented <= live_run.EVENTS.keys() | told

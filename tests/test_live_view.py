"""The live view: exact frames, terminals of every kind, and a run that it can never disturb."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyte
import pytest
from report.moments import at, by_hand, events_of, noted
from rich.console import Console

from chaos.cli import live as live_view
from chaos.cli import progress
from chaos.cli.live import LiveView
from chaos.cli.panel import panel, room
from chaos.cli.progress import Printer
from chaos.cli.view import follow, safely
from chaos.journal import Event
from chaos.report.frame import frame
from chaos.report.live import Live
from chaos.report.progress import Progress

WAIT_S = 20


def drawn(live: Live, now: float, width: int, height: int = 40, *, ascii_only: bool = False) -> str:
    """The panel as text without styles."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    place = room(width, height, live.probes, ascii_only=ascii_only)
    with console.capture() as captured:
        console.print(panel(frame(live, now, place.cells), place))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


# --- frames -------------------------------------------------------------------------------


def test_a_frame_in_a_wide_terminal(tmp_path: Path) -> None:
    assert drawn(at(events_of(tmp_path), 120.0), 120.0, 90) == WIDE


def test_a_frame_of_a_late_recovery_in_80_columns(tmp_path: Path) -> None:
    assert drawn(at(events_of(tmp_path, failover=None), 170.0), 170.0, 80) == LATE


def test_a_frame_in_40_columns(tmp_path: Path) -> None:
    assert drawn(at(events_of(tmp_path), 60.0), 60.0, 40) == NARROW


def test_a_frame_without_unicode_has_none(tmp_path: Path) -> None:
    live = at(events_of(tmp_path), 120.0)
    shown = drawn(live, 120.0, 90, ascii_only=True)
    assert shown.replace("–", "-").isascii()
    assert "X history      down 111 s" in shown
    assert "xxxxxxxx" in shown


def test_the_last_frame_leaves_the_judging_to_the_verdict(tmp_path: Path) -> None:
    shown = drawn(at(events_of(tmp_path), 300.0), 300.0, 80)
    assert shown == DONE


def test_an_instruction_is_shown_in_full(tmp_path: Path) -> None:
    text = "BY HAND: " + "pull the plug of the router " * 5 + "— then press Enter"
    live = noted(by_hand(events_of(tmp_path)), 8.43, text)
    shown = drawn(live, 9.0, 40)
    assert " ".join(line.strip() for line in shown.splitlines()[3:8]) == text


@pytest.mark.parametrize("width", [1, 20, 39, 63, 64, 65, 80, 200])
@pytest.mark.parametrize("t", [0.005, 8.43, 60.0, 188.62, 300.0])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, width: int, t: float) -> None:
    lines = drawn(at(events_of(tmp_path), t), t, max(width, 20)).splitlines()
    assert max(map(len, lines)) <= max(width, 20)


def test_in_a_low_terminal_those_that_are_not_good_come_first(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    probes = events[0]["experiment"]["probes"]
    for n in range(30):
        probes[f"canary_{n}"] = probes["west_canary"]
    shown = drawn(at(events, 40.0), 40.0, 80, 16).splitlines()
    assert len(shown) <= 15
    assert shown[3].startswith("✗ playback")
    assert shown[4].startswith("✗ history")
    assert [line for line in shown if line.startswith("… and")] == ["… and 27 more, 1 of them good"]


# --- terminals ----------------------------------------------------------------------------


def replayed(
    events: list[Event], columns: int, rows: int, *, encoding: str = "utf-8"
) -> tuple[list[str], str]:
    """The lines that a terminal has seen, scrolled out or not, after a frame for each turn.

    And all that was written to it.
    """
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="replace", write_through=True)
    console = Console(file=file, force_terminal=True, width=columns, height=rows)
    with LiveView(console, clock=lambda: 0.0, period=WAIT_S) as view:
        for event in events:
            view(event)
            if event["event"] != "sample":
                view.draw()
    screen = pyte.HistoryScreen(columns, rows, history=1000)
    pyte.ByteStream(screen).feed(raw.getvalue().replace(b"\n", b"\r\n"))  # as a terminal's driver
    out = ["".join(line[x].data for x in range(columns)) for line in screen.history.top]
    return [line.rstrip() for line in [*out, *screen.display]], raw.getvalue().decode()


def test_plain_lines_scroll_above_one_panel_that_stays(tmp_path: Path) -> None:
    lines, _ = replayed(events_of(tmp_path), 90, 24)
    text = "\n".join(lines).rstrip()
    plain, _, shown = text.partition("\n── us-east-1")
    assert plain.splitlines() == plain_lines(events_of(tmp_path / "again"))
    assert f"\n── us-east-1{shown}" == drawn(at(events_of(tmp_path / "last"), 300.0), 300.0, 90)


def plain_lines(events: list[Event]) -> list[str]:
    follows = Progress()
    return [line for event in events if (line := follows.line(event)) is not None]


def test_a_terminal_that_is_narrow_and_low_scrolls_no_half_frames(tmp_path: Path) -> None:
    lines, _ = replayed(events_of(tmp_path), 40, 12)
    assert sum("available" in line or line.startswith("── us-east-1") for line in lines) == 1


def test_a_terminal_without_unicode_gets_signs_it_has(tmp_path: Path) -> None:
    lines, raw = replayed(events_of(tmp_path), 90, 24, encoding="ascii")
    assert raw.isascii()
    assert any(line.startswith("+ playback") for line in lines)


def test_no_colour_when_it_is_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = replayed(events_of(tmp_path / "a"), 90, 24)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    lines, plain = replayed(events_of(tmp_path / "b"), 90, 24)
    colours = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|4[0-7])[0-9;]*m")
    assert colours.search(coloured)
    assert not colours.search(plain)
    assert any("playback" in line for line in lines)


def test_text_of_a_run_cannot_command_the_terminal(tmp_path: Path) -> None:
    events = events_of(tmp_path, title="evil \x1b[2J\x07 title")
    events[0]["experiment"]["faults"][0]["region"] = "us\x1b[2J"
    for event in events:
        if event["event"] == "sample" and not event["ok"]:
            event["error"] = "\x1b]0;evil\x07[bold]markup[/bold]"
    lines, raw = replayed(events, 90, 24)
    assert "\x1b[2J" not in raw
    assert "\x07" not in raw
    assert any("[bold]markup[/bold]" in line for line in lines)


# --- a run is never disturbed -------------------------------------------------------------


class Held(io.StringIO):
    """A terminal that somebody holds: writing waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let_go = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.let_go.wait(WAIT_S)
        return super().write(text)


def test_a_held_terminal_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_view, "PATIENCE_S", 0.01)
    held = Held()
    view = LiveView(Console(file=held, force_terminal=True, width=80, height=24), period=0.001)
    first, *rest = events_of(tmp_path)
    with view:
        view(first)
        assert held.reached.wait(WAIT_S)
        for event in rest:
            view(event)
        assert held.getvalue() == ""  # all were taken while the terminal was held
    held.let_go.set()
    view.join(WAIT_S)
    assert "judging" in held.getvalue()
    assert "done" in held.getvalue()


def test_lines_that_are_too_many_for_a_held_terminal_are_left_out(tmp_path: Path) -> None:
    view = LiveView(Console(file=io.StringIO(), force_terminal=True))
    note: Event = {"n": 0, "t": 0.0, "event": "note", "text": "again"}
    for _ in range(progress.WAITING * 2):
        view(note)
    view.draw()
    console: Any = view.console.file
    assert console.getvalue().count("again") == progress.WAITING


def test_plain_lines_come_to_an_end_however_many_were_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", 0.01)
    let_go, printed = threading.Event(), []

    def held(text: str, *, to_stderr: bool) -> None:
        assert let_go.wait(WAIT_S)
        printed.append(text)

    monkeypatch.setattr(progress, "say", held)
    with Printer() as printer:
        for _ in range(progress.WAITING * 2):
            printer({"n": 0, "t": 0.0, "event": "note", "text": "again"})
    let_go.set()
    printer.join(WAIT_S)
    assert progress.WAITING <= len(printed) <= progress.WAITING + 1


class Gone(io.StringIO):
    """A terminal that is not there any more."""

    def write(self, text: str) -> int:
        raise OSError("input/output error")


@pytest.mark.parametrize("defect", ["the terminal is gone", "a frame fails", "an event fails"])
def test_a_defect_of_the_view_leaves_plain_lines(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    defect: str,
) -> None:
    file = Gone() if defect == "the terminal is gone" else io.StringIO()
    if defect == "a frame fails":
        monkeypatch.setattr(live_view, "frame", None)
    if defect == "an event fails":
        monkeypatch.setattr(live_view, "fold", None)
    events = events_of(tmp_path)
    with LiveView(Console(file=file, force_terminal=True), period=0.001) as view:
        for event in events:
            view(event)
    shown = file.getvalue() + capsys.readouterr().out
    assert "judging" in shown
    assert view.broken


def test_a_view_that_breaks_ends_alone(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    def view(event: Event) -> None:
        seen.append(event)
        raise ValueError("a defect")

    take = safely(view)
    for n in range(3):
        take({"n": n, "t": 0.0, "event": "phase"})
    assert len(seen) == 1
    assert [record.message for record in caplog.records] == [
        "a view of the run has ended at the event phase"
    ]


# --- which view -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terminal", "term", "plain", "to_stderr", "view"),
    [
        (True, "xterm", False, False, LiveView),
        (False, "xterm", False, False, Printer),
        (True, "dumb", False, False, Printer),
        (True, "", False, False, Printer),
        (True, "xterm", True, False, Printer),
        (True, "xterm", False, True, Printer),
    ],
)
def test_only_a_terminal_gets_the_live_view(
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    term: str,
    plain: bool,
    to_stderr: bool,
    view: type,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("TERM", term)
    assert type(follow(plain=plain, to_stderr=to_stderr)) is view


def test_rich_is_imported_for_the_live_view_alone() -> None:
    code = (
        "import sys, chaos.cli.run, chaos.cli.view, chaos.cli.ending;"
        "chaos.cli.view.follow(plain=True, to_stderr=False);"
        "print([m for m in ('rich', 'prometheus_client') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


# --- the frames ----------------------------------------------------------------------------

WIDE = """\

── us-east-1 goes dark; playback moves to us-west-2 ──────────────────────────────────────
the fault is on, 111 s  running 2 min, lab time at 8 times the wall's speed
                                         ▼                                     available
● playback     good              53 ms  ▄××××××××▄▅××▅▅▅▅▅                        54.71%
● west_canary  good              21 ms  ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃                          100%
✗ history      down 111 s               ▃×××××××××××××××××                            0%

● region_outage us-east-1  on for 68 s more; 4 levers pulled          ━━━━━━━━━━━───────

● playback RTO             back after 74.1 – 74.6 s of 2 min          ━━━━━━━━━━━───────
● playback availability    54.71% so far, at least 40%
● west_canary unaffected   no failure so far
○ history RPO              at most 5 s; read while the fault is on"""

LATE = """\

── us-east-1 goes dark; playback moves to us-west-2 ────────────────────────────
the fault is on, 2 min 41 s  running 2 min 50 s, lab time at 8 times the wall's…
                                        ▼                            available
✗ playback     down 2 min 41 s          ××××××××××××××××××××                0%
● west_canary  good              18 ms  ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃              100%
✗ history      down 2 min 41 s          ××××××××××××××××××××                0%

● region_outage us-east-1  on for 18 s more; 4 levers pulled        ━━━━━━━━━─

✗ playback RTO             2 min 41 s of 2 min                      ━━━━━━━━━━
● playback availability    0% so far, at least 40%
● west_canary unaffected   no failure so far
○ history RPO              at most 5 s; read while the fault is on"""

NARROW = """\

── us-east-1 goes dark; playback moves…─
the fault is on, 51 s  running 60 s, la…
                              ▼
● playback     good           ××▅
● west_canary  good           ▃▃▃
✗ history      down 51 s      ××

● region_outage us-east-1
    on for 2 min 8 s more; 4 levers pul…

● playback RTO
    back after 46.6 – 47.2 s of 2 min
● playback availability
    8.74% so far, at least 40%
● west_canary unaffected
    no failure so far
○ history RPO
    at most 5 s; read while the fault i…"""

DONE = """\

── us-east-1 goes dark; playback moves to us-west-2 ────────────────────────────
done  ran 3 min 53 s, lab time at 8 times the wall's speed
                                        ▼                  ▲         available
● playback     good              21 ms  ××××××▅▅×▅▅▅▅▅▅▅▅▅▅▅▅▅▄▄▄       72.02%
● west_canary  good              17 ms  ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃         100%
● history      good              16 ms  ××××××××××××××××××××▃▃▃▃▃           0%

○ region_outage us-east-1  lifted after 3 min; 4 of 4 levers back"""

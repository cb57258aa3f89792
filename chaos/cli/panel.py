"""The look of a live view: a frame as lines of styled text, for a terminal of any size.

What must be known is in the words and signs; colour only helps the eye.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from rich.cells import cell_len
from rich.console import Group
from rich.text import Text

from chaos.report.frame import Frame, Row
from chaos.report.promises import Timer
from chaos.report.strip import Cell

STYLES = {"idle": "dim", "busy": "cyan", "good": "green", "doubt": "yellow", "bad": "bold red"}
WIDEST = 110  # longer lines are hard to follow
NARROW = 64  # below it there is room for what matters most only
FASTEST = 0.001  # seconds; the lowest step of a cell


@dataclass(frozen=True, slots=True)
class Signs:
    """What is drawn with: every sign is one column wide."""

    dots: dict[str, str]
    levels: str
    failed: str
    crashed: str
    full: str
    empty: str
    rule: str
    marks: dict[str, str]
    more: str


UNICODE = Signs(
    {"idle": "○", "busy": "●", "good": "●", "doubt": "●", "bad": "✗"},
    "▁▂▃▄▅▆▇",
    "×",
    "?",
    "━",
    "─",
    "─",
    {"broken": "▼", "back": "▲"},
    "…",
)
ASCII = Signs(
    {"idle": "-", "busy": "*", "good": "+", "doubt": "?", "bad": "X"},
    "_.,:;|I",
    "x",
    "?",
    "#",
    "-",
    "-",
    {"broken": "v", "back": "^"},
    "~",
)


@dataclass(frozen=True, slots=True)
class Room:
    """The terminal, and how wide each column may be in it."""

    width: int
    height: int
    signs: Signs
    name: int
    cells: int

    @property
    def narrow(self) -> bool:
        return self.width < NARROW

    @property
    def bar(self) -> int:
        return 18 if self.width >= 90 else 10


STATE, LATENCY, AVAILABLE = 15, 8, 8


def room(width: int, height: int, names: Iterable[str], *, ascii_only: bool) -> Room:
    """How a terminal of that size is used for probes of these names."""
    width = max(20, min(width, WIDEST))
    narrow = width < NARROW
    longest = max((cell_len(name) for name in names), default=0)
    name = max(6, min(longest, 12 if narrow else 20))
    taken = 2 + name + 2 + STATE + (0 if narrow else 2 + LATENCY + 2 + AVAILABLE)
    return Room(width, height, ASCII if ascii_only else UNICODE, name, max(0, width - taken - 2))


def panel(frame: Frame, at: Room) -> Group:
    """The frame's lines; of good probes only so many as the terminal has room for."""
    place = [_cut(Text(line, style="dim"), at) for line in frame.place]
    head = [_rule(frame, at), _head(frame, at), *place, *_alarms(frame, at)]
    timers = [_timers(group, at, frame) for group in (frame.faults, frame.promises) if group]
    axis = _axis(frame, at)
    spare = at.height - 1 - sum(map(len, [head, axis, *timers]))
    airy = spare > len(frame.rows) + len(timers)
    if airy:
        # Who presses Enter moves the panel down by a line: let that line be an empty one.
        head = [Text(), *head]
        timers = [[Text(), *group] for group in timers]
    return Group(*head, *axis, *_rows(frame.rows, spare, at), *chain.from_iterable(timers))


def _rule(frame: Frame, at: Room) -> Text:
    title = Text(f"{at.signs.rule * 2} ", style="dim").append(frame.title, style="not dim bold")
    title.append(" ")
    _cut(title, at, at.width - 1)
    return title.append(at.signs.rule * (at.width - title.cell_len), style="dim")


def _head(frame: Frame, at: Room) -> Text:
    line = Text(frame.phase, style="bold")
    line.append(f"  {frame.ran}", style="not bold dim")
    return _cut(line, at)


def _alarms(frame: Frame, at: Room) -> Iterator[Text]:
    """What a person must read: in full, on as many lines as it takes."""
    told = [(text, "bold black on yellow") for text in frame.instructions]
    if frame.stopping:
        told.append((f"stopping: {frame.stopping}", "bold yellow"))
    for text, style in told:
        for line in _wrapped(text, at.width - 2):
            yield Text(f" {line} ", style=style)


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and cell_len(line) + 1 + cell_len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _axis(frame: Frame, at: Room) -> list[Text]:
    """Where in the rows below the fault began, and where all was back."""
    line = [" "] * at.cells
    for place, mark in frame.marks:
        if 0 <= place < at.cells:
            line[place] = at.signs.marks[mark]
    before = " " * (4 + at.name + STATE + (0 if at.narrow else LATENCY + 2))
    text = Text(before).append("".join(line), style="cyan")
    if not at.narrow:
        text.append("available".rjust(2 + AVAILABLE), style="dim")
    return [text]


def _rows(rows: tuple[Row, ...], spare: int, at: Room) -> Iterator[Text]:
    """All probes if there is room, or those that are not good first."""
    if len(rows) > max(spare, 1):
        told = sorted(rows, key=lambda row: row.mood == "good")[: max(spare - 1, 1)]
        left = [row for row in rows if row not in told]
        good = sum(row.mood == "good" for row in left)
        yield from (_row(row, at) for row in told)
        yield _cut(Text(f"{at.signs.more} and {len(left)} more, {good} of them good", "dim"), at)
    else:
        yield from (_row(row, at) for row in rows)


def _row(row: Row, at: Room) -> Text:
    style = STYLES[row.mood]
    line = Text(f"{at.signs.dots[row.mood]} ", style=style)
    line.append_text(_column(row.name, at.name, "not dim not bold default", at)).append("  ")
    line.append_text(_column(row.state, STATE, style, at))
    if not at.narrow:
        line.append(row.latency.rjust(LATENCY), style="not bold dim").append("  ")
    line.append_text(_cells(row, at))
    if not at.narrow:
        line.append(row.available.rjust(2 + AVAILABLE), style="not dim not bold default")
    return line


def _cells(row: Row, at: Room) -> Text:
    text = Text()
    for cell in row.cells[: at.cells]:
        text.append(*_sign(cell, row.timeout, at.signs))
    text.pad_right(at.cells - text.cell_len)
    return text


def _sign(cell: Cell | None, timeout: float, signs: Signs) -> tuple[str, str]:
    if cell is None:
        return " ", ""
    if cell.bad:
        return signs.failed, "bold red" if not cell.good else "not bold red"
    if not cell.good:
        return signs.crashed, "not bold yellow"
    return signs.levels[_level(cell.slowest, timeout, len(signs.levels))], "not bold green"


def _level(took: float, timeout: float, levels: int) -> int:
    """On a logarithmic scale, the same for every probe with the same timeout."""
    share = math.log(max(took, FASTEST) / FASTEST) / math.log(max(timeout, 0.002) / FASTEST)
    return min(levels - 1, int(share * levels))


def _timers(timers: tuple[Timer, ...], at: Room, frame: Frame) -> list[Text]:
    every = (*frame.faults, *frame.promises)
    name = min(max(cell_len(timer.name) for timer in every), 32)
    return [line for timer in timers for line in _timer(timer, name, at)]


def _timer(timer: Timer, name: int, at: Room) -> Iterator[Text]:
    style = STYLES[timer.mood]
    # So much colour that the eye finds what is not as it should be, and no more.
    text = "not dim not bold default" if timer.mood in ("good", "busy") else style
    line = Text(f"{at.signs.dots[timer.mood]} ", style=style)
    if at.narrow:
        yield _cut(line.append(timer.name, "not dim not bold default"), at)
        yield _cut(Text(f"    {timer.text}", style=text), at)
        return
    line.append_text(_column(timer.name, name, "not dim not bold default", at)).append("  ")
    line.append(timer.text, style=text)
    if timer.share is None:
        yield _cut(line, at)
    else:
        line = _column(line, at.width - at.bar - 4, "", at)
        yield line.append("  ").append_text(_bar(timer.share, style, at))


def _bar(share: float, style: str, at: Room) -> Text:
    full = max(0, min(at.bar, round(share * at.bar)))
    bar = Text(at.signs.full * full, style=style)
    return bar.append(at.signs.empty * (at.bar - full), "not bold dim")


def _column(text: str | Text, width: int, style: str, at: Room) -> Text:
    column = _cut(Text(text, style=style) if isinstance(text, str) else text, at, width)
    column.pad_right(width - column.cell_len)
    return column


def _cut(line: Text, at: Room, width: int | None = None) -> Text:
    """The line, no wider than there is room; what is left out is shown to be."""
    width = at.width if width is None else width
    if line.cell_len > width:
        line.truncate(max(width - 1, 0))
        line.append(at.signs.more)
    return line

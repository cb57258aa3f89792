"""Samples that say the same, many in one line of the journal, so that a drill of days stays small.

What is alike in them stands in the line as it is; what differs is numbers, in columns of whole
microseconds, compressed. Nothing is lost: `unpacked` gives back each as it was. docs/journal.md.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Event = dict[str, Any]
# What samples must have in common to share a line.
ALIKE = ("probe", "ok", "error", "crashed", "detail")
# So many of a run are written one by one, as they end; most drills have fewer.
ONE_BY_ONE = 20_000
# So many at most share a line, and so long one is held back: a run that is killed loses no more.
MOST, LONGEST_S = 50, 10.0
# Bytes of a line's columns, inflated: a tenth of that is written.
LARGEST = 256 * 1024


class Packer:
    """Gathers what many samples have in common; `write` takes the lines, an event and its fields.

    A probe's turn from good to bad or back is written at once, and all of it that came before.
    """

    def __init__(self, write: Callable[..., object]) -> None:
        self._write = write
        self._packs: dict[str, Pack] = {}  # the one that was begun first, first
        self._ok: dict[str, bool] = {}

    def add(self, sample: Event, first: float, every: float, now: float) -> bool:
        """Take one sample of a probe with that grid; returns whether it is held back.

        Attempt n is due at `first + n * every`. `now` counts in the loop's seconds.
        """
        probe, turned = sample["probe"], self._ok.get(sample["probe"]) is not sample["ok"]
        self._ok[probe] = sample["ok"]
        if turned:
            self.flush(probe)
            self._write("sample", **sample)
            return False
        alike = json.dumps([*(sample[name] for name in ALIKE), list(sample["phases"])])
        pack = self._packs.setdefault(alike, Pack(sample, first, every, now))
        pack.add(sample)
        if len(pack.rows) == MOST:
            self._write("samples", **self._packs.pop(alike).line())
        while self._packs and now - (oldest := next(iter(self._packs.values()))).since > LONGEST_S:
            del self._packs[next(iter(self._packs))]
            self._write("samples", **oldest.line())
        return True

    def flush(self, probe: str | None = None) -> None:
        """Write what is held back, of that probe or of all."""
        for alike, pack in list(self._packs.items()):
            if probe in (None, pack.like["probe"]):
                del self._packs[alike]
                self._write("samples", **pack.line())


@dataclass(slots=True)
class Pack:
    """Samples of one probe that are like `like`; `since` is when the first of them came."""

    like: Event
    first: float
    every: float
    since: float
    rows: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, sample: Event) -> None:
        """Take one more, which must be alike."""
        times = (sample["start"] - sample["due"], sample["end"] - sample["start"])
        lengths = (*times, *sample["phases"].values())
        self.rows.append((sample["attempt"], *map(_microseconds, lengths)))

    def line(self) -> Event:
        """The fields of the journal's event `samples`."""
        attempts, *lengths = map(list, zip(*self.rows, strict=True))
        steps = [b - a for a, b in pairwise([0, *attempts])]
        columns = json.dumps([steps, *lengths], separators=(",", ":"))
        return {
            **{name: self.like[name] for name in ALIKE},
            "first": self.first,
            "every": self.every,
            "count": len(self.rows),
            "phases": list(self.like["phases"]),
            "columns": base64.b64encode(zlib.compress(columns.encode(), 9)).decode(),
        }


def unpacked(events: Iterable[Event]) -> Iterator[Event]:
    """The events, with each sample in one of its own, as if none had ever been packed."""
    for event in events:
        if event["event"] == "samples":
            yield from _each(event)
        else:
            yield event


def _each(packed: Event) -> Iterator[Event]:
    """The samples of a line; `detail` is one and the same value in all of them."""
    columns = json.loads(_inflated(base64.b64decode(packed["columns"])))
    if not (isinstance(columns, list) and columns and len(columns[0]) == packed["count"]):
        raise ValueError("a line of samples has another number of them than it tells")
    like = {name: packed[name] for name in ALIKE}
    names, first, every, attempt = packed["phases"], packed["first"], packed["every"], 0
    for step, late, took, *phases in zip(*columns, strict=True):
        attempt += step
        due = round(first + attempt * every, 6)
        start = round(due + late / 1e6, 6)
        end = round(start + took / 1e6, 6)
        yield {
            "n": packed["n"],
            "t": end,
            "event": "sample",
            "attempt": attempt,
            **like,
            "due": due,
            "start": start,
            "end": end,
            "phases": {name: length / 1e6 for name, length in zip(names, phases, strict=True)},
        }


def _inflated(data: bytes) -> bytes:
    """The columns' JSON; a journal may be anybody's, so what would not end is not begun."""
    whole = zlib.decompressobj()
    text = whole.decompress(data, LARGEST)
    if not whole.eof:
        raise ValueError(f"a line of samples has more than {LARGEST // 1024} KiB")
    return text


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)

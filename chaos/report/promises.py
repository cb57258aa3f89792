"""The clock of each promise while the run goes on, against its limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from chaos.report import words
from chaos.report.live import Live, LiveProbe
from chaos.verdict import percent, spread
from probes.durations import show
from probes.outages import Interval

Mood = Literal["idle", "busy", "good", "doubt", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Something that takes its time: `share` of it is over, None where that cannot be said."""

    name: str
    mood: Mood
    text: str
    share: float | None = None


def promises(live: Live, now: float) -> Iterator[Timer]:
    """A timer for each promise of each probe, and for the recovery of all once that is awaited."""
    for name, promised in live.header["experiment"]["objectives"].items():
        for objective, clock in CLOCKS.items():
            wanted = spread.longest(promised.get(objective))
            if wanted is not None and wanted is not False:
                mood, text, share = clock(wanted, live.probes[name], live, now)
                title = f"{name} {words.OBJECTIVES[objective]}"
                yield Timer(name=title, mood=mood, text=text, share=share)
    if (since := live.phases.get("recover")) is not None:
        yield _steady(since if live.lifted is None else live.lifted, live, now)


def whole(seconds: float) -> str:
    """A length that still grows or shrinks, for people: tenths would only flicker."""
    return show(float(max(0, math.floor(seconds + 1e-9))))


Clock = tuple[Mood, str, float | None]


def _rto(wanted: float, probe: LiveProbe, live: Live, now: float) -> Clock:
    allowed = show(wanted)
    if live.injected is None:
        return "idle", f"at most {allowed}", None
    if not probe.hit:
        told = "no failure yet" if live.closed is None else "not affected"
        return "good", f"{told}; {allowed} allowed", None
    if (back := probe.under.back(live.injected)) is not None:
        return _compared(back, wanted, f"back after {words.span(back)} of {allowed}")
    if live.closed is not None:
        return "bad", f"not back while the fault was on; {allowed} allowed", None
    return _running(now - live.injected, wanted)


def _heals_within(wanted: float, probe: LiveProbe, live: Live, now: float) -> Clock:
    if live.lifted is None:
        return "idle", f"at most {show(wanted)} after the lifting", None
    if not probe.trail.proven(live.lifted):
        return _running(now - live.lifted, wanted)
    healed = probe.trail.back(live.lifted) or Interval(0.0, 0.0)
    return _compared(healed, wanted, f"healed after {words.span(healed)} of {show(wanted)}")


def _detects_within(wanted: float, probe: LiveProbe, live: Live, now: float) -> Clock:
    allowed, told = show(wanted), probe.lookout.told
    if live.injected is None:
        return "idle", f"at most {allowed}", None
    if told is not None:
        after = told.since(live.injected)
        return _compared(after, wanted, f"detected after {words.span(after)} of {allowed}")
    if probe.lookout.early:
        return "doubt", "told of a fault before there was one", None
    if live.closed is not None:
        return "bad", f"not detected while the fault was on; {allowed} allowed", None
    return _running(now - live.injected, wanted)


def _availability(wanted: float, probe: LiveProbe, live: Live, _: float) -> Clock:
    if not probe.attempts:
        return "idle", f"at least {percent(wanted)}", None
    share = probe.good / probe.attempts
    below: Mood = "doubt" if live.closed is None else "bad"
    mood = "good" if share >= wanted else below
    so_far = " so far" if live.closed is None else ""
    return mood, f"{percent(share)}{so_far}, at least {percent(wanted)}", None


def _unaffected(_: bool, probe: LiveProbe, live: Live, __: float) -> Clock:
    if probe.failed:
        return "bad", f"{words.count(probe.failed, 'attempt')} failed", None
    return ("idle" if live.injected is None else "good"), "no failure so far", None


def _read(wanted: float, probe: LiveProbe, _: Live, __: float) -> Clock:
    """Of a ledger, which is read twice."""
    when = ("while the fault is on", "at the end")[min(probe.reads, 1)]
    then = "the verdict has it" if probe.reads > 1 else f"read {when}"
    allowed = "none" if isinstance(wanted, bool) else f"at most {show(wanted)}"
    return "idle", f"{allowed}; {then}", None


def _steady(since: float, live: Live, now: float) -> Timer:
    """Whether everything is good again, promised or not."""
    within = live.header["experiment"]["recover_within"]
    waiting = [name for name, probe in live.probes.items() if not probe.trail.proven(since)]
    if waiting:
        mood, text, share = _running(now - since, within)
    else:
        mood, text, share = "good", f"all good; {show(within)} allowed", None
    return Timer(name="all steady again", mood=mood, text=text, share=share)


def _running(elapsed: float, wanted: float) -> Clock:
    mood: Mood = "doubt" if elapsed <= wanted else "bad"
    return mood, f"{whole(elapsed)} of {show(wanted)}", elapsed / wanted if wanted else 1.0


def _compared(found: Interval, wanted: float, text: str) -> Clock:
    mood: Mood = "good" if found.high <= wanted else "bad" if found.low > wanted else "doubt"
    return mood, text, found.high / wanted if wanted else 1.0


CLOCKS: dict[str, Callable[[Any, LiveProbe, Live, float], Clock]] = {
    "rto": _rto,
    "rpo": _read,
    "stale": _read,
    "in_order": _read,
    "no_duplicates": _read,
    "heals_within": _heals_within,
    "detects_within": _detects_within,
    "availability": _availability,
    "unaffected": _unaffected,
}

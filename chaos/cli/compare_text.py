"""What `chaos compare` says: now and before, what else is different, and the answer of the gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos.cli import layout
from chaos.report import words
from chaos.results import RunResult
from chaos.results.comparing import ALIKE, TOLD, Pair, Side, changed
from chaos.results.gate import Gate, Test, trials_needed
from chaos.verdict import percent
from probes.outages import Interval

ANSWERS = {
    "worse": "worse",
    "not shown": "not shown to be worse",
    "too coarse": "cannot be told",
    "too few": "too few runs",
    "no data": "no figure",
}


TOLD_WITH_P = ("worse", "not shown", "too coarse")


def when(run: RunResult) -> str:
    """When it began, to the minute: `2026-11-21 09:43`; UTC."""
    return run.wall[:16].replace("T", " ")


def lines(
    now: Sequence[RunResult], before: Sequence[RunResult], pairs: Sequence[Pair], gate: Gate | None
) -> Iterator[str]:
    """All that is said, line by line."""
    yield layout.heading(now[0].title or now[0].experiment)
    yield f"now     {_runs(now)}"
    yield f"before  {_runs(before)}"
    yield ""
    tests = {id(test.pair): test for test in gate.tests} if gate else {}
    rows = [_row(pair, tests.get(id(pair)), len(before) > 1) for pair in pairs]
    if rows:
        yield layout.table([_columns(len(before) > 1), *rows], layout.table_width())
    else:
        yield "nothing was promised, so there is nothing to compare"
    yield from _changed(now, before)
    if gate:
        yield ""
        yield from _filled(_answer(gate, len(before)))


def not_alike(now: RunResult, other: RunResult) -> str:
    """Why the gate cannot judge these two."""
    found = changed([now], [other])
    what = "; ".join(
        f"{name} {found[name][1][0]}, not {found[name][0][0]}" for name in ALIKE if name in found
    )
    return (
        f"{now.run} cannot be judged by {other.run}, for their figures mean something else: {what}"
    )


def _runs(runs: Sequence[RunResult]) -> str:
    if not runs:
        return "no run that is alike"
    values = [run.value for run in runs]
    verdicts = ", ".join(f"{values.count(v)} {v}" for v in dict.fromkeys(values))
    if len(runs) == 1:
        return f"{runs[0].run}, {when(runs[0])} UTC, {runs[0].value}"
    return f"{len(runs)} runs from {when(runs[0])} to {when(runs[-1])} UTC: {verdicts}"


def _columns(several: bool) -> tuple[str, ...]:
    before = ("before (median)", "least – most") if several else ("before",)
    return ("", "", "now", *before, "difference")


def _row(pair: Pair, test: Test | None, several: bool) -> tuple[str, ...]:
    difference = _difference(pair)
    if test:
        p = f" (p {_p(test)})" if test.answer in TOLD_WITH_P else ""
        difference = f"{difference}; {ANSWERS[test.answer]}{p}"
    reach = (_span(pair, pair.before.reach),) if several else ()
    return (
        pair.probe,
        words.OBJECTIVES[pair.objective],
        _told(pair, pair.now),
        _told(pair, pair.before),
        *reach,
        difference,
    )


def _told(pair: Pair, side: Side) -> str:
    """Its interval, the median of several, and how many have no figure."""
    left_out = f" ({side.left_out} without)" if side.left_out and side.results else ""
    return f"{_span(pair, side.middle)}{left_out}"


def _span(pair: Pair, found: Interval | None) -> str:
    if found is None:
        return "no figure"
    if pair.objective == "availability":
        low, high = percent(found.low), percent(found.high)
        return low if low == high else f"{low} – {high}"
    if pair.objective in words.COUNTED:
        return f"{_number(found)} {words.COUNTED[pair.objective][0]}"
    if pair.objective == "unaffected" and not found.high:
        return "no failure"
    return words.span(found)


def _number(found: Interval, times: int = 1) -> str:
    low, high = f"{found.low * times:.2g}", f"{found.high * times:.2g}"
    return low if low == high else f"{low} – {high}"


def _difference(pair: Pair) -> str:
    found = pair.difference
    if found is None:
        return "–"
    if found.low <= 0 <= found.high:
        return "none that can be told" if found.low < found.high else "none"
    counted = pair.objective == "availability" or pair.objective in words.COUNTED
    way = ("less", "more") if counted else ("shorter", "longer")
    size = found if found.low > 0 else Interval(-found.high, -found.low)
    if pair.objective == "availability":
        text = f"{_number(size, 100)} points"
    elif counted:
        text = _number(size)
    else:
        text = words.span(size)
    return f"{text} {way[found.low > 0]}"


def _p(test: Test) -> str:
    """What the measured intervals leave open of it."""
    least, most = test.p_least or 0.0, test.p_value or 0.0
    low, high = f"{least:.2g}", f"{most:.2g}"
    return high if low == high else f"{low} – {high}"


def _changed(now: Sequence[RunResult], before: Sequence[RunResult]) -> Iterator[str]:
    found = changed(now, before)
    if not found:
        return
    yield ""
    for name, (old, new) in found.items():
        yield f"changed  {name}: {_each(old)} → {_each(new)}"
    if unlike := [name for name in ALIKE if name in found]:
        yield from _filled(
            f"NOT COMPARABLE: with another {' and '.join(unlike)} the figures mean something else."
        )
    elif other := [name for name in TOLD if name in found]:
        yield from _filled(f"A difference may be owed to what was changed: {' and '.join(other)}.")


def _each(values: Sequence[str]) -> str:
    return " and ".join(filter(None, values)) or "none"


def _answer(gate: Gate, before: int) -> str:
    by, sure = percent(gate.by) if gate.by <= 1 else f"{gate.by:.0%}", percent(gate.confidence)
    others = f"than the {words.count(before, 'run')} before " if before else ""
    than = f"{others}by more than {by}"
    if gate.answer == "worse":
        which = _named(gate, "worse")
        return f"WORSE {than}: {which}, with {sure} confidence."
    if gate.answer == "not shown":
        return f"Not shown to be worse {than}, at {sure} confidence."
    return f"It cannot be told whether it is worse {than}: {_why(gate, before)}"


def _why(gate: Gate, before: int) -> str:
    which = _named(gate, gate.answer)
    if gate.answer == "no data":
        return f"{which} has no figure that proves anything."
    if gate.answer == "too coarse":
        return (
            f"for {which} that lies within what the measured intervals leave open; probe more"
            " often, or allow more."
        )
    each = (
        f", since {gate.at_once} promises are tested at once, each at {percent(gate.each)}"
        if gate.each > gate.confidence
        else ""
    )
    needed = f"It takes {words.count(gate.needed, 'run')} before"
    if before:
        trials = words.count(trials_needed(before, gate.each), "trial")
        needed += f"; or, with {before} before, {trials} now"
    return f"so few runs cannot show it for {which}{each}. {needed}."


def _named(gate: Gate, answer: str) -> str:
    named = [
        f"{test.pair.probe} {words.OBJECTIVES[test.pair.objective]}"
        for test in gate.tests
        if test.answer == answer
    ]
    return ", ".join(named) or "nothing that was promised"


def _filled(text: str) -> Iterator[str]:
    yield layout.filled(text, layout.width())

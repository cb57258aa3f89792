"""A set's verdict in sentences, the decisive one first, and in a table of strips for terminals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from textwrap import wrap

from chaos import statistics
from chaos.report import words
from chaos.trials.judging import Judged, SetVerdict
from chaos.trials.promises import Found, Promise, TrialResult
from chaos.verdict.finding import Value
from chaos.verdict.rules import RECOVER_WITHIN
from probes.durations import show
from probes.outages import Interval

SIGNS = {"held": "✓", "broken": "✗", "unknown": "?"}
MARKS = {"passed": "✓", "failed": "✗", "unknown": "?"}
STRIP = 44  # characters of a strip, which is the axis from 0 to a little more than all there is
ASIDE = 1.1
ORDER: tuple[Value, ...] = ("broken", "unknown", "held")


def title(verdict: SetVerdict) -> str:
    """`BROKEN, flaky: 3 of 5 trials held`; what was planned and not made is told too."""
    held = sum(trial.outcome == "passed" for trial in verdict.trials)
    made = len(verdict.trials)
    planned = f" ({verdict.of} were planned)" if made < verdict.of else ""
    flaky = ", flaky" if verdict.flaky else ""
    return f"{verdict.value.upper()}{flaky}: {held} of {words.count(made, 'trial')} held{planned}"


def reasons(verdict: SetVerdict) -> list[str]:
    """All of them, the decisive one first."""
    undone = [f"rollback incomplete; then run: chaos rollback {run}" for run in verdict.undone]
    by_weight = sorted(verdict.judged, key=lambda one: (ORDER.index(one.value), not one.flaky))
    judged = [sentence(one) for one in by_weight]
    mute = (t for t in verdict.trials if not t.found)
    why = next((f": trial {t.n}: {next(iter(t.verdict.reasons), '')}" for t in mute), "")
    nothing = [] if judged else [f"no trial says anything{why}"]
    ended = [f"the set ended before its time: {verdict.ended}"] if verdict.ended else []
    decisive = [*judged, *ended] if verdict.value == "broken" else [*ended, *judged]
    return [*undone, *nothing, *decisive]


def promise(p: Promise) -> str:
    """`p90 of rto of playback ≤ 1 min`."""
    name = words.OBJECTIVES.get(p.objective, p.objective)
    of = f"p{p.percentile[1:]} of " if p.percentile else ""
    return f"{p.probe}: {of}{name} {limit(p)}".rstrip()


def figure(p: Promise) -> str:
    """What was measured for it: `playback RTO`."""
    return f"{p.probe} {words.OBJECTIVES.get(p.objective, p.objective)}"


def limit(p: Promise) -> str:
    """`≤ 1 min`, `≥ 40%`; nothing for what is kept or not."""
    if isinstance(p.limit, bool):
        return ""
    return f"≤ {show(p.limit)}" if p.timed else f"≥ {share(p.limit)}"


def share(of_all: float) -> str:
    """Rounded down to a tenth of a percent: what is stated is never more than what is shown."""
    return f"{math.floor(of_all * 1000 + 1e-6) / 10:g} %"


def statement(one: Judged) -> str:
    """What the trials show of all such outages, whatever their times are distributed like."""
    sure = f"with {share(one.confidence)} confidence"
    keep = (
        "keep it" if one.promise.objective != "rto" else f"recover within {show(one.promise.limit)}"
    )
    if not one.passed:
        return f"{sure} at most {share_up(one.most)} of such outages {keep}"
    below = f", and with as much at most {share_up(one.most)}," if one.failed else ""
    return f"{sure} at least {share(one.least)}{below} of such outages {keep}"


def share_up(of_all: float) -> str:
    """Rounded up to a tenth of a percent."""
    return f"{math.ceil(of_all * 1000 - 1e-6) / 10:g} %"


def sentence(one: Judged) -> str:
    """One promise over all trials: what they say, and what follows."""
    p = one.promise
    counted = f"{one.passed} of {words.count(one.of, 'trial')} kept it"
    counted += f", {one.failed} broke it" if one.failed else ""
    rest = one.of - one.passed - one.failed
    counted += f", {rest} cannot tell" if rest else ""
    flaky = "flaky: " if one.flaky else ""
    return f"{flaky}{promise(p)}: {counted}; {_so(one)}"


def _so(one: Judged) -> str:
    if not one.promise.percentile:
        return _first(one) if one.value != "held" else statement(one)
    sure = f"with {share(one.promise.confidence)} confidence"
    if one.value == "held":
        within = f", and {one.allowed} may" if one.failed else ""
        return f"that shows it {sure}{within}"
    if one.value == "broken":
        return f"that shows {sure} that it is not so: {_first(one)}"
    failed = max(one.failed, 0)
    needed = statistics.trials_needed(one.promise.share, one.promise.confidence, failed)
    more = f"with {failed} failed" if failed else "without a failure"
    return f"to show it {sure} takes {needed} trials {more}"


def _first(one: Judged) -> str:
    """The first trial that did not keep it, and why."""
    outcomes = ("failed", "unknown")
    bad = [(n, f) for outcome in outcomes for n, f in one.told.items() if f.outcome == outcome]
    if not bad:
        return "the rest was not made"
    n, found = bad[0]
    return f"trial {n}: {found.reason}"


def block(verdict: SetVerdict, name: str, width: int) -> Iterator[str]:
    """The verdict for a terminal."""
    yield "─" * width
    yield f"{SIGNS[verdict.value]} {title(verdict)}"
    yield from _wrapped(name, width)
    yield ""
    for reason in worth_saying(verdict):
        yield from _wrapped(reason, width)
    for one in distributed(verdict):
        yield ""
        yield from distribution(one, verdict.trials, width)
    yield ""
    yield f"exit code  {verdict.exit_code}: {words.EXIT_CODES[verdict.exit_code]}"


def worth_saying(verdict: SetVerdict) -> list[str]:
    """The decisive reason, and of the others those that something promised by name has."""
    usual = {
        sentence(one)
        for one in verdict.judged
        if one.promise.objective == RECOVER_WITHIN and one.value == "held"
    }
    first, *rest = reasons(verdict)
    return [first, *(reason for reason in rest if reason not in usual)]


def line(trial: TrialResult, of: int) -> str:
    """A trial in one line: `trial 3 of 29: ✓ passed, playback RTO 34.2 – 35.2 s`."""
    times = {
        f"{p.probe} {words.OBJECTIVES[p.objective]} {words.span(found.measured)}": None
        for p, found in trial.found.items()
        if p.timed and p.objective != RECOVER_WITHIN
    }
    why = "" if trial.outcome == "passed" else next(iter(trial.verdict.reasons), "")
    told = "; ".join([", ".join(times), *([why] if why else [])])
    return f"trial {trial.n} of {of}: {MARKS[trial.outcome]} {trial.outcome}, {told} ({trial.run})"


def distributed(verdict: SetVerdict) -> list[Judged]:
    """The promised times, each once: of several limits of one the longest."""
    times = (one for one in verdict.judged if one.promise.timed and one.longest)
    return [one for one in times if one.promise.objective != RECOVER_WITHIN]


def distribution(one: Judged, trials: tuple[TrialResult, ...], width: int) -> Iterator[str]:
    """A strip for each trial on one axis, and the percentiles."""
    top = axis(one)
    room = max(10, min(STRIP, width - 40))
    yield f"{promise(one.promise)}   0 s {'·' * 3} {show(top)}"
    for trial in trials:
        found = one.told.get(trial.n)
        if found is not None:
            strip = _strip(found, float(one.promise.limit), top, room)
            yield f"  {MARKS[found.outcome]} {trial.n:>4} {strip}  {words.span(found.measured)}"
    yield from _wrapped(statement(one), width, indent=2)
    for p in one.percentiles:
        if p.name in ("p50", "p90") or p.name == one.promise.percentile:
            seen = f"{words.span(p.seen)} in these trials"
            yield f"  {p.name:<4} {seen}; of all such {bounds(p.shown)}"


def bounds(shown: Interval) -> str:
    """What is shown of a percentile: `at least 30 s and at most 62 s`."""
    told = [f"at least {show(shown.low)}"] if shown.low else []
    told += [f"at most {show(shown.high)}"] if shown.high < math.inf else []
    return " and ".join(told) or "nothing is shown"


def axis(one: Judged) -> float:
    """The end of the axis, in seconds: a little beyond the limit and all that has an end."""
    ends = [found.time.high for found in one.told.values() if found.time.high < math.inf]
    starts = [found.time.low for found in one.told.values()]
    return max([float(one.promise.limit), *ends, *starts, 0.001]) * ASIDE


def _strip(found: Found, limit: float, top: float, room: int) -> str:
    cells = ["·"] * room
    low, high = found.time.low, min(found.time.high, top)
    first, last = int(low / top * (room - 1)), int(high / top * (room - 1))
    cells[first : last + 1] = ["█" if found.time.high < math.inf else "▒"] * (last + 1 - first)
    cells[int(limit / top * (room - 1))] = "│"
    return "".join(cells)


def _wrapped(text: str, width: int, indent: int = 0) -> Iterator[str]:
    for line in wrap(words.printable(text), max(width - indent, 20)):
        yield " " * indent + line

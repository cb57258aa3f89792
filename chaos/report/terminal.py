"""What the terminal shows once a run is over: the verdict in one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from chaos.history import History, lever_name, setting
from chaos.report import words
from chaos.report.data import told
from chaos.report.progress import Progress
from chaos.verdict import Verdict

__all__ = ["Progress", "verdict_block"]

SIGNS = {"held": "✓", "broken": "✗", "unknown": "?"}
COLOURS = {"held": "32", "broken": "31", "unknown": "33"}
# So many levers are named in a line; the report names all.
NAMED = 4
ENDS = {
    "already": "already as before",
    "kept": "kept: nothing brings them back",
    "gone": "gone: the environment ended, and they with it",
    "conflict": "CHANGED BY SOMEBODY ELSE",
    "failed": "FAILED",
    "open": "NOT TRIED",
}


def verdict_block(
    history: History,
    verdict: Verdict,
    paths: Mapping[str, Path],
    *,
    width: int = 80,
    colour: bool = False,
) -> str:
    """The verdict, the objectives, what was pulled and put back, where the report is.

    `paths` are those of `write_reports`. No line is wider than `width`, but for a command or a
    path that must be copied whole.
    """
    lines = [
        "─" * width,
        *_head(history, verdict, width, colour),
        *_left_open(history, paths, width, colour),
        *_reason(history, verdict, width),
        "",
        *_objectives(verdict, width, colour),
        "",
        *_levers(history, width),
        f"exit code  {verdict.exit_code}: {words.EXIT_CODES[verdict.exit_code]}",
        *([f"report     {paths['report.html']}"] if "report.html" in paths else []),
    ]
    return "\n".join(lines)


def _head(history: History, verdict: Verdict, width: int, colour: bool) -> Iterator[str]:
    title = history.experiment["title"] or history.experiment["name"]
    badge = f"{SIGNS[verdict.value]} {verdict.value.upper()}  "
    first, *more = wrap(words.printable(title), max(width - len(badge), 20)) or [""]
    yield _coloured(badge, f"1;{COLOURS[verdict.value]}", colour) + first
    yield from (" " * len(badge) + line for line in more)


def _left_open(
    history: History, paths: Mapping[str, Path], width: int, colour: bool
) -> Iterator[str]:
    left = history.open_pulls
    if not left:
        return
    alarm = f"ROLLBACK INCOMPLETE: {words.count(len(left), 'lever')} not as before; run next:"
    yield _coloured(alarm, "1;31", colour)
    report = paths.get("report.html")
    yield f"  chaos rollback {report.parent if report else history.run}"
    for pull in left[:NAMED]:
        reads = f", reads {setting(pull.found)}" if pull.found is not None else ""
        was = f"{lever_name(pull.lever)} (was {setting(pull.prior)}{reads})"
        why = words.OUTCOMES[pull.outcome] + (f": {pull.error}" if pull.error else "")
        yield from _wrapped(f"{was}: {why}", width, indent=2)
    if len(left) > NAMED:
        yield f"  and {len(left) - NAMED} more"


def _reason(history: History, verdict: Verdict, width: int) -> Iterator[str]:
    """The decisive sentence that nothing else in the block tells; and where all this was."""
    silent = {r.reason for r in verdict.results} - {r.reason for r in told(verdict)}
    undone = len(history.open_pulls) if verdict.times else 0
    reasons = (reason for reason in verdict.reasons[undone:] if reason not in silent)
    yield from _wrapped(next(reasons, ""), width)
    for text in (words.place(history), *words.stood_in(history.experiment)):
        yield from _wrapped(text, width)


def _objectives(verdict: Verdict, width: int, colour: bool) -> Iterator[str]:
    results = told(verdict)
    rows = [
        [r.probe, words.OBJECTIVES[r.objective], words.wanted(r), words.measured(r)]
        for r in results
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for result, row in zip(results, rows, strict=True):
        sign = _coloured(SIGNS[result.value], COLOURS[result.value], colour)
        cells = "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True))
        how = words.HOW.get(result.how, "")
        fits = len(cells) + len(how) + 6 <= width
        yield f"  {sign} {cells}  {how if fits else ''}".rstrip()
        if how and not fits:
            yield f"    {how}"
        tested = verdict.times is not None and verdict.times.injected is not None
        if tested and result.value != "held" and result.reason not in verdict.reasons[:1]:
            yield from _wrapped(result.reason, width, indent=4)


def _levers(history: History, width: int) -> Iterator[str]:
    names = [lever_name(pull.lever) for pull in history.pulls]
    if not names:
        yield "pulled     nothing: nothing was changed"
        return
    listed = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    yield from _entry("pulled", f"{words.count(len(names), 'lever')}: {listed}", width)
    outcomes = [pull.outcome for pull in history.pulls]
    parts = [f"{outcomes.count('restored')} of {len(names)}"]
    parts += [f"{n} {text}" for kind, text in ENDS.items() if (n := outcomes.count(kind))]
    yield from _entry("put back", ", ".join(parts), width)
    for name, cut, went_on in words.covered(history):
        yield from _entry("cut", f"by {name}: {cut}", width)
        yield from _entry("went on", went_on, width)
    if history.stops:
        yield from _entry("stopped", words.stopped(history), width)


def _entry(name: str, text: str, width: int) -> Iterator[str]:
    first, *more = wrap(words.printable(text), max(width - 11, 20))
    yield f"{name:<11}{first}"
    yield from (" " * 11 + line for line in more)


def _wrapped(text: str, width: int, indent: int = 0) -> Iterator[str]:
    lines = wrap(words.printable(text), max(width - indent, 20))
    yield from (" " * indent + line for line in lines)


def _coloured(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text

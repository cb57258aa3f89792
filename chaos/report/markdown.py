"""report.md: the account of an exercise, for auditors, wikis and tickets.

It has what DORA's RTS 2024/1774 Art. 25, SOC 2 A1.3, ISO 22301 8.5 and FFIEC's VII.K ask for, as
far as a tool can know it: docs/how-to/evidence.md says which is where.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chaos.history import History, Pull, lever_name, setting
from chaos.report import words
from chaos.report.answers import NOBODY, Answer
from chaos.report.data import pulls_text
from chaos.report.exercise import CALLS, NOT_STATED, READ, Rows, answered, exercise
from chaos.report.findings import MEANS
from chaos.verdict import Verdict

# What Markdown would take for markup.
MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~])")
NONE = "None."


def render(history: History, verdict: Verdict, answers: Mapping[str, Answer] = NOBODY) -> str:
    """The whole page."""
    text = "\n\n".join(_sections(history, verdict, answers)) + "\n"
    # Half a character, which a journal may hold as an escape, cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode()


def _sections(history: History, verdict: Verdict, answers: Mapping[str, Answer]) -> Iterator[str]:
    told = exercise(history, verdict, answers)
    yield f"# {_plain(history.experiment['title'] or history.experiment['name'])}"
    yield f"Run `{history.run}` of `{history.experiment['name']}`."
    yield "## Summary"
    yield f"**{verdict.value.upper()}**: {_plain(next(iter(verdict.reasons), ''))}."
    yield _objectives(verdict)
    yield _plain(pulls_text(history))
    yield "## What was stated"
    yield _rows(told["stated"])
    yield "## When"
    yield _rows(told["when"])
    yield "## Scope"
    yield _rows(told["scope"])
    yield "## Method"
    yield _rows(told["method"])
    yield "## Step by step"
    yield _caveat(history)
    yield _table(("UTC", "After", "What"), told["steps"])
    yield "## What was called"
    yield from _calls(told)
    yield "## Before and after"
    yield _table(("Lever", "Before", "Set to", "After", "Outcome"), map(_pull, history.pulls))
    yield "## Deviations and findings"
    yield from _findings(told["findings"])
    yield "## Sign-off"
    yield _table(("", "Name", "Date", "Signature"), [[role, "", "", ""] for role in told["roles"]])
    yield "## The experiment"
    yield f"`{history.experiment['file']}`, SHA-256 `{history.experiment['sha256']}`."
    yield _code(history.experiment["text"])


def _objectives(verdict: Verdict) -> str:
    rows = [
        [
            result.probe,
            words.OBJECTIVES[result.objective],
            words.wanted(result),
            words.measured(result),
            result.value,
            words.HOW.get(result.how, ""),
        ]
        for result in verdict.results
    ]
    return _table(("Probe", "Objective", "Target", "Measured", "Result", "How"), rows)


def _caveat(history: History) -> str:
    if history.header["speed"] == 1:
        return "Times are UTC, by the clock of the machine that ran it."
    return "UTC is the wall's; what follows in seconds is lab time."


def _calls(told: Mapping[str, Any]) -> Iterator[str]:
    yield CALLS
    if told["lacks"]:
        count = words.count(told["lacks"], "lever")
        yield f"**The record is not complete: it lacks calls that moved {count}.**"
    heads = ("UTC", "For", "Account", "Call", "Region", "Request id", "Answer")
    yield _table(heads, told["calls"])


def _pull(pull: Pull) -> Sequence[str]:
    after = setting(pull.found) if pull.outcome in READ else "not read"
    outcome = words.OUTCOMES[pull.outcome] + (f": {pull.error}" if pull.error else "")
    return lever_name(pull.lever), setting(pull.prior), setting(pull.value), after, outcome


def _findings(found: Sequence[Mapping[str, object]]) -> Iterator[str]:
    deviations = [one for one in found if one["kind"] in ("rollback", "deviation", "evidence")]
    count = f"{len(deviations)}, listed below." if deviations else "none."
    yield f"Deviations from the plan: {count}"
    if not found:
        yield "Findings: none, nothing has to be seen to."
        return
    rows = [
        (
            str(one["id"]),
            f"{MEANS[str(one['kind'])]}: {one['what']}",
            str(one["owner"] or NOT_STATED),
            str(one["due"] or NOT_STATED),
            answered(one),
        )
        for one in found
    ]
    yield _table(("Finding", "What", "Owner", "Due", "Action"), rows)


def _rows(rows: Rows) -> str:
    return _table(("", ""), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(map(_plain, row)) for row in rows]
    if not lines:
        return NONE
    return "\n".join([_line(heads), _line("---" for _ in heads), *lines])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """The text on one line, with nothing that Markdown would obey."""
    return MARKUP.sub(r"\\\1", words.printable(text))


def _code(text: str) -> str:
    """A block that no line of the text can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text.rstrip()}\n{fence}"

"""The parts of a plan that a real account has: targets, calls, guards, permissions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, zip_longest

from chaos.cli import layout
from chaos.faults import Fault
from chaos.history import lever_name, setting
from chaos.levers.by_hand import ByHand
from chaos.levers.powers import Call, Target
from chaos.plan import Checked, GuardResult, Planned
from chaos.plan.time import ends_after
from chaos.plan.undo import undone
from chaos.report.words import count, printable
from probes.durations import show

# So many alike things are told one by one; of more, as many less one, and how many are left.
MOST = 4
PROBLEMS = 20  # of more than that, the first
LONGEST = 80  # of a lever's name, and of its values
NAME = 10  # the width of the first column
SIDE_BY_SIDE = 88  # from here on what is done and what is undone stand in two columns
FOR = {"look": "look", "inject": "inject", "rollback": "put back", "probe": "probe"}


def in_full(fault: Fault, pulls: Sequence[Planned], now: datetime, width: int) -> Iterator[str]:
    """What one fault does in an account."""
    coverage = fault.coverage()
    rows: list[tuple[str, str]] = []
    if coverage:
        rows += _column("cuts", coverage.cut) + _column("goes on", coverage.goes_on)
    rows += _column("touches", _touched(pulls))
    rows += _column("changes", _changed(pulls))
    yield from _rows(rows, width)
    if pulls:
        yield from _calls(pulls, width)
        yield from _rows(_column("if we die", _alone(pulls, now)), width)


def problems(found: Sequence[str], width: int) -> Iterator[str]:
    """What keeps faults from being brought about."""
    for problem in found[:PROBLEMS]:
        yield f"  {layout.mark('✗')} " + hanging(problem, width, 4)
    if len(found) > PROBLEMS:
        yield f"  … and {len(found) - PROBLEMS} more (--json tells them)"
    if found:
        yield ""


def guarded(guards: Sequence[GuardResult], width: int, *, whole: bool) -> Iterator[str]:
    """Each guard, whether it lets the run pass, and why; `whole`: all could be planned."""
    if guards:
        yield layout.heading("guards") + ("" if whole else "  of what could be planned")
        name = max(len(guard.name) for guard in guards)
        for guard in guards:
            for said in (guard.said,) if guard.ok else guard.refusals:
                yield _marked("✓" if guard.ok else "✗", f"{guard.name:{name}}", said, width)
        yield ""


def permissions(found: Sequence[Checked], width: int) -> Iterator[str]:
    """What each account allows, by the answer that was given; alike ones together."""
    for checked in found:
        who = checked.principal.arn or checked.principal.identity if checked.principal else "?"
        yield layout.heading(f"permissions in {checked.account}") + f"  as {who}"
        if allowed := checked.those("allowed"):
            by_part = Counter(part for part, _ in {(p.part, p.action) for p in allowed})
            parts = ", ".join(f"{by_part[part]} to {FOR[part]}" for part in FOR if by_part[part])
            yield _marked("✓", count(len({p.action for p in allowed}), "action"), parts, width)
        for answer, mark in (("missing", "✗"), ("unknown", "?")):
            alike = groupby(checked.those(answer), key=lambda p: (p.action, p.part, p.said))
            for (action, part, said), each in alike:
                arns = [p.resource for p in each]
                on = arns[0] + (f" and {len(arns) - 1} more" if len(arns) > 1 else "")
                yield _marked(mark, action, f"to {FOR[part]}, on {on}: {said}", width)
        for why in checked.unknown:
            yield _marked("?", "not checked", why, width)
        yield ""


def _touched(pulls: Sequence[Planned]) -> Iterator[str]:
    """The targets, type by type: how many of how many, then the first of them."""
    if any(pull.targets is None for pull in pulls):
        yield "what some of its levers touch is not known"
    unique = {t.id: t for pull in pulls for t in pull.targets or ()}
    for kind, group in groupby(sorted(unique.values(), key=lambda t: t.type), lambda t: t.type):
        targets = list(group)
        among = f" of {targets[0].among}" if targets[0].among is not None else ""
        yield f"{len(targets)}{among} {kind}"
        shown = targets if len(targets) <= MOST else targets[: MOST - 1]
        wide = max(len(target.id) for target in shown)
        yield from (_target(target, wide) for target in shown)
        if left := targets[len(shown) :]:
            zones = ", ".join(sorted({t.zone or t.region for t in left}))
            yield f"  … and {len(left)} more in {zones} (--json names them)"


def _target(target: Target, wide: int) -> str:
    tags = " ".join(f"{key}={value}" for key, value in sorted(target.tags.items()))
    group = [f"in {target.group}"] if target.group else []
    return "  ".join(
        [f"  {target.id:{wide}}", target.zone or target.region, *group, printable(tags)]
    ).rstrip()


def _changed(pulls: Sequence[Planned]) -> Iterator[str]:
    """The levers, kind by kind, with what the first is set to."""
    for _, group in groupby(pulls, key=lambda pull: (pull.lever["kind"], pull.irreversible)):
        first, *rest = group
        more = f", and {len(rest)} alike" if rest else ""
        way = "; cannot be put back" if first.irreversible else ""
        name = _cut(" ".join(lever_name(first.lever).split()))
        yield f"{name}: {_cut(setting(first.prior))} → {_cut(setting(first.value))}{more}{way}"


def _cut(text: str) -> str:
    """A policy or a template is told whole by --json alone."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _calls(pulls: Sequence[Planned], width: int) -> Iterator[str]:
    """What is called, alike calls as one, in the order in which they first come."""
    unknown = "its levers cannot tell"
    known = all(pull.calls is not None for pull in pulls)
    done = _folded(c for pull in pulls for c in pull.calls or ()) if known else [unknown]
    back = undone(pulls)
    undo = [unknown] if back is None else _folded(back) or ["nothing can"]
    if width < SIDE_BY_SIDE:
        yield from _rows(_column("does", done) + _column("undone by", undo), width)
        return
    wide = max(map(len, [*done, "does"]))
    yield f"  {'calls':{NAME}}{'to do it':{wide}}   to undo it"
    for left, right in zip_longest(done, undo, fillvalue=""):
        yield f"  {'':{NAME}}{left:{wide}}   {right}".rstrip()


def _folded(calls: Iterable[Call]) -> list[str]:
    counted = Counter((call.service, call.operation) for call in calls)
    return [
        f"{service} {operation}{f' ×{n}' if n > 1 else ''}"
        for (service, operation), n in counted.items()
    ]


def _alone(pulls: Sequence[Planned], now: datetime) -> Iterator[str]:
    """What becomes of it when nobody is left to put it back."""
    for kind, group in groupby(pulls, key=lambda pull: pull.lever["kind"]):
        each = list(group)
        if each[0].irreversible:
            yield f"{kind} stays: nothing brings it back, with us or without"
            continue
        if kind == ByHand.kind:
            yield f"{kind} stays until a person undoes it"
            continue
        ends = [after for pull in each if (after := ends_after(pull, now)) is not None]
        if len(ends) == len(each):
            yield f"{kind} ends by itself at +{show(max(ends))}"
        else:
            yield f"{kind} never ends by itself: chaos rollback --orphans puts it back"


def _column(name: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    return [("" if n else name, text) for n, text in enumerate(texts)]


def _rows(rows: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    for name, text in rows:
        indent = len(text) - len(text.lstrip())
        head = f"  {name:{NAME}}" + " " * indent
        yield head + hanging(text.strip(), width, len(head))


def _marked(mark: str, name: str, said: str, width: int) -> str:
    head = f"  {mark} {name}  "
    return f"  {layout.mark(mark)} {name}  " + hanging(said, width, len(head))


def hanging(text: str, width: int, taken: int) -> str:
    """The text in what is left of the width, its further lines below its first."""
    if taken + len(text) <= width:
        return text
    taken = min(taken, max(width - layout.ROOM, 4))
    return layout.filled(text, width - taken, "").replace("\n", "\n" + " " * taken)

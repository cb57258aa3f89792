"""The calls by which levers go back: what was done last is undone first."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.levers import from_json
from chaos.levers.powers import Call, Rehearsing
from chaos.safety import Planned


def undone(pulls: Sequence[Planned]) -> tuple[Call, ...] | None:
    """The calls that put all of them back, in order; None when a lever cannot tell."""
    calls: list[Call] = []
    for pull in reversed(pulls):
        back = _back(pull)
        if back is None:
            return None
        calls += back
    return tuple(calls)


def _back(pull: Planned) -> Sequence[Call] | None:
    if pull.irreversible or pull.calls == ():  # nothing brings it back; nothing was called
        return ()
    lever = from_json(pull.lever)
    return lever.calls(pull.value, pull.prior) if isinstance(lever, Rehearsing) else None

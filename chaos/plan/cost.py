"""What a run costs, as far as that is known before: FIS is paid by the minute, the rest hardly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.environments.environment import Environment
from chaos.levers import from_json
from chaos.levers.powers import Priced
from chaos.safety import Planned

# US dollars for one minute of one action, by partition. Source: AWS FIS pricing. Accounts that
# are targets beyond the first are charged for too, by a price that is not known here.
ACTION_MINUTE = {"aws": 0.10, "aws-us-gov": 0.12}
ACCOUNTS = "further target accounts of FIS are charged for besides"
NEGLIGIBLE = "API calls and data: negligible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """`dollars`: None when they cannot be known before; `notes` say what is not in them."""

    dollars: float | None
    action_minutes: float | None
    notes: tuple[str, ...]


async def cost(planned: Iterable[Planned], environment: Environment, partition: str) -> Cost:
    """The price of these pulls; looks only, raises CallFailed."""
    found = [
        await lever.action_minutes(environment.at(pull.account), pull.value)
        for pull in planned
        if isinstance(lever := from_json(pull.lever), Priced)
    ]
    if not found:
        return Cost(dollars=0.0, action_minutes=0.0, notes=(NEGLIGIBLE,))
    minutes = None if None in found else sum(m for m in found if m is not None)
    each = ACTION_MINUTE.get(partition)
    if minutes is None or each is None:
        price = f"FIS's price in {partition} is not known here"
        what = "the action-minutes of FIS are not known before" if minutes is None else price
        unknown = (what, ACCOUNTS)
        return Cost(dollars=None, action_minutes=minutes, notes=unknown)
    many = f"{minutes:g} action-minute{'' if minutes == 1 else 's'}"
    notes = (f"{many} of FIS at ${each:.2f}", ACCOUNTS, NEGLIGIBLE)
    return Cost(dollars=round(minutes * each, 2), action_minutes=minutes, notes=notes)

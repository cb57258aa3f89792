"""What somebody agrees to before a real account is touched, and the word that they type for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InvalidInput
from chaos.experiment import Experiment
from chaos.history import lever_name
from chaos.safety.facts import for_good, spots, written_accounts
from chaos.safety.gathering import named
from chaos.safety.planning import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One account that will be touched; `alias` is None where it has none, or does not tell."""

    name: str
    id: str
    alias: str | None
    regions: tuple[str, ...]

    @property
    def word(self) -> str:
        """What shows that whoever types it knows which account this is."""
        return self.alias or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a run would do, as far as one has to know it to agree."""

    accounts: tuple[Asked, ...]
    targets: int
    for_good: tuple[str, ...]
    by_itself: str

    def lines(self) -> Iterator[str]:
        """It, for people."""
        for account in self.accounts:
            alias = f" ({account.alias})" if account.alias else ""
            yield f"account {account.name}: {account.id}{alias}, {', '.join(account.regions)}"
        yield f"resources that are touched: {self.targets}"
        yield f"cannot be put back: {', '.join(self.for_good) or 'nothing'}"
        yield f"if this machine dies: {self.by_itself}"


Agree = Callable[[Wish], Awaitable[None]]


async def ask(
    experiment: Experiment,
    planned: Sequence[Planned],
    environment: Environment,
    agree: Agree | None,
) -> None:
    """Return when `agree` does; raises InvalidInput when it does not, or nobody can be asked."""
    if agree is None:
        raise InvalidInput("a real account is touched only if somebody agrees: add --yes")
    await agree(await wish(experiment, planned, environment))


async def wish(
    experiment: Experiment, planned: Sequence[Planned], environment: Environment
) -> Wish:
    """What there is to agree to; calls iam ListAccountAliases, which may be refused."""
    pulls = named(experiment, planned)
    done = [_for_good(pull, experiment) for pull in pulls if for_good(pull)]
    asked = [
        await _asked(name, id_, experiment, environment)
        for name, id_ in written_accounts(experiment).items()
    ]
    return Wish(
        accounts=tuple(asked),
        targets=len(set(spots(pulls))),
        for_good=tuple(dict.fromkeys(done)),
        by_itself=_by_itself([pull for pull in pulls if not pull.irreversible]),
    )


def _for_good(pull: Planned, experiment: Experiment) -> str:
    if experiment.faults[pull.fault].draws:
        drawn = experiment.faults[pull.fault].kind
        return f"what faults[{pull.fault}], {drawn}, draws when it comes"
    of_fis = "" if pull.irreversible else f" ({', '.join(for_good(pull))})"
    return f"{lever_name(pull.lever)}{of_fis}"


async def _asked(name: str, id_: str, experiment: Experiment, environment: Environment) -> Asked:
    regions = experiment.accounts[name].regions
    try:
        answer = await environment.at(name).call("iam", regions[0], "list_account_aliases")
        alias = next(iter(answer["AccountAliases"]), None)
    except (CallFailed, KeyError):
        alias = None
    return Asked(name=name, id=id_, alias=alias, regions=tuple(regions))


def _by_itself(pulls: list[Planned]) -> str:
    ends = sorted(pull.expires for pull in pulls if pull.expires)
    kept = len(pulls) - len(ends)
    told = []
    if ends:
        told = [f"{len(ends)} of {len(pulls)} levers end by themselves by {ends[-1]:%H:%M} UTC"]
    rest = f"{kept} stay until chaos rollback --orphans, from any machine, puts them back"
    return ", ".join([*told, *[rest] * bool(kept)]) or "nothing has to be put back"

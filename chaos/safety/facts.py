"""What guards judge by: plain values, so that every one of them can be put to the test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chaos.experiment import Experiment
from chaos.experiment.accounts import REGION_FIELDS
from chaos.experiment.safety import Rules
from chaos.levers.fis_actions import one_way_actions
from chaos.levers.powers import Target
from chaos.safety.planning import Planned

# Faults that take away the whole region that they name.
DARKEN = frozenset({"region_outage"})


def utc_now() -> datetime:
    """The wall's time: hours and blackouts are people's."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Source:
    """Rules, and who laid them down."""

    name: str
    rules: Rules
    own: bool = False  # whether it is the experiment itself


@dataclass(frozen=True, slots=True)
class Spot:
    """One resource: the account (its name in the experiment), and what tells it from all others."""

    account: str | None
    target: Target = field(compare=False)
    region: str = ""
    type: str = ""
    id: str = ""

    @classmethod
    def of(cls, account: str | None, target: Target) -> Spot:
        return cls(account, target, target.region, target.type, target.id)

    @property
    def among(self) -> tuple[str | None, str, str]:
        """What it is counted among: its account, region and type."""
        return self.account, self.region, self.type

    def __str__(self) -> str:
        return f"{self.type} {self.id} in {self.region or 'no region'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An Auto Scaling group: its healthy instances in service, and whether it launches others.

    `members` are all of its instances, whatever their state.
    """

    members: frozenset[str]
    in_service: frozenset[str]
    launches: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What the tool itself needs: ids of resources, and what each of them is to it.

    `roles` are ARNs. `unknown` tells what could not be found out.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    region: str | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An experiment, and what is known of the accounts it is for.

    `drawn` has, for each fault that draws, all that it could pull; None when it cannot tell. What
    is a text where something else is wanted says why that could not be read.
    """

    accounts: Mapping[str, str]  # ids, by the names that the experiment gives them
    regions: frozenset[str]
    irreversible: frozenset[str] = frozenset()  # what would be done for good, by kind
    allowed: frozenset[str] = frozenset()  # of those, what the experiment allows
    dark: frozenset[str] = frozenset()  # regions that are taken away as a whole
    now: datetime
    ends: datetime
    duration_s: float
    planned: tuple[Planned, ...] = ()
    drawn: Mapping[int, tuple[Planned, ...] | str] = field(default_factory=dict)
    groups: Mapping[tuple[str | None, str, str], Group | str] = field(default_factory=dict)
    branch: Branch = field(default_factory=Branch)

    @property
    def possible(self) -> tuple[Planned, ...]:
        """Every pull that there may be: of a fault that draws, of all that it draws from."""
        sure = tuple(p for p in self.planned if p.fault not in self.drawn)
        return sure + tuple(p for d in self.drawn.values() if not isinstance(d, str) for p in d)

    @property
    def spots(self) -> dict[Spot, None]:
        """Every resource that may be hit, each once."""
        return dict.fromkeys(spots(self.possible))


def spots(planned: tuple[Planned, ...]) -> Iterator[Spot]:
    """The resources of these pulls, as often as they are touched."""
    for pull in planned:
        for target in pull.targets or ():
            yield Spot.of(pull.account, target)


def for_good(pull: Planned) -> list[str]:
    """What of it nothing puts back: its kind, or the ids of actions of FIS."""
    actions = pull.lever.get("definition", {}).get("actions", {})
    done = one_way_actions(actions) if pull.lever["kind"] == "fis_experiment" else []
    return [pull.lever["kind"]] if pull.irreversible else done


def expected_s(experiment: Experiment) -> float:
    """Seconds that a drill takes at most, if rollback takes none: steady state to recovery."""
    confirmed = max(p.confirm * p.every + p.timeout for p in experiment.probes.values())
    good_for = max(experiment.steady_state.for_, confirmed)
    after = experiment.observed_until + experiment.recover_within + good_for
    return experiment.steady_state.within + after


def written_accounts(experiment: Experiment) -> dict[str, str]:
    """The accounts that its faults touch, its probes and alarms call: their ids, by name."""
    probes = [probe for probe in experiment.probes.values() if probe.services()]
    alarms = [stop for stop in experiment.stop_when if stop.alarm]
    parts: list[Any] = [*experiment.faults, *probes, *alarms]
    parts += [other for f in experiment.faults for other in getattr(f, "target_accounts", ())]
    named = dict(experiment.account(part.account) for part in parts)
    return {name: named[name].id for name in sorted(named)}


def written_regions(experiment: Experiment) -> frozenset[str]:
    """The regions that its faults, probes and alarms name."""
    parts: list[Any] = [*experiment.faults, *experiment.probes.values(), *experiment.stop_when]
    found = (getattr(part, name, None) for part in parts for name in REGION_FIELDS)
    return frozenset(region for region in found if isinstance(region, str))

"""Instances that are terminated: only what is replaced, and never the last of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos.safety.counting import hits
from chaos.safety.facts import Facts, Group, Source, Spot, for_good
from chaos.safety.planning import Planned
from chaos.safety.words import listed

Place = tuple[str | None, str, str]  # account, region and name of a group

# Actions of FIS after which an instance does not come back by itself.
ENDING = frozenset(
    {
        "aws:ec2:send-spot-instance-interruptions",
        "aws:ec2:stop-instances",
        "aws:ec2:terminate-instances",
    }
)
INSTANCES = ("ec2:instance", "ec2:spot-instance")


def terminations(facts: Facts, sources: Sequence[Source]) -> Iterator[str]:
    """In an Auto Scaling group that launches and of which one stays, or allowed by name."""
    groups: dict[Place, Group | str | None] = {}
    alone: list[Spot] = []
    for spot in dict.fromkeys(terminated(facts.possible)):
        if all(_named(spot, source) for source in sources):
            continue
        if group := spot.target.group:
            place = spot.account, spot.region, group
            groups[place] = facts.groups.get(place)
        else:
            alone.append(spot)
    yield from _alone(alone, sources)
    for place, found in groups.items():
        yield from _enough(facts, place, found)


def terminated(planned: tuple[Planned, ...]) -> Iterator[Spot]:
    """The instances of these pulls that nothing brings back."""
    for pull in planned:
        for target in pull.targets or () if _ends(pull) else ():
            if target.type in INSTANCES:
                yield Spot.of(pull.account, target)


def _ends(pull: Planned) -> bool:
    return pull.irreversible or not ENDING.isdisjoint(for_good(pull))


def _named(spot: Spot, source: Source) -> bool:
    """Whether it allows that one: an experiment by naming it, a policy unless it names others."""
    alone = source.rules.alone
    return spot.id in (alone or ()) if source.own else alone is None or spot.id in alone


def _alone(alone: list[Spot], sources: Sequence[Source]) -> Iterator[str]:
    for source in sources:
        if found := [spot for spot in alone if not _named(spot, source)]:
            ids = ", ".join(spot.id for spot in found)
            by_name = f"to terminate it anyway, write safety: {{alone: [{ids}]}}"
            do = by_name if source.own else f"{source.name} does not name it; choose another one"
            yield f"{listed(found)} in no Auto Scaling group, so nothing replaces it; {do}"


def _enough(facts: Facts, place: Place, group: Group | str | None) -> Iterator[str]:
    _, region, name = place
    what = f"the Auto Scaling group {name} in {region}"
    if not isinstance(group, Group):
        yield (
            f"{what} cannot be read, so nobody knows whether enough of it stays:"
            f" {group or 'it was not asked'}; allow autoscaling:DescribeAutoScalingGroups"
        )
        return
    hit = hits(facts, {pull.fault for pull in facts.planned if _ends(pull)})
    for spot in sorted(hit.possible, key=str):
        if _in_group(spot, place) and spot.id not in group.members:
            yield f"{spot} is said to be in {what}, which does not have it; choose another one"
    if not group.launches:
        yield (
            f"{what} launches nothing instead (it is being deleted, or its process Launch,"
            " HealthCheck or ReplaceUnhealthy is suspended); resume that first"
        )
    worst = hit.worst(lambda spot: _in_group(spot, place) and spot.id in group.in_service)
    if worst >= len(group.in_service):
        yield (
            f"{what} has {len(group.in_service)} healthy instances in service, and {worst} of"
            " them would be terminated; let at least one stay"
        )


def _in_group(spot: Spot, place: Place) -> bool:
    return spot.type in INSTANCES and (spot.account, spot.region, spot.target.group) == place

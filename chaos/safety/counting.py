"""How many resources are hit: each counts once, and of those that are drawn the worst draw does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from chaos.safety.facts import Facts, Spot, spots
from chaos.safety.planning import Planned

Key = tuple[str | None, str, str]


@dataclass(frozen=True, slots=True)
class Draw:
    """So many of these are hit, whichever they will be."""

    most: int
    of: frozenset[Spot]


@dataclass(frozen=True, slots=True)
class Hits:
    """What is hit for sure, and what may be."""

    sure: frozenset[Spot]
    draws: tuple[Draw, ...]

    @property
    def possible(self) -> frozenset[Spot]:
        return self.sure.union(*(draw.of for draw in self.draws))

    def worst(self, wanted: Callable[[Spot], bool] = lambda _: True) -> int:
        """How many of the wanted may be hit: draws may fall apart, and all on the wanted."""
        sure = {spot for spot in self.sure if wanted(spot)}
        every = {spot for spot in self.possible if wanted(spot)}
        more = sum(min(draw.most, sum(map(wanted, draw.of - sure))) for draw in self.draws)
        return min(len(every), len(sure) + more)

    def by_kind(self) -> dict[Key, list[Spot]]:
        """All that may be hit, by what it is counted among."""
        found: dict[Key, list[Spot]] = {}
        for spot in sorted(self.possible, key=str):
            found.setdefault(spot.among, []).append(spot)
        return found


def hits(facts: Facts, faults: Collection[int]) -> Hits:
    """What these faults hit."""
    planned = [pull for pull in facts.planned if pull.fault in faults]
    sure = tuple(pull for pull in planned if pull.fault not in facts.drawn)
    draws = tuple(
        _draw([pull for pull in planned if pull.fault == fault], all_of_it)
        for fault, all_of_it in facts.drawn.items()
        if fault in faults and not isinstance(all_of_it, str)
    )
    return Hits(frozenset(spots(sure)), draws)


def _draw(planned: list[Planned], all_of_it: tuple[Planned, ...]) -> Draw:
    widest = max((len(pull.targets or ()) for pull in all_of_it), default=0)
    return Draw(len(planned) * widest, frozenset(spots(all_of_it)))

"""Which of the records of one name and type Route 53 answers with: pure, no clock, no network.

Source: "How Amazon Route 53 chooses records when health checking is configured" and "Choosing a
routing policy" (Route 53 Developer Guide).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dns.name import Name
from dns.rdata import Rdata
from dns.rdatatype import RdataType

Policy = Literal["simple", "failover", "weighted", "multivalue", "latency"]

MULTIVALUE_MOST = 8

# Degrees north and east of the cities the regions are named after: distance stands for latency.
PLACES: dict[str, tuple[float, float]] = {
    "af-south-1": (-33.9, 18.4),
    "ap-east-1": (22.3, 114.2),
    "ap-northeast-1": (35.7, 139.7),
    "ap-northeast-2": (37.6, 127.0),
    "ap-northeast-3": (34.7, 135.5),
    "ap-south-1": (19.1, 72.9),
    "ap-south-2": (17.4, 78.5),
    "ap-southeast-1": (1.4, 103.8),
    "ap-southeast-2": (-33.9, 151.2),
    "ap-southeast-3": (-6.2, 106.8),
    "ap-southeast-4": (-37.8, 145.0),
    "ca-central-1": (45.5, -73.6),
    "ca-west-1": (51.0, -114.1),
    "eu-central-1": (50.1, 8.7),
    "eu-central-2": (47.4, 8.5),
    "eu-north-1": (59.3, 18.1),
    "eu-south-1": (45.5, 9.2),
    "eu-south-2": (41.6, -0.9),
    "eu-west-1": (53.3, -6.3),
    "eu-west-2": (51.5, -0.1),
    "eu-west-3": (48.9, 2.4),
    "il-central-1": (32.1, 34.8),
    "me-central-1": (25.2, 55.3),
    "me-south-1": (26.1, 50.6),
    "sa-east-1": (-23.5, -46.6),
    "us-east-1": (39.0, -77.5),
    "us-east-2": (40.0, -83.0),
    "us-west-1": (37.4, -122.0),
    "us-west-2": (45.5, -122.7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name of our zones, whose records of the same type stand here."""

    target: Name
    evaluate_target_health: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One resource record set as the API has it; `ttl` is in seconds (an alias has none)."""

    name: Name
    type: RdataType
    ttl: int = 0
    values: tuple[Rdata, ...] = ()
    set_identifier: str = ""
    policy: Policy = "simple"
    role: Literal["PRIMARY", "SECONDARY"] | None = None
    weight: int = 0
    region: str = ""
    health_check: str | None = None
    alias: Alias | None = None


Lookup = Callable[[Name, RdataType], Sequence[Record]]


def no_alias(_name: Name, _type: RdataType) -> Sequence[Record]:
    """The lookup of a zone without aliases."""
    return ()


def choose(
    records: Sequence[Record],
    healthy: Callable[[str], bool],
    rng: random.Random,
    *,
    viewer_region: str | None = None,
    lookup: Lookup = no_alias,
) -> tuple[Record, ...]:
    """The records, aliases followed, that answer one question; none where an alias ends nowhere.

    `records` are all of one name and type, in one policy. `healthy` knows health checks by id. A
    record without one is healthy; if no record is healthy, all are treated as if they were.
    Aliases may not go round in circles (`hosted_zones` refuses those that do).
    """
    return _Choice(healthy, rng, viewer_region, lookup).among(records)


@dataclass(frozen=True, slots=True)
class _Choice:
    healthy: Callable[[str], bool]
    rng: random.Random
    viewer_region: str | None
    lookup: Lookup
    known: dict[tuple[Name, RdataType], bool] = field(default_factory=dict)

    def among(self, records: Sequence[Record]) -> tuple[Record, ...]:
        if not records:
            return ()
        candidates = [record for record in records if self.up(record)] or list(records)
        chosen = self.pick(records[0].policy, candidates)
        return tuple(found for record in chosen for found in self.follow(record))

    def follow(self, record: Record) -> tuple[Record, ...]:
        if record.alias is None:
            return (record,)
        return self.among(self.lookup(record.alias.target, record.type))

    def up(self, record: Record) -> bool:
        """Whether the record may be answered: its own check, and the target if it evaluates it."""
        if record.health_check is not None and not self.healthy(record.health_check):
            return False
        alias = record.alias
        return not (alias and alias.evaluate_target_health) or self.any_up(alias.target, record)

    def any_up(self, target: Name, record: Record) -> bool:
        key = (target, record.type)
        if key not in self.known:
            self.known[key] = any(self.up(found) for found in self.lookup(*key))
        return self.known[key]

    def pick(self, policy: Policy, candidates: list[Record]) -> list[Record]:
        match policy:
            case "failover":
                return [record for record in candidates if record.role == "PRIMARY"][:1] or (
                    candidates[:1]
                )
            case "weighted":
                return [self.drawn(candidates)]
            case "multivalue":
                return self.rng.sample(candidates, min(MULTIVALUE_MOST, len(candidates)))
            case "latency" if self.viewer_region in PLACES:
                return [min(candidates, key=lambda record: self.distance(record.region))]
            case _:
                return candidates[:1]

    def drawn(self, candidates: list[Record]) -> Record:
        """By weight; those with weight 0 only where no other is left, and then alike."""
        if weighted := [record for record in candidates if record.weight > 0]:
            return self.rng.choices(weighted, [record.weight for record in weighted])[0]
        return self.rng.choice(candidates)

    def distance(self, region: str) -> float:
        """The angle between the viewer's region and another one; one we do not know is far."""
        if self.viewer_region is None or region not in PLACES:
            return math.inf
        (north, east), (north_2, east_2) = (
            [math.radians(degrees) for degrees in PLACES[place]]
            for place in (self.viewer_region, region)
        )
        cosine = math.sin(north) * math.sin(north_2) + (
            math.cos(north) * math.cos(north_2) * math.cos(east - east_2)
        )
        return math.acos(max(-1.0, min(1.0, cosine)))

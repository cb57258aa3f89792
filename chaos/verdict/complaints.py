"""What the bad attempts said, and where they went: so that a reason shows what is wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from probes.durations import show
from probes.outages import Outage
from probes.probe import Sample

LAST = 10  # bad attempts: how it was in the end, when it should have been well for long
LONGEST = 120  # characters of an error that a reason repeats
# What differs between errors that are the same, such as how long an attempt took.
NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Where most of the last bad attempts had gone to, and what most of those said.

    Of all `bad` attempts the last `of` are looked at, and `count` of them said it there, but for
    numbers in it. `address` and `region` are empty where none is known: a name was not found, the
    kind of probe does not tell, nobody answered. `name_age` is how old the DNS answer was at most,
    in seconds; None where none was remembered.
    """

    error: str
    address: str
    region: str
    name_age: float | None
    count: int
    of: int
    bad: int

    def __str__(self) -> str:
        where = f", at {self.address}" if self.address else ""
        where += f" in {self.region}" if self.region else ""
        if self.name_age is not None:
            where += f", by a DNS answer up to {show(self.name_age)} old"
        error = self.error if len(self.error) <= LONGEST else f"{self.error[: LONGEST - 1]}…"
        return f"{self._who()}: {error}{where}"

    def _who(self) -> str:
        if self.bad == 1:
            return "the bad attempt"
        last = "the last " if self.of < self.bad else ""
        return f"{self.count} of {last}{self.of} bad attempts"


def regions_of(samples: Mapping[str, Sequence[Sample]]) -> dict[str, str]:
    """The region that was heard from each address, by any probe, where it was always the same."""
    heard = defaultdict[str, set[str]](set)
    for s in (s for of_probe in samples.values() for s in of_probe):
        if "region" in s.detail and "address" in s.detail:
            heard[str(s.detail["address"])].add(str(s.detail["region"]))
    return {address: next(iter(names)) for address, names in heard.items() if len(names) == 1}


def complaints(
    samples: Iterable[Sample], regions: Mapping[str, str], *, injected: float, lifted: float | None
) -> dict[str, Complaint]:
    """Of the attempts from the injection on: what was said `during` the fault, and `after` it."""
    found: dict[str, list[Sample]] = {"during": [], "after": []}
    for s in samples:
        if not s.ok and not s.crashed and s.end > injected:
            late = lifted is not None and s.start >= lifted
            found["after" if late else "during"].append(s)
    return {when: _loudest(bad, regions) for when, bad in found.items() if bad}


def times_down(found: Iterable[Outage], window: tuple[float, float], well_for: float) -> int:
    """How often it went down in the window, having been well for longer than that in between."""
    began, over = window
    met = [o for o in found if o.began.high >= began and o.began.low < over]
    gaps = [b.began.low - a.ended.high for a, b in pairwise(met) if a.ended]
    return bool(met) + sum(gap > well_for for gap in gaps)


def _loudest(bad: Sequence[Sample], regions: Mapping[str, str]) -> Complaint:
    last = sorted(bad, key=lambda s: s.start)[-LAST:]
    there = _most(last, _address)  # first where: one place may fail in several ways
    most = _most(there, lambda s: NUMBER.sub("#", s.error))
    address = _address(most[0])
    return Complaint(
        error=most[0].error,
        address=address,
        region=str(most[0].detail.get("region", regions.get(address, ""))),
        name_age=max(_ages(most), default=None),
        count=len(most),
        of=len(last),
        bad=len(bad),
    )


def _address(sample: Sample) -> str:
    return str(sample.detail.get("address", ""))


def _ages(samples: Sequence[Sample]) -> list[float]:
    """How old the DNS answers were, by those that say when they came."""
    return [max(0.0, s.start - s.detail["name_at"]) for s in samples if "name_at" in s.detail]


def _most(samples: Sequence[Sample], key: Callable[[Sample], str]) -> list[Sample]:
    """Those that have the most frequent key, of several such the one that came first."""
    alike: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        alike[key(sample)].append(sample)
    return max(alike.values(), key=len)

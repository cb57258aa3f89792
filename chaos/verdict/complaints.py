"""What the bad attempts said, and where they went: so that a reason shows what is wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from probes.probe import Sample

LONGEST = 120  # characters of an error that a reason repeats
NUMBER = re.compile(
    r"\d+(\.\d+)?"
)  # what differs from attempt to attempt, such as how long it took


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """The most frequent error of some bad attempts, with the address that they had gone to.

    `count` of the `of` attempts said it, but for numbers in it. `address` and `region` are empty
    where none is known: a name was not found, the kind of probe does not tell, nobody answered.
    """

    error: str
    address: str
    region: str
    count: int
    of: int

    def __str__(self) -> str:
        where = f", at {self.address}" if self.address else ""
        where += f" in {self.region}" if self.region else ""
        error = self.error if len(self.error) <= LONGEST else f"{self.error[: LONGEST - 1]}…"
        attempts = "the bad attempt" if self.of == 1 else f"{self.count} of {self.of} bad attempts"
        return f"{attempts}: {error}{where}"


def regions_of(samples: Mapping[str, Sequence[Sample]]) -> dict[str, str]:
    """The region that was last heard from each address, from whatever probe."""
    return {
        str(s.detail["address"]): str(s.detail["region"])
        for of_probe in samples.values()
        for s in of_probe
        if "region" in s.detail and "address" in s.detail
    }


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


def _loudest(bad: Sequence[Sample], regions: Mapping[str, str]) -> Complaint:
    alike: defaultdict[tuple[str, str], list[Sample]] = defaultdict(list)
    for s in bad:
        alike[NUMBER.sub("#", s.error), str(s.detail.get("address", ""))].append(s)
    (_, address), most = max(alike.items(), key=lambda item: len(item[1]))
    region = str(most[0].detail.get("region", regions.get(address, "")))
    return Complaint(
        error=most[0].error, address=address, region=region, count=len(most), of=len(bad)
    )

"""When a fault was told of, by an alarm for one: from the attempts that looked. Pure arithmetic.

An attempt says what there was to see at ONE unknown instant between its start and its end, and
only one that learned it says anything: an attempt that failed on its way saw no alarm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from probes.outages import Interval, outages
from probes.probe import Sample

Kind = Literal["seen", "unseen", "already", "no_data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Whether and when a fault was told of, counted from the injection.

    seen     from the start of the last attempt that did not see it to the end of the first that did
    unseen   no attempt saw it: `after.low` is the last look while the fault was on, `after.high`
             is infinite
    already  it was there at the last look before the injection: it says nothing of the fault
    no_data  no attempt looked before the injection, or none did while the fault was on and later

    `silent` is the last look while the fault was on that did not see it; 0 where there is none.
    """

    kind: Kind
    after: Interval | None = None
    silent: float = 0.0


def looked(sample: Sample) -> bool:
    """Whether the attempt learned if there was anything to see."""
    return not sample.crashed and isinstance(sample.detail.get("detected"), bool)


def detection(samples: Iterable[Sample], *, injected: float, until: float) -> Detection:
    """What the attempts tell of a fault that was on from `injected` to `until`."""
    looks = [s.judged(not s.detail["detected"]) for s in samples if looked(s)]
    return first_seen(looks, injected=injected, until=until)


def first_seen(looks: Sequence[Sample], *, injected: float, until: float) -> Detection:
    """The same of attempts that are bad when they saw it, and good when they saw that it is not.

    What was seen takes the place of what failed, so that the turns are those of outages.
    """
    before = [s for s in looks if s.start < injected]
    since = [s for s in looks if s.start >= injected]
    if not before:
        return Detection(kind="no_data")
    last = max(before, key=lambda s: s.start)
    if not last.ok:
        return Detection(kind="already")
    under = [s.start - injected for s in since if s.ok and s.start < until]
    silent = max(under, default=0.0)
    if found := outages([last, *since]):
        return Detection(kind="seen", after=found[0].began.since(injected), silent=silent)
    if not under:
        return Detection(kind="no_data")
    return Detection(kind="unseen", after=Interval(silent, math.inf), silent=silent)

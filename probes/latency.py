"""How fast the good answers were, before, during and after a fault. Pure arithmetic.

An attempt starts on the grid whether or not earlier ones have ended, so nothing is left out while
the system is slow ("coordinated omission"): end minus start is what somebody who came then saw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probes.probe import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Percentiles of the good attempts' durations, in seconds; None where there were none."""

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


def latencies(
    samples: Iterable[Sample], *, injected: float | None, lifted: float | None
) -> dict[str, Latency]:
    """The latency before, during and after the fault, as `parts` has it."""
    split = parts(samples, injected=injected, lifted=lifted)
    return {part: _of(sorted(seconds)) for part, seconds in split.items()}


def parts(
    samples: Iterable[Sample], *, injected: float | None, lifted: float | None
) -> dict[str, list[float]]:
    """How long good attempts took before, during and after; one belongs where it began.

    `injected` is None when nothing was broken, `lifted` when nothing was lifted.
    """
    begins = math.inf if injected is None else injected
    ends = math.inf if lifted is None else lifted
    split: dict[str, list[float]] = {"before": [], "during": [], "after": []}
    for s in samples:
        if s.ok and not s.crashed:
            part = "before" if s.start < begins else "during" if s.start < ends else "after"
            split[part].append(s.end - s.start)
    return split


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the least value that `percent` of all do not exceed."""
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


def _of(ordered: Sequence[float]) -> Latency:
    if not ordered:
        return Latency(count=0)
    return Latency(
        count=len(ordered),
        p50=percentile(ordered, 50),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        max=ordered[-1],
    )

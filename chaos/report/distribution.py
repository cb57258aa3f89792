"""How latencies are spread: good answers counted in steps of a logarithmic scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from chaos.verdict import Times
from probes.latency import parts
from probes.probe import Sample

STEPS = 10  # of a decade: each is 26 % longer than the one before
SHORTEST_S = 1e-5


def distribution(samples: Iterable[Sample], at: Times | None) -> dict[str, list[list[int]]]:
    """For before, during and after the fault: [step, count] in order, of those not empty.

    Step n holds what took from 10^(n/10) seconds to 10^((n+1)/10).
    """
    injected, lifted = (at.injected, at.lifting) if at else (None, None)
    split = parts(samples, injected=injected, lifted=lifted)
    return {part: _counted(seconds) for part, seconds in split.items()}


def _counted(seconds: Iterable[float]) -> list[list[int]]:
    steps = Counter(math.floor(math.log10(max(s, SHORTEST_S)) * STEPS) for s in seconds)
    return [[step, count] for step, count in sorted(steps.items())]

"""A campaign in several processes side by side, each with an account of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def spread(part: Callable[[int, int], T], count: int, seed: int, jobs: int) -> T:
    """`part(count, seed)` in as many processes as `jobs`, and their tallies as one."""
    jobs = min(jobs, count)
    shares = [count // jobs + (n < count % jobs) for n in range(jobs)]
    with ProcessPoolExecutor(jobs) as processes:
        tallies = list(processes.map(part, shares, [seed * 1000 + n for n in range(jobs)]))
    total = tallies[0]
    for tally in tallies[1:]:
        _add(total, tally)
    return total


def _add(total: Any, tally: Any) -> None:
    for name in (f.name for f in fields(total)):
        mine, theirs = getattr(total, name), getattr(tally, name)
        setattr(total, name, Counter(mine) + theirs if isinstance(mine, Counter) else mine + theirs)

"""Scripted outages, measured over real sockets at speed 1: is the truth in every interval?

Beside them a server is asked that does nothing but answer. Where it is late, by half of what an
attempt may take, the machine has outages of its own: that scenario is made again, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from ground_truth.measuring import measured
from ground_truth.scripts import Scenario, drawn
from ground_truth.truth import Judged

SIDE_BY_SIDE = 40
TRIES = 3


@dataclass(slots=True)
class Tally:
    """What came of the scenarios."""

    judged: list[Judged] = field(default_factory=list)
    again: int = 0  # made again, because the control was late
    wrong: list[str] = field(default_factory=list)

    def shown(self) -> list[tuple[str, str]]:
        """The figures, for people."""
        widths = [w for j in self.judged for w in j.widths]
        exact = max((bound for j in self.judged for bound in j.bounds), default=0.0)
        answer = median(j.answer_s for j in self.judged)
        early = sorted(j.early for j in self.judged if j.early)
        return [
            ("scenarios", f"{len(self.judged)}: {_counted(j.name for j in self.judged)}"),
            ("recoveries told", _counted(j.kind for j in self.judged)),
            ("truth outside of what was told", str(len(self.wrong))),
            ("the truth is known to", f"{1000 * exact:.1f} ms or better"),
            (
                "width of the interval of RTO, in periods",
                f"median {median(widths):.3f}, most {max(widths):.2f}",
            ),
            ("median time of a good answer", f"{1000 * answer:.1f} ms"),
            (
                "partial outages that ended after they were last seen",
                f"{len(early)}, by {max(early, default=0.0):.2f} s at most",
            ),
            ("made again, since a control was late", str(self.again)),
        ]


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in Counter(names).most_common())


def campaign(count: int, seed: int) -> Tally:
    """So many scenarios, 40 of them side by side."""
    tally = Tally()
    left = drawn(count, seed)
    for _ in range(TRIES):
        left = _once(left, tally)
        tally.again += len(left)
    tally.again -= len(left)
    tally.wrong += [f"{s.name}: the control was late each time" for s in left]
    return tally


def _once(scenarios: Sequence[Scenario], tally: Tally) -> list[Scenario]:
    """Measure all of them; returns those that have to be made again."""
    again = []
    for n in range(0, len(scenarios), SIDE_BY_SIDE):
        batch = scenarios[n : n + SIDE_BY_SIDE]
        for scenario, judged in zip(batch, measured(batch), strict=True):
            if judged.late:
                again.append(scenario)
                continue
            tally.judged.append(judged)
            tally.wrong += [f"{scenario}: {wrong}" for wrong in judged.wrong]
    return again

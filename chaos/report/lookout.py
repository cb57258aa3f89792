"""When a probe that tells of faults told of this one, as its attempts end: for live views.

The same as `probes.detection` finds in all attempts, kept up with one step an attempt; where an
alarm flaps while attempts hang, its interval may begin later than the verdict's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from probes.outages import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What the attempts saw that learned whether the fault was told of. Times are the run's."""

    early: bool | None = None  # what the last one begun before the fault saw; None: there was none
    silent: float = 0.0  # start of the last one that did not see it, as far as that counts
    rang: float | None = None  # end of the first one begun under the fault that saw it

    @property
    def told(self) -> Interval | None:
        """When it was told of the fault, if it was."""
        if self.early is not False or self.rang is None:
            return None
        return Interval(self.silent, self.rang)

    def then(self, start: float, end: float, *, seen: bool, injected: float | None) -> Lookout:
        """With one more attempt, the last one to end; `injected` is None before the fault."""
        if injected is None or start < injected:
            return self if start < self.silent else replace(self, early=seen, silent=start)
        if seen:
            return self if self.rang is not None else replace(self, rang=end)
        if self.rang is None or start < self.rang:
            return replace(self, silent=max(self.silent, start))
        return self


NOTHING_SEEN = Lookout()

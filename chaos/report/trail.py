"""Whether a probe is down, and when it came back, told as its attempts end: for live views.

The same story as `probes.outages` tells of all attempts, kept up with one step an attempt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from probes.outages import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The attempts so far, in the order of their ends; crashed ones are left out."""

    confirm: int  # good attempts that prove a recovery
    down: bool = False
    began: float = -math.inf  # start of the first bad attempt of the last outage
    down_at: float = -math.inf  # end of the same: until then it may have been good
    back_at: float = -math.inf  # end of the good attempt that showed the recovery
    last_bad: float = -math.inf  # the latest start of a bad attempt
    proof: tuple[float, ...] = ()  # starts of the last good attempts since `down_at`

    def then(self, start: float, end: float, *, ok: bool) -> Trail:
        """The trail with one more attempt, the last one to end."""
        return self._good(start, end) if ok else self._bad(start, end)

    def proven(self, since: float = -math.inf) -> bool:
        """Whether it is up, shown by enough good attempts that began at `since` or later."""
        count = sum(start > self.last_bad and start >= since for start in self.proof)
        return not self.down and count >= self.confirm

    def back(self, since: float) -> Interval | None:
        """When the last outage ended, in seconds from `since`; None while that is not proven."""
        return Interval(self.last_bad, self.back_at).since(since) if self.proven() else None

    def _bad(self, start: float, end: float) -> Trail:
        last_bad = max(self.last_bad, start)
        if self.down or start < self.back_at:  # begun before the recovery: old news
            return replace(self, last_bad=last_bad)
        return replace(self, down=True, began=start, down_at=end, last_bad=last_bad, proof=())

    def _good(self, start: float, end: float) -> Trail:
        if start < self.down_at:
            return self
        proof = (*self.proof, start)[-self.confirm :]
        return replace(self, down=False, back_at=end if self.down else self.back_at, proof=proof)

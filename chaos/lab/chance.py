"""What the lab's own clockwork leaves to chance: at which moment of its period each part begins.

Without a seed the parts are spread evenly, the same each time. With one, as in a trial, each draws
a moment of its own by its name, as what nobody synchronises has; and all else that is random in the
lab's process begins from that seed.
"""

from __future__ import annotations

import random


class Chance:
    """The lab's process has one of them."""

    def __init__(self) -> None:
        self._seed: str | None = None

    def sow(self, seed: str | None) -> None:
        """Draw from that seed from now on; None: as it was before."""
        self._seed = seed
        if seed is not None:
            random.seed(seed)

    def phase(self, what: str, n: int = 0, of: int = 1) -> float:
        """After which part of its period, 0 to 1, the n-th of so many parts begins."""
        if self._seed is None:
            return n / of
        return random.Random(f"{self._seed}/{what}/{n}").random()


CHANCE = Chance()

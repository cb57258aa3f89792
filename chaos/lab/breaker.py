"""A circuit breaker: after some failures in a row a dependency is left alone for a while.

Source: M. Nygard, "Release It!", 2nd ed., chapter 5; its states are closed, open and half-open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Breaker:
    """For many threads; `open_for` is in seconds of the clock `now`."""

    def __init__(self, *, failures: int, open_for: float, now: Callable[[], float]) -> None:
        self._most = failures
        self._open_for = open_for
        self._now = now
        self._lock = threading.Lock()
        self._failed = 0  # in a row
        self._let_through_at = 0.0  # when the next trial may be made

    def allows(self) -> bool:
        """Whether a call may be made now: when open, one trial each time `open_for` is over."""
        with self._lock:
            if self._failed < self._most:
                return True
            if self._now() < self._let_through_at:
                return False
            self._let_through_at = self._now() + self._open_for
            return True

    def succeeded(self) -> None:
        """A call was answered: closed again."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """A call was not; those that were under way when it opened change nothing any more."""
        with self._lock:
            self._failed += 1
            if self._failed == self._most:
                self._let_through_at = self._now() + self._open_for

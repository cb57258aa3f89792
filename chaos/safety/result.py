"""What a guard says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardResult:
    """What one guard says: why it refuses, with what to do; else which rules it went by."""

    name: str
    ok: bool
    said: str
    refusals: tuple[str, ...] = ()

"""Attempts for tests, made by hand: a sign for each."""

from __future__ import annotations

from probes.probe import Sample

UP, DOWN = True, False


def attempt(start: float, end: float, ok: bool, *, crashed: bool = False) -> Sample:
    return Sample(probe="p", n=int(start), due=start, start=start, end=end, ok=ok, crashed=crashed)


def row(signs: str, every: float = 1.0, took: float = 0.25) -> list[Sample]:
    """One attempt a period: + good, - bad, ? crashed, and none at all where there is a space."""
    return [
        attempt(n * every, n * every + took, sign == "+", crashed=sign == "?")
        for n, sign in enumerate(signs)
        if sign != " "
    ]

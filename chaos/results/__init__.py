"""The history: what became of each run, in a small store. The journal stays the truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.history import History
from chaos.results.location import NONE, Location, located
from chaos.results.result import RunResult, badness, of
from chaos.results.store import Store
from chaos.verdict import Verdict

__all__ = [
    "NONE",
    "Location",
    "RunResult",
    "Store",
    "badness",
    "earlier",
    "located",
    "of",
    "opened",
    "record",
    "runs",
]


def record(url: str | Path | None, history: History, verdict: Verdict) -> None:
    """Keep what became of a run, instead of what was known of it before.

    `url` is a file of SQLite's or a postgresql:// URL; None and `none` keep nothing. Raises
    StoreFailed and InvalidInput, which change no verdict.
    """
    if url is None or (location := located(url)) is None:
        return
    with opened(location) as store:
        store.put(of(history, verdict))


def runs(url: str | Path | None, *, limit: int | None = None, **wanted: Any) -> list[RunResult]:
    """The newest `limit` runs that fit all of what is wanted, oldest first.

    `wanted` are `experiment`, `environment` (its kind), `place`, `speed`, `sha256` (its beginning),
    `trial_set`, `since` and `before` (UTC, as ISO 8601), `run` and `part` (of its id). A file that
    is not there has none. Raises StoreFailed and InvalidInput.
    """
    location = None if url is None else located(url)
    if location is None or (location.path and not location.path.exists()):
        return []
    with opened(location, create=False) as store:
        return store.find(limit=limit, **wanted)


def earlier(url: str | Path | None, now: RunResult, last: int) -> list[RunResult]:
    """The last runs before that one whose figures can be compared with its own, oldest first.

    The same experiment by name, the same kind of environment, the same speed. Raises StoreFailed.
    """
    alike = {"experiment": now.experiment, "place": now.place, "speed": now.speed}
    return runs(url, limit=last, before=now.wall, **alike)


@contextmanager
def opened(location: Location, *, create: bool = True) -> Iterator[Store]:
    """The store that is there; a file is made where it is wanted. Raises StoreFailed."""
    if location.path is not None:
        from chaos.results import sqlite

        with sqlite.opened(location.path, create=create) as store:
            yield store
        return
    from chaos.results import postgresql  # psycopg is an extra

    with postgresql.opened(location) as store:
        yield store

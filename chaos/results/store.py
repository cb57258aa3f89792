"""A store of results: what any of them can do, and the one way in which both databases do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from chaos.errors import StoreFailed
from chaos.results.result import RunResult
from chaos.results.tables import CONDITIONS, RESULT, RUN, result_rows, results_of, run_row

WITHIN_S = 10.0  # of the wall: how long one that is busy, or does not answer, is waited for


class Store(Protocol):
    """Where results are kept. Everything raises StoreFailed when it cannot be done in time."""

    def put(self, result: RunResult) -> None:
        """Keep it; what was kept of the same run before is replaced."""

    def find(self, *, limit: int | None = None, **wanted: Any) -> list[RunResult]:
        """The newest `limit` runs that fit all of what is wanted, oldest first.

        What can be asked for is in CONDITIONS; None asks for nothing.
        """

    def ids(self) -> frozenset[str]:
        """The ids of all runs that are kept."""


Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


class SqlStore:
    """A store in a database that was opened, and has the tables."""

    def __init__(self, ask: Ask, begin: str, name: str) -> None:
        """`ask` carries a statement out, with a `?` for each value; `begin` opens a transaction."""
        self._ask, self._begin, self._name = ask, begin, name

    def put(self, result: RunResult) -> None:
        """Keep it; raises StoreFailed where another run has its id."""
        with transaction(self._ask, self._begin):
            self._refuse_another(result)
            for table in ("chaos_results", "chaos_runs"):
                self._ask(f"DELETE FROM {table} WHERE run = ?", (result.run,))  # noqa: S608
            self._insert("chaos_runs", RUN, run_row(result))
            for row in result_rows(result):
                self._insert("chaos_results", RESULT, row)

    def find(self, *, limit: int | None = None, **wanted: Any) -> list[RunResult]:
        """See Store."""
        given = {name: value for name, value in wanted.items() if value is not None}
        fits = " AND ".join(CONDITIONS[name] for name in given) or "1 = 1"
        values = [v for name, v in given.items() for _ in range(CONDITIONS[name].count("?"))]
        newest = "" if limit is None else " LIMIT ?"
        runs = f"SELECT {', '.join(RUN)} FROM chaos_runs WHERE {fits}"  # noqa: S608  # all literal
        runs += f" ORDER BY wall DESC, run DESC{newest}"
        columns = [f"a.{name}" for name in RUN] + [f"b.{name}" for name in RESULT]
        both = f"SELECT {', '.join(columns)} FROM ({runs}) a"  # noqa: S608  # all literal
        both += " LEFT JOIN chaos_results b ON b.run = a.run ORDER BY a.wall, a.run, b.number"
        return list(results_of(self._ask(both, values if limit is None else [*values, limit])))

    def ids(self) -> frozenset[str]:
        """See Store."""
        return frozenset(run for (run,) in self._ask("SELECT run FROM chaos_runs", ()))

    def _refuse_another(self, result: RunResult) -> None:
        known = self._ask("SELECT wall FROM chaos_runs WHERE run = ?", (result.run,))
        if known and known[0][0] != result.wall:
            raise StoreFailed(
                f"{self._name}: has another run {result.run}, of {known[0][0]}; this one is of"
                f" {result.wall} and was left out"
            )

    def _insert(self, table: str, columns: Sequence[str], values: Sequence[Any]) -> None:
        places = ", ".join("?" for _ in columns)
        self._ask(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", values)  # noqa: S608


@contextmanager
def transaction(ask: Ask, begin: str) -> Iterator[None]:
    """All of what is done in it, or nothing."""
    ask(begin, ())
    try:
        yield
        ask("COMMIT", ())
    except StoreFailed:
        ask("ROLLBACK", ())  # after any other error the connection goes, and this with it
        raise

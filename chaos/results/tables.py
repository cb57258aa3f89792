"""The tables of a history, the same in every database, and how an older one becomes a newer one.

Times are seconds, availabilities fractions, `wall` is ISO 8601 in UTC. A figure that was not
measured has neither `low` nor `high`; one that nothing bounds has no `high`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from chaos.results.result import RunResult
from chaos.verdict import Result
from probes.outages import Interval

# Each makes of the version before it the next one; the first of nothing version 1. What stands
# here has been carried out somewhere: it is added to, and never changed.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE chaos_runs (
            run TEXT PRIMARY KEY,
            experiment TEXT NOT NULL,
            title TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            variables TEXT NOT NULL,
            wall TEXT NOT NULL,
            environment TEXT NOT NULL,
            place TEXT NOT NULL,
            endpoint TEXT,
            environment_version TEXT,
            fidelity TEXT NOT NULL,
            speed DOUBLE PRECISION NOT NULL,
            tool TEXT NOT NULL,
            value TEXT NOT NULL,
            exit_code INTEGER NOT NULL,
            reason TEXT NOT NULL,
            trial_set TEXT,
            trial_n INTEGER
        )""",
        """CREATE TABLE chaos_results (
            run TEXT NOT NULL REFERENCES chaos_runs (run),
            number INTEGER NOT NULL,
            probe TEXT NOT NULL,
            objective TEXT NOT NULL,
            wanted DOUBLE PRECISION,
            low DOUBLE PRECISION,
            high DOUBLE PRECISION,
            value TEXT NOT NULL,
            how TEXT NOT NULL,
            reason TEXT NOT NULL,
            doubted INTEGER NOT NULL,
            PRIMARY KEY (run, number)
        )""",
        "CREATE INDEX chaos_runs_in_time ON chaos_runs (experiment, wall)",
    ),
)
VERSION_TABLE = "CREATE TABLE chaos_history (version INTEGER NOT NULL)"
RUN = (
    *("run", "experiment", "title", "sha256", "variables", "wall", "environment", "place"),
    *(
        "endpoint",
        "environment_version",
        "fidelity",
        "speed",
        "tool",
        "value",
        "exit_code",
        "reason",
    ),
    *("trial_set", "trial_n"),
)
RESULT = (
    *("run", "number", "probe", "objective", "wanted", "low", "high"),
    *("value", "how", "reason", "doubted"),
)
JSON = ("variables", "fidelity")  # are kept as JSON
# What can be asked for, and the condition for it.
CONDITIONS = {
    "run": "run = ?",
    "part": "strpos(run, ?) > 0",
    "experiment": "experiment = ?",
    "environment": "environment = ?",
    "place": "place = ?",
    "speed": "speed = ?",
    "sha256": "substr(sha256, 1, length(?)) = ?",
    "trial_set": "trial_set = ?",
    "since": "wall >= ?",
    "before": "wall < ?",
}


def too_new(place: object, version: int) -> str:
    """What to say of a history that a later chaos has written."""
    known = len(MIGRATIONS)
    return f"{place}: has version {version} of a history, this chaos knows {known}; update chaos"


def run_row(result: RunResult) -> list[Any]:
    """The values of a run, in the order of RUN."""
    values = {name: getattr(result, name) for name in RUN}
    return [json.dumps(v) if name in JSON else storable(v) for name, v in values.items()]


def result_rows(result: RunResult) -> Iterator[list[Any]]:
    """The values of each of its results, in the order of RESULT."""
    for number, r in enumerate(result.results):
        low, high = (r.measured.low, r.measured.high) if r.measured else (None, None)
        bounds = low, None if high is None or math.isinf(high) else high
        wanted = None if isinstance(r.wanted, bool) else r.wanted
        doubted = int(r.probe in result.doubted)
        told = (r.probe, r.objective, wanted, *bounds, r.value, r.how, r.reason, doubted)
        yield [result.run, number, *map(storable, told)]


def storable(value: Any) -> Any:
    """Text as any database takes it: without halves of characters, and without NUL."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode().replace("\0", "")


def results_of(rows: Iterable[Sequence[Any]]) -> Iterator[RunResult]:
    """The runs that the rows tell: each has a run, and one of its results or nothing."""
    for _, of_run in groupby(rows, key=lambda row: row[0]):
        each = list(of_run)
        about = dict(zip(RUN, each[0], strict=False))
        about |= {name: json.loads(about[name]) for name in JSON}
        about["fidelity"] = tuple(about["fidelity"])
        del about["place"]  # which follows from the rest
        found = [dict(zip(RESULT, row[len(RUN) :], strict=True)) for row in each]
        found = [fields for fields in found if fields["run"] is not None]
        yield RunResult(
            **about,
            results=tuple(map(_result, found)),
            doubted=frozenset(fields["probe"] for fields in found if fields["doubted"]),
        )


def _result(fields: dict[str, Any]) -> Result:
    low, high, wanted = fields["low"], fields["high"], fields["wanted"]
    return Result(
        probe=fields["probe"],
        objective=fields["objective"],
        wanted=True if wanted is None else wanted,
        measured=None if low is None else Interval(low, math.inf if high is None else high),
        value=fields["value"],
        how=fields["how"],
        reason=fields["reason"],
    )

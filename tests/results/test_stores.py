"""What any store does, with a file of SQLite's and with a real PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import postgresql_server
import pytest
from histories import FAILOVER, NEVER, NO_FAILOVER
from results.past import days, judged, kept, promise, wall

from chaos import results
from chaos.errors import StoreFailed
from chaos.results import RunResult, Store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty history."""
    if request.param == "sqlite":
        return str(tmp_path / "runs" / "history.sqlite")
    server = postgresql_server.server()
    return server.url(server.database())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    location = results.located(url)
    assert location is not None
    with results.opened(location) as opened:
        yield opened


def test_what_is_kept_comes_back_as_it_was(store: Store) -> None:
    promised = {"playback": {"rto": 10.0, "availability": 0.4}, "other": {"unaffected": True}}
    runs = [
        replace(
            judged(promised, playback=signs, other=signs),
            run=f"r{n}",
            wall=wall(n),
            variables={"region": "eu-west-1"},
            trial_set="s" if n else None,
            trial_n=n or None,
        )
        for n, signs in enumerate((FAILOVER, NO_FAILOVER, NEVER))
    ]
    for run in reversed(runs):
        store.put(run)
    found = store.find()
    assert found == runs
    assert found[2].results[0].measured is not None
    assert found[2].results[0].measured.high == math.inf
    assert store.ids() == {"r0", "r1", "r2"}


def test_a_run_that_is_judged_again_is_there_once(store: Store) -> None:
    store.put(kept(1, promise(40.0), promise(1.0, objective="rpo")))
    store.put(kept(1, promise(41.0), value="broken"))
    (found,) = store.find()
    assert (found.value, len(found.results)) == ("broken", 1)


def test_another_run_of_the_same_id_is_told_and_the_first_one_stays(store: Store) -> None:
    store.put(kept(1, promise(40.0)))
    with pytest.raises(StoreFailed, match=r"has another run r01, of 2026-11-02.*was left out$"):
        store.put(kept(1, wall=wall(7)))
    store.put(kept(2))
    assert [run.wall for run in store.find()] == [wall(1), wall(2)]


def test_text_that_no_database_takes_is_kept_without_that(store: Store) -> None:
    store.put(kept(1, reason="half \ud800 a character, and \0 none"))
    assert store.find()[0].reason == "half ? a character, and  none"


def test_the_newest_that_fit_are_found_oldest_first(store: Store) -> None:
    for run in days(*range(6)):
        store.put(run)
    odd: list[RunResult] = [
        kept(6, experiment="other"),
        kept(7, environment="localstack"),
        kept(8, speed=1.0),
        kept(9, sha256="cd34" * 16),
        kept(10, environment="aws", endpoint="http://127.0.0.1:5000"),
        kept(11, environment="aws"),
        kept(12, trial_set="s1"),
    ]
    for run in odd:
        store.put(run)

    def found(limit: int | None = None, **wanted: object) -> list[int]:
        return [int(run.run[1:]) for run in store.find(limit=limit, **wanted)]

    assert found(limit=2) == [11, 12]
    assert found(experiment="other") == [6]
    assert found(environment="localstack") == [7]
    assert found(place="aws") == [11]
    assert found(environment="aws") == [10, 11]
    assert found(speed=1.0) == [8]
    assert found(sha256="cd3") == [9]
    assert found(sha256="%") == []
    assert found(trial_set="s1") == [12]
    assert found(part="r0", before=wall(3)) == [0, 1, 2]
    assert found(since=wall(4), experiment="region-outage", environment="embedded", limit=3) == [
        8,
        9,
        12,
    ]
    assert found(run="r1") == []


def test_the_runs_before_one_are_those_that_are_alike(url: str) -> None:
    location = results.located(url)
    assert location is not None
    with results.opened(location) as store:
        for run in [*days(1.0, 2.0, 3.0), kept(3, speed=1.0), kept(4, experiment="other"), kept(6)]:
            store.put(run)
    assert [run.run for run in results.earlier(url, kept(5), 2)] == ["r01", "r02"]

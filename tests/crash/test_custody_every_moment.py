"""A run that dies at any change of its undo log is put back by another machine, lock and all.

The runner, and then whoever puts back, is made to die before and after each change of the store.
The other machine has the store and nothing else: no journal, no directory of runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from custody_stores import Died, MemoryStore, Shared
from fakes import LookLab, experiment

from chaos.custody import orphans, taking, unfinished
from chaos.errors import ChaosError
from chaos.history import Pull
from chaos.journal import Journal
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.rollback import incomplete
from chaos.run import Run
from chaos.runs import Runs
from chaos.testing import FakeEnvironment, small_lab

ACCOUNTS = ["111111111111", "222222222222"]
Wall = list[datetime]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """The time of the wall, that a test may move."""
    now = [datetime(2030, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr("chaos.custody.clock.utc_now", lambda: now[0])
    return now


@pytest.fixture
def drill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """One run over that store in that lab; None when it died, else its pulls."""
    paths = iter(tmp_path / "runner" / str(n) / "journal.jsonl" for n in range(10_000))

    def run(store: MemoryStore, lab: FakeEnvironment) -> list[Pull] | None:
        monkeypatch.setattr(taking, "open_store", lambda *_: store)
        monkeypatch.setattr("chaos.rollback.attach", found(lab))
        try:
            return run_virtual(_run(store, lab, next(paths)))
        except (Died, BaseExceptionGroup):
            assert store.dead
            return None
        except ChaosError:
            return []  # refused, and nothing touched

    return run


def found(lab: FakeEnvironment) -> Callable[..., Any]:
    async def attach(*_: object, **__: object) -> FakeEnvironment:
        return lab

    return attach


async def _run(store: MemoryStore, lab: FakeEnvironment, path: Path) -> list[Pull]:
    now, stop = Stopwatch(), Stop()
    journal = Journal.create(path, now)

    def alive() -> None:
        if store.dead:
            raise Died

    lab.before = alive
    try:
        async with taking.take(
            "memory:", _nobody, run="r", accounts=ACCOUNTS, who="arn", lost=stop.request
        ) as taken:
            journal.outside = taken.record
            header = {"v": 1, "run": "r", "environment": lab.describe(), "fidelity": []}
            written = journal.write("run", **header, experiment=experiment().to_json())
            await taken.record(written)
            pulls = await Run("r", experiment(), lab, journal, stop, now).go()
            alive()
            return pulls
    finally:
        lab.before = lambda: None
        journal.close()


async def _nobody(*_: object, **__: object) -> dict[str, Any]:
    raise AssertionError("the store is in memory")


def mend(store: MemoryStore, runs: Path) -> list[Pull] | None:
    """`chaos rollback --orphans --yes`, as far as it comes."""

    async def put_back() -> list[Pull]:
        pulls: list[Pull] = []
        for run in await unfinished.all_runs(store):
            assert not run.alive
            assert not run.problems
            pulls += await orphans.put_back(store, run, Runs(runs), "arn", print)
            if store.dead:
                raise Died
        return pulls

    try:
        return run_virtual(put_back())
    except (Died, BaseExceptionGroup):
        return None


def unharmed(lab: FakeEnvironment) -> bool:
    whole = {k: v for k, v in small_lab().items() if k != "instances"}
    state = {k: v for k, v in lab.state.items() if k != "instances"}
    opened = {k: v for k, v in state["reachability"].items() if v != "open"}
    return {**state, "reachability": opened} == whole


def nothing_is_left(shared: Shared) -> bool:
    """No run, and no lock that is anybody's."""
    others = [key for key in shared.documents if not key.startswith("locks/")]
    locks = [json.loads(document.text)["run"] for document in shared.documents.values()]
    return not others and not any(locks)


def moments(drill: Callable[..., Any]) -> int:
    store, lab = MemoryStore(), LookLab(small_lab())
    pulls = drill(store, lab)
    assert len(pulls) >= 2
    assert not incomplete(pulls)
    assert unharmed(lab)
    assert nothing_is_left(store.shared)
    return store.changes


@pytest.mark.parametrize("after", [False, True])
def test_a_runner_dies_at_each_change_of_the_store(
    after: bool, drill: Callable[..., Any], wall: Wall, tmp_path: Path
) -> None:
    harmed = 0
    for moment in range(1, moments(drill) + 1):
        shared, lab = Shared(), LookLab(small_lab())
        store = MemoryStore(shared)
        store.dies_at, store.after = moment, after
        assert drill(store, lab) is None, moment
        harmed += not unharmed(lab)
        wall[0] += timedelta(minutes=5)
        pulls = mend(MemoryStore(shared), tmp_path / f"{moment}")
        assert pulls is not None
        assert not incomplete(pulls)
        assert unharmed(lab), moment
        # What the store's own check leaves behind when it dies is one harmless document.
        shared.documents = {k: d for k, d in shared.documents.items() if "checks/" not in k}
        assert nothing_is_left(shared), (moment, shared.documents)
    assert harmed


def test_whoever_puts_back_dies_at_each_change_of_the_store(
    drill: Callable[..., Any], wall: Wall, tmp_path: Path
) -> None:
    for after in (False, True):
        for moment in range(1, 100):
            shared, lab = Shared(), LookLab(small_lab())
            runner, first = MemoryStore(shared), MemoryStore(shared)
            runner.dies_at = 10  # with a lever pulled
            assert drill(runner, lab) is None
            assert not unharmed(lab)
            wall[0] += timedelta(minutes=5)
            first.dies_at, first.after = moment, after
            if mend(first, tmp_path / f"first-{moment}-{after}") is not None:
                break
            wall[0] += timedelta(minutes=5)
            assert mend(MemoryStore(shared), tmp_path / f"second-{moment}-{after}") is not None
            assert unharmed(lab), (moment, after)
            shared.documents = {k: d for k, d in shared.documents.items() if "checks/" not in k}
            assert nothing_is_left(shared), (moment, after, shared.documents)
        assert moment > 5


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("failures", [1, 8], ids=["one call", "eight calls"])
def test_a_store_that_fails_at_each_call_in_turn(
    lost: bool, failures: int, drill: Callable[..., Any], wall: Wall, tmp_path: Path
) -> None:
    """Nothing is set whose pull the store does not have, and all is put back by the run itself."""
    calm = MemoryStore()
    drill(calm, LookLab(small_lab()))
    for call in range(1, calm.calls + 1):
        shared, lab = Shared(), LookLab(small_lab())
        store = MemoryStore(shared)
        store.fails_at, store.answer_lost = set(range(call, call + failures)), lost
        unlogged: list[str] = []
        lab.after = partial(look, lab, shared, unlogged)
        pulls = drill(store, lab)
        assert not unlogged, call
        assert pulls is not None
        assert not incomplete(pulls)
        assert unharmed(lab), call
        wall[0] += timedelta(minutes=5)
        assert mend(MemoryStore(shared), tmp_path / f"{call}") is not None
        shared.documents = {k: d for k, d in shared.documents.items() if "checks/" not in k}
        assert nothing_is_left(shared), (call, shared.documents)


def look(lab: FakeEnvironment, shared: Shared, unlogged: list[str]) -> None:
    """Note what is changed without a pull in the store."""
    unlogged += changed(lab) - logged(shared)


def changed(lab: FakeEnvironment) -> set[str]:
    """The regions that cannot be reached and the instances that do not run."""
    cut = {region for region, state in lab.state["reachability"].items() if state != "open"}
    return cut | {i for i, state in lab.state["instances"].items() if state != "running"}


def logged(shared: Shared) -> set[str]:
    """What the pulls in the store are about."""
    texts = [d.text for key, d in shared.documents.items() if "/log/" in key]
    events = [json.loads(text) for text in texts]
    levers = [event["lever"] for event in events if event["event"] == "pull"]
    return {str(value) for lever in levers for value in lever.values()}

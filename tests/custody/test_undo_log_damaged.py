"""Documents that are missing or broken are told, and what is there is used."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from custody_stores import MemoryStore
from fakes import LookLab, experiment

from chaos.custody import orphans, taking, undo_log, unfinished
from chaos.custody.lease import Lease, Owner
from chaos.custody.rebuilding import rebuild
from chaos.custody.store import Document
from chaos.custody.undo_log import LONGEST_HEADER, UndoLog, document
from chaos.custody.unfinished import Unfinished
from chaos.errors import InvalidInput, JournalFailed
from chaos.history import load
from chaos.journal import Journal
from chaos.loops import Stopwatch, run_virtual
from chaos.runs import Runs
from chaos.testing import FakeEnvironment, small_lab

OWNER = Owner("host", 1, "arn")


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> None:
    def now() -> datetime:
        passed = timedelta(seconds=asyncio.get_running_loop().time())
        return datetime(2030, 1, 1, tzinfo=UTC) + passed

    monkeypatch.setattr("chaos.custody.clock.utc_now", now)


def events(lab: FakeEnvironment) -> list[dict[str, Any]]:
    """A region that cannot be reached, and replication from it that is paused."""
    told: list[dict[str, Any]] = [
        {
            "event": "run",
            "v": 1,
            "run": "r",
            "environment": lab.describe(),
            "experiment": experiment().to_json(),
        }
    ]
    pulls = [
        ({"kind": "reachability", "scope": "us-east-1"}, "open", "drop"),
        ({"kind": "replication", "region": "us-east-1"}, "on", "off"),
    ]
    for n, (lever, prior, value) in enumerate(pulls):
        fields = {"pull": n, "fault": 0, "lever": lever, "prior": prior, "value": value}
        told += [{"event": "pull", **fields}, {"event": "pulled", "pull": n, "read": value}]
    return [{"n": n, "t": float(n), **event} for n, event in enumerate(told)]


async def dead_run(store: MemoryStore, lab: FakeEnvironment) -> None:
    """Both levers are pulled, and nobody minds the run any more."""
    lab.state["reachability"]["us-east-1"] = "drop"
    lab.state["replication"]["us-east-1"] = "off"
    await Lease(store, "r", OWNER).begin()
    for number, event in enumerate(events(lab)):
        await store.write(document("r", number), json.dumps(event))
    await asyncio.sleep(1000)


async def of(store: MemoryStore) -> Unfinished:
    found = await unfinished.one(store, "r")
    assert found is not None
    return found


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> FakeEnvironment:
    lab = LookLab(small_lab())

    async def attach(*_: object, **__: object) -> FakeEnvironment:
        return lab

    monkeypatch.setattr("chaos.rollback.attach", attach)
    return lab


@pytest.mark.parametrize(
    ("number", "text", "said", "left"),
    [
        (1, None, ["document runs/r/log/00000001 is missing", "pull 0 is missing"], "drop"),
        (1, "{", ["document runs/r/log/00000001 cannot be read", "pull 0 is missing"], "drop"),
        (1, "[1]", ["document runs/r/log/00000001 cannot be read", "pull 0 is missing"], "drop"),
        (2, None, ["document runs/r/log/00000002 is missing"], "open"),
        (4, "", ["document runs/r/log/00000004 cannot be read"], "open"),
    ],
)
def test_what_is_there_is_put_back_and_the_rest_stays_for_people(
    number: int, text: str | None, said: list[str], left: str, lab: FakeEnvironment, tmp_path: Path
) -> None:
    async def main() -> None:
        store = MemoryStore()
        await dead_run(store, lab)
        store.shared.documents.pop(document("r", number))
        if text is not None:
            store.shared.documents[document("r", number)] = Document(text, "broken")
        found = await of(store)
        assert not found.nothing_open
        for sentence, problem in zip(said, found.problems, strict=True):
            assert sentence in problem
        await orphans.put_back(store, found, Runs(tmp_path), "arn", print)
        assert lab.state["replication"]["us-east-1"] == "on"
        assert lab.state["reachability"]["us-east-1"] == left
        after = await of(store)  # a person has to look, so it is not cleared away
        assert not after.alive
        assert not after.open_pulls
        assert not after.nothing_open

    run_virtual(main())


def test_without_its_header_a_run_is_told_and_left_alone(
    lab: FakeEnvironment, tmp_path: Path
) -> None:
    async def main() -> None:
        store = MemoryStore()
        await dead_run(store, lab)
        before = dict(store.shared.documents)
        store.shared.documents.pop(document("r", 0))
        found = await of(store)
        with pytest.raises(JournalFailed, match="cannot be put back from here, for its header"):
            await orphans.put_back(store, found, Runs(tmp_path), "arn", print)
        assert lab.state["reachability"]["us-east-1"] == "drop"
        assert before.keys() - store.shared.documents.keys() == {document("r", 0)}

    run_virtual(main())


def test_a_lease_that_cannot_be_read_is_told_and_may_be_taken_over(
    lab: FakeEnvironment, tmp_path: Path
) -> None:
    async def main() -> None:
        store = MemoryStore()
        await dead_run(store, lab)
        store.shared.documents["runs/r/lease"] = Document("?", "broken")
        found = await of(store)
        assert "its lease is not a lease of ours" in found.problems[0]
        await orphans.put_back(store, found, Runs(tmp_path), "arn", print)
        assert lab.state["reachability"]["us-east-1"] == "open"

    run_virtual(main())


def test_the_journal_is_rebuilt_for_this_user_alone_and_beside_one_that_is_there(
    lab: FakeEnvironment, tmp_path: Path
) -> None:
    async def main() -> None:
        store, runs = MemoryStore(), Runs(tmp_path / "runs")
        await dead_run(store, lab)
        first, second = rebuild(await of(store), runs), rebuild(await of(store), runs)
        assert first == runs.journal("r") == runs.find("r")
        assert second == first.with_name("undo-log.jsonl")
        assert first.read_text() == second.read_text()
        for path, mode in ((first, 0o600), (second, 0o600), (first.parent, 0o700)):
            assert stat.S_IMODE(path.stat().st_mode) == mode
        history = load(first)
        assert [pull.outcome for pull in history.pulls] == ["open", "open"]
        assert not history.finished
        journal = Journal.reopen(first, Stopwatch())
        with pytest.raises(JournalFailed, match="still goes on in a process of this machine"):
            rebuild(await of(store), runs)
        journal.close()

    run_virtual(main())


def test_a_runner_that_was_not_dead_can_pull_nothing_more(
    lab: FakeEnvironment, tmp_path: Path
) -> None:
    async def main() -> None:
        store, told = MemoryStore(), events(lab)
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        log = UndoLog(store, "r", lease)
        for event in told[:3]:
            await log.record(event)
        lab.state["reachability"]["us-east-1"] = "drop"
        # Here it sleeps, its lease runs out elsewhere, and its own clock does not see it.
        async with taking.taken_over(store, await of(store), "arn", print) as (found, _):
            assert [pull.pull for pull in found.open_pulls] == [0]
            with pytest.raises(JournalFailed, match="another process has taken the run over"):
                await log.record(told[3])
            assert log.lost

    run_virtual(main())


def test_a_pull_that_is_written_while_the_run_is_taken_over_is_put_back_too(
    lab: FakeEnvironment, tmp_path: Path
) -> None:
    async def main() -> None:
        store, told = MemoryStore(), events(lab)
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        log = UndoLog(store, "r", lease)
        for event in told[:3]:
            await log.record(event)
        seen = await of(store)
        await log.record(told[3])  # between the look and the taking over
        async with taking.taken_over(store, seen, "arn", print) as (found, _):
            assert [pull.pull for pull in found.open_pulls] == [1, 0]

    run_virtual(main())


def test_a_runner_whose_lease_is_over_pulls_nothing_more(lab: FakeEnvironment) -> None:
    async def main() -> None:
        store, told = MemoryStore(), events(lab)
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        log = UndoLog(store, "r", lease)
        await log.record(told[0])
        await asyncio.sleep(lease.ttl_s)
        with pytest.raises(JournalFailed, match="the lease of this run is over"):
            await log.record(told[1])
        await log.record({"n": 9, "t": 9.0, "event": "end"})  # what is done may still be told

    run_virtual(main())


def test_a_header_that_is_too_long_goes_without_what_no_rollback_needs(
    lab: FakeEnvironment,
) -> None:
    async def main() -> None:
        store, header = MemoryStore(), events(lab)[0]
        header["experiment"]["probes"] = {"long": "x" * LONGEST_HEADER}
        lease = Lease(store, "r", OWNER)
        await lease.begin()
        await UndoLog(store, "r", lease).record(header)
        kept = await store.get(document("r", 0))
        assert kept is not None
        assert len(kept.text) < LONGEST_HEADER / 10
        found = await of(store)
        assert found.history is not None
        assert found.history.experiment["faults"] == header["experiment"]["faults"]
        assert undo_log.understood([header]) is not None

    run_virtual(main())


def test_one_of_two_who_put_back_is_turned_away(lab: FakeEnvironment, tmp_path: Path) -> None:
    async def main() -> None:
        store = MemoryStore()
        await dead_run(store, lab)
        found = await of(store)
        async with taking.taken_over(store, found, "arn", print):
            with pytest.raises(InvalidInput, match="somebody else has just taken over the run r"):
                await orphans.put_back(store, found, Runs(tmp_path), "arn", print)
            assert (await of(store)).alive

    run_virtual(main())

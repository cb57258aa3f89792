"""Each call that changes something is in the journal, with AWS's request id; none is held up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import LookLab, experiment
from test_run import carry_out
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed, EnvironmentFailed, JournalFailed
from chaos.history import Pull
from chaos.journal import Event, Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.recording import GIVEN_UP, Recorded
from chaos.rollback import put_back
from chaos.testing import FakeEnvironment, small_lab

PULL = Pull(
    pull=3,
    fault=0,
    lever={"kind": "reachability", "scope": "us-east-1"},
    account="main",
    prior="open",
    value="drop",
)


class Answering(FakeEnvironment):
    """Answers as it is told to."""

    def __init__(self, answer: Callable[[], dict[str, Any]]) -> None:
        super().__init__(small_lab())
        self.answer = answer

    async def call(self, *_: str, **__: Any) -> dict[str, Any]:
        return self.answer()


def recorded(
    tmp_path: Path, environment: FakeEnvironment, *operations: str, full: bool = False
) -> list[Event]:
    """The journal's events after these operations, whatever became of them."""
    path = tmp_path / "run" / "journal.jsonl"

    async def main() -> None:
        journal = Journal.create(path, Stopwatch())
        journal.full = full
        place = Recorded(environment, journal, PULL, undo=True)
        for operation in operations:
            await asyncio.gather(place.call("ec2", "us-east-1", operation), return_exceptions=True)
        journal.close()

    run_virtual(main())
    return read(path)


def test_what_changes_something_is_recorded_and_what_reads_is_not(tmp_path: Path) -> None:
    place = Answering(lambda: {"ResponseMetadata": {"RequestId": "r-1"}})
    (event,) = recorded(tmp_path, place, "describe_instances", "stop_instances")
    assert (
        event.items()
        >= {
            "event": "call",
            "pull": 3,
            "account": "main",
            "undo": True,
            "service": "ec2",
            "region": "us-east-1",
            "operation": "stop_instances",
            "request_id": "r-1",
            "error": "",
        }.items()
    )


def refused() -> dict[str, Any]:
    raise CallFailed("ec2 stop_instances in us-east-1", "AccessDenied", "no", "r-2")


def ended() -> dict[str, Any]:
    try:
        refused()
    except CallFailed as error:
        raise EnvironmentFailed("account main: your session has ended") from error
    raise AssertionError("unreachable")


def cancelled() -> dict[str, Any]:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("answer", "request_id", "error"),
    [
        (refused, "r-2", "ec2 stop_instances in us-east-1 failed: AccessDenied: no"),
        (ended, "r-2", "account main: your session has ended"),
        (cancelled, None, GIVEN_UP),
        (dict, None, ""),
    ],
)
def test_a_call_without_success_is_recorded_too(
    tmp_path: Path, answer: Callable[[], dict[str, Any]], request_id: str | None, error: str
) -> None:
    (event,) = recorded(tmp_path, Answering(answer), "stop_instances")
    assert (event["request_id"], event["error"]) == (request_id, error)


def test_what_is_left_of_a_full_disk_is_for_the_rollback(tmp_path: Path) -> None:
    assert recorded(tmp_path, Answering(dict), "stop_instances", full=True) == []


def test_a_journal_that_takes_no_line_keeps_no_lever_from_going_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = FakeEnvironment({**small_lab(), "reachability": {"us-east-1": "drop"}})
    kept = Journal.write

    def write(journal: Journal, event: str, /, **fields: Any) -> Event:
        if event == "call":
            raise JournalFailed("no space left on device")
        return kept(journal, event, **fields)

    monkeypatch.setattr(Journal, "write", write)

    async def main() -> list[Pull]:
        journal = Journal.create(tmp_path / "r" / "journal.jsonl", Stopwatch())
        try:
            return await put_back([PULL], lab, journal)
        finally:
            journal.close()

    (pull,) = run_virtual(main())
    assert (pull.outcome, lab.state["reachability"]) == ("restored", {"us-east-1": "open"})


@pytest.mark.parametrize("answer", [None, [], {"ResponseMetadata": None}, {"ResponseMetadata": 5}])
def test_an_answer_of_any_shape_is_handed_on(tmp_path: Path, answer: Any) -> None:
    """The call was made: what the record makes of its answer must not be an error of the lever."""
    (event,) = recorded(tmp_path, Answering(lambda: answer), "stop_instances")
    assert (event["request_id"], event["error"]) == (None, "")


def in_a_circle() -> dict[str, Any]:
    error = CallFailed("ec2 stop_instances in us-east-1", "Slow", "no")
    raise error from error


def test_an_error_that_is_its_own_cause_ends_all_the_same(tmp_path: Path) -> None:
    (event,) = recorded(tmp_path, Answering(in_a_circle), "stop_instances")
    assert event["request_id"] is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_defect_of_who_watches_the_record_is_none_of_the_lever(
    tmp_path: Path, fails: bool
) -> None:
    def watch(_: Event) -> None:
        raise RuntimeError("a view is broken")

    async def main() -> None:
        journal = Journal.create(tmp_path / "r" / "journal.jsonl", Stopwatch())
        journal.watchers.append(watch)
        place = Recorded(Answering(refused if fails else dict), journal, PULL, undo=True)
        try:
            assert await place.call("ec2", "us-east-1", "stop_instances") == {}
        finally:
            journal.close()

    if fails:
        with pytest.raises(CallFailed):
            run_virtual(main())
    else:
        run_virtual(main())


def test_a_run_has_each_of_its_calls_made_and_undone(tmp_path: Path) -> None:
    history, pulls = carry_out(tmp_path, LookLab(small_lab()), experiment())
    made = [call for call in history.calls if not call.undo]
    undone = [call for call in history.calls if call.undo]
    assert {call.pull for call in made} == {pull.pull for pull in pulls}
    assert {call.pull for call in undone} == {p.pull for p in pulls if p.outcome == "restored"}
    assert all(call.began <= call.ended for call in history.calls)


def test_the_request_ids_are_those_of_the_endpoint(tmp_path: Path) -> None:
    """Also that of a call which is refused."""

    async def main(url: str) -> None:
        calls = AwsCalls(url, key=("lab", "lab"), timeout_s=30)
        place: Any = FakeEnvironment(small_lab())
        place.call = calls.call
        journal = Journal.create(tmp_path / "r" / "journal.jsonl", Stopwatch())
        mine = Recorded(place, journal, PULL, undo=False)
        await mine.call("sqs", "us-east-1", "create_queue", QueueName="q")
        with pytest.raises(CallFailed):
            await mine.call("sqs", "us-east-1", "purge_queue", QueueUrl=f"{url}/1/none")
        journal.close()
        calls.close()

    with moto_server() as (host, port):
        asyncio.run(main(f"http://{host}:{port}"))
    done, failed = read(tmp_path / "r" / "journal.jsonl")
    assert done["request_id"]
    assert failed["request_id"]
    assert done["error"] == ""
    assert "NonExistentQueue" in failed["error"]

"""Rollback puts back what we set, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.environments.attach import Gone
from chaos.errors import CallFailed, EnvironmentGone, JournalFailed
from chaos.faults.region_outage import RegionOutage
from chaos.history import Pull, fold
from chaos.injection import Looker, Puller
from chaos.journal import Event, Journal, read
from chaos.levers import Lever, to_json
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, Reachability, Replication
from chaos.loops import Stopwatch, run_virtual
from chaos.rollback import decide, incomplete, put_back, resume
from chaos.testing import FakeEnvironment, small_lab

HEADER = {
    "v": 1,
    "run": "r",
    "environment": {"kind": "embedded"},
    "experiment": {"probes": {}},
}


def pulled(lever: Lever, prior: Any, value: Any, number: int = 0) -> Pull:
    return Pull(
        pull=number,
        fault=0,
        lever=to_json(lever),
        prior=prior,
        value=value,
        irreversible=lever.irreversible,
    )


DROP = pulled(Reachability(scope="us-east-1"), "open", "drop")
DEAD = pulled(InstanceTermination(region="us-east-1", instance="i-1"), prior=False, value=True)
RULE = pulled(ApiRule(id="r"), None, {"action": "hang"})


@pytest.mark.parametrize(
    ("pull", "found", "step"),
    [
        (DROP, "drop", "restore"),
        (DROP, "open", "already"),
        (DROP, "refuse", "conflict"),
        (RULE, None, "already"),  # absent is a value …
        (RULE, {}, "conflict"),  # … and not the same as empty
        (RULE, {"action": "hang"}, "restore"),
        (DEAD, True, "keep"),
        (DEAD, False, "already"),  # recorded, and then the process died before it acted
    ],
)
def test_what_to_do_with_a_lever(pull: Pull, found: Any, step: str) -> None:
    assert decide(found, pull) == step


def restore(
    tmp_path: Path,
    pulls: list[Pull],
    environment: FakeEnvironment | Gone,
    prepare: Callable[[Journal], None] = lambda _: None,
) -> tuple[list[Pull], list[Event]]:
    """Put the pulls back on the virtual loop; returns them with the journal's events."""

    async def main() -> list[Pull]:
        journal = Journal.create(tmp_path / "journal.jsonl", Stopwatch())
        prepare(journal)
        try:
            return await put_back(pulls, environment, journal)
        finally:
            journal.close()

    return run_virtual(main()), read(tmp_path / "journal.jsonl")


def test_levers_go_back_in_the_order_given_and_are_read_again(tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    lab.state["api_rules"]["r"] = {"action": "hang"}
    ended, events = restore(tmp_path, [DROP, RULE], lab)
    assert [p.outcome for p in ended] == ["restored", "restored"]
    assert lab.state["reachability"] == {"us-east-1": "open"}
    assert lab.state["api_rules"] == {}
    assert [c for c, _ in lab.calls if c.startswith("put_")] == [
        "put_reachability",
        "put_api_rule",
    ]
    assert [(e["event"], e.get("count"), e.get("outcome")) for e in events] == [
        ("noticed", 0, None),
        ("call", None, None),
        ("restored", None, "restored"),
        ("noticed", 3, None),
        ("call", None, None),
        ("restored", None, "restored"),
    ]
    assert not incomplete(ended)


def test_somebody_elses_change_is_kept_and_told(tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["reachability"]["us-east-1"] = "refuse"
    ended, _ = restore(tmp_path, [DROP], lab)
    assert (ended[0].outcome, ended[0].found) == ("conflict", "refuse")
    assert lab.state["reachability"]["us-east-1"] == "refuse"
    assert incomplete(ended) == ended


def test_a_one_way_door_is_told_as_kept(tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["instances"]["i-1"] = "terminated"
    ended, _ = restore(tmp_path, [DEAD], lab)
    assert ended[0].outcome == "kept"
    assert not incomplete(ended)


def test_throttling_is_waited_out(tmp_path: Path) -> None:
    lab, left = FakeEnvironment(small_lab()), [4]
    lab.state["reachability"]["us-east-1"] = "drop"

    def throttle() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise CallFailed("lab put_reachability", "Throttling", "slow down")

    lab.before = throttle
    ended, _ = restore(tmp_path, [DROP], lab)
    assert ended[0].outcome == "restored"


def test_what_cannot_be_put_back_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    lab.state["replication"]["us-east-1"] = "off"

    def refuse() -> None:
        if lab.calls[-1][0] == "put_reachability":
            raise CallFailed("lab put_reachability", "AccessDenied", "you may not")

    lab.before = refuse
    off = pulled(Replication(region="us-east-1"), "on", "off", number=1)
    ended, _ = restore(tmp_path, [DROP, off], lab)
    assert [p.outcome for p in ended] == ["failed", "restored"]
    assert ended[0].error == "lab put_reachability failed: AccessDenied: you may not"


def test_a_lever_that_only_claims_to_be_set_is_told(tmp_path: Path) -> None:
    class Liar(FakeEnvironment):
        def _put_reachability(self, **_: Any) -> None:
            pass

    lab = Liar(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    ended, _ = restore(tmp_path, [DROP], lab)
    assert ended[0].outcome == "failed"
    assert ended[0].error == "was set back to open but reads drop"


def test_an_environment_that_hangs_is_given_up(tmp_path: Path) -> None:
    class Hanging(FakeEnvironment):
        async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    ended, _ = restore(tmp_path, [DROP], Hanging(small_lab()))
    assert (ended[0].outcome, ended[0].error) == (
        "failed",
        "gave up waiting for the environment",
    )


def test_whoever_gives_up_says_what_went_wrong_last(tmp_path: Path) -> None:
    """Such as the network ACL to go back to, which somebody has deleted: AWS is asked for long."""

    class Refusing(FakeEnvironment):
        async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
            await asyncio.sleep(25)
            raise CallFailed("replacing it", "NotFound", "there is none")

    ended, _ = restore(tmp_path, [DROP], Refusing(small_lab()))
    assert ended[0].outcome == "failed"
    assert ended[0].error == (
        "gave up waiting for the environment: replacing it failed: NotFound: there is none"
    )


def test_what_went_with_the_environment_needs_no_putting_back(tmp_path: Path) -> None:
    ended, _ = restore(tmp_path, [DROP, DEAD], Gone("embedded", EnvironmentGone("it ended")))
    assert [p.outcome for p in ended] == ["gone", "gone"]
    assert not incomplete(ended)


def test_a_lever_that_this_version_does_not_know_is_told(tmp_path: Path) -> None:
    unknown = Pull(pull=0, fault=0, lever={"kind": "valve"}, prior=0, value=1)
    ended, _ = restore(tmp_path, [unknown], FakeEnvironment(small_lab()))
    assert ended[0].outcome == "failed"
    assert "not known here" in ended[0].error


def test_a_journal_that_cannot_be_written_does_not_keep_a_lever_broken(tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"

    def break_it(journal: Journal) -> None:
        def fail(_: Event) -> None:
            raise JournalFailed("no space")

        journal.watchers.append(fail)

    ended, _ = restore(tmp_path, [DROP], lab, break_it)
    assert ended[0].outcome == "restored"
    assert lab.state["reachability"]["us-east-1"] == "open"


def test_another_process_finishes_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, path = FakeEnvironment(small_lab()), tmp_path / "journal.jsonl"

    async def find(_: dict[str, Any], **__: Any) -> FakeEnvironment:
        return lab

    monkeypatch.setattr("chaos.rollback.attach", find)

    async def main() -> tuple[list[Pull], list[Pull]]:
        journal = Journal.create(path, Stopwatch())
        journal.write("run", **HEADER)
        fault = RegionOutage(kind="region_outage", region="us-east-1", lasts=60)
        await fault.inject(Looker(lab), Puller(lab, journal).of_fault(0))
        journal.close()  # and here the process dies
        assert lab.state != small_lab()
        return await resume(path, print), await resume(path, print)

    first, second = run_virtual(main())
    assert [p.lever["kind"] for p in first] == [
        "reachability",
        "api_rule",
        "api_rule",
        "replication",
    ]
    assert {p.outcome for p in first} == {"restored"}
    assert second == []
    assert lab.state["api_rules"] == {}
    assert lab.state["replication"] == small_lab()["replication"]
    assert not fold(read(path)).open_pulls


def test_of_a_run_that_left_nothing_open_nothing_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    async def main() -> list[Pull]:
        journal = Journal.create(path, Stopwatch())
        journal.write("run", **HEADER)
        journal.write("end")
        journal.close()
        return await resume(path, print)

    assert run_virtual(main()) == []


def test_a_defect_of_one_lever_does_not_keep_the_others_broken(tmp_path: Path) -> None:
    class Forgetful(FakeEnvironment):
        def _describe_reachability(self, **_: Any) -> dict[str, Any]:
            return {}

    lab = Forgetful(small_lab())
    lab.state["replication"]["us-east-1"] = "off"
    off = pulled(Replication(region="us-east-1"), "on", "off", number=1)
    ended, _ = restore(tmp_path, [DROP, off], lab)
    assert [p.outcome for p in ended] == ["failed", "restored"]
    assert "KeyError" in ended[0].error


def test_a_disk_that_cannot_even_be_cleared_does_not_keep_a_lever_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = FakeEnvironment(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    def remount(journal: Journal) -> None:
        monkeypatch.setattr(journal, "_append", read_only)
        monkeypatch.setattr(Path, "unlink", read_only)

    ended, _ = restore(tmp_path, [DROP], lab, remount)
    assert ended[0].outcome == "restored"
    assert lab.state["reachability"]["us-east-1"] == "open"


def test_a_value_that_no_journal_can_hold_does_not_end_the_rollback(tmp_path: Path) -> None:
    class Odd(FakeEnvironment):
        def _describe_reachability(self, **_: Any) -> dict[str, Any]:
            return {"state": {1, 2}, "hits": 0}

    ended, _ = restore(tmp_path, [DROP], Odd(small_lab()))
    assert ended[0].outcome == "conflict"


def test_a_count_that_cannot_be_had_does_not_matter(tmp_path: Path) -> None:
    class Uncounted(FakeEnvironment):
        def _describe_reachability(self, *, scope: str) -> dict[str, Any]:
            return {"state": self.state["reachability"].get(scope, "open")}

    lab = Uncounted(small_lab())
    lab.state["reachability"]["us-east-1"] = "drop"
    ended, _ = restore(tmp_path, [DROP], lab)
    assert ended[0].outcome == "restored"


def test_a_call_that_lands_late_is_put_back_too(tmp_path: Path) -> None:
    """A set that timed out takes effect after all, just when it is being undone."""

    class Late(FakeEnvironment):
        def _describe_reachability(self, *, scope: str) -> dict[str, Any]:
            state = {"state": self.state["reachability"].get(scope, "open"), "hits": 0}
            if len(self.calls) == 2:  # the first is the counting
                self.state["reachability"][scope] = "drop"
            return state

    lab = Late(small_lab())
    ended, _ = restore(tmp_path, [DROP], lab)
    assert lab.state["reachability"]["us-east-1"] == "open"
    assert ended[0].outcome == "already"

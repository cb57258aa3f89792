"""A fault may pull many levers at once: recorded one by one, set side by side, waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from fakes import LookLab, experiment
from stale_reads import STALE_S, Stale, Valve, oldest

from chaos import faults, levers
from chaos.errors import CallFailed, InjectionFailed
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.history import fold
from chaos.injection import SIDE_BY_SIDE, Puller
from chaos.journal import Journal, read
from chaos.levers.lab import Reachability
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.run import Run
from chaos.testing import small_lab

SCOPES = [f"zone-{n}" for n in range(12)]


class Together(Fault):
    """Cuts all zones at once."""

    summary: ClassVar[str] = "cuts all"
    fidelity: ClassVar[dict[str, Fidelity]] = {"embedded": "lab"}
    kind: Literal["together"]

    async def inject(self, _: Look, pull: Pull) -> None:
        await asyncio.gather(*(pull(Reachability(scope=scope), "drop") for scope in SCOPES))


class Slow(LookLab):
    """Every cut takes 5 s, and that of zone-0 is refused after 1 s."""

    refuses = False

    def __init__(self) -> None:
        super().__init__(small_lab())
        self.setting = self.most = 0

    async def call(self, service: str, region: str, operation: str, /, **params: Any) -> Any:
        if operation == "put_reachability" and params["state"] == "drop":
            if self.refuses and params["scope"] == "zone-0":
                await asyncio.sleep(1)
                raise CallFailed("lab put_reachability", "AccessDenied", "you may not")
            self.setting += 1
            self.most = max(self.most, self.setting)
            await asyncio.sleep(5)
            self.setting -= 1
        elif operation == "put_reachability":
            assert not self.setting  # nothing goes back while something is under way
        return await super().call(service, region, operation, **params)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(faults.KINDS, "together", Together)
    monkeypatch.setitem(levers.KINDS, "valve", Valve)


def carry_out(path: Path, lab: LookLab) -> Any:
    wanted = experiment(faults=[{"kind": "together", "lasts": 10}])

    async def main() -> None:
        now = Stopwatch()
        journal = Journal.create(path, now)
        journal.write("run", v=1, run="r", environment={}, experiment=wanted.to_json())
        await Run("r", wanted, lab, journal, Stop(), now).go()
        journal.close()

    run_virtual(main())
    return fold(read(path))


def test_they_are_set_side_by_side_but_not_all_at_once(tmp_path: Path) -> None:
    lab = Slow()
    history = carry_out(tmp_path / "journal.jsonl", lab)
    assert lab.most == SIDE_BY_SIDE
    assert [pull.pull for pull in history.pulls] == list(range(12))
    assert {pull.outcome for pull in history.pulls} == {"restored"}
    assert history.faults[0].injected - history.faults[0].began == pytest.approx(10)


def test_a_rollback_waits_for_what_is_under_way_and_begins_nothing_more(tmp_path: Path) -> None:
    lab = Slow()
    lab.refuses = True
    history = carry_out(tmp_path / "journal.jsonl", lab)
    assert history.stops[0].startswith("together failed: lab put_reachability failed")
    # Those beside it come to their end. One more has taken its seat by then: it is not set.
    assert [pull.done is None for pull in history.pulls] == [True, *[False] * 7, True]
    assert not history.open_pulls
    assert set(lab.state["reachability"].values()) == {"open"}


def pulled(path: Path, environment: Any, *more: Any) -> Puller:
    async def main() -> Puller:
        journal = Journal.create(path, Stopwatch())
        puller = Puller(environment, journal, *more)
        try:
            await puller.of_fault(0)(Valve(), "shut")
        finally:
            journal.close()
        return puller

    return run_virtual(main())


def test_a_read_that_is_stale_is_waited_for(tmp_path: Path) -> None:
    environment = Stale("open", oldest)
    puller = pulled(tmp_path / "journal.jsonl", environment)
    [pull] = puller.pulls
    assert (pull.prior, pull.value) == ("open", "shut")
    assert pull.done is not None
    assert STALE_S <= pull.done < STALE_S + 2


def test_a_lever_that_never_moves_is_a_failed_injection(tmp_path: Path) -> None:
    class Stuck(Stale):
        def becomes(self, state: str) -> None:
            pass

    with pytest.raises(InjectionFailed, match="was set to shut but reads open"):
        pulled(tmp_path / "journal.jsonl", Stuck("open"))


def test_the_same_lever_is_not_pulled_twice_at_once(tmp_path: Path) -> None:
    lab = Slow()

    async def main() -> Any:
        journal = Journal.create(tmp_path / "journal.jsonl", Stopwatch())
        pull = Puller(lab, journal).of_fault(0)
        lever = Reachability(scope="zone-1")
        try:
            return await asyncio.gather(
                pull(lever, "drop"), pull(lever, "refuse"), return_exceptions=True
            )
        finally:
            journal.close()

    first, second = run_virtual(main())
    assert first is None
    assert "is already pulled by another fault of this run" in str(second)
    assert lab.state["reachability"]["zone-1"] == "drop"

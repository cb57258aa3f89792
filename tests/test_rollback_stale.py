"""Where reads may be stale, calls fail and land late: never a false "restored"."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stale_reads import FATES, STALE_S, Choice, Door, Stale, Valve, newest, oldest, rather

from chaos import levers
from chaos.errors import CallFailed
from chaos.history import Pull
from chaos.journal import Journal
from chaos.levers import to_json
from chaos.loops import Stopwatch, run_virtual
from chaos.rollback import put_back
from chaos.rollback.checking import Checked, _look
from chaos.rollback.restoring import BUDGET_S, WINDOWS, decide

FAULT, PRIOR, FOREIGN, BETWEEN = "shut", "open", "ajar", "between open and shut"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(levers.KINDS, "valve", Valve)
    monkeypatch.setitem(levers.KINDS, "door", Door)


def pull(number: int = 0, *, done: float | None = 0.0, door: bool = False) -> Pull:
    lever: Any = Door() if door else Valve(name=f"v{number}")
    return Pull(
        pull=number,
        fault=0,
        lever=to_json(lever),
        prior=PRIOR,
        value=FAULT,
        done=done,
        irreversible=door,
    )


def rolled_back(
    path: Path, environment: Stale, *pulls: Pull, then: dict[float, str] | None = None
) -> tuple[list[Pull], float]:
    """The pulls after a rollback, and how long it took. `then`: foreign changes, by time."""

    async def main() -> tuple[list[Pull], float]:
        loop = asyncio.get_running_loop()
        journal = Journal.create(path / "run" / "journal.jsonl", Stopwatch())
        for at, state in (then or {}).items():
            loop.call_later(at, environment.becomes, state)
        try:
            began = loop.time()
            ended = await put_back(pulls or [pull()], environment, journal)
            return ended, loop.time() - began
        finally:
            journal.close()

    return run_virtual(main())


def test_it_is_restored_only_when_no_read_can_be_stale_any_more(tmp_path: Path) -> None:
    environment = Stale(FAULT)
    [ended], took = rolled_back(tmp_path, environment)
    assert (ended.outcome, environment.now) == ("restored", PRIOR)
    assert STALE_S <= took < STALE_S + 2
    assert ended.ended is not None
    assert ended.ended < 1  # it was back long before that was certain


def test_what_seems_to_be_back_already_is_set_all_the_same(tmp_path: Path) -> None:
    environment = Stale(PRIOR)
    environment.history.append((-1.0, FAULT))
    environment.choose = oldest
    [ended], _ = rolled_back(tmp_path, environment)
    assert (ended.outcome, environment.now) == ("already", PRIOR)


def test_a_stale_foreign_value_is_no_conflict(tmp_path: Path) -> None:
    environment = Stale(FOREIGN)
    environment.history.append((-0.5, FAULT))
    answers = iter([1])
    environment.choose = lambda known: known[min(next(answers, 0), len(known) - 1)]
    [ended], _ = rolled_back(tmp_path, environment)
    assert (ended.outcome, environment.now) == ("restored", PRIOR)


def test_a_foreign_value_that_stays_is_a_conflict_and_is_kept(tmp_path: Path) -> None:
    environment = Stale(FOREIGN)
    [ended], _ = rolled_back(tmp_path, environment)
    assert (ended.outcome, ended.found, environment.sets) == ("conflict", FOREIGN, [])


@pytest.mark.parametrize("choose", [newest, rather(FAULT)], ids=["fresh", "stale"])
def test_a_foreign_change_while_it_is_watched_is_kept(tmp_path: Path, choose: Choice) -> None:
    environment = Stale(FAULT, choose)
    [ended], _ = rolled_back(tmp_path, environment, then={3.0: FOREIGN})
    assert (ended.outcome, environment.now) == ("conflict", FOREIGN)
    assert ended.ended is None


def test_what_is_halfway_is_ours(tmp_path: Path) -> None:
    environment = Stale(BETWEEN)
    [ended], _ = rolled_back(tmp_path, environment)
    assert (ended.outcome, environment.now) == ("restored", PRIOR)
    assert decide(BETWEEN, pull(), Valve()) == "restore"
    assert decide(BETWEEN, pull()) == "conflict"


def test_a_lever_that_never_stays_is_given_up(tmp_path: Path) -> None:
    class Springs(Stale):
        def becomes(self, state: str) -> None:
            super().becomes(FAULT)

    [ended], took = rolled_back(tmp_path, Springs(FAULT))
    assert ended.outcome == "failed"
    assert ended.error == "was set back to open but reads shut"
    assert took < BUDGET_S + WINDOWS * STALE_S


@pytest.mark.parametrize(
    ("state", "outcome"), [(FAULT, "kept"), (PRIOR, "already"), (FOREIGN, "conflict")]
)
def test_a_one_way_door_is_only_looked_at(tmp_path: Path, state: str, outcome: str) -> None:
    environment = Stale(state)
    [ended], _ = rolled_back(tmp_path, environment, pull(door=True))
    assert (ended.outcome, environment.sets) == (outcome, [])


def test_a_one_way_door_that_seems_open_is_looked_at_again(tmp_path: Path) -> None:
    environment = Stale(PRIOR)
    environment.history.append((-1.0, FAULT))
    environment.choose = oldest
    [ended], _ = rolled_back(tmp_path, environment, pull(door=True))
    assert ended.outcome == "kept"


MUTE = "mute"  # an environment that does not say why


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Valve):
    """A valve that AWS itself lets go of, and says why."""

    kind: ClassVar[str] = "told"

    async def ended_because(self, environment: Any) -> str:
        if environment.kind == MUTE:
            raise CallFailed("valves get_valve", "AccessDenied", "you may not")
        return "its time was over"

    def halfway(self, found: Any, prior: Any, value: Any) -> bool:
        return bool(found == FOREIGN)


DENIED = "it reads {}, and nobody tells why: valves get_valve failed: AccessDenied: you may not"


@pytest.mark.parametrize(
    ("state", "mute", "why"),
    [
        (PRIOR, False, "its time was over"),
        (FOREIGN, False, "its time was over"),
        (PRIOR, True, DENIED.format(PRIOR)),
        (FOREIGN, True, DENIED.format(FOREIGN)),  # "restored" would say that the fault had lasted
    ],
)
def test_a_lever_that_others_put_back_may_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, mute: bool, why: str
) -> None:
    monkeypatch.setitem(levers.KINDS, "told", Told)
    environment: Any = Stale(state)
    environment.kind = MUTE if mute else environment.kind
    [ended], _ = rolled_back(tmp_path, environment, replace(pull(), lever=to_json(Told())))
    assert (ended.outcome, ended.error) == ("already", why)


def test_one_that_reads_as_it_was_pulled_needs_no_explanation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(levers.KINDS, "told", Told)
    environment: Any = Stale(FAULT)
    environment.kind = MUTE
    [ended], _ = rolled_back(tmp_path, environment, replace(pull(), lever=to_json(Told())))
    assert (ended.outcome, ended.error) == ("restored", "")


def test_levers_of_a_kind_go_back_side_by_side_but_not_all_at_once(tmp_path: Path) -> None:
    pulls = [pull(number) for number in range(20)]
    ended, took = rolled_back(tmp_path, Stale(FAULT), *pulls)
    assert [each.pull for each in ended] == list(range(20))
    assert 3 * STALE_S <= took < 3 * STALE_S + 5  # 20 of them, 8 at a time


def at_random(picks: list[int]) -> Choice:
    """Reads that tell this or that."""
    rest = iter(picks)
    return lambda answers: answers[next(rest, 0) % len(answers)]


readings = st.one_of(
    st.sampled_from([newest, oldest, rather(PRIOR), rather(FAULT), rather(FOREIGN)]),
    st.lists(st.integers(0, 9), max_size=60).map(at_random),
)


@given(
    state=st.sampled_from([FAULT, PRIOR, BETWEEN, FOREIGN]),
    before=st.sampled_from([FAULT, PRIOR, FOREIGN]),
    changed=st.floats(-12.0, -0.1),
    done=st.sampled_from([None, 0.0]),
    choose=readings,
    fates=st.lists(st.sampled_from(FATES), max_size=12),
    landing=st.one_of(st.none(), st.floats(0.0, 4.9)),
    meddling=st.one_of(st.none(), st.floats(0.0, 40.0)),
)
@settings(max_examples=400)
def test_whatever_happens_nothing_is_said_to_be_back_that_is_not(
    tmp_path_factory: pytest.TempPathFactory,
    state: str,
    before: str,
    changed: float,
    done: float | None,
    choose: Choice,
    fates: list[str],
    landing: float | None,
    meddling: float | None,
) -> None:
    becomes = iter(fates)
    environment = Stale(before, choose, lambda: next(becomes, "done"))
    environment.history.append((changed, state))
    then = {landing: FAULT} if landing is not None and done is None else {}
    then |= {meddling: FOREIGN} if meddling is not None else {}
    [ended], took = rolled_back(
        tmp_path_factory.mktemp("stale"), environment, pull(done=done), then=then
    )
    assert took <= BUDGET_S + WINDOWS * STALE_S + 1
    foreign = [at for at, known in environment.history if known == FOREIGN]
    # Nobody can see a change that is younger than a read may be old.
    hidden = any(took - STALE_S <= at for at in foreign)
    if ended.outcome in ("restored", "already"):
        assert environment.now == PRIOR or hidden
    else:
        assert ended.outcome in ("conflict", "failed")
    if state == FOREIGN and changed < -STALE_S and not then:
        assert (ended.outcome, environment.now, environment.sets) == ("conflict", FOREIGN, [])


def test_what_would_be_done_is_told_without_doing_it() -> None:
    def looked(state: str, door: bool = False) -> tuple[str, Any]:
        environment = Stale(state)

        async def main() -> Checked:
            return await _look(pull(door=door), environment, asyncio.Semaphore(1))

        checked = run_virtual(main())
        assert environment.sets == []
        return checked.would, checked.found

    assert looked(FAULT) == ("restore", FAULT)
    assert looked(PRIOR) == ("already", PRIOR)
    assert looked(FOREIGN) == ("conflict", FOREIGN)
    assert looked(FAULT, door=True) == ("keep", FAULT)

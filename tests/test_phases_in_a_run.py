"""The phases of a recovery while a run goes on: it waits for home, and takes people's marks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import pytest
from click.testing import CliRunner
from fakes import LookLab, experiment

from chaos.cli.mark import command
from chaos.errors import InvalidInput
from chaos.history import History, fold
from chaos.journal import Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.marks import leave
from chaos.record import Stop
from chaos.run import Run
from chaos.testing import small_lab
from chaos.verdict import judge
from chaos.who import who
from probes.net import Net
from probes.probe import Attempt, Probe

EAST, WEST = "us-east-1", "us-west-2"
HOME_AFTER = 12.0  # seconds that the names go on leading to the west once the east is there again


class Page(Probe):
    """Answered by the east while it can be reached, and for a while after an outage by the west."""

    kind: Literal["page"] = "page"
    tells_region: ClassVar[bool] = True

    async def check(self, net: Net, attempt: Attempt) -> None:
        state, now = cast("Any", net), asyncio.get_running_loop().time()
        if state["reachability"].get(EAST, "open") != "open":
            state["away until"] = now + HOME_AFTER
        attempt.detail["region"] = WEST if now < state.get("away until", 0.0) else EAST


def carry_out(tmp_path: Path, mark_at: float | None = None, **changes: Any) -> History:
    path = tmp_path / "run" / "journal.jsonl"
    lab = LookLab(small_lab())
    wanted = experiment(
        probes={"page": Page(every=1.0, timeout=0.5, confirm=2)},
        faults=[{"kind": "region_outage", "region": EAST, "lasts": 10}],
        allow_irreversible=[],
        **{"objectives": {"page": {"fails_back_within": 20}}, "recover_within": 30, **changes},
    )

    async def mark(at: float) -> None:
        await asyncio.sleep(at)
        leave(path, "decided", "kim@console")

    async def main() -> None:
        now = Stopwatch()
        journal = Journal.create(path, now)
        header = {"v": 1, "run": "r", "wall": "", "tool": "", "speed": 1, "fidelity": ["lab"]}
        journal.write("run", **header, environment=lab.describe(), experiment=wanted.to_json())
        marking = asyncio.create_task(mark(mark_at)) if mark_at else None
        try:
            await Run("r", wanted, lab, journal, Stop(), now).go()
        finally:
            journal.close()
        if marking:
            await marking

    run_virtual(main())
    return fold(read(path))


def test_the_run_waits_until_its_own_region_answers_again(tmp_path: Path) -> None:
    history = carry_out(tmp_path)
    verdict = judge(history)
    (found,) = (r for r in verdict.results if r.objective == "fails_back_within")
    assert found.measured is not None
    assert found.measured.low <= HOME_AFTER <= found.measured.high + 1
    assert found.value == "held"


def test_it_waits_for_nobody_who_has_not_promised_to_come_home(tmp_path: Path) -> None:
    history = carry_out(tmp_path, objectives={"page": {"fails_over_within": 5}})
    verdict = judge(history)
    assert verdict.times is not None
    assert verdict.times.lifted is not None
    assert history.ended - verdict.times.lifted < HOME_AFTER
    assert verdict.value == "held"


def test_it_waits_no_longer_than_promised(tmp_path: Path) -> None:
    history = carry_out(tmp_path, objectives={"page": {"fails_back_within": 4}}, recover_within=5)
    assert judge(history).value == "broken"
    assert not history.stops


def test_a_mark_of_a_person_is_in_the_journal(tmp_path: Path) -> None:
    history = carry_out(
        tmp_path, 5.1, objectives={"page": {"fails_over_within": 5}}, marks={"decided": 8}
    )
    mark = history.mark("decided")
    assert mark is not None
    assert (mark.by, mark.at.low <= 5.1 <= mark.at.high + 0.01) == ("kim@console", True)
    (found,) = (r for r in judge(history).results if r.objective == "marked_within")
    assert found.value == "held"


def test_the_first_of_two_marks_counts(tmp_path: Path) -> None:
    journal = tmp_path / "r" / "journal.jsonl"
    journal.parent.mkdir()
    leave(journal, "decided", "kim@console")
    with pytest.raises(InvalidInput, match="decided is marked already; the first time counts"):
        leave(journal, "decided", "sam@console")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--as", "No Name"], "'No Name' is no name; use small letters, digits, - and _"),
        (["--as", "decided"], "the run is over, and what happens now is not of it"),
        (["--as", "decided", "--task", "plug"], "--task is for what the run waits for"),
    ],
)
def test_what_cannot_be_marked(tmp_path: Path, options: list[str], why: str) -> None:
    carry_out(tmp_path)
    journal = tmp_path / "run" / "journal.jsonl"
    ended = CliRunner().invoke(command, [str(journal), *options])
    assert isinstance(ended.exception, InvalidInput)
    assert why in str(ended.exception)


def test_a_run_under_way_is_marked(tmp_path: Path) -> None:
    carry_out(tmp_path, marks={"declared": 5})
    path = tmp_path / "run" / "journal.jsonl"
    journal = Journal.reopen(path, lambda: 0.0)  # as it is while the run goes on
    try:
        ended = CliRunner().invoke(command, [str(path), "--as", "decided"])
    finally:
        journal.close()
    assert ended.output == "marked: decided; promised is declared\n"
    assert (path.parent / "said" / "decided").read_text() == who()

"""What the page is given: figures ready to be read, and few enough to stay light."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import journals
from report.attempts import INJECTED

from chaos.history import fold
from chaos.journal import read
from chaos.report.cells import MOST, cells
from chaos.report.data import page
from chaos.report.html import embedded
from chaos.verdict import judge
from probes.probe import Sample

DAY = 24 * 3600.0


def data_of(tmp_path: Path, **variant: Any) -> dict[str, Any]:
    history = fold(read(journals.region_outage(tmp_path, **variant)))
    return page(history, judge(history))


def objective(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in data["verdict"]["objectives"] if o["name"] == name)
    return found


def test_an_objective_says_what_was_wanted_measured_and_how(tmp_path: Path) -> None:
    data = data_of(tmp_path)
    rto = objective(data, "RTO")
    assert (rto["wanted_text"], rto["measured_text"]) == ("≤ 2 min", "74.1 – 74.6 s")
    assert (rto["value"], rto["how_text"]) == ("held", "back while the fault was on")
    assert objective(data, "availability")["wanted_text"] == "≥ 40%"


def test_a_recovery_after_the_lifting_is_told_as_that(tmp_path: Path) -> None:
    rto = objective(data_of(tmp_path, failover=None), "RTO")
    assert (rto["value"], rto["how_text"]) == ("broken", "only after the fault was lifted")


def test_the_clock_of_an_objective_is_drawn_from_the_first_injection(tmp_path: Path) -> None:
    data = data_of(tmp_path)
    drawn = objective(data, "RTO")["drawn"]
    assert drawn["from"] == data["injected"] == pytest.approx(INJECTED)
    assert drawn["limit"] == pytest.approx(INJECTED + 120)
    assert drawn["from"] < drawn["low"] <= drawn["high"] < drawn["limit"]


def test_the_clock_of_data_loss_runs_backwards(tmp_path: Path) -> None:
    drawn = objective(data_of(tmp_path), "RPO")["drawn"]
    assert drawn["limit"] < drawn["high"] <= drawn["low"] < drawn["from"]


def test_being_steady_again_is_no_row_where_it_held(tmp_path: Path) -> None:
    data = data_of(tmp_path)
    assert [o["name"] for o in data["verdict"]["objectives"]] == [
        "RTO",
        "availability",
        "unaffected",
        "RPO",
    ]
    assert data["probes"][1]["steady_text"] == "0 s"


def test_outages_of_a_probe_are_listed_with_their_error(tmp_path: Path) -> None:
    first, relapse = data_of(tmp_path)["probes"][0]["outages"]
    assert "no answer within 2 s" in first["error"]
    assert relapse["error"] == "the status is 503, not 200"
    assert relapse["from"] < relapse["to"]


def test_levers_that_are_not_back_stand_out(tmp_path: Path) -> None:
    outcomes = ("failed", "restored", "conflict", "open")
    data = data_of(tmp_path, outcomes=outcomes)
    assert [pull["bad"] for pull in data["pulls"]] == [True, False, True, True]
    assert data["pulls_text"] == "4 levers pulled: 1 put back and read again, 3 NOT put back."
    assert "It reads refuse." in data["pulls"][2]["detail"]


def test_absent_is_a_value_of_a_lever(tmp_path: Path) -> None:
    pulls = data_of(tmp_path)["pulls"]
    assert pulls[1]["prior"] == "absent"
    assert json.loads(pulls[1]["value"])["action"] == "hang"


def test_a_ledger_tells_what_was_lost_at_each_read(tmp_path: Path) -> None:
    failover, end = data_of(tmp_path)["ledgers"]
    assert (failover["acknowledged"], failover["survived"], failover["lost"]) == (8, 7, 1)
    assert (failover["rpo_text"], end["rpo_text"]) == ("1.4 – 1.5 s", "0 s")


def test_a_ledger_that_could_not_be_read_says_so(tmp_path: Path) -> None:
    events = read(journals.region_outage(tmp_path))
    unread = [{**e, "error": "refused"} if e["event"] == "ledger" else e for e in events]
    history = fold(unread)
    rows = page(history, judge(history))["ledgers"]
    assert [row["error"] for row in rows] == ["refused", "refused"]


def test_what_nothing_lifts_is_shown_until_the_run_no_longer_waits(tmp_path: Path) -> None:
    outcomes = ("open", "restored", "restored", "restored")
    events = read(journals.region_outage(tmp_path, outcomes=outcomes))
    history = fold([e for e in events if e.get("state") != "lifting"])
    (fault,) = page(history, judge(history))["faults"]
    assert fault["to"] is None
    assert fault["until"] == history.phase("rollback")


def test_lab_time_is_called_lab_time(tmp_path: Path) -> None:
    assert "lab time, 8 times faster" in data_of(tmp_path / "a")["caveat"][0]
    assert "in real time" in data_of(tmp_path / "b", speed=1.0)["caveat"][0]


def test_a_run_that_broke_nothing_has_no_fault_to_show(tmp_path: Path) -> None:
    data = data_of(tmp_path, steady=False)
    assert data["injected"] is None
    assert data["faults"] == data["pulls"] == []
    assert objective(data, "RTO")["measured_text"] == "not measured"
    assert data["notes"][0].startswith("Stopped: no steady state")


def test_the_page_of_a_day_long_drill_stays_light(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    data = page(journals.prolonged(history, DAY), judge(history))
    assert data["probes"][0]["attempts"] > 170_000
    assert len(embedded(data)) < 250_000
    during = [c for c in data["probes"][0]["cells"] if 0 < c[0] - data["injected"] < 60]
    assert len(during) > 50  # the fault is still shown in detail


# --- cells --------------------------------------------------------------------------------


def sample(n: int, *, ok: bool, region: Any = None, took: float = 0.1) -> Sample:
    detail = {} if region is None else {"region": region}
    return Sample(
        probe="p",
        n=n,
        due=float(n),
        start=float(n),
        end=n + took,
        ok=ok,
        error="" if ok else "no answer",
        detail=detail,
    )


def test_few_attempts_have_a_cell_each() -> None:
    found = cells([sample(0, ok=True, region="r"), sample(1, ok=False)])
    assert found == [
        [0.0, 1, 0, 0, 0.1, 0.1, "r", None, None],
        [1.0, 0, 1, 0, 0.1, 0.1, None, None, "no answer"],
    ]


@given(
    turns=st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=40),
    close=st.none() | st.tuples(st.integers(0, 2000), st.integers(2000, 9000)),
)
def test_every_attempt_is_in_one_cell_and_cells_are_few(
    turns: list[tuple[bool, int]], close: tuple[float, float] | None
) -> None:
    oks = [ok for ok, times in turns for _ in range(times)]
    found = cells([sample(n, ok=ok) for n, ok in enumerate(oks)], close)
    assert sum(cell[1] for cell in found) == sum(oks)
    assert sum(cell[2] for cell in found) == len(oks) - sum(oks)
    assert len(found) <= MOST
    assert [cell[0] for cell in found] == sorted(cell[0] for cell in found)


def test_the_edges_of_an_outage_stay_exact_in_a_long_drill() -> None:
    found = cells([sample(n, ok=not 50_001 <= n < 50_017) for n in range(100_000)])
    bad = [cell for cell in found if cell[2]]
    assert bad[0][0] == 50_001.0
    assert sum(cell[2] for cell in bad) == 16
    assert all(cell[1] == 0 for cell in bad)


def test_what_turns_all_the_time_is_mixed() -> None:
    found = cells([sample(n, ok=n % 2 == 0) for n in range(10_000)])
    assert len(found) <= MOST
    assert all(cell[1] and cell[2] for cell in found)


def test_a_region_that_is_no_word_is_not_shown() -> None:
    assert cells([sample(0, ok=True, region=["a", "b"])])[0][6] is None

"""The moments of a recovery, as the attempts tell them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report import journals
from report.attempts import FAILBACK, FAILOVER, INJECTED, LASTS, RELAPSE

from chaos.history import History, fold
from chaos.journal import read
from chaos.report.recovery import steps
from chaos.verdict import judge

ATTEMPT = 0.6  # a grid of half a second, and an answer
LIFTED = INJECTED + LASTS


def history_of(tmp_path: Path, **variant: Any) -> History:
    return fold(read(journals.region_outage(tmp_path, **variant)))


def recovery(history: History, probe: str = "playback") -> dict[str, Any]:
    found = steps(probe, history, judge(history))
    assert found is not None
    return found


def test_a_failure_is_noticed_when_its_attempt_ends(tmp_path: Path) -> None:
    began, ended = recovery(history_of(tmp_path))["first"]
    assert INJECTED <= began <= INJECTED + ATTEMPT
    assert ended == pytest.approx(began + 2.0)  # it hung until it was given up


def test_the_recovery_that_counts_is_the_last_one(tmp_path: Path) -> None:
    found = recovery(history_of(tmp_path))
    assert found["last"] == pytest.approx(INJECTED + RELAPSE[1], abs=ATTEMPT)
    assert found["back"] == pytest.approx(INJECTED + RELAPSE[1], abs=ATTEMPT)
    assert found["last"] < found["back"]


def test_where_the_answers_came_from(tmp_path: Path) -> None:
    found = recovery(history_of(tmp_path))
    assert (found["from"], found["to"]) == ("us-east-1", "us-west-2")
    assert found["away"] == pytest.approx(INJECTED + FAILOVER, abs=ATTEMPT)
    assert found["home"] == pytest.approx(LIFTED + FAILBACK, abs=ATTEMPT)


def test_who_never_moved_has_not_come_home(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    stays = [
        s if s.detail.get("region") != "us-west-2" else replace(s, ok=False)
        for s in history.samples["playback"]
    ]
    history.samples["playback"] = tuple(stays)
    found = recovery(history)
    assert (found["from"], found["away"], found["home"]) == ("us-east-1", None, None)


def test_who_was_not_seen_at_home_again_is_away_still(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    samples = history.samples["playback"]
    history.samples["playback"] = tuple(s for s in samples if s.start < LIFTED)
    found = recovery(history)
    assert found["away"] is not None
    assert found["home"] is None


def test_an_answer_under_way_at_the_injection_shows_no_move(tmp_path: Path) -> None:
    """It came from elsewhere, and nobody knows whether the fault was on when it was given."""
    history = history_of(tmp_path)
    home = [s for s in history.samples["playback"] if s.detail.get("region") != "us-west-2"]
    straddling = replace(home[0], n=999, due=8.0, start=8.0, end=INJECTED + 0.1)
    told = {**straddling.detail, "region": "us-west-2"}
    history.samples["playback"] = (*home, replace(straddling, detail=told))
    found = recovery(history)
    assert (found["to"], found["away"], found["home"]) == ("us-west-2", None, None)


def test_who_is_not_back_when_the_run_ends(tmp_path: Path) -> None:
    history = history_of(tmp_path)
    samples = history.samples["playback"]
    history.samples["playback"] = tuple(s for s in samples if s.start < INJECTED + FAILOVER)
    assert recovery(history)["back"] is None


def test_a_probe_that_tells_no_region_has_no_home(tmp_path: Path) -> None:
    found = recovery(history_of(tmp_path), "history")
    assert (found["from"], found["to"], found["away"], found["home"]) == (None,) * 4


@pytest.mark.parametrize(
    ("probe", "variant"),
    [("west_canary", {}), ("playback", {"bites": False}), ("playback", {"steady": False})],
    ids=str,
)
def test_who_did_not_fail_has_no_recovery(
    tmp_path: Path, probe: str, variant: dict[str, Any]
) -> None:
    history = history_of(tmp_path, **variant)
    assert steps(probe, history, judge(history)) is None

"""What stands in for AWS proves nothing where only AWS itself could have done it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from histories import FAILOVER, GOOD, Change, but, pull, run

from chaos.history import History
from chaos.verdict import judge

MOTO = "http://127.0.0.1:5000"
RTO = {"playback": {"rto": 6.0}}
UNAFFECTED = {"playback": {"unaffected": True}}
FIS = pull(lever={"kind": "fis_experiment", "region": "us-east-1"}, prior="absent", value="running")


def at(endpoint: str | None) -> Change:
    def change(history: History) -> History:
        where = {"kind": "aws", "endpoint": endpoint}
        return replace(history, header=history.header | {"environment": where})

    return change


@pytest.mark.parametrize("seen", [GOOD, FAILOVER])
def test_an_experiment_of_fis_is_none_in_an_emulator(seen: str) -> None:
    verdict = judge(run(RTO, at(MOTO), but(pulls=(FIS,)), playback=seen))
    assert verdict.value == "unknown"
    assert verdict.reasons[0].startswith(f"{MOTO} is not AWS, and no emulator carries out what FIS")


def test_in_aws_itself_it_is_one() -> None:
    for endpoint in (None, "https://fis.us-east-1.amazonaws.com"):
        verdict = judge(run(RTO, at(endpoint), but(pulls=(FIS,)), playback=FAILOVER))
        assert verdict.value == "held"


@pytest.mark.parametrize(("endpoint", "value"), [(MOTO, "unknown"), (None, "held")])
def test_that_nothing_was_affected_where_nothing_is_cut_is_no_news(
    endpoint: str | None, value: str
) -> None:
    verdict = judge(run(UNAFFECTED, at(endpoint), playback=GOOD))
    assert verdict.value == value
    told = f"{MOTO} is not AWS and cuts nothing, so that playback was unaffected proves nothing"
    assert (told in verdict.reasons) is (endpoint == MOTO)


def test_who_has_ended_it_early_says_why() -> None:
    early: Any = replace(FIS, outcome="already", error="EXP1 is stopped: by an alarm")
    verdict = judge(run(RTO, at(None), but(pulls=(early,)), playback=FAILOVER))
    assert verdict.value == "unknown"
    assert verdict.reasons[0] == (
        "fis_experiment us-east-1 was back before the run put it back: the fault did not last:"
        " EXP1 is stopped: by an alarm"
    )

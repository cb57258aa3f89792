"""What stands in for AWS proves nothing where only AWS itself could have done it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from histories import FAILOVER, GOOD, Change, but, pull, read, run

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


@pytest.mark.parametrize(("endpoint", "value"), [(MOTO, "unknown"), (None, "held")])
def test_an_rto_of_what_never_failed_is_no_news_there_either(
    endpoint: str | None, value: str
) -> None:
    """That another probe failed is no sign that this one has met anything."""
    verdict = judge(run(RTO, at(endpoint), playback=GOOD, other=FAILOVER))
    assert verdict.value == value
    told = f"{MOTO} is not AWS and cuts nothing, so that playback was unaffected proves nothing"
    assert (told in verdict.reasons) is (endpoint == MOTO)


@pytest.mark.parametrize(
    ("until", "value"), [("2026-11-21T10:00:15Z", "held"), ("2026-11-21T10:00:14Z", "unknown")]
)
def test_a_denial_that_was_over_before_its_fault_is_no_fault(until: str, value: str) -> None:
    """AWS goes by the time in it; the text that is read and put back stays."""
    lever = {"kind": "table_replication", "region": "us-east-1"}
    denial = pull(lever=lever, prior=None, value={"until": until})

    def in_real_time(history: History) -> History:
        return replace(history, header=history.header | {"speed": 1.0})

    verdict = judge(run(RTO, at(None), in_real_time, but(pulls=(denial,)), playback=FAILOVER))
    assert verdict.value == value
    told = "AWS let go of table_replication us-east-1 1 s before the fault was to end, at " + until
    assert (verdict.reasons[0] == told) is (value == "unknown")


@pytest.mark.parametrize(
    ("seen", "there", "value"),
    [
        (GOOD, range(15), "unknown"),
        (GOOD, range(5), "held"),  # not replicated any more
        (FAILOVER, range(15), "held"),  # could not be written
    ],
)
def test_no_data_is_lost_where_nothing_has_reached_the_ledger(
    seen: str, there: range, value: str
) -> None:
    """The replication of a table goes on where the fault does not name it."""
    reads = but(ledgers=(read("failover", *there), read("end", *range(24))))
    verdict = judge(run({"history": {"rpo": 5.0}}, at(None), reads, history=seen, api=FAILOVER))
    assert verdict.value == value
    told = "nothing shows that a fault has reached history: no write failed, and none was missing"
    assert verdict.reasons[0].startswith(told) is (value == "unknown")


def test_who_has_ended_it_early_says_why() -> None:
    early: Any = replace(FIS, outcome="already", error="EXP1 is stopped: by an alarm")
    verdict = judge(run(RTO, at(None), but(pulls=(early,)), playback=FAILOVER))
    assert verdict.value == "unknown"
    assert verdict.reasons[0] == (
        "fis_experiment us-east-1 was back before the run put it back: the fault did not last:"
        " EXP1 is stopped: by an alarm"
    )

"""One probe is back and another is not: each has its own recovery, and the worst decides."""

from __future__ import annotations

from histories import FAILOVER, NEVER, NO_FAILOVER, run

from chaos.verdict import judge

RTO = {"playback": {"rto": 6.0}, "search": {"rto": 6.0}}


def test_a_recovery_of_one_probe_is_none_of_the_other() -> None:
    verdict = judge(run(RTO, playback=FAILOVER, search=NO_FAILOVER))
    found = {r.probe: r.value for r in verdict.results if r.objective == "rto"}
    assert found == {"playback": "held", "search": "broken"}
    assert verdict.value == "broken"
    assert verdict.reasons[0].startswith("search recovered only after the fault was lifted")


def test_who_was_promised_nothing_must_be_steady_again_all_the_same() -> None:
    verdict = judge(run({"playback": {"rto": 6.0}}, playback=FAILOVER, search=NEVER))
    assert verdict.value == "unknown"  # it was watched for a moment less than it may take
    assert verdict.reasons[0].startswith("search was not shown to be good again")

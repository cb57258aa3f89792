"""What is made of the looks of each tool, by hand: the comparison must flatter nobody."""

from __future__ import annotations

import math
from typing import Any

from peers import chaos_toolkit, prometheus
from peers.looks import Look, Reading, longest, read, share_slower

LOOKS = [Look(n, n + 0.25, ok) for n, ok in enumerate([True, False, True, False, False, True])]


def test_a_recovery_is_read_from_the_last_bad_look_to_the_first_good_one() -> None:
    assert read(LOOKS, 1.0) == Reading(3.0, 4.25)
    assert read(LOOKS[:5], 1.0) == Reading(3.0, math.inf)
    assert read(LOOKS[:1], 1.0) == Reading(0.0, 0.0)


def test_slow_answers_are_counted_where_they_began() -> None:
    looks = [*LOOKS, Look(6, 6.5, True)]
    assert longest(looks, (5.0, 7.0)) == 0.5
    assert longest(looks, (0.0, 6.0)) == 0.25
    assert share_slower(looks, 0.4, (5.0, 7.0)) == 0.5


def test_chaos_toolkit_has_its_own_verdict() -> None:
    probe = {"start": "2026-01-01T00:00:01+00:00", "end": "2026-01-01T00:00:02+00:00"}
    state = {"steady_state_met": False, "probes": [probe]}
    steady = {"before": None, "during": [state], "after": state}
    journal: dict[str, Any] = {"status": "completed", "deviated": False, "steady_states": steady}
    zero = 1767225600.0
    assert chaos_toolkit.seen(0, journal, zero).looks == (Look(1, 2, False), Look(1, 2, False))
    assert chaos_toolkit.seen(0, journal, zero).said == "held"
    assert chaos_toolkit.seen(1, journal, zero).said == "broken"
    assert chaos_toolkit.seen(0, journal | {"deviated": True}, zero).said == "broken"


def test_prometheus_has_a_job_and_an_alert_for_each_interval() -> None:
    assert prometheus.job(15, ["http://one/"], 9115)["scrape_interval"] == "15s"
    assert prometheus.alert(15, 60)["rules"][0]["for"] == "60s"

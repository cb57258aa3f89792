"""Runs for tests of verdicts, made by hand: what each probe saw, a sign for each second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chaos.asked_ledgers import LedgerRead
from chaos.history import FaultWindow, History, Pull
from probes.probe import Sample

# The usual run: a fault from 3 to 15 (levers all moved by 3.5, all back by 15.25), judged at 24.
GOOD = "++++++++++++++++++++++++"
FAILOVER = "++++---+++++++++++++++++"  # down from 4, back at 7
NO_FAILOVER = "++++-----------+++++++++"  # back when the fault was lifted
NEVER = "++++--------------------"
INJECTED, COMPLETE, LIFTING, LIFTED, RECOVER, END = 3.0, 3.5, 15.0, 15.25, 15.5, 24.0

Change = Callable[[History], History]


def samples(probe: str, signs: str) -> tuple[Sample, ...]:
    """One attempt a second: + good, - bad, ? crashed, and none where there is a space.

    Of an alarm: o silent, A ringing.
    """
    return tuple(
        Sample(
            probe=probe,
            n=n,
            due=n,
            start=n,
            end=n + 0.25,
            ok=sign in "+o",
            crashed=sign == "?",
            error="" if sign in "+o" else "boom",
            detail={"detected": sign == "A"} if sign in "oA" else {},
        )
        for n, sign in enumerate(signs)
        if sign != " "
    )


def pull(**fields: Any) -> Pull:
    usual: dict[str, Any] = {
        "pull": 0,
        "fault": 0,
        "lever": {"kind": "reachability", "scope": "us-east-1", "zone": None},
        "prior": "open",
        "value": "drop",
        "at": INJECTED,
        "done": 3.25,
        "outcome": "restored",
        "ended": LIFTED,
        "noticed": 0,
    }
    return Pull(**usual | fields)


def window(**fields: Any) -> FaultWindow:
    usual: dict[str, Any] = {
        "fault": 0,
        "kind": "region_outage",
        "began": INJECTED,
        "injected": COMPLETE,
        "lifting": LIFTING,
        "ended": LIFTED,
    }
    return FaultWindow(**usual | fields)


def run(objectives: dict[str, Any], *changes: Change, **signs: str) -> History:
    """A run that went as planned, in which the probes saw `signs`; then changed."""
    probe = {"kind": "http", "every": 1.0, "timeout": 1.5, "confirm": 3}
    history = History(
        header={
            "run": "r1",
            "wall": "2026-11-21T10:00:00.000+00:00",
            "tool": "0.1.0",
            "speed": 8.0,
            "environment": {"kind": "embedded"},
            "fidelity": ["lab"],
            "experiment": {
                "name": "region-outage",
                "title": "a region goes dark",
                "probes": dict.fromkeys(signs, probe),
                "faults": [{"kind": "region_outage", "at": 0.0, "lasts": 12.0}],
                "objectives": objectives,
                "recover_within": 8.0,
            },
        },
        phases=(
            ("steady", 0.0),
            ("inject", 2.75),
            ("hold", COMPLETE),
            ("rollback", LIFTED),
            ("recover", RECOVER),
            ("judge", END),
        ),
        samples={name: samples(name, seen) for name, seen in signs.items()},
        faults=(window(),),
        pulls=(pull(),),
        ended=END,
        finished=True,
    )
    for change in changes:
        history = change(history)
    return history


def but(**fields: Any) -> Change:
    """The run with other fields."""
    return lambda history: replace(history, **fields)


def made_header(**fields: Any) -> Change:
    """The run with other fields in its journal's first line."""
    return lambda history: replace(history, header={**history.header, **fields})


def of_faults(*faults: str) -> Change:
    """The run of an experiment with other faults."""

    def change(history: History) -> History:
        experiment = {**history.experiment, "faults": [{"kind": kind} for kind in faults]}
        return replace(history, header={**history.header, "experiment": experiment})

    return change


def of_probe(**settings: Any) -> Change:
    """The run of an experiment whose probes have other settings."""

    def change(history: History) -> History:
        probes = {n: {**probe, **settings} for n, probe in history.experiment["probes"].items()}
        experiment = {**history.experiment, "probes": probes}
        return replace(history, header={**history.header, "experiment": experiment})

    return change


def read(when: str, *found: int, error: str = "", took: float = 0.0) -> LedgerRead:
    """A read of the ledger that ended at its usual time and took so many seconds."""
    t = {"failover": 14.5, "end": 23.5}[when]
    return LedgerRead(probe="history", when=when, began=t - took, t=t, found=found, error=error)


# A fault that nothing lifts: watched until 15, and then all must be well.
ONE_WAY: tuple[Change, ...] = (
    but(
        faults=(window(kind="termination", lifting=None, ended=None),),
        pulls=(pull(prior=False, value=True, irreversible=True, outcome="kept", noticed=None),),
    ),
)
# A second fault, from 4 to 9.
TWO: tuple[Change, ...] = (
    of_faults("region_outage", "slow_dns"),
    but(
        faults=(
            window(),
            window(fault=1, kind="slow_dns", began=4.0, injected=4.25, lifting=9.0, ended=9.25),
        ),
        pulls=(pull(), pull(pull=1, fault=1, at=4.0, done=4.25, ended=9.25)),
    ),
)
NOTICED = but(pulls=(pull(noticed=7),))

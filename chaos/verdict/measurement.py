"""What was measured, probe by probe: numbers only, no judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.history import History
from chaos.verdict.complaints import Complaint, complaints, regions_of, times_down
from chaos.verdict.readings import Reading, readings
from probes.detection import Detection, detection, looked
from probes.failover import Failover, failover
from probes.latency import Latency, latencies
from probes.outages import (
    Interval,
    Outage,
    Recovery,
    Window,
    availability,
    downtime,
    heals,
    longest_gap,
    outages,
    recovery,
)
from probes.probe import Sample, evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The moments that measurement hangs on, in seconds since the run's start; None: it never was.

    injected       the first lever began to move: where the clocks start
    complete       the first fault had moved all its levers
    first_lifting  the first fault began to be lifted
    lifting        the last fault began to be lifted; None too when nothing lifts one of them
    lifted         all levers of all faults that can be lifted were back
    over           the end of the faults' window: `lifting`, or for faults that nothing lifts the
                   moment from which the run no longer waited for the system
    released       from here on the system has `recover_within` to be steady again
    """

    injected: float | None
    complete: float | None
    first_lifting: float | None
    lifting: float | None
    lifted: float | None
    over: float
    released: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The numbers of one probe. Those that need a fault are None when there was none."""

    probe: str
    every: float
    timeout: float
    attempts: int
    good: int
    bad: int
    crashed: int
    crash: str  # what the first crashed attempt says
    bad_since: int  # bad attempts from the injection to the end of the observation
    down_since: Interval | None  # time down in the same
    outages: tuple[Outage, ...]
    recovery: Recovery | None
    downtime: Interval | None
    availability: float | None
    longest_gap: float | None
    heals: Interval | None  # counted from `lifted`
    steady: Interval | None  # counted from `released`
    detection: Detection | None  # None too for a probe that tells of no faults
    failover: Failover | None  # None too where no answer names a region
    latency: dict[str, Latency]
    times_down: int  # while the fault was on; a short moment of being well ends none
    complaints: dict[str, Complaint]  # `during` the fault and `after` it; what nobody said is not
    readings: tuple[Reading, ...]


def times(history: History) -> Times:
    """The moments of the run."""
    first = min(history.pulls, key=lambda pull: pull.at).fault if history.pulls else None
    liftings = [f.lifting for f in history.faults if f.lifting is not None]
    # A fault that nothing lifts goes on after the others' lifting; the run waits longer for it.
    one_way = any(f.injected is not None and f.lifting is None for f in history.faults)
    lifting = None if one_way else max(liftings, default=None)
    lifted = _lifted(history)
    ends = (lifting, history.phase("rollback"), history.ended)
    return Times(
        injected=history.first_injection,
        complete=next((f.injected for f in history.faults if f.fault == first), None),
        first_lifting=min(liftings, default=None),
        lifting=lifting,
        lifted=lifted,
        over=next(t for t in ends if t is not None),
        released=history.phase("recover") if one_way else lifted,
    )


def _lifted(history: History) -> float | None:
    """When the last fault that can be lifted was gone; None while one of them is not."""
    liftable = {pull.fault for pull in history.pulls if not pull.irreversible}
    ends = [f.ended for f in history.faults if f.fault in liftable]
    gone = [end for end in ends if end is not None]
    return max(gone, default=None) if len(gone) == len(ends) else None


def measure(history: History, at: Times) -> dict[str, Measurement]:
    """The numbers of every probe of the experiment."""
    regions = regions_of(history.samples)
    return {name: _measure(name, history, at, regions) for name in history.experiment["probes"]}


def _measure(name: str, history: History, at: Times, regions: dict[str, str]) -> Measurement:
    settings = history.experiment["probes"][name]
    made = history.samples[name]
    samples = [evidence(sample) for sample in made]
    crashes = [s.error for s in samples if s.crashed]
    confirm = settings["confirm"]
    window = None if at.injected is None else (at.injected, max(at.injected, at.over))
    found = outages(samples)
    since = _since(samples, window)
    ends = [s.end for s in since]
    return Measurement(
        probe=name,
        every=settings["every"],
        timeout=settings["timeout"],
        attempts=len(samples),
        good=sum(s.ok for s in samples),
        bad=sum(not s.ok and not s.crashed for s in samples),
        crashed=len(crashes),
        crash=next(iter(crashes), ""),
        bad_since=sum(not s.ok for s in since),
        down_since=window and downtime(samples, (window[0], max([window[1], *ends]))),
        outages=tuple(found),
        recovery=window
        and recovery(samples, injected=window[0], lifted=at.lifting, confirm=confirm),
        downtime=window and downtime(samples, window),
        availability=window and _availability(samples, window, at.complete, settings["every"]),
        longest_gap=window
        and longest_gap(made, (window[0], max([window[1], *(s.start for s in made)]))),
        heals=None if at.lifted is None else heals(samples, lifted=at.lifted, confirm=confirm),
        steady=None if at.released is None else heals(samples, lifted=at.released, confirm=confirm),
        detection=window
        and (
            detection(samples, injected=window[0], until=window[1])
            if any(map(looked, samples))
            else None
        ),
        failover=window
        and failover(
            samples, injected=window[0], until=window[1], lifted=at.lifted, confirm=confirm
        ),
        latency=latencies(made, injected=at.injected, lifted=at.lifting),
        times_down=times_down(found, window, settings["every"] + settings["timeout"])
        if window
        else 0,
        complaints={}
        if window is None
        else complaints(samples, regions, injected=window[0], lifted=at.lifted),
        readings=_readings(name, history, at),
    )


def _availability(
    samples: Sequence[Sample], window: Window, complete: float | None, every: float
) -> float | None:
    """From the first lever on; or from when all of the first fault was on, if that is less.

    What was answered while levers were moved, for longer than a period, must not flatter it.
    """
    begun = availability(samples, window)
    if complete is None or complete - window[0] <= every:
        return begun
    whole = availability(samples, (complete, window[1]))
    return begun if whole is None or begun is None else min(begun, whole)


def _since(samples: Sequence[Sample], window: Window | None) -> list[Sample]:
    """The attempts that the fault may have met, and all after it."""
    if window is None:
        return []
    return [s for s in samples if not s.crashed and (s.start >= window[0] or s.end > window[0])]


def _readings(name: str, history: History, at: Times) -> tuple[Reading, ...]:
    if at.injected is None:
        return ()
    fault = Interval(at.injected, at.injected if at.complete is None else at.complete)
    # At the end: when the faults began to go, and for those that nothing lifts, the hold's end.
    settling = history.phase("recover") if at.lifting is None else at.lifting
    return tuple(readings(name, history, fault, settling))

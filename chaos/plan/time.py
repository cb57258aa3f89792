"""How long a run takes at most, and what ends by itself when nobody is left to put it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chaos.experiment import Experiment
from chaos.safety import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds, each at most, but for `rollback`, which is at least: what reads take to agree."""

    steady: float
    faults: float
    rollback: float
    recovery: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.steady + self.faults + self.rollback + self.recovery


def times(experiment: Experiment, planned: Iterable[Planned], stale_s: float) -> Times:
    """The phases of a run; levers of one kind go back side by side, kinds one after the other."""
    kinds = {pull.lever["kind"] for pull in planned if not pull.irreversible}
    probes = experiment.probes.values()
    confirmed = max(probe.confirm * probe.every + probe.timeout for probe in probes)
    good_for = max(experiment.steady_state.for_, confirmed)
    return Times(
        steady=experiment.steady_state.within,
        faults=experiment.observed_until,
        rollback=len(kinds) * stale_s,
        recovery=experiment.recover_within + good_for,
    )


def ends_after(pull: Planned, now: datetime) -> float | None:
    """Seconds from now until AWS itself ends it, if nobody puts it back; None: it does not."""
    return max(0.0, (pull.expires - now).total_seconds()) if pull.expires else None

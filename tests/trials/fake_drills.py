"""Sets of trials without a lab: each trial is a real run of the engine in virtual time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from fakes import LookLab, experiment

from chaos.chance import Trial
from chaos.experiment import Experiment
from chaos.history import Pull
from chaos.journal import Event, Journal
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.run import Run
from chaos.runs import Runs
from chaos.testing import small_lab
from chaos.trials import Sets, SetVerdict, TrialSet, running
from chaos.trials.promises import TrialResult
from probes.net import Net
from probes.probe import Probe

OUTAGE = {"kind": "region_outage", "region": "us-east-1", "lasts": 3}


def of(**changes: Any) -> Experiment:
    """One outage of 3 s, after which all is to be well within 2 s."""
    usual = {
        "faults": [OUTAGE],
        "objectives": {"look": {"heals_within": 2}},
        "allow_irreversible": [],
    }
    return experiment(**usual | changes)


class SlowToHeal(LookLab):
    """Comes back so many seconds after it could."""

    late = 0.0
    until = 0.0

    def _put_reachability(self, *, scope: str, state: str) -> None:
        super()._put_reachability(scope=scope, state=state)
        self.until = asyncio.get_running_loop().time() + self.late if state == "open" else math.inf

    def net(self, _probe: Probe) -> Net:
        return cast("Net", _Seen(self))


class _Seen:
    """As Look looks at it."""

    def __init__(self, lab: SlowToHeal) -> None:
        self._lab = lab

    def __getitem__(self, _: str) -> dict[str, str]:
        down = asyncio.get_running_loop().time() < self._lab.until
        return {"us-east-1": "drop" if down else "open"}


@dataclass
class FakeDrill:
    """As chaos.drill.Drill is to who carries out trials; `late` is how late each trial heals."""

    experiment: Experiment = field(default_factory=of)
    late: Sequence[float] = ()
    before: Callable[[int], None] = lambda _: None
    during: Callable[[int, Stop], None] = lambda _n, _stop: None
    break_: Callable[[int, LookLab], None] = lambda _n, _lab: None
    speed: float = 1.0
    where: dict[str, Any] = field(default_factory=lambda: {"kind": "embedded"})
    labs: list[LookLab] = field(default_factory=list)

    def run(
        self, runs: Runs, watch: Callable[[Event], None], trial: Trial
    ) -> tuple[Path, list[Pull]]:
        self.before(trial.n)
        lab = SlowToHeal(small_lab())
        lab.late = self.late[trial.n - 1] if self.late else 0.0
        self.break_(trial.n, lab)
        self.labs.append(lab)
        return run_virtual(self._run(runs, watch, trial, lab))

    async def _run(
        self, runs: Runs, watch: Callable[[Event], None], trial: Trial, lab: LookLab
    ) -> tuple[Path, list[Pull]]:
        now, stop, run = Stopwatch(), Stop(), runs.new(self.experiment.name)
        journal = Journal.create(runs.journal(run), now)
        journal.watchers.append(watch)
        self.during(trial.n, stop)
        journal.write(
            "run",
            v=1,
            run=run,
            wall="2026-11-21T10:00:00.000+00:00",
            tool="0",
            speed=1.0,
            fidelity=["lab"],
            environment=lab.describe(),
            experiment=self.experiment.to_json(),
            trial=trial.to_json(),
        )
        try:
            engine = Run(run, self.experiment, lab, journal, stop, now, trial=trial)
            return runs.journal(run), await engine.go()
        finally:
            journal.close()


def carried_out(
    directory: Path,
    drill: FakeDrill,
    trials: int,
    *,
    seed: int = 7,
    conclude: Callable[[Path], object] = lambda _: None,
    **more: Any,
) -> tuple[TrialSet, SetVerdict, list[TrialResult]]:
    """The set, its verdict, and the trials as they were told."""
    runs, told = Runs(directory), list[TrialResult]()
    planned = Sets(directory).new(
        experiment=drill.experiment.name, title="", seed=seed, of=trials, place="here", **more
    )
    made, verdict = running.carry_out(
        drill,  # type: ignore[arg-type]  # it is a stand-in
        runs,
        planned,
        watch=lambda _: nullcontext(lambda _: None),
        conclude=conclude,
        tell=told.append,
    )
    return made, verdict, told

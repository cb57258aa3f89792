"""A drill, from the experiment's file to the finished journal."""

from __future__ import annotations

import contextlib
import gc
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos import __version__, safety
from chaos.chance import Trial
from chaos.custody.of_drill import Custody
from chaos.custody.taking import Taken
from chaos.environments.attended import Attended, Operator, marks_beside
from chaos.environments.environment import Environment
from chaos.environments.opening import Place
from chaos.errors import JournalFailed
from chaos.experiment import Experiment, load, load_lab
from chaos.history import Pull
from chaos.journal import VERSION, Event, Journal, read
from chaos.loops import Stopwatch, run_at
from chaos.record import Stop
from chaos.run import Run
from chaos.runs import Runs
from chaos.stated import NOTHING, Stated, stated_in
from chaos.stops import StopConditions
from chaos.versions import versions
from chaos.wishes import Wishes, none_yet

if TYPE_CHECKING:
    from chaos.plan import Plan

log = logging.getLogger("chaos")


class Drill:
    """An experiment's file, read with values for its variables, and the speed of the run."""

    def __init__(
        self,
        path: Path,
        *,
        environment: str = "embedded",
        endpoint: str | None = None,
        profile: str | None = None,
        undo_log: str | None = None,
        break_lock: str | None = None,
        policy: Path | None = None,
        agree: safety.Agree | None = None,
        speed: float = 1.0,
        variables: Mapping[str, str] | None = None,
        allow_commands: bool = False,
        stop_file: Path | None = None,
        max_duration: float | None = None,
        stated: Stated = NOTHING,
    ) -> None:
        """`environment` is its kind, `endpoint` where it is to be found, for kinds that are found.

        `profile` is the one of the AWS config that real accounts are reached with, `undo_log` the
        URL of the store in one of them that outlives this machine, or `none`; `break_lock` is the
        run whose lock on an account is to be broken.
        `policy` is a policy besides those that are found, and `agree` is asked before a real
        account is touched; without it none is.
        `allow_commands`: whether probes may run programs of this machine.
        `stop_file` ends a run as soon as it exists, `max_duration` so many seconds after the first
        injection. `stated` is who runs it, why, and who allowed it.
        """
        self.path = path
        self.speed = speed
        self.policy = safety.policy_for(environment, policy, path)
        self._agree = agree
        self._stated = stated
        self._stop_file = none_yet(stop_file) if stop_file else None
        self._longest = max_duration
        self._custody = Custody(undo_log, break_lock)
        self.experiment: Experiment = load(path, variables).on(environment)
        safety.permit(self.experiment, commands=allow_commands)
        safety.keep_one_clock(self.experiment, environment, speed)
        safety.stay_out(environment, self.experiment, self.policy)
        self._lab: dict[str, Any] = {}
        needed = safety.services(self.experiment)
        if environment != "aws":  # where nothing is stood up
            lab = load_lab(self.experiment, path)
            self._lab = lab.model_dump(mode="json")
            needed |= lab.aws_services()
        accounts = self.experiment.accounts.items()
        self._place = Place(
            kind=environment,
            endpoint=endpoint,
            needed=needed,
            stand_ins=frozenset(self.experiment.stand_ins),
            accounts={name: account.model_dump(mode="json") for name, account in accounts},
            profile=profile,
        )
        safety.fidelities(self.experiment, environment)
        self.where: dict[str, Any] = {"kind": environment}  # as it is described once it stands

    def plan(self) -> Plan:
        """Stand up the environment and say what a run would do; nothing is done."""
        return run_at(self.speed, self._plan())

    def run(
        self, runs: Runs, watch: Callable[[Event], None], trial: Trial | None = None
    ) -> tuple[Path, list[Pull]]:
        """Carry the experiment out; `watch` is told of each event. Returns journal and pulls.

        `trial` is its place in a set, and what it draws from. It may be carried out again and
        again. When it cannot begin it raises a ChaosError: nothing was touched, nothing is left.
        """
        return run_at(self.speed, self._run(runs, watch, trial))

    async def _plan(self) -> Plan:
        from chaos.plan import draw_up

        with Wishes():
            log = Path("/dev/null")
            async with self._place.start(self._lab, speed=self.speed, log=log) as started:
                self.where = started.describe()
                environment = Attended(started, self._operator(log, print))
                return await draw_up(
                    self.experiment,
                    environment,
                    self.policy,
                    undo_log=self._undo_log,
                    besides=await self._custody.against(environment, self.policy),
                )

    @property
    def _undo_log(self) -> str | None:
        return self._custody.undo_log or self.policy.undo_log

    def _operator(self, journal: Path, tell: Callable[[str], None]) -> Operator:
        faults = self.experiment.to_json()["faults"]
        return Operator(faults, marks_beside(journal), tell)

    async def _run(
        self, runs: Runs, watch: Callable[[Event], None], trial: Trial | None
    ) -> tuple[Path, list[Pull]]:
        self._custody.demand(self._place.kind, self.policy)
        known = {"versions": versions(), "previous": runs.previous(self.experiment.name)}
        now, run = Stopwatch(), runs.new(self.experiment.name)
        with (
            Wishes() as wishes,
            _journal(runs.journal(run), now) as journal,
            wishes.or_by(journal.path, self._stop_file),
        ):
            log = journal.path.with_name("lab.log")
            operator = self._operator(journal.path, lambda text: _note(journal, text))
            seed = f"{trial.seed}/{trial.n}/lab" if trial else None
            place = self._place.start(self._lab, speed=self.speed, log=log, run=run, seed=seed)
            async with place as started:
                environment = Attended(started, operator)
                await StopConditions(self.experiment, environment).check()
                permit = await safety.pass_the_gate(
                    self.experiment,
                    environment,
                    self.policy,
                    undo_log=self._undo_log,
                    agree=self._agree,
                )
                # A full collection of what is there already would halt the probes for a while.
                gc.unfreeze()  # what a trial before has left
                gc.collect()
                gc.freeze()
                stop = Stop()
                async with self._custody.of(
                    environment, run=run, policy=self.policy, lost=stop.request
                ) as taken:
                    wishes.stop = stop
                    now.restart()
                    journal.watchers.append(watch)
                    await _begin(journal, taken, self._header(run, environment, trial, known))
                    engine = Run(
                        run,
                        self.experiment,
                        environment,
                        journal,
                        stop,
                        now,
                        permit,
                        longest=self._longest,
                        trial=trial,
                    )
                    return journal.path, await engine.go()

    def _header(
        self, run: str, environment: Environment, trial: Trial | None, known: dict[str, Any]
    ) -> dict[str, Any]:
        of_set = {"trial": trial.to_json()} if trial else {}
        return {
            **of_set,
            "v": VERSION,
            "run": run,
            "wall": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "tool": __version__,
            **stated_in(self._stated, self.experiment.about, environment.describe()),
            **known,
            "speed": self.speed,
            "environment": environment.describe(),
            "fidelity": safety.fidelities(self.experiment, environment.kind),
            "coverage": safety.coverage(self.experiment, environment.kind),
            "experiment": self.experiment.to_json(),
        }


async def _begin(journal: Journal, taken: Taken | None, header: dict[str, Any]) -> None:
    """Write the header, also where it outlives this machine; raises JournalFailed."""
    if taken is None:
        journal.write("run", **header)
        return
    journal.outside = taken.record
    custody = {"undo_log": taken.url, "dead_man_s": taken.dead_man_s}
    await taken.record(journal.write("run", **header, **custody))


def _note(journal: Journal, text: str) -> None:
    """Into the journal, and so to whoever watches it; a journal that is full must not hide it."""
    try:
        journal.write("note", text=text)
    except JournalFailed:
        log.warning(text)


@contextlib.contextmanager
def _journal(path: Path, now: Stopwatch) -> Iterator[Journal]:
    """A new journal; nothing is left of it when the drill cannot begin."""
    journal = Journal.create(path, now)
    begun = False
    try:
        yield journal
        begun = True
    finally:
        journal.close()
        if not begun and len(read(path, salvage=True)) <= 1:  # no more than its header
            shutil.rmtree(path.parent)
            with contextlib.suppress(OSError):
                path.parent.parent.rmdir()  # only when it is empty: no other run is in it

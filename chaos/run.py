"""The order of things in a run.

    probes tick from here to the end, in tasks of their own
      1 steady     every probe good for `steady_state.for`, or nothing is broken
      2 inject     pull: read → journal + fsync → set → read again
      3 hold       until the faults' time is over, or something says stop
      4 rollback   cannot be interrupted
      5 recover    every probe good again
      6 judge      (by whoever called: from the journal)

Whatever goes wrong from 2 on leads to 4. Signals set a `Stop`; they never raise into a rollback.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from chaos.chance import ANY_MOMENT, Trial, draw_from
from chaos.environments.environment import Environment
from chaos.errors import ChaosError
from chaos.experiment import Experiment
from chaos.faults.fault import Fault
from chaos.history import Pull
from chaos.injection import Looker, Permit, Puller, to_its_end
from chaos.journal import Journal
from chaos.lags import note_lags
from chaos.loops import Stopwatch, speed_of
from chaos.marks import note_marks
from chaos.probing import Probing, cancel
from chaos.record import Record, Stop
from chaos.rollback import incomplete, put_back
from chaos.stops import StopConditions
from probes.durations import show as show_duration

log = logging.getLogger("chaos")


class Run:
    """One run of an experiment in an environment, from the first probe to the last."""

    def __init__(
        self,
        run: str,
        experiment: Experiment,
        environment: Environment,
        journal: Journal,
        stop: Stop,
        now: Stopwatch,
        permit: Permit | None = None,
        *,
        longest: float | None = None,
        trial: Trial | None = None,
    ) -> None:
        """`permit` is asked before each pull.

        `longest` is after how many seconds from the first injection everything goes back, `trial`
        what it draws from, as one of a set.
        """
        self._experiment = experiment
        self._trial = trial
        self._environment = environment
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._record = Record(journal, stop)
        self._probing = Probing(run, experiment, environment, self._record, stop, now)
        self._puller = Puller(
            environment,
            journal,
            frozenset(experiment.allow_irreversible),
            run=run,
            permit=permit,
        )
        self._conditions = StopConditions(experiment, environment, longest)
        self._holding = False
        self._undoing: dict[int, asyncio.Task[None]] = {}  # by fault: what people are to undo

    async def go(self) -> list[Pull]:
        """Carry it out; returns every pull with what became of it.

        It raises nothing. What goes wrong ends the run early, and the journal tells why; for a
        defect, of a fault or of ours, the log has the traceback too.
        """
        over = asyncio.create_task(self._mind_the_environment())
        journal = self._record.journal
        marks = asyncio.create_task(note_marks(journal.path, journal.now, self._record.note))
        lags = asyncio.create_task(
            note_lags(self._environment.pulse, journal.now, self._record.note)
        )
        async with self._probing.ticking():
            try:
                if await self._ready():
                    await self._timeline()
            finally:
                await to_its_end(self._rollback())
            if self._puller.pulls and not self._stop.requested:
                await self._recover()
        await cancel([over, marks, lags])
        await self._record.note_stops()
        self._record.note("phase", phase="judge")
        await self._record.note_durably("end")
        return self._puller.pulls

    async def _mind_the_environment(self) -> None:
        self._stop.request(await self._environment.ended())

    async def _steady(self) -> bool:
        self._record.note("phase", phase="steady")
        wanted = self._experiment.steady_state
        met = await self._probing.until_good(wanted.for_, wanted.within)
        if not met and not self._stop.requested:
            bad = ", ".join(self._probing.not_good()) or "some probes now and then"
            self._stop.request(
                f"no steady state within {show_duration(wanted.within)}: not good: {bad};"
                " nothing was broken"
            )
        return met and not self._stop.requested

    async def _ready(self) -> bool:
        """Whether all is well and nothing speaks against breaking it."""
        if self._trial is not None:
            # Caches are filled when the probes begin, and so are as old when the fault comes.
            await self._pause(self._trial.pause("caches", ANY_MOMENT))
        if not (await self._steady() and await self._conditions.clear(self._stop)):
            return False
        return self._trial is None or await self._any_moment(self._trial)

    async def _any_moment(self, trial: Trial) -> bool:
        """Steady is found when an attempt ends, so that the fault would always come right after."""
        longest = max(probe.every for probe in self._experiment.probes.values())
        await self._pause(trial.pause("grid", longest))
        if (bad := self._probing.not_good()) and not self._stop.requested:
            self._stop.request(f"no longer steady: not good: {', '.join(bad)}; nothing was broken")
        return not self._stop.requested

    async def _pause(self, seconds: float) -> None:
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stop}, timeout=seconds)
        await cancel([stop])

    async def _timeline(self) -> None:
        self._record.note("phase", phase="inject")
        self._probing.learn_homes()
        self._probing.armed = True
        began = self._loop.time()
        faults = [
            asyncio.create_task(self._fault(number, fault, began))
            for number, fault in enumerate(self._experiment.faults)
        ]
        stop = asyncio.create_task(self._stop.wait())
        over = asyncio.create_task(asyncio.wait(faults))
        try:
            async with self._conditions.minded(self._stop):
                await asyncio.wait({over, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._probing.armed = False
            self._puller.end()
            await to_its_end(self._come_to_rest([*faults, stop]))
        await self._record.note_stops()

    async def _come_to_rest(self, tasks: list[asyncio.Task[Any]]) -> None:
        """A pull under way comes to its end first, also one that its fault no longer awaits."""
        await cancel(tasks)
        await self._puller.at_rest()

    async def _fault(self, number: int, fault: Fault, began: float) -> None:
        await self._sleep_until(began + fault.at)
        if self._trial is not None:
            draw_from(self._trial.draws(f"faults[{number}]"))
        try:
            self._fault_is("injecting", number, fault)
            look = Looker(self._environment.at(fault.account))
            await fault.inject(look, self._puller.of_fault(number, fault.account))
            self._fault_is("injected", number, fault)
            if not self._holding:
                self._holding = True
                self._record.note("phase", phase="hold")
            await self._hold(number, fault, began)
        except ChaosError as error:
            self._fault_failed(number, fault, error)
        except Exception as error:  # a defect, and no reason to leave anything broken
            log.exception("a defect of the fault %s", fault.kind)
            self._fault_failed(number, fault, error)

    async def _hold(self, number: int, fault: Fault, began: float) -> None:
        if fault.lasts is None:
            await self._sleep_until(began + self._experiment.observed_until)
            await self._probing.read_ledgers("failover")
            return
        await asyncio.sleep(fault.lasts)
        await self._probing.read_ledgers("failover")
        pulls = [p for p in self._puller.pulls if p.fault == number]
        if fault.by_hand:
            # A stop does not wait for it: the levers of other faults must not wait for a person.
            self._undoing[number] = asyncio.create_task(self._lift(pulls))
            await asyncio.shield(self._undoing[number])
        else:
            await to_its_end(self._lift(pulls))

    async def _rollback(self) -> None:
        self._record.note("phase", phase="rollback")
        undoing = {number: lift for number, lift in self._undoing.items() if not lift.done()}
        await self._lift(p for p in incomplete(self._puller.pulls) if p.fault not in undoing)
        await asyncio.gather(*undoing.values())

    async def _lift(self, pulls: Iterable[Pull]) -> None:
        """Put these levers back, last pulled first, and tell when each fault began to go."""
        pulls = sorted(pulls, key=lambda pull: pull.pull, reverse=True)
        lifted = sorted({pull.fault for pull in pulls if not pull.irreversible})
        for number in lifted:
            self._fault_is("lifting", number, self._experiment.faults[number])
        speed = speed_of(self._loop)
        for ended in await put_back(pulls, self._environment, self._record.journal, speed=speed):
            self._puller.pulls[ended.pull] = ended
        for number in lifted:
            of_fault = [p for p in self._puller.pulls if p.fault == number]
            if not incomplete(of_fault):
                # That they stayed there is found out later; what is measured begins here.
                back = max((p.ended for p in of_fault if p.ended is not None), default=None)
                self._fault_is("lifted", number, self._experiment.faults[number], back=back)

    async def _recover(self) -> None:
        self._record.note("phase", phase="recover")
        probes = self._experiment.probes.values()
        confirmed = max(p.confirm * p.every + p.timeout for p in probes)
        good_for = max(self._experiment.steady_state.for_, confirmed)
        self._probing.await_homes()
        await self._probing.until_good(good_for, self._experiment.recover_within + good_for)
        if not self._stop.requested:
            await self._probing.read_ledgers("end")

    def _fault_is(self, state: str, number: int, fault: Fault, **more: float | None) -> None:
        self._record.note("fault", fault=number, kind=fault.kind, state=state, **more)

    def _fault_failed(self, number: int, fault: Fault, error: BaseException) -> None:
        why = f"{fault.kind} failed: {error}"
        self._record.note("fault", fault=number, kind=fault.kind, state="failed", error=str(error))
        self._stop.request(why)

    async def _sleep_until(self, when: float) -> None:
        await asyncio.sleep(when - self._loop.time())

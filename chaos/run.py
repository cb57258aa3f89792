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
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from typing import Any

from chaos.environments.environment import Environment
from chaos.errors import ChaosError, JournalFailed
from chaos.experiment import Experiment
from chaos.faults.fault import Fault
from chaos.history import Pull
from chaos.injection import Puller, looker, to_its_end
from chaos.journal import Journal
from chaos.loops import Stopwatch, speed_of
from chaos.rollback import incomplete, put_back
from chaos.watch import Watch
from probes.durations import show as show_duration
from probes.probe import Attempt, Ledger, ProbeFailed, Sample
from probes.schedule import run_probe

log = logging.getLogger("chaos")

# How often a ledger is asked again before it counts as unreadable.
LEDGER_READS = 3


class Stop:
    """The wish to end early: set by a signal, a stop condition, or a failure; the first wins."""

    def __init__(self) -> None:
        self.why: list[str] = []
        self.unrecorded: list[str] = []  # those of `why` that the journal does not hold yet
        self._event = asyncio.Event()

    def request(self, why: str) -> None:
        """Ask the run to put everything back and end."""
        self.why.append(why)
        self.unrecorded.append(why)
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when somebody has asked."""
        await self._event.wait()


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
    ) -> None:
        self._run = run
        self._experiment = experiment
        self._environment = environment
        self._journal = journal
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._now = now
        self._puller = Puller(environment, journal, frozenset(experiment.allow_irreversible))
        self._watch = Watch(experiment.probes)
        self._armed = False  # whether stop conditions count: only while something is broken
        self._holding = False

    async def go(self) -> list[Pull]:
        """Carry it out; returns every pull with what became of it.

        It raises nothing. What goes wrong ends the run early, and the journal tells why; for a
        defect, of a fault or of ours, the log has the traceback too.
        """
        async with self._probing():
            if await self._steady():
                await self._timeline()
            await to_its_end(self._rollback())
            if self._puller.pulls and not self._stop.requested:
                await self._recover()
        self._note("phase", phase="judge")
        await self._note_stops()
        await self._note_durably("end")
        return self._puller.pulls

    # --- probes ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _probing(self) -> AsyncIterator[None]:
        self._nets = {n: self._environment.net(p) for n, p in self._experiment.probes.items()}
        tasks = [
            asyncio.create_task(
                run_probe(
                    name,
                    probe,
                    self._nets[name],
                    run=self._run,
                    origin=self._now.origin,
                    emit=self._saw,
                )
            )
            for name, probe in self._experiment.probes.items()
        ]
        for task in tasks:
            task.add_done_callback(self._schedule_ended)
        try:
            yield
        finally:
            await _cancel(tasks)

    def _schedule_ended(self, task: asyncio.Task[None]) -> None:
        """A schedule never ends by itself; one that does would leave its probe without a word."""
        if not task.cancelled() and (error := task.exception()):
            log.error("the schedule of a probe broke", exc_info=error)
            self._stop.request(f"the schedule of a probe broke: {error!r}")

    def _saw(self, sample: Sample) -> None:
        fields = asdict(sample)
        self._note("sample", attempt=fields.pop("n"), **fields)
        self._watch.saw(sample)
        limits = {s.probe: s.down_for for s in self._experiment.stop_when}
        if self._armed and (down := self._watch.down_too_long(limits, self._now())):
            self._armed = False
            self._stop.request(f"stop_when: {down} was down for {show_duration(limits[down])}")

    # --- phases ---------------------------------------------------------------------------

    async def _steady(self) -> bool:
        self._note("phase", phase="steady")
        wanted = self._experiment.steady_state
        met = await self._until_good(wanted.for_, wanted.within)
        if not met and not self._stop.requested:
            bad = ", ".join(self._watch.not_good()) or "some probes now and then"
            self._stop.request(
                f"no steady state within {show_duration(wanted.within)}: not good: {bad};"
                " nothing was broken"
            )
        return met and not self._stop.requested

    async def _timeline(self) -> None:
        self._note("phase", phase="inject")
        self._armed = True
        began = self._loop.time()
        faults = [
            asyncio.create_task(self._fault(number, fault, began))
            for number, fault in enumerate(self._experiment.faults)
        ]
        stop = asyncio.create_task(self._stop.wait())
        over = asyncio.create_task(asyncio.wait(faults))
        await asyncio.wait({over, stop}, return_when=asyncio.FIRST_COMPLETED)
        self._armed = False
        await self._note_stops()
        await _cancel([*faults, stop])

    async def _fault(self, number: int, fault: Fault, began: float) -> None:
        await self._sleep_until(began + fault.at)
        try:
            self._fault_is("injecting", number, fault)
            await fault.inject(looker(self._environment), self._puller.of_fault(number))
            self._fault_is("injected", number, fault)
            if not self._holding:
                self._holding = True
                self._note("phase", phase="hold")
            await self._hold(number, fault, began)
        except ChaosError as error:
            self._fault_failed(number, fault, error)
        except Exception as error:  # a defect, and no reason to leave anything broken
            log.exception("a defect of the fault %s", fault.kind)
            self._fault_failed(number, fault, error)

    async def _hold(self, number: int, fault: Fault, began: float) -> None:
        if fault.lasts is None:
            await self._sleep_until(began + self._experiment.observed_until)
            await self._read_ledgers("failover")
            return
        await asyncio.sleep(fault.lasts)
        await self._read_ledgers("failover")
        await to_its_end(self._lift([p for p in self._puller.pulls if p.fault == number]))

    async def _rollback(self) -> None:
        self._note("phase", phase="rollback")
        await self._lift(incomplete(self._puller.pulls))

    async def _lift(self, pulls: Iterable[Pull]) -> None:
        """Put these levers back, last pulled first, and tell when each fault began to go."""
        pulls = sorted(pulls, key=lambda pull: pull.pull, reverse=True)
        lifted = sorted({pull.fault for pull in pulls if not pull.irreversible})
        for number in lifted:
            self._fault_is("lifting", number, self._experiment.faults[number])
        speed = speed_of(self._loop)
        for ended in await put_back(pulls, self._environment, self._journal, speed=speed):
            self._puller.pulls[ended.pull] = ended
        for number in lifted:
            if not incomplete([p for p in self._puller.pulls if p.fault == number]):
                self._fault_is("lifted", number, self._experiment.faults[number])

    async def _recover(self) -> None:
        self._note("phase", phase="recover")
        probes = self._experiment.probes.values()
        confirmed = max(p.confirm * p.every + p.timeout for p in probes)
        good_for = max(self._experiment.steady_state.for_, confirmed)
        await self._until_good(good_for, self._experiment.recover_within + good_for)
        if not self._stop.requested:
            await self._read_ledgers("end")

    async def _until_good(self, seconds: float, within: float) -> bool:
        """Whether all probes were good for `seconds`, counted from now, before time or stop."""
        began = self._now()
        good = asyncio.create_task(
            self._watch.until(
                lambda: min(self._watch.good_for(self._now()), self._now() - began) >= seconds
            )
        )
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({good, stop}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        met = good.done()
        await _cancel([good, stop])
        return met

    # --- ledgers --------------------------------------------------------------------------

    async def _read_ledgers(self, when: str) -> None:
        ledgers = (n for n, p in self._experiment.probes.items() if isinstance(p, Ledger))
        await asyncio.gather(*(self._read_ledger(name, when) for name in ledgers))

    async def _read_ledger(self, name: str, when: str) -> None:
        probe = self._experiment.probes[name]
        assert isinstance(probe, Ledger)  # noqa: S101  # by whom this is called
        found: list[int] = []
        error = ""
        for n in range(LEDGER_READS):
            attempt = Attempt(run=self._run, probe=name, n=n)
            try:
                async with asyncio.timeout(probe.timeout):
                    found, error = await probe.read(self._nets[name], attempt), ""
                break
            except TimeoutError:
                error = f"no answer within {show_duration(probe.timeout)}"
            except (ProbeFailed, OSError) as failed:
                error = str(failed)
        self._note("ledger", probe=name, when=when, found=found, error=error)

    # --- the record -----------------------------------------------------------------------

    def _note(self, event: str, **fields: object) -> None:
        try:
            self._journal.write(event, **fields)
        except JournalFailed as error:
            if not self._stop.requested:
                self._stop.request(str(error))

    async def _note_durably(self, event: str, **fields: object) -> None:
        with contextlib.suppress(JournalFailed):
            await self._journal.write_durably(event, **fields)

    async def _note_stops(self) -> None:
        while self._stop.unrecorded:
            await self._note_durably("stop", why=self._stop.unrecorded.pop(0))

    def _fault_is(self, state: str, number: int, fault: Fault) -> None:
        self._note("fault", fault=number, kind=fault.kind, state=state)

    def _fault_failed(self, number: int, fault: Fault, error: BaseException) -> None:
        why = f"{fault.kind} failed: {error}"
        self._note("fault", fault=number, kind=fault.kind, state="failed", error=str(error))
        self._stop.request(why)

    async def _sleep_until(self, when: float) -> None:
        await asyncio.sleep(when - self._loop.time())


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

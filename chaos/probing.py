"""The probes of a run: ticking from its first second to its last, in tasks of their own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import fields
from typing import Any

from chaos.environments.environment import Environment
from chaos.experiment import Experiment
from chaos.loops import Stopwatch
from chaos.record import Record, Stop
from chaos.watch import Watch
from probes.durations import show
from probes.probe import CONFLICTING, Attempt, Ledger, Probe, ProbeFailed, Sample
from probes.schedule import run_probe

log = logging.getLogger("chaos")

# How often a ledger is asked again before it counts as unreadable.
LEDGER_READS = 3
# The first attempts of all probes are made within this many seconds, and within a period.
SPREAD_S = 1.0
# What the journal tells of a sample, as it is; its `n` is the number of the attempt there.
TOLD = [field.name for field in fields(Sample) if field.name != "n"]


class Probing:
    """Runs all probes of an experiment; each sample goes into the record and to the watch."""

    def __init__(
        self,
        run: str,
        experiment: Experiment,
        environment: Environment,
        record: Record,
        stop: Stop,
        now: Stopwatch,
    ) -> None:
        self._run = run
        self._probes = experiment.probes
        stops = experiment.stop_when
        self._limits = {s.probe: s.down_for for s in stops if s.probe and s.down_for}
        self._nets = {
            name: environment.at(p.account).net(p) for name, p in experiment.probes.items()
        }
        self._record = record
        self._stop = stop
        self._now = now
        self._first = _spread(experiment.probes)
        self._watch = Watch(experiment.probes)
        objectives = experiment.objectives.items()
        self._to_return = [name for name, o in objectives if o.fails_back_within is not None]
        self._homes: dict[str, str | None] = {}
        self.armed = False  # whether stop conditions count: only while something is broken

    @contextlib.asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """All probes tick while this is entered."""
        tasks = [asyncio.create_task(self._tick(name)) for name in self._probes]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            yield
        finally:
            await cancel(tasks)
            self._record.flush()

    def not_good(self) -> list[str]:
        """The probes whose last attempt was not good, or that have made none, and why."""
        return self._watch.not_good()

    async def until_good(self, seconds: float, within: float) -> bool:
        """Whether all probes were good for `seconds`, counted from now, before time or stop."""
        began = self._now()
        good = asyncio.create_task(
            self._watch.until(lambda: self._watch.good_for(began) >= seconds)
        )
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({good, stop}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        met = good.done()
        await cancel([good, stop])
        return met

    def learn_homes(self) -> None:
        """Remember which regions answer: those that have to come back are to answer again."""
        regions = self._watch.homes()
        self._homes = {name: regions[name] for name in self._to_return}

    def await_homes(self) -> None:
        """From now on they are good only when answered from there."""
        self._watch.expect(self._homes)

    async def read_ledgers(self, when: str) -> None:
        """Ask all ledgers at once what survived; `when` is "failover" or "end"."""
        ledgers = ((n, p) for n, p in self._probes.items() if isinstance(p, Ledger))
        await asyncio.gather(*(self._read(name, ledger, when) for name, ledger in ledgers))

    async def _tick(self, name: str) -> None:
        await run_probe(
            name,
            self._probes[name],
            self._nets[name],
            run=self._run,
            origin=self._now.origin,
            emit=self._saw,
            first=self._first[name],
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A schedule never ends by itself; one that does would leave its probe without a word."""
        if not task.cancelled() and (error := task.exception()):
            log.error("the schedule of a probe broke", exc_info=error)
            self._stop.request(f"the schedule of a probe broke: {error!r}")

    def _saw(self, sample: Sample) -> None:
        # `dataclasses.asdict` copies what is in it too, and takes a tenth of all that is done.
        told = {"attempt": sample.n} | {name: getattr(sample, name) for name in TOLD}
        first, every = self._first[sample.probe], self._probes[sample.probe].every
        self._record.sample(told, first, every)
        self._watch.saw(sample)
        if self.armed and (down := self._watch.down_too_long(self._limits, self._now())):
            self.armed = False
            self._stop.request(f"stop_when: {down} was down for {show(self._limits[down])}")

    async def _read(self, name: str, ledger: Ledger, when: str) -> None:
        began, probe = self._now(), self._probes[name]
        found: list[int] = []
        error = ""
        for n in range(LEDGER_READS):
            attempt = Attempt(run=self._run, probe=name, n=n)
            try:
                async with asyncio.timeout(probe.timeout):
                    found, error = await ledger.read(self._nets[name], attempt), ""
                break
            except TimeoutError:
                error = f"no answer within {show(probe.timeout)}"
            except (ProbeFailed, OSError) as failed:
                error = str(failed) or type(failed).__name__  # without a word it is none
            except Exception as defect:  # a probe may be anybody's code; it proves nothing then
                log.exception("a defect of the ledger %s", name)
                error = repr(defect)
        self._record.note(
            "ledger",
            probe=name,
            when=when,
            began=round(began, 6),
            found=found,
            conflicting=[] if error else attempt.detail.get(CONFLICTING, []),
            ordered=probe.ordered,
            error=error,
        )


def _spread(probes: Mapping[str, Probe]) -> dict[str, float]:
    """When each makes its first attempt, in seconds: all at one instant would wait for each other.

    Whole microseconds, as the journal tells times.
    """
    share = {name: n / len(probes) for n, name in enumerate(probes)}
    return {name: round(share[name] * min(p.every, SPREAD_S), 6) for name, p in probes.items()}


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and wait for their ends."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""Rollback, written once: put every lever back, last pulled first, read it again, compare.

It never overwrites somebody else's change: a lever that is neither where we put it nor where it
was is a conflict, reported with both values. It needs the pulls of a journal and an environment,
nothing else, so any process can do it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from chaos.environments.attach import attach
from chaos.environments.attended import Attended, Operator, marks_beside
from chaos.environments.environment import Environment
from chaos.errors import CallFailed, ChaosError, EnvironmentGone, JournalFailed
from chaos.history import UNFINISHED, Pull, load, setting
from chaos.journal import Journal
from chaos.lab.last_light import clear_after
from chaos.levers import Counts, Lever, Patient, Value, from_json
from chaos.levers.by_hand import ByHand
from chaos.loops import Stopwatch

log = logging.getLogger("chaos")

# What one lever may take, in seconds of the wall, before it is reported as not put back.
BUDGET_S = 60.0
# How late a call may land that was given up; then the lever is set back once more.
LATE_S = 5.0


def decide(found: Value, pull: Pull) -> Literal["already", "restore", "keep", "conflict"]:
    """What to do with a lever that reads `found`."""
    if found == pull.prior:
        return "already"
    if found != pull.value:
        return "conflict"
    return "keep" if pull.irreversible else "restore"


async def put_back(
    pulls: Iterable[Pull], environment: Environment, journal: Journal, *, speed: float = 1.0
) -> list[Pull]:
    """Put the levers back in the order given and return the pulls with their outcomes.

    Never raises: what cannot be put back has the outcome "failed" or "conflict". A journal that
    can no longer be written does not keep a lever from being put back. What waits for people
    comes last.
    """
    done = []
    for pull in sorted(pulls, key=lambda pull: pull.lever["kind"] == ByHand.kind):
        ended = await _put_back(pull, environment, journal, speed)
        await _record(ended, journal)
        done.append(ended)
    return done


async def resume(path: Path, tell: Callable[[str], None]) -> list[Pull]:
    """Put back what the run with this journal has left open, from whatever process this is.

    `tell` shows a person one line: what they are to undo. Raises JournalFailed when the run still
    goes on elsewhere, or the journal cannot be used.
    """
    journal = Journal.reopen(path, Stopwatch())
    try:
        history = load(path, salvage=True)
        if history.finished and not history.open_pulls:
            await clear_after(history.header["environment"])
            return []  # and whatever has the number of its lab's process now is not ours
        asked = [p.lever["task"] for p in history.pulls if p.lever["kind"] == ByHand.kind]
        faults = history.experiment.get("faults", ())
        operator = Operator(faults, marks_beside(path), tell, asked)
        environment = Attended(await attach(history.header["environment"]), operator)
        try:
            pulls = await put_back(history.open_pulls, environment, journal)
        finally:
            environment.close()
        if not incomplete(pulls):
            await clear_after(history.header["environment"])
        return pulls
    finally:
        journal.close()


def incomplete(pulls: Sequence[Pull]) -> list[Pull]:
    """The pulls that are not back where they were, of those that can be."""
    return [pull for pull in pulls if pull.outcome in UNFINISHED]


async def _put_back(pull: Pull, environment: Environment, journal: Journal, speed: float) -> Pull:
    try:
        lever, environment = from_json(pull.lever), environment.at(pull.account)
        budget_s = lever.budget_s if isinstance(lever, Patient) else BUDGET_S
        async with asyncio.timeout(budget_s * speed):
            await _count(pull, lever, environment, journal)
            return await _restore(pull, lever, environment, LATE_S * speed)
    except EnvironmentGone:
        return replace(pull, outcome="gone", error="")
    except TimeoutError:
        return replace(pull, outcome="failed", error="gave up waiting for the environment")
    except ChaosError as error:
        return replace(pull, outcome="failed", error=str(error))
    except Exception as error:  # a defect of one lever must not keep the others broken
        log.exception("a defect of the lever %s", pull.lever)
        return replace(pull, outcome="failed", error=repr(error))


async def _record(ended: Pull, journal: Journal) -> None:
    fields = {"pull": ended.pull, "outcome": ended.outcome, "error": ended.error}
    try:
        await journal.write_durably("restored", found=ended.found, **fields)
    except JournalFailed:
        pass  # the run tells it otherwise; the next lever waits
    except Exception:  # such as a value that no journal can hold: as above
        log.exception("the outcome of the lever %s is not in the journal", ended.lever)


async def _restore(pull: Pull, lever: Lever, environment: Environment, late: float) -> Pull:
    found = await _patiently(lever.read, environment)
    step = decide(found, pull)
    # A call that seemed to fail may land later, so a lever that was never seen to have moved is
    # set to its prior value all the same, and once more when what is late has had time to land.
    unsure = step == "already" and pull.done is None and not pull.irreversible
    if step == "restore" or unsure:
        found = await _set_back(pull, lever, environment)
    if unsure:
        await asyncio.sleep(late)
        found = await _set_back(pull, lever, environment)
    if step in ("already", "restore") and found != pull.prior:
        wrong = f"was set back to {setting(pull.prior)} but reads {setting(found)}"
        return replace(pull, outcome="failed", found=found, error=wrong)
    # What went wrong at an earlier try is over.
    pull = replace(pull, error="")
    outcome = {"already": "already", "restore": "restored", "keep": "kept", "conflict": "conflict"}
    return replace(pull, outcome=outcome[step], found=found)


async def _set_back(pull: Pull, lever: Lever, environment: Environment) -> Value:
    await _patiently(lever.set, environment, pull.prior)
    return await _patiently(lever.read, environment)


async def _count(pull: Pull, lever: Lever, environment: Environment, journal: Journal) -> None:
    """How often the fault met traffic is gone once the lever is back, so it is noted before."""
    if isinstance(lever, Counts):
        try:
            journal.write("noticed", pull=pull.pull, count=await lever.noticed(environment))
        except EnvironmentGone:
            raise
        except (ChaosError, KeyError, ValueError) as error:
            log.warning("no count of what met %s: %s", pull.lever, error)


async def _patiently(step: Any, *args: Any) -> Any:
    """Throttling and short outages of the control plane are what a drill has to expect."""
    attempts = AsyncRetrying(
        stop=stop_after_attempt(6),
        wait=wait_exponential(multiplier=0.5, max=8),
        retry=retry_if_exception_type(CallFailed),
        reraise=True,
    )
    return await attempts(step, *args)

"""One lever, brought back to where it was, and what became of it.

Where reads may be stale (`Environment.stale_s`), what a lever reads proves nothing at first:

- It is back when it has read its prior value for as long as a read may be stale, counted from the
  last time it was set; while it reads what we made of it, it is set again.
- It is somebody else's when it still reads a foreign value after that time; until then nothing is
  set, so that a change made while we put back is kept too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    RetryError,
    retry_if_exception_type,
    stop_after_attempt,
)
from tenacity.wait import wait_random_exponential

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, ChaosError, EnvironmentGone, RestoreFailed
from chaos.history import Pull, setting
from chaos.journal import Journal
from chaos.levers import Counts, Lever, Patient, Value, from_json
from chaos.levers.by_hand import ByHand
from chaos.levers.powers import Explains, Halfway
from chaos.recording import Recorded

log = logging.getLogger("chaos")

# What one lever may take, in seconds of the wall, before it is reported as not put back.
BUDGET_S = 60.0
# How late a call may land that was given up; for so long it is looked whether it did.
LATE_S = 5.0
# How often the time in which reads may be stale may pass before a lever is given up.
WINDOWS = 6
# How often it is looked meanwhile.
LOOKS = 5
# How often a call is tried that is throttled or refused: for 16 s on average.
ATTEMPTS = 8

Step = Literal["already", "restore", "keep", "conflict"]
OUTCOMES = {"already": "already", "restore": "restored", "keep": "kept", "conflict": "conflict"}


def decide(found: Value, pull: Pull, lever: object = None) -> Step:
    """What to do with a lever that reads `found`."""
    if found == pull.prior:
        return "already"
    if found == pull.value:
        return "keep" if pull.irreversible else "restore"
    ours = isinstance(lever, Halfway) and lever.halfway(found, pull.prior, pull.value)
    return "restore" if ours and not pull.irreversible else "conflict"


async def restore(pull: Pull, place: Environment, journal: Journal, *, speed: float) -> Pull:
    """Put the lever back and return the pull with its outcome; raises nothing.

    `ended` is when it was back, in the journal's time; that it stayed so is found out after that.
    """
    trouble: list[str] = []
    try:
        lever, environment = from_json(pull.lever), _recorded(pull, place, journal)
        budget_s = lever.budget_s if isinstance(lever, Patient) else BUDGET_S
        async with asyncio.timeout((budget_s + WINDOWS * environment.stale_s) * speed):
            await _count(pull, lever, environment, journal)
            back = Restoring(pull, lever, environment, journal.now, speed, trouble=trouble)
            return await back.to_its_end()
    except EnvironmentGone:
        return replace(pull, outcome="gone", error="")
    except TimeoutError:
        why = ": ".join(["gave up waiting for the environment", *trouble])
        return replace(pull, outcome="failed", error=why)
    except ChaosError as error:
        return replace(pull, outcome="failed", error=str(error))
    except Exception as error:  # a defect of one lever must not keep the others broken
        log.exception("a defect of the lever %s", pull.lever)
        return replace(pull, outcome="failed", error=repr(error))


def _recorded(pull: Pull, place: Environment, journal: Journal) -> Recorded:
    return Recorded(place.at(pull.account), journal, pull, undo=True)


@dataclass(slots=True)
class Restoring:
    """A lever on its way back. `back` is when it was last seen to come there, if it was."""

    pull: Pull
    lever: Lever
    environment: Environment
    now: Callable[[], float]  # the journal's time
    speed: float
    back: float | None = None
    trouble: list[str] = field(default_factory=list)  # what went wrong last, while it does

    @property
    def stale(self) -> float:
        """Seconds of the loop for which a read may tell what was."""
        return self.environment.stale_s * self.speed

    async def look(self) -> tuple[Value, Step]:
        """What it reads and what to do; a foreign value must persist to be one."""
        found = await self._patiently(self.lever.read, self.environment)
        step = self._decide(found)
        doubtful = step == "conflict" or (self.pull.irreversible and step == "already")
        if self.stale and doubtful:
            await asyncio.sleep(self.stale)
            found = await self._patiently(self.lever.read, self.environment)
        return found, self._decide(found)

    async def to_its_end(self) -> Pull:
        """The pull with its outcome."""
        found, first = await self.look()
        last, because = first, await self._because(found)
        if first == "already":
            self.back = self.now()
        # A call that seemed to fail may land later, and a read may be of what was before it.
        unsure = first == "already" and (self.stale > 0 or self.pull.done is None)
        if not self.pull.irreversible and (first == "restore" or unsure):
            found, last = await self._until_it_stays()
        ended = self._ended(found, first, last)
        if because and ended.outcome in ("already", "restored"):
            return replace(ended, outcome="already", error=because)
        return ended

    async def _because(self, found: Value) -> str:
        """Why others had put it back, if they had and the lever can tell."""
        as_pulled = self.pull.done is None or found == self.pull.value
        if as_pulled or not isinstance(self.lever, Explains):
            return ""
        try:
            return str(await self._patiently(self.lever.ended_because, self.environment))
        except ChaosError as error:  # it must not keep the lever from going back
            return f"it reads {setting(found)}, and nobody tells why: {error}"

    async def _until_it_stays(self) -> tuple[Value, Step]:
        """Set it until it stays there for a while; gives up in the end, with what it reads."""
        loop = asyncio.get_running_loop()
        late = LATE_S * self.speed if self.pull.done is None else 0.0
        window = late + self.stale
        give_up = loop.time() + late + (WINDOWS - 2) * self.stale
        while True:
            await self._patiently(self.lever.set, self.environment, self.pull.prior)
            self.back = self.now()
            found, step = await self._through(window)
            if step in ("already", "conflict") or loop.time() >= give_up:
                return found, step
            await asyncio.sleep(window / LOOKS)

    async def _through(self, window: float) -> tuple[Value, Step]:
        """What it reads at the end of the window, or as soon as it is surely not as it was."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            passed = loop.time() - began
            found, step = await self.look()
            sure = step == "conflict" or (step == "restore" and passed >= self.stale)
            if sure or passed >= window:
                return found, step
            await asyncio.sleep(min(window / LOOKS, window - passed))

    def _decide(self, found: Value) -> Step:
        return decide(found, self.pull, self.lever)

    def _ended(self, found: Value, first: Step, last: Step) -> Pull:
        pull = replace(self.pull, found=found)
        if last == "restore":
            wrong = f"was set back to {setting(pull.prior)} but reads {setting(found)}"
            return replace(pull, outcome="failed", error=wrong)
        # What went wrong at an earlier try is over.
        outcome = OUTCOMES[first if last == "already" else last]
        ended = None if last == "conflict" else self.back
        return replace(pull, outcome=outcome, ended=ended, error="")

    async def _patiently(self, step: Callable[..., Awaitable[Value]], *args: Any) -> Value:
        """Throttling and short outages of the control plane are what a drill has to expect.

        Many levers go back at once, so each waits for a time of its own.
        """
        attempts = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=8),
            retry=retry_if_exception_type(self._may_pass()),
            before_sleep=self._note,
            reraise=True,
        )
        found: Value = await attempts(step, *args)
        self.trouble.clear()
        return found

    def _note(self, state: RetryCallState) -> None:
        failed = state.outcome and state.outcome.exception()
        self.trouble[:] = [str(failed)]

    def _may_pass(self) -> tuple[type[Exception], ...]:
        """The failures after which the next try may go better; a person is asked once."""
        if self.lever.kind == ByHand.kind:
            return (CallFailed,)
        return (CallFailed, RestoreFailed, RetryError)


async def _count(pull: Pull, lever: Lever, environment: Environment, journal: Journal) -> None:
    """How often the fault met traffic is gone once the lever is back, so it is noted before."""
    if isinstance(lever, Counts):
        try:
            journal.write("noticed", pull=pull.pull, count=await lever.noticed(environment))
        except EnvironmentGone:
            raise
        except (ChaosError, KeyError, ValueError) as error:
            log.warning("no count of what met %s: %s", pull.lever, error)

"""An environment with a person beside it, who does what the tool cannot: pull a plug.

What has been asked and what is marked as done is kept in files beside the journal, so that another
process can mark (`chaos mark`) or go on asking (`chaos rollback`).

    untouched ─asked─► to do ─marked─► done ─asked back─► to undo ─marked─► undone
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import private
from chaos.environments import enter_key
from chaos.environments.around import Around
from chaos.environments.environment import Environment
from chaos.errors import InjectionFailed, InvalidInput, JournalFailed, RestoreFailed
from chaos.loops import speed_of
from probes.durations import show

OPERATOR = "operator"  # the service under which the person can be asked
LOOK_EVERY_S = 0.2  # seconds of the wall between two looks for a mark
MARKS = {"to do": "done", "to undo": "undone"}  # what waits for a mark, and what it becomes


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one run, a file for each task below `directory`, which need not exist yet."""

    directory: Path

    def state(self, task: str) -> str:
        """How far that task is; `untouched` when nobody was ever asked."""
        try:
            return _read(self._file(task))[1]
        except (FileNotFoundError, NotADirectoryError):
            return "untouched"

    def put(self, task: str, state: str) -> None:
        """Write it down, whole or not at all; raises JournalFailed."""
        file = self._file(task)
        try:
            private.directory(self.directory)
            private.write(file, json.dumps({"task": task, "state": state}))
        except OSError as error:
            raise JournalFailed(f"{file}: cannot be written: {error.strerror}") from error

    def waiting(self) -> list[tuple[str, str]]:
        """The tasks that wait for a mark, each with its state, the longest waiting first.

        Raises JournalFailed.
        """
        files = sorted(self.directory.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        return [(task, state) for task, state in map(_read, files) if state in MARKS]

    def mark(self, task: str, state: str) -> str:
        """Mark what waits in that state; returns a sentence that says so."""
        self.put(task, MARKS[state])
        return f"marked as {MARKS[state]}: {task}"

    def _file(self, task: str) -> Path:
        return self.directory / f"{hashlib.sha256(task.encode()).hexdigest()[:16]}.json"


def _read(file: Path) -> tuple[str, str]:
    """A task and its state; raises JournalFailed for what is no mark."""
    try:
        found = json.loads(file.read_text())
        return str(found["task"]), str(found["state"])
    except (ValueError, TypeError, KeyError) as error:
        raise JournalFailed(
            f"{file}: is no mark of ours; remove it, and chaos rollback asks again"
        ) from error


def marks_beside(journal: Path) -> Marks:
    """The marks of the run with that journal."""
    return Marks(journal.parent / "marks")


class Operator:
    """The person: `tell` shows them one line. `faults` are those of the experiment, as JSON.

    `asked` are the tasks that are known to have been handed out, whatever became of their marks.
    """

    def __init__(
        self,
        faults: Iterable[Mapping[str, Any]],
        marks: Marks,
        tell: Callable[[str], None],
        asked: Iterable[str] = (),
    ) -> None:
        self._tasks = {fault["do"]: fault for fault in faults if fault.get("by_hand")}
        self._marks = marks
        self._tell = tell
        self._asked = set(asked)

    async def call(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """`get_task`, `get_task_when_marked` or `put_task`; raises InvalidInput for another."""
        operations: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "get_task": self._get,
            "get_task_when_marked": self._get_when_marked,
            "put_task": self._put,
        }
        if operation not in operations:
            raise InvalidInput(f"nobody can be asked to {operation}")
        return await operations[operation](**params)

    async def _get(self, task: str) -> dict[str, Any]:
        free = self._state(task) in ("untouched", "undone")
        return {"state": "untouched" if free else "handed out"}

    async def _get_when_marked(self, task: str) -> dict[str, Any]:
        """Return when it is marked as done; at once when nobody was asked, as in a plan."""
        try:
            await self._until(task, lambda state: state != "to do")
        except TimeoutError as error:
            raise InjectionFailed(
                f"nobody marked it as done within {show(self._within(task))}: {task}"
            ) from error
        return await self._get(task)

    async def _put(self, task: str, state: str) -> dict[str, Any]:
        if state == "handed out":
            self._ask(task, "to do", task)
        elif self._state(task) not in ("untouched", "undone"):
            await self._take_back(task)
        return {}

    async def _take_back(self, task: str) -> None:
        undo = self._tasks.get(task, {}).get("undo", f"undo this: {task}")
        how = {"to do": "if it was begun: ", "to undo": "once more: "}.get(self._state(task), "")
        self._ask(task, "to undo", how + undo)
        try:
            await self._until(task, lambda state: state == "undone", again="to undo")
        except TimeoutError as error:
            raise RestoreFailed(
                f"nobody marked it as undone within {show(self._within(task))}: {undo}"
            ) from error

    def _ask(self, task: str, state: str, what: str) -> None:
        enter_key.forget()
        self._asked.add(task)
        self._marks.put(task, state)
        run = self._marks.directory.parent
        self._tell(f"BY HAND: {what} — then press Enter, or: chaos mark {run}")

    def _state(self, task: str) -> str:
        """How far it is; that a mark is lost says nothing of what was done."""
        state = self._marks.state(task)
        return "to do" if state == "untouched" and task in self._asked else state

    async def _until(self, task: str, reached: Callable[[str], bool], again: str = "") -> None:
        """Wait for a state; raises TimeoutError. One that crosses the asking is asked `again`."""
        look_every = LOOK_EVERY_S * speed_of(asyncio.get_running_loop())
        async with asyncio.timeout(self._within(task)):
            while not reached(state := self._state(task)):
                if enter_key.pressed():
                    for waits in self._marks.waiting()[:1]:  # one press is one mark
                        self._marks.mark(*waits)
                elif again and state != again:
                    self._marks.put(task, again)
                await asyncio.sleep(look_every)

    def _within(self, task: str) -> float:
        return float(self._tasks.get(task, {}).get("within", 600.0))


class Attended(Around):
    """The environment, with the service `operator` besides."""

    def __init__(self, environment: Environment, operator: Operator) -> None:
        super().__init__(environment)
        self._operator = operator

    @property
    def place(self) -> Environment:
        """The environment, without the person."""
        return self._environment

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation of the environment, or of the person as the service `operator`."""
        if service == OPERATOR:
            return await self._operator.call(operation, **params)
        return await self._environment.call(service, region, operation, **params)

    def at(self, account: str | None, /) -> Attended:
        """That of the environment, with the same person beside it."""
        return Attended(self._environment.at(account), self._operator)

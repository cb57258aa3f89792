"""A run that dies at any moment leaves nothing behind that `chaos rollback` does not put back.

The run is made to die before, in the middle of and after every line of the journal, and before
and after every change to the environment, in injection and in rollback. Dead is dead: from that
moment on the process writes nothing and changes nothing. Then the rollback is made to die at
each of its own moments, and a second one finishes the work.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import LookLab, experiment

from chaos.errors import JournalFailed
from chaos.history import fold
from chaos.journal import Event, Journal, read
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.rollback import incomplete, resume
from chaos.run import Run
from chaos.testing import FakeEnvironment, small_lab


class Died(BaseException):
    """kill -9, as far as one process can play it."""


class Death:
    """Dies at the n-th moment; from then on every moment is past death."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.moments = 0

    def pass_by(self) -> None:
        if self.at is not None and self.moments >= self.at:
            raise Died
        self.moments += 1

    @contextmanager
    def strikes(self, monkeypatch: pytest.MonkeyPatch, lab: FakeEnvironment) -> Iterator[None]:
        real = os.write

        def write(fd: int, line: bytes) -> int:
            self.pass_by()
            taken = real(fd, line[: len(line) // 2])
            self.pass_by()  # a torn line
            taken += real(fd, line[len(line) // 2 :])
            self.pass_by()
            return taken

        lab.before, lab.after = self.pass_by, self.pass_by
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            patch.setattr(os, "ftruncate", self._as_root(os.ftruncate))
            yield
        lab.before = lab.after = lambda: None

    def _as_root(self, real: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def truncate(fd: int, length: int) -> None:
            self.pass_by()
            real(fd, length)

        return truncate


def kernel_closes(path: Path) -> None:
    """What becomes of a dead process's files, and with them of its claim on the journal."""
    for fd in Path("/proc/self/fd").iterdir():
        if fd.is_symlink() and fd.resolve() == path:
            os.close(int(fd.name))


Outside = Callable[[Event], Awaitable[None]]


def attempt_run(
    path: Path, lab: FakeEnvironment, death: Death, outside: Outside | None = None
) -> bool:
    """One run; whether it came to its end."""

    async def main() -> None:
        now = Stopwatch()
        journal = Journal.create(path, now)
        try:
            header = journal.write(
                "run",
                v=1,
                run="r",
                environment=lab.describe(),
                experiment=experiment().to_json(),
            )
            if outside is not None:
                await outside(header)
            journal.outside = outside
            await Run("r", experiment(), lab, journal, Stop(), now).go()
        finally:
            kernel_closes(path)

    try:
        run_virtual(main())
    except Died:
        return False
    return death.at is None or death.moments < death.at


def put_back(path: Path) -> None:
    """`chaos rollback`, as often as it takes to come to its end."""
    try:
        ended = run_virtual(resume(path, print))
    except JournalFailed:
        # It died before its first line was whole: then nothing can have been touched.
        assert not read(path)
        return
    assert not incomplete(ended)


def unharmed(lab: FakeEnvironment) -> dict[str, Any]:
    """The state without what an allowed one-way door does to it, and without equal words."""
    state = dict(lab.state)
    state.pop("instances")
    state["reachability"] = {k: v for k, v in state["reachability"].items() if v != "open"}
    return state


WHOLE = {k: v for k, v in small_lab().items() if k != "instances"}


@pytest.fixture
def same_lab(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeEnvironment], None]:
    """Lets `chaos rollback` find the lab of the test."""

    def use(lab: FakeEnvironment) -> None:
        async def find(_: dict[str, Any], **__: Any) -> FakeEnvironment:
            return lab

        monkeypatch.setattr("chaos.rollback.attach", find)

    return use


Life = tuple[int, LookLab, Path, bool]


@pytest.fixture
def lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_lab: Callable[[FakeEnvironment], None]
) -> Iterator[Life]:
    """A run for each moment at which one can die, and last the one that comes to its end."""

    def live() -> Iterator[Life]:
        for at in itertools.count():
            lab, path, death = LookLab(small_lab()), tmp_path / f"{at}.jsonl", Death(at)
            same_lab(lab)
            with death.strikes(monkeypatch, lab):
                finished = attempt_run(path, lab, death)
            yield at, lab, path, finished
            if finished:
                return

    return live()


def test_dying_at_every_moment_of_a_run(lives: Iterator[Life]) -> None:
    broken = 0
    for at, lab, path, finished in lives:
        broken += unharmed(lab) != WHOLE
        put_back(path)
        assert unharmed(lab) == WHOLE, f"moment {at} left something behind"
        assert finished or lab.state["instances"]["i-2"] == "running"
    assert at > 100
    assert broken > 20  # the test would be empty if death never struck while things were broken
    assert not fold(read(path)).open_pulls


def test_dying_at_every_moment_of_the_rollback_too(
    lives: Iterator[Life], monkeypatch: pytest.MonkeyPatch
) -> None:
    survived = 0
    for at, lab, path, finished in lives:
        if finished or unharmed(lab) == WHOLE:
            continue
        before, journal = {k: dict(v) for k, v in lab.state.items()}, path.read_bytes()
        again = 0
        while True:
            lab.state = {k: dict(v) for k, v in before.items()}
            path.write_bytes(journal)
            second = Death(again)
            with second.strikes(monkeypatch, lab):
                with contextlib.suppress(Died):
                    run_virtual(resume(path, print))
                kernel_closes(path)
            put_back(path)
            assert unharmed(lab) == WHOLE, f"moments {at} and {again} left something behind"
            if second.moments < again:
                break
            again += 1
            survived += 1
    assert survived > 500


def test_whenever_it_dies_the_copy_outside_knows_all_that_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_lab: Callable[[FakeEnvironment], None]
) -> None:
    """The machine is gone, and its journal with it: the copy alone puts everything back."""
    broken = 0
    for at in itertools.count():
        lab, death = LookLab(small_lab()), Death(at)
        same_lab(lab)
        copy = tmp_path / "elsewhere" / f"{at}.jsonl"
        copy.parent.mkdir(exist_ok=True)
        copy.touch()

        async def outside(event: Event, death: Death = death, copy: Path = copy) -> None:
            death.pass_by()
            with copy.open("a") as file:
                file.write(json.dumps(event) + "\n")
            death.pass_by()

        with death.strikes(monkeypatch, lab):
            finished = attempt_run(tmp_path / f"{at}.jsonl", lab, death, outside)
        broken += unharmed(lab) != WHOLE
        put_back(copy)
        assert unharmed(lab) == WHOLE, f"moment {at} left something behind"
        if finished:
            break
    assert broken > 20

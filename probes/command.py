"""The probe `command`: a program of this machine, its exit code and what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from probes.json_values import shown
from probes.probe import Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

# What a program needs to be found and to print text; all else would make it depend on who calls.
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
MOST = 64 * 1024  # bytes of each of its outputs
# Seconds of the loop for the end of what was killed, and of what has left its process group.
END_WITHIN = 10.0


def _checked_list(command: object) -> object:
    if isinstance(command, str):
        raise ValueError("must be a list, such as [prog, --option, value]: there is no shell")  # noqa: TRY004
    return command


def _checked_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character 0")
    return text


Text = Annotated[str, AfterValidator(_checked_text)]
Name = Annotated[str, AfterValidator(_checked_text), Field(pattern=r"^[^=]+$")]


class Expect(BaseModel):
    """All that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exit_code: int = Field(default=0, ge=0, le=255, description="the code to end with")
    stdout: re.Pattern[str] | None = Field(
        default=None, description="regular expression that the output matches somewhere"
    )


class Command(Probe):
    """Runs a program of this machine; only with `--allow-commands`.

    An attempt is good when the program ends with the expected exit code and what it prints is as
    expected. The program is started anew for each attempt, without a shell, in the directory where
    `chaos` is started, with nothing on its standard input. Of the environment it gets PATH, HOME,
    TMPDIR, LANG and LC_ALL, and what `env` adds. It may print 64 KiB on standard output and as
    much on standard error; more is bad.

    At the timeout, and when the run ends, it is killed together with everything that it has
    started and that did not leave its process group; so are those that outlive it.

    It sees this machine's network and names, not a lab's. An experiment with such a probe runs
    whatever it says, with the rights of whoever runs it. That is why it has to be allowed.

    Measured phase: `run`.
    """

    summary: ClassVar[str] = "a program of this machine: exit code, output (--allow-commands)"
    example: ClassVar[str] = """
checkout:
  kind: command
  command: [./checks/checkout.sh, --user, drill]
  expect: {stdout: "order \\\\d+ placed"}
  every: 5s
  timeout: 4s
"""
    runs_programs: ClassVar[bool] = True
    without: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("dns_cache", "family"), "the program finds the addresses of names itself"
    )

    kind: Literal["command"]
    command: Annotated[tuple[Text, ...], BeforeValidator(_checked_list)] = Field(
        min_length=1, max_length=1000, description="the program and its arguments, as a list"
    )
    env: dict[Name, Text] = Field(
        default_factory=dict, description="environment variables for the program"
    )
    expect: Expect = Field(default_factory=Expect, description="how it must end")

    async def check(self, net: Net, attempt: Attempt) -> None:  # noqa: ARG002
        """Run the program once; good when all of `expect` holds."""
        with attempt.phase("run"):
            program = await _run(self.command, self._environment())
        attempt.detail["exit_code"] = program.code
        out, err = (program.said(fd) for fd in (1, 2))
        if program.code != self.expect.exit_code:
            last = (err or out).rpartition("\n")[2]
            told = f"; its last words: {shown(last)}" if last else ""
            raise ProbeFailed(f"{_ended(program.code)}, not {self.expect.exit_code}{told}")
        wanted = self.expect.stdout
        if wanted and not wanted.search(out):
            came = f"; it begins {shown(out)}" if out else "; it printed nothing"
            raise ProbeFailed(f"the output does not match {shown(wanted.pattern)}{came}")

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in INHERITED if name in os.environ} | self.env


class _Program(asyncio.SubprocessProtocol):
    """What a program prints, up to a limit, and its end; `closed` when nobody can print more."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.code = 0
        self._printed = {1: bytearray(), 2: bytearray()}

    def said(self, fd: int) -> str:
        """What it printed there."""
        return self._printed[fd].decode("utf-8", "replace").strip()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep who knows the exit code."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Keep what it prints."""
        printed = self._printed[fd]
        printed += cast("bytes", data)
        if len(printed) > MOST and not self.ended.done():
            self.ended.set_exception(ProbeFailed(f"the program printed more than {MOST} bytes"))

    def process_exited(self) -> None:
        """It has ended; others that it started may not have."""
        self.code = self._transport.get_returncode() or 0
        if not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It has ended, and nobody else has its outputs."""
        if not self.closed.done():
            self.closed.set_result(None)


Started = tuple[asyncio.SubprocessTransport, _Program]


async def _run(command: Sequence[str], env: dict[str, str]) -> _Program:
    """Run it to its end, in a process group of its own; however it ends, nothing of it is left."""
    starting = asyncio.ensure_future(_start(command, env))
    try:
        # What is cancelled in the middle would not know whom to kill.
        _, program = await asyncio.shield(starting)
        await program.ended
    finally:
        await _end(*await starting)
    return program


async def _start(command: Sequence[str], env: dict[str, str]) -> Started:
    try:
        return await asyncio.get_running_loop().subprocess_exec(
            _Program, *command, stdin=DEVNULL, env=env, start_new_session=True
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        why = (error.strerror or str(error)).lower()
        raise ProbeFailed(f"{command[0]} cannot be run: {why}") from error


async def _end(transport: asyncio.SubprocessTransport, program: _Program) -> None:
    # Whoever outlives it would keep its outputs open, and the group's number taken.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(transport.get_pid(), signal.SIGKILL)
    try:
        await asyncio.wait({program.closed}, timeout=END_WITHIN)  # until it is reaped, too
    finally:
        transport.close()


def _ended(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from upstreams import run, until

from chaos.environments import traces
from chaos.testing import one_sample
from probes.command import MOST, Command
from probes.net import Net
from probes.probe import Attempt, Sample
from probes.schedule import run_probe


def command(*words: str, **settings: Any) -> Command:
    return Command.model_validate({"kind": "command", "command": words, "timeout": 20} | settings)


def shell(script: str, **settings: Any) -> Command:
    return command("sh", "-c", script, **settings)


def attempted(probe: Command, speed: float = 1) -> Sample:
    return run(one_sample(probe, Net()), speed=speed)


def gone(pids: Iterable[int]) -> None:
    """Wait until those processes have ended; to be reaped is the matter of their parents."""
    for pid in pids:
        run(until(lambda pid=pid: not traces.born(pid)))  # type: ignore[misc]


# --- good and bad --------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [1, 20])
def test_a_program_that_ends_well_is_good(speed: float) -> None:
    probe = shell("echo order 17 placed", expect={"stdout": r"^order \d+ placed$"}, timeout=60)
    sample = attempted(probe, speed)
    assert sample.ok, sample.error
    assert list(sample.phases) == ["run"]
    assert sample.detail == {"exit_code": 0}


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (shell("exit 3"), "exit code 3, not 0"),
        (shell("true", expect={"exit_code": 3}), "exit code 0, not 3"),
        (
            shell("echo out; echo first >&2; echo no route >&2; exit 1"),
            "exit code 1, not 0; its last words: 'no route'",
        ),
        (shell("echo 'not today'; exit 1"), "exit code 1, not 0; its last words: 'not today'"),
        (shell("kill -SEGV $$"), "ended by SIGSEGV, not 0"),
        (
            shell("echo hello", expect={"stdout": "bye"}),
            "the output does not match 'bye'; it begins 'hello'",
        ),
        (
            shell("echo bye >&2", expect={"stdout": "bye"}),
            "the output does not match 'bye'; it printed nothing",
        ),
        (command("no-such-program"), "no-such-program cannot be run: no such file or directory"),
        (command("/etc/passwd"), "/etc/passwd cannot be run: permission denied"),
        (command("/etc/passwd/x"), "/etc/passwd/x cannot be run: not a directory"),
    ],
)
def test_a_program_that_does_not_is_bad(probe: Command, said: str) -> None:
    sample = attempted(probe)
    assert (sample.ok, sample.crashed, sample.error) == (False, False, said)


def test_as_much_as_is_allowed_may_be_printed() -> None:
    sample = attempted(shell(f"head -c {MOST} /dev/zero; head -c {MOST} /dev/zero >&2"))
    assert sample.ok, sample.error


@pytest.mark.parametrize("to", ["", " >&2"])
def test_a_program_that_prints_without_end_is_bad(to: str) -> None:
    sample = attempted(shell(f"yes{to}"))
    assert sample.error == "the program printed more than 65536 bytes"


# --- what it gets --------------------------------------------------------------------------


def test_its_environment_is_what_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    written = tmp_path / "env"
    sample = attempted(command("sh", "-c", 'env > "$OUT"', env={"OUT": str(written), "HOME": "/h"}))
    assert sample.ok, sample.error
    given = dict(line.split("=", 1) for line in written.read_text().splitlines())
    assert (given["LANG"], given["HOME"], given["PATH"]) == ("C.UTF-8", "/h", os.environ["PATH"])
    assert "AWS_SECRET_ACCESS_KEY" not in given
    assert set(given) <= {"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "OUT", "PWD", "SHLVL", "_"}


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    sample = attempted(
        command("echo", "$HOME", "; exit 9", expect={"stdout": r"^\$HOME ; exit 9$"})
    )
    assert sample.ok, sample.error


def test_nothing_is_on_its_standard_input() -> None:
    assert attempted(command("cat")).ok


# --- its end -------------------------------------------------------------------------------


def started(tmp_path: Path) -> tuple[str, Callable[[], list[int]]]:
    """A script that starts a child and waits, and which processes it has told of."""
    told = tmp_path / "pids"
    script = f"trap '' TERM; sleep 600 & echo $$ $! > {told}.new; mv {told}.new {told}; wait"
    return script, lambda: [int(pid) for pid in told.read_text().split()] if told.exists() else []


@pytest.mark.parametrize("speed", [1, 4])
def test_at_the_timeout_the_whole_group_is_killed(tmp_path: Path, speed: float) -> None:
    script, pids = started(tmp_path)
    sample = attempted(shell(script, timeout=speed), speed)
    assert sample.error.startswith("timed out after ")
    assert sample.error.endswith(" (run)")
    assert len(pids()) == 2
    gone(pids())


def test_at_the_end_of_the_run_the_whole_group_is_killed(tmp_path: Path) -> None:
    script, pids = started(tmp_path)
    samples: list[Sample] = []

    async def main() -> None:
        origin = asyncio.get_running_loop().time()
        probe = shell(script, every=100)
        ticking = asyncio.create_task(
            run_probe("p", probe, Net(), run="r", origin=origin, emit=samples.append)
        )
        await until(lambda: bool(pids()))
        ticking.cancel()
        await asyncio.wait({ticking})
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())
    assert samples == []
    assert len(pids()) == 2
    gone(pids())


def processes(mark: str) -> list[str]:
    """The processes that run and have those characters among their words."""
    found = []
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark in words.read_text(errors="replace"):
                found.append(words.parent.name)
    return found


@pytest.mark.parametrize("rounds", range(12))
def test_an_attempt_that_is_given_up_at_once_leaves_nothing(rounds: int) -> None:
    mark = f"600.00{os.getpid()}"

    async def main() -> None:
        attempt = Attempt(run="r", probe="p", n=0)
        probe = shell(f"sleep {mark} & sleep {mark}; wait")
        checking = asyncio.create_task(probe.check(Net(), attempt))
        for _ in range(rounds):
            await asyncio.sleep(0)
        checking.cancel()
        await asyncio.wait({checking})
        assert checking.cancelled()
        await until(lambda: not processes(mark))

    run(main())


def test_what_outlives_the_program_is_killed_and_not_waited_for(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    sample = attempted(shell(f"sleep 600 & echo $! > {told}; echo done", expect={"stdout": "done"}))
    assert sample.ok, sample.error
    gone([int(told.read_text())])


def zombies() -> set[str]:
    """The processes of ours that have ended and that nobody has waited for."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            found |= {stat.parent.name} if (state, parent) == ("Z", str(os.getpid())) else set()
    return found


def test_a_zombie_is_not_left() -> None:
    before = zombies()
    assert attempted(shell("kill -KILL $$")).error == "ended by SIGKILL, not 0"
    assert zombies() <= before


# --- what cannot be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"command": "curl -f http://a"}, "must be a list, such as [prog, --option, value]"),
        ({"command": []}, "at least 1 item"),
        ({"command": ["a\0b"]}, "must not contain the character 0"),
        ({"env": {"A=B": "c"}}, "pattern"),
        ({"env": {"A": "b\0c"}}, "must not contain the character 0"),
        ({"expect": {"exit_code": 256}}, "less than or equal to 255"),
        ({"expect": {"stdout": "("}}, "valid regular expression"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Command.model_validate({"kind": "command", "command": ["true"]} | settings)
    assert said in str(error.value)

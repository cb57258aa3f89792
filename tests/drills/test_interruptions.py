"""However a run ends, nothing is left: no fault, no process, no listener, no file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WITHIN_S = 60.0


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short name: unix sockets of the lab are made below it."""
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        yield Path(name)


@contextmanager
def running(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """`chaos run region-outage` as a process of its own group, as a shell starts it."""
    run = subprocess.Popen(
        [sys.executable, "-u", "-m", "chaos", "run", "region-outage", "--speed", "8"],
        cwd=directory,
        env={**os.environ, "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    try:
        yield run
    finally:
        if run.poll() is None:
            run.kill()
        run.wait(WITHIN_S)
        assert run.stdout is not None
        run.stdout.close()


def read_until(run: subprocess.Popen[str], text: str) -> None:
    """Read the run's lines until one has this text; it ends with an error if none does."""
    assert run.stdout is not None
    lines = []
    for line in run.stdout:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} never came:\n{''.join(lines)}")


def events(directory: Path) -> list[dict[str, Any]]:
    (journal,) = directory.glob("chaos-runs/*/journal.jsonl")
    whole = journal.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def left_behind(directory: Path) -> list[str]:
    """The lab's processes (it leads a session of its own) and its files."""
    lab = events(directory)[0]["environment"]["pid"]
    found = [str(path) for path in directory.glob("chaos-lab-*")]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session, *_ = (process / "stat").read_text().rpartition(")")[2].split()
            words = (process / "cmdline").read_text()
        except OSError:
            continue  # it has just ended
        # Those are dead, and wait for init; one that is ending has given its memory back.
        if int(session) == lab and state not in "ZX" and words:
            found.append(f"{process.name}: {words}")
    return found


def chaos(directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chaos", *args],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("moment", "signals"),
    [
        ("waiting until every probe is good", [signal.SIGINT]),
        ("injecting", [signal.SIGTERM, signal.SIGTERM]),
        ("the fault is on", [signal.SIGINT, signal.SIGINT, signal.SIGTERM]),
        ("playback is down", [signal.SIGHUP]),
    ],
)
def test_signals_put_everything_back(
    place: Path, moment: str, signals: list[signal.Signals]
) -> None:
    with running(place) as run:
        read_until(run, moment)
        for number in signals:
            os.killpg(run.pid, number)  # Ctrl-C goes to the whole group
        told, _ = run.communicate(timeout=WITHIN_S)
    assert run.returncode == 3, told
    assert f"stopped by {signals[0].name}" in told
    assert events(place)[-1]["event"] == "end"
    pulls = {e["pull"] for e in events(place) if e["event"] == "pull"}
    back = {e["pull"] for e in events(place) if e.get("outcome") in ("restored", "already")}
    assert pulls == back
    assert left_behind(place) == []


def test_a_signal_before_anything_is_touched_leaves_nothing(place: Path) -> None:
    with running(place) as run:
        read_until(run, "starting the embedded environment")
        os.killpg(run.pid, signal.SIGINT)
        told, _ = run.communicate(timeout=WITHIN_S)
    assert run.returncode == 3, told
    assert told.strip().startswith("stopped")
    assert list(place.iterdir()) == []


def test_after_kill_9_a_rollback_finds_nothing_left(place: Path) -> None:
    with running(place) as run:
        read_until(run, "the fault is on")  # a probe may be down before, on a busy machine
        run.kill()
        run.wait(WITHIN_S)
    done = chaos(place, "rollback", "latest")
    assert done.returncode == 0, done.stderr
    assert "reachability us-east-1: gone: the environment ended, and this with it" in done.stdout
    assert "nothing is left open" in done.stdout
    assert left_behind(place) == []
    again = chaos(place, "rollback", "latest")
    assert (again.returncode, again.stdout) == (0, "nothing was left open\n")
    judged = chaos(place, "report", "latest")
    assert judged.returncode == 3, judged.stdout  # it never came to its end


def test_a_lab_that_is_killed_in_the_middle_ends_the_run(place: Path) -> None:
    with running(place) as run:
        read_until(run, "the fault is on")  # a probe may be down before, on a busy machine
        lab = events(place)[0]["environment"]["pid"]
        os.kill(lab, signal.SIGKILL)
        told, _ = run.communicate(timeout=4 * WITHIN_S)
    assert run.returncode == 3, told
    assert "Traceback" not in told
    assert {e["outcome"] for e in events(place) if e["event"] == "restored"} == {"gone"}
    done = chaos(place, "rollback", "latest")
    assert done.returncode == 0, done.stderr
    assert left_behind(place) == []


def test_a_reader_that_goes_away_does_not_take_the_run_with_it(place: Path) -> None:
    with running(place) as run:
        read_until(run, "the fault is on")
        assert run.stdout is not None
        run.stdout.close()
        os.kill(run.pid, signal.SIGTERM)
        run.wait(WITHIN_S)
    assert events(place)[-1]["event"] == "end"
    assert left_behind(place) == []

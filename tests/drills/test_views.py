"""What a run shows, to people and to machines, in real drills: a terminal, a pipe, a scrape."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest

CHAOS = [sys.executable, "-m", "chaos", "run", "short.yaml", "--speed", "4"]
WITHIN_S = 60.0
OF = 'experiment="short"'  # the label that all metrics have
SHORT = """
name: short
title: a short one
steady_state: {for: 1s, within: 60s}
probes: {api: {kind: http, url: "http://api.stream.example/playback", every: 500ms}}
faults: [{kind: region_outage, region: us-east-1, lasts: 20s}]
objectives: {api: {heals_within: 60s}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "short.yaml").write_text(SHORT)
    return tmp_path


class Terminal:
    """A real terminal with a run in it, and what is on its screen."""

    def __init__(self, place: Path, *options: str) -> None:
        self.leader, self.follower = pty.openpty()
        self.resize(24, 90)
        self.run = subprocess.Popen(
            [*CHAOS, *options],
            cwd=place,
            env={**os.environ, "TERM": "xterm-256color"},
            stdin=self.follower,
            stdout=self.follower,
            stderr=self.follower,
        )
        self.screen = pyte.HistoryScreen(90, 24, history=1000)
        self._stream = pyte.ByteStream(self.screen)
        self._turn = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, size)

    def lines(self) -> list[str]:
        """All that was ever on the screen, scrolled out or not."""
        with self._turn:
            out = [
                "".join(line[x].data for x in range(self.screen.columns))
                for line in self.screen.history.top
            ]
            return [line.rstrip() for line in [*out, *self.screen.display]]

    def end(self) -> int:
        """Wait for the run's end, close the terminal; returns the exit code."""
        code = self.run.wait(WITHIN_S)
        os.close(self.follower)
        self._reader.join(WITHIN_S)
        os.close(self.leader)
        return code

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.leader, 65536)
            except OSError:  # how Linux tells that nobody has the other side open
                return
            with self._turn:
                self._stream.feed(data)


def until(met: Callable[[], bool]) -> None:
    """Look until it is so; fails when it is not in time."""
    deadline = time.monotonic() + WITHIN_S
    while not met():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def scraped(terminal: Terminal) -> str:
    (port,) = re.findall(
        r"metrics at http://127\.0\.0\.1:(\d+)/metrics", "\n".join(terminal.lines())
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return str(answer.read().decode())


def test_a_terminal_has_a_live_view_and_holding_it_holds_no_run(place: Path) -> None:
    terminal = Terminal(place, "--metrics-port", "0", "--metrics-file", "short.prom")
    try:
        until(lambda: any("the fault is on, " in line for line in terminal.lines()))
        on = f'chaos_fault_active{{{OF},fault="0",kind="region_outage"}} 1.0'
        until(lambda: on in scraped(terminal))
        terminal.resize(24, 88)
        termios.tcflow(terminal.follower, termios.TCOOFF)
        (journal,) = place.glob("chaos-runs/*/journal.jsonl")
        until(lambda: '"event":"end"' in journal.read_text())
        until((journal.parent / "verdict.json").exists)
        assert terminal.run.poll() is None  # it has yet to tell its verdict
        termios.tcflow(terminal.follower, termios.TCOON)
        code = terminal.end()
    finally:
        terminal.run.kill()
        terminal.run.wait(WITHIN_S)
    lines = terminal.lines()
    verdict = json.loads((journal.parent / "verdict.json").read_text())
    assert code == verdict["exit_code"], lines
    assert any(line.endswith("region_outage us-east-1: injected") for line in lines), lines
    assert any(line.endswith("  judging") for line in lines), lines
    assert any(line.startswith("done  ran ") for line in lines), lines
    assert any(line.startswith(f"exit code  {code}: ") for line in lines), lines
    assert f"chaos_exit_code{{{OF}}} {code}.0\n" in (place / "short.prom").read_text()


def test_for_a_script_stdout_has_the_verdict_alone(place: Path) -> None:
    done = subprocess.run(
        [*CHAOS, "--json", "--metrics-file", "run.prom"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=WITHIN_S * 2,
        check=False,
    )
    (verdict,) = place.glob("chaos-runs/*/verdict.json")
    assert json.loads(done.stdout) == json.loads(verdict.read_text()), done.stderr
    assert done.returncode == json.loads(done.stdout)["exit_code"]
    assert "region_outage us-east-1: injected" in done.stderr
    assert "exit code " in done.stderr
    again = subprocess.run(
        [sys.executable, "-m", "chaos", "report", "latest", "--json", "--metrics-file", "re.prom"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert (again.stdout, again.returncode) == (done.stdout, done.returncode)
    assert (place / "re.prom").read_text() == (place / "run.prom").read_text()

"""Whole runs, and their rollbacks, while the tool's own calls fail and its reads are late.

A run that says that everything is back is held to it at once: the account is dumped through another
door. What a run could not put back, `chaos rollback` must, however often it has to be called.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.account import Account
from campaigns.doors import STALE_FOR_S, failing_calls, stale_reads
from campaigns.drills import write_drills
from campaigns.kill import UNDO_LOG, first_difference
from campaigns.lives import live, page, preload
from campaigns.spreading import spread
from moto_account import KEYS, moto_account

ROLLBACKS = 10  # then it is a residue
TAKES_S = 60.0  # about what such a run takes


@dataclass(slots=True)
class Tally:
    """What happened in a campaign."""

    runs: int = 0
    killed: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    rollbacks: int = 0
    residues: list[str] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)  # said to be back, and was not

    @property
    def wrong(self) -> list[str]:
        """What must not be."""
        return self.lies + self.residues

    def shown(self) -> list[tuple[str, str]]:
        """The figures, for people."""
        ended = ", ".join(f"{n} with {code}" for code, n in sorted(self.codes.items()))
        return [
            ("runs", f"{self.runs}, of which {self.killed} were killed; exit codes: {ended}"),
            ("rollbacks afterwards", str(self.rollbacks)),
            ("false `restored`", str(len(self.lies))),
            ("residues", str(len(self.residues))),
        ]


def campaign(count: int, seed: int, jobs: int = 1) -> Tally:
    """So many runs, each process of them against an account of its own."""
    return spread(_part, count, seed, jobs)


def _part(count: int, seed: int) -> Tally:
    # What the tool believes of late reads is a little more than what they are here.
    stale = str(STALE_FOR_S + 1)
    os.environ.update(KEYS, CHAOS_STALE_SECONDS=stale, AWS_DEFAULT_REGION="us-east-1")
    preload()
    chance, tally = random.Random(seed), Tally()
    with moto_account() as endpoint, page() as url, tempfile.TemporaryDirectory() as scratch:
        account = Account(endpoint)
        account.seed()
        drills = write_drills(Path(scratch), account, url)
        before, port = account.dump(), int(endpoint.rpartition(":")[2])
        with stale_reads(port) as late, failing_calls(late) as door:
            for n in range(count):
                name = chance.choice(sorted(drills))
                there = Through(door, account, before, Path(scratch) / f"runs-{n}")
                kill_after = chance.uniform(0, TAKES_S) if chance.random() < 0.5 else None
                there.one(drills[name], tally, kill_after)
                if tally.lies or tally.residues:
                    break
    return tally


class Through:
    """One run through the bad door."""

    def __init__(self, door: str, account: Account, before: str, runs: Path) -> None:
        self._door = door
        self._account = account
        self._before = before
        self._runs = runs
        self._output = runs.with_suffix(".out")

    def one(self, drill: Path, tally: Tally, kill_after: float | None) -> None:
        """The run, and as many rollbacks as it takes."""
        where = ["--environment", "aws", "--endpoint", self._door, "--undo-log", UNDO_LOG]
        command = ["run", str(drill), *where, "--runs", str(self._runs), "--yes", "--plain"]
        life = live(command, self._output, kill_after=kill_after)
        tally.runs += 1
        if life.killed:
            tally.killed += 1
        else:
            tally.codes[life.code] += 1
            tally.lies += self._residue(f"exit code {life.code}") if life.code != 4 else []
        self._put_back(tally)
        if not tally.lies and not tally.residues:
            shutil.rmtree(self._runs, ignore_errors=True)
            self._output.unlink()

    def _put_back(self, tally: Tally) -> None:
        run = next((path.name for path in self._runs.glob("*/")), None)
        for _ in range(ROLLBACKS if run else 0):
            tally.rollbacks += 1
            if live(["rollback", str(run), "--runs", str(self._runs)], self._output).code == 0:
                tally.lies += self._residue("chaos rollback ended with 0")
                return
        tally.residues += self._residue("after all rollbacks") if run else []

    def _residue(self, when: str) -> list[str]:
        now = self._account.dump()
        if now == self._before:
            return []
        told = self._output.read_text()
        return [f"{self._runs.name}, {when}: {first_difference(self._before, now)}\n{told}"]

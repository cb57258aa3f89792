"""`kill -9` at a random moment of a run, and of the rollback that follows, again and again.

The account lives on outside, in moto. After each life and its rollback a dump of the whole account
equals the one before, the lock is free, and the undo log holds nothing open.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.account import Account
from campaigns.drills import DRILLS, write_drills
from campaigns.lives import live, page, preload
from campaigns.spreading import spread
from moto_account import ACCOUNT, KEYS, moto_account

UNDO_LOG = "s3://custody/log"
OVER = "its own end"
KILLS_OF_ROLLBACK = 5
ROLLBACK_TAKES_S = 2.0


@dataclass(slots=True)
class Tally:
    """What happened in a campaign."""

    runs: int = 0
    killed: int = 0
    rollbacks_killed: int = 0
    with_open_levers: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    drills: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def shown(self) -> list[tuple[str, str]]:
        """The figures, for people."""
        died = ", ".join(f"{phase} {n}" for phase, n in self.phases.most_common())
        kinds = ", ".join(f"{name} {n}" for name, n in self.drills.most_common())
        return [
            ("runs", f"{self.runs}, of which {self.killed} were killed"),
            ("died in", died),
            ("of drills", kinds),
            ("left levers open", str(self.with_open_levers)),
            ("rollbacks killed", str(self.rollbacks_killed)),
            ("differences", str(len(self.wrong))),
        ]


def campaign(count: int, seed: int, jobs: int = 1) -> Tally:
    """So many lives, each process of them against an account of its own."""
    return spread(_part, count, seed, jobs)


def _part(count: int, seed: int) -> Tally:
    os.environ.update(KEYS, CHAOS_STALE_SECONDS="0", AWS_DEFAULT_REGION="us-east-1")
    preload()
    chance, tally = random.Random(seed), Tally()
    with moto_account() as endpoint, page() as url, tempfile.TemporaryDirectory() as scratch:
        account = Account(endpoint)
        account.seed()
        here = Here(account, Path(scratch), write_drills(Path(scratch), account, url))
        for name in DRILLS:
            here.takes(name)
        for n in range(count):
            here.one(n, chance, tally)
            if tally.wrong:
                break
    return tally


class Here:
    """The account, its state at the beginning, and the drills."""

    def __init__(self, account: Account, scratch: Path, drills: dict[str, Path]) -> None:
        self._account = account
        self._scratch = scratch
        self._drills = drills
        self._before = account.dump()
        self._takes: dict[str, float] = {}

    def takes(self, name: str) -> None:
        """Learn how long the drill takes that nobody kills."""
        runs = self._scratch / f"whole-{name}"
        life = live(self._run(name, runs), runs.with_suffix(".out"))
        assert life.code in (0, 1, 3), runs.with_suffix(".out").read_text()
        self._takes[name] = life.took
        assert not self._differences(), self._differences()

    def one(self, n: int, chance: random.Random, tally: Tally) -> None:
        """One life and what comes after it."""
        name = chance.choice(sorted(self._drills))
        runs = self._scratch / f"runs-{n}"
        output = runs.with_suffix(".out")
        life = live(self._run(name, runs), output, kill_after=chance.uniform(0, self._takes[name]))
        tally.runs += 1
        tally.drills[name] += 1
        tally.killed += life.killed
        phase, open_levers = how_far(runs)
        tally.phases[phase] += 1
        tally.with_open_levers += bool(open_levers)
        self._put_back(runs, output, chance, tally)
        if found := self._differences():
            tally.wrong.append("\n".join([f"run {n} ({name}):", *found, output.read_text()]))
        if not tally.wrong:
            shutil.rmtree(runs, ignore_errors=True)
            output.unlink()

    def _run(self, name: str, runs: Path) -> list[str]:
        where = ["--environment", "aws", "--endpoint", self._account.endpoint]
        keeping = ["--undo-log", UNDO_LOG, "--runs", str(runs)]
        return ["run", str(self._drills[name]), *where, *keeping, "--yes", "--plain"]

    def _put_back(self, runs: Path, output: Path, chance: random.Random, tally: Tally) -> None:
        """Here, from the journal, or as on another machine, from the account alone."""
        run = next((path.name for path in runs.glob("*/")), "")
        if how_far(runs)[0].startswith("before"):
            self._to_its_end(self._unlock(), output, tally)
            return
        command = ["rollback", run, "--runs", str(runs)]
        if chance.random() < 0.5 and how_far(runs)[0] != OVER:
            there = str(self._scratch / "elsewhere")
            command = ["rollback", "--orphans", *self._custody(), "--yes", "--runs", there]
            command += ["--take-over", run]  # its lease is still on
        kills = chance.randint(1, KILLS_OF_ROLLBACK) if chance.random() < 0.5 else 0
        for _ in range(kills):
            after = chance.uniform(0, ROLLBACK_TAKES_S)
            tally.rollbacks_killed += live(command, output, kill_after=after).killed
        self._to_its_end(command, output, tally)

    def _custody(self) -> list[str]:
        return ["--endpoint", self._account.endpoint, "--undo-log", UNDO_LOG]

    def _unlock(self) -> list[str]:
        """It may have died between taking the account and its journal's first line."""
        return ["unlock", ACCOUNT, *self._custody(), "--yes"]

    def _to_its_end(self, command: list[str], output: Path, tally: Tally) -> None:
        if live(command, output).code != 0:
            tally.wrong.append(f"{' '.join(command)} failed: {output.read_text()}")

    def _differences(self) -> list[str]:
        now = self._account.dump()
        found = [] if now == self._before else [first_difference(self._before, now)]
        return found + [f"still held: {lock}" for lock in self._account.left_in_custody()]


def how_far(runs: Path) -> tuple[str, int]:
    """The phase in which the run ended, and how many levers it left open."""
    from chaos.history import load

    journals = list(runs.glob("*/journal.jsonl"))
    if not journals:
        return "before its journal", 0
    if not journals[0].read_bytes().count(b"\n"):
        return "before its first line", 0
    history = load(journals[0], salvage=True)
    phase = history.phases[-1][0] if history.phases else "start"
    return (OVER if history.finished else phase), len(history.open_pulls)


def first_difference(before: str, after: str) -> str:
    """Where two dumps begin to differ."""
    old, new = json.loads(before), json.loads(after)
    for region, kinds in old.items():
        for kind, was in kinds.items():
            if was != new[region][kind]:
                return f"{region} {kind}: was {was}, is {new[region][kind]}"
    return "something is new"

"""A drill of many hours: virtual time for the engine, real journal, report, browser.

Twenty probes at 5 Hz; half of them are down for the first minutes of the fault, all fail now and
then. What is asked: how large its journal is, what judging it takes, how soon its report is open.
"""

from __future__ import annotations

import asyncio
import random
import resource
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from fakes import LookLab
from report import browser

from chaos.experiment import Experiment
from chaos.history import load
from chaos.journal import Journal
from chaos.loops import Stopwatch, run_virtual
from chaos.record import Stop
from chaos.report import html, write_reports
from chaos.run import Run
from chaos.testing import small_lab
from chaos.verdict import judge
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed

PROBES, HZ = 20, 5.0
DOWN_S = 180.0
MOST_MB, OPEN_S = 200.0, 3.0
NOW_AND_THEN = 1e-5  # of the attempts


class Page(Probe):
    """What `http` leaves behind, with times drawn as a network has them."""

    kind: Literal["page"] = "page"
    hit: bool = False

    async def check(self, net: Net, attempt: Attempt) -> None:
        drawn = random.lognormvariate
        with attempt.phase("connect"):
            await asyncio.sleep(drawn(-6.5, 0.3))
        gone = cast("Any", net)["reachability"].get("us-east-1", "open") != "open"
        if gone and "since" not in (state := cast("Any", net)):
            state["since"] = asyncio.get_running_loop().time()
        if (
            self.hit
            and gone
            and asyncio.get_running_loop().time() - cast("Any", net)["since"] < DOWN_S
        ):
            await asyncio.sleep(60)  # until it is given up
        with attempt.phase("first_byte"):
            await asyncio.sleep(drawn(-3.9, 0.4))
        with attempt.phase("body"):
            await asyncio.sleep(drawn(-9, 0.5))
        attempt.detail |= {"address": "10.0.3.17", "status": 200, "region": "us-east-1"}
        if random.random() < NOW_AND_THEN:
            raise ProbeFailed("status 503, not 200")


@dataclass(slots=True)
class Tally:
    """What came of it."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def shown(self) -> list[tuple[str, str]]:
        return self.rows

    def took(self, what: str, value: float, unit: str, most: float | None = None) -> None:
        aim = "" if most is None else f", at most {most:g} {unit}"
        self.rows.append((what, f"{value:,.1f} {unit}{aim}"))
        if most is not None and value > most:
            self.wrong.append(f"{what}: {value:,.1f} {unit}")


def campaign(count: int, seed: int) -> Tally:
    """A drill of `count` hours."""
    random.seed(seed)
    tally = Tally()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run" / "journal.jsonl"
        began = time.perf_counter()
        run_virtual(_drill(path, count * 3600.0))
        tally.took("the drill took", time.perf_counter() - began, "s")
        tally.took("journal", path.stat().st_size / 1e6, "MB", MOST_MB)
        began = time.perf_counter()
        history = load(path)
        verdict = judge(history)
        write_reports(path.parent, history, verdict)
        tally.took("read, judged, reported in", time.perf_counter() - began, "s")
        samples = sum(map(len, history.samples.values()))
        tally.rows.append(("samples", f"{samples:,}; {verdict.value}: {verdict.reasons[0]}"))
        if samples < 0.999 * PROBES * HZ * count * 3600:
            tally.wrong.append(f"{samples} samples are too few")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        tally.took("memory at most", peak, "MB")
        began = time.perf_counter()
        browser.browse(Path(directory), html.render(history, verdict))
        tally.took("report open in a browser that starts", time.perf_counter() - began, "s", OPEN_S)
    return tally


async def _drill(path: Path, seconds: float) -> None:
    lab, now = LookLab(small_lab()), Stopwatch()
    probes = {f"p{n}": Page(every=1 / HZ, timeout=2.0, hit=n % 2 == 0) for n in range(PROBES)}
    wanted = Experiment.model_validate(
        {
            "name": "long",
            "probes": probes,
            "faults": [{"kind": "region_outage", "region": "us-east-1", "lasts": seconds}],
            "objectives": {"p0": {"rto": 300}},
        }
    )
    journal = Journal.create(path, now)
    header = {"v": 1, "run": "r", "wall": "2026-11-21T10:00:00+00:00", "tool": "", "speed": 1}
    header |= {"fidelity": ["lab"], "environment": lab.describe(), "experiment": wanted.to_json()}
    journal.write("run", **header)
    try:
        await Run("r", wanted, lab, journal, Stop(), now).go()
    finally:
        journal.close()

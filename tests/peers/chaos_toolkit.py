"""Chaos Toolkit in a virtual environment of its own, one process a system.

https://chaostoolkit.org/reference/usage/run/: the steady-state hypothesis is looked at again and
again while the method goes on (`--hypothesis-strategy=continuously`), each second by default. One
probe in each hypothesis, for it leaves the others out once one has failed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from peers.looks import Look, Seen

PINNED = ("chaostoolkit==1.19.0", "chaostoolkit-lib==1.44.0")
FREQUENCY_S = 1
TIMEOUT_S = 2
ENDS_WITHIN_S = 120


def installed(directory: Path) -> Path:
    """Its command, in a new virtual environment there."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    subprocess.run([directory / "bin" / "pip", "install", "--quiet", *PINNED], check=True)
    return directory / "bin" / "chaos"


def experiment(url: str, lasts: float) -> dict[str, Any]:
    """An experiment whose method is to wait until it is over: what breaks is scripted elsewhere."""
    probe = {"type": "http", "url": url, "timeout": TIMEOUT_S}
    wait = {"type": "process", "path": "sleep", "arguments": f"{lasts:.0f}"}
    return {
        "title": "the service answers",
        "description": "while its outage goes on",
        "steady-state-hypothesis": {
            "title": "it answers",
            "probes": [{"type": "probe", "name": "answers", "tolerance": 200, "provider": probe}],
        },
        "method": [{"type": "action", "name": "the fault is on", "provider": wait}],
        "rollbacks": [],
    }


async def watched(
    command: Path, directory: Path, url: str, lasts: float, *, fail_fast: bool
) -> tuple[int, dict[str, Any]]:
    """Its exit code and its journal."""
    await asyncio.to_thread(_written, directory, experiment(url, lasts))
    process = await asyncio.create_subprocess_exec(
        *(command, "--no-version-check", "run", "experiment.json", "--journal-path=journal.json"),
        *("--hypothesis-strategy=continuously", f"--hypothesis-frequency={FREQUENCY_S}"),
        *(["--fail-fast"] if fail_fast else []),
        cwd=directory,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(lasts + ENDS_WITHIN_S):
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    return code, json.loads((directory / "journal.json").read_text())


def _written(directory: Path, what: dict[str, Any]) -> None:
    directory.mkdir()
    (directory / "experiment.json").write_text(json.dumps(what))


def seen(code: int, journal: dict[str, Any], wall_zero: float) -> Seen:
    """Its looks, and its verdict: it deviated, or ended well with exit code 0."""
    steady = journal["steady_states"]
    looked = [state for state in (steady["before"], *steady["during"], steady["after"]) if state]
    probes = [(probe, state["steady_state_met"]) for state in looked for probe in state["probes"]]
    looks = [
        Look(_at(probe["start"]) - wall_zero, _at(probe["end"]) - wall_zero, bool(met))
        for probe, met in probes
    ]
    well = code == 0 and journal["status"] == "completed" and not journal["deviated"]
    return Seen(looks=tuple(looks), said="held" if well else "broken")


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()

"""How long the lab takes to start, against the control plane in it started alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure, in_turns
from benchmarks.lab_watch import timed

ROUNDS = 5


def measure() -> list[Figure]:
    """Medians, in seconds of the wall."""
    taken = in_turns(ROUNDS, {"lab": _lab, "moto": _moto})
    lab, moto = median(taken["lab"]), median(taken["moto"])
    beside = f"moto's server alone, until it listens: {moto:.1f} s"
    return [Figure(name="start of the lab", value=lab, unit="s", compared_with=beside)]


def _lab() -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        return timed(["plan", "region-outage"], Path(directory))[1]


def _moto() -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        command = [sys.executable, "-m", "chaos.lab.moto", directory + "/moto"]
        began = perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as moto:
            assert moto.stdout is not None
            moto.stdout.readline()
            took = perf_counter() - began
            moto.communicate()
    return took

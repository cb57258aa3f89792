"""What a command costs before it does anything: against a bare interpreter, and against boto3."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure, in_turns

ROUNDS = 25
EXPERIMENT = Path(__file__).parents[2] / "experiments" / "region-outage.yaml"
CHAOS = str(Path(sys.executable).with_name("chaos"))


def measure() -> list[Figure]:
    """Medians of whole processes, in milliseconds of the wall, and their ratios."""
    taken = in_turns(ROUNDS, {name: partial(_wall_ms, command) for name, command in RUNS.items()})
    ms = {name: median(values) for name, values in taken.items()}
    version, validate = ms["version"] / ms["bare"], ms["validate"] / ms["bare"]
    bare = f"a bare interpreter: {ms['bare']:.0f} ms"
    libraries = f"{bare}; with pydantic, PyYAML, click: {ms['libraries'] / ms['bare']:.1f} times"
    boto3 = f"`import boto3`: {ms['boto3']:.0f} ms"
    return [
        Figure(name="chaos --version", value=version, unit="times", below=3, compared_with=bare),
        Figure(
            name="chaos validate", value=validate, unit="times", below=15, compared_with=libraries
        ),
        Figure(name="chaos --version", value=ms["version"], unit="ms", compared_with=boto3),
        Figure(name="chaos validate", value=ms["validate"], unit="ms", compared_with=boto3),
    ]


# Importing the libraries is not all: with its first model pydantic loads the rest of itself.
LIBRARIES = """
import click, pydantic, yaml
class Model(pydantic.BaseModel):
    number: int
"""
RUNS = {
    "bare": [sys.executable, "-c", "pass"],
    "boto3": [sys.executable, "-c", "import boto3"],
    "libraries": [sys.executable, "-c", LIBRARIES],
    "version": [CHAOS, "--version"],
    "validate": [CHAOS, "validate", str(EXPERIMENT)],
}


def _wall_ms(command: list[str]) -> float:
    began = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (perf_counter() - began) * 1000

"""What a run costs beyond its own timeline, from the command's start to its end.

The timeline is what the experiment itself asks for; the start of the lab stands apart.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.lab_watch import timed

ROUNDS = 7
EVERY, TIMEOUT = 0.02, 0.5
STEADY, LASTS = 1.0, 3.0
# After the fault every probe must be good for so long: confirm times every, and one timeout.
GOOD = max(STEADY, 3 * EVERY + TIMEOUT)
EXPERIMENT = f"""
name: short
steady_state: {{for: {STEADY}s, within: 60s}}
probes:
  playback:
    kind: http
    url: http://us-east-1.api.stream.example/playback
    every: {EVERY}s
    timeout: {TIMEOUT}s
faults:
  - {{kind: region_outage, region: us-east-1, mode: refuse, lasts: {LASTS}s}}
objectives:
  playback: {{heals_within: 10s}}
"""


def measure() -> list[Figure]:
    """Medians, in seconds of the wall."""
    runs = [_run() for _ in range(ROUNDS)]
    timeline = STEADY + LASTS + GOOD
    beyond = median(wall - lab - timeline for wall, lab in runs)
    lab = median(lab for _, lab in runs)
    beside = f"a timeline of {timeline:g} s; the lab's start: {lab:.1f} s"
    return [
        Figure(
            name="a run beyond its timeline",
            value=beyond,
            unit="s",
            below=0.5,
            compared_with=beside,
        )
    ]


def _run() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        (directory / "short.yaml").write_text(EXPERIMENT)
        return timed(["run", "short.yaml"], directory)

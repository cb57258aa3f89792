"""The shipped experiments are held in the lab, and each has twins that must not be.

A twin is the shipped experiment, or its lab, with one edit: a defect of the system that the drill
has to find. Every drill is real: processes, sockets, DNS; the lab's clock runs faster.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
EXPERIMENTS = ROOT / "experiments"
SYSTEMS = ROOT / "chaos" / "lab" / "systems"
SPEED = 5
# Where each answer takes several calls of moto, which a busy machine does not make in less.
SPEEDS = {"object-loss": 3, "queue-outage": 3}

Edits = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Twin:
    """An experiment with edits to it and to its lab, and what must come out."""

    experiment: str
    verdict: str
    exit_code: int
    reason: str = ""  # what the first reason must say
    edits: tuple[tuple[str, str], ...] = ()
    lab: tuple[tuple[str, str], ...] = ()


SECONDARY = """
    - name: api.stream.example
      ttl: 30s
      failover: secondary
      balancer: {service: playback, region: us-west-2}
      health_check: {path: /health, interval: 10s, threshold: 3}
"""
EMPTY_REGION = """
  us-west-2: [us-west-2a, us-west-2b]
  eu-west-1: [eu-west-1a]
"""
THREE_REPLICAS = "    regions: [us-east-1, us-west-2, eu-west-1]\n"
TIMEOUT = "        timeout: 1500ms     # without it a call to a service that hangs waits for ever\n"
BREAKER = "        breaker: {failures: 3, open_for: 10s}\n"
RESOLVER = "resolver: {timeout: 500ms, stale: true}"
ELSEWHERE = (
    "    elsewhere: true     # what is not in the region's own bucket may be in the other's\n"
)
RETRY = """
          Retry:
            - ErrorEquals: [States.ALL]
              IntervalSeconds: 5
              BackoffRate: 1.5
              MaxAttempts: 8
              MaxDelaySeconds: 20
"""

TWINS = {
    "region-outage": Twin(experiment="region-outage", verdict="held", exit_code=0),
    "instance-termination": Twin(experiment="instance-termination", verdict="held", exit_code=0),
    "dependency-outage": Twin(experiment="dependency-outage", verdict="held", exit_code=0),
    "slow-dns": Twin(experiment="slow-dns", verdict="held", exit_code=0),
    "dns-failure": Twin(experiment="dns-failure", verdict="held", exit_code=0),
    "zone-outage": Twin(experiment="zone-outage", verdict="held", exit_code=0),
    "queue-outage": Twin(experiment="queue-outage", verdict="held", exit_code=0),
    "pipeline-outage": Twin(experiment="pipeline-outage", verdict="held", exit_code=0),
    "alarm-detects": Twin(experiment="alarm-detects", verdict="held", exit_code=0),
    "object-loss": Twin(experiment="object-loss", verdict="held", exit_code=0),
    "a worker that stops at the first failure": Twin(
        experiment="queue-outage",
        verdict="broken",
        exit_code=1,
        reason="lag",
        lab=(("    retries: true ", "    retries: false "),),
    ),
    "a worker that deletes a message before it has passed it on": Twin(
        experiment="queue-outage",
        verdict="broken",
        exit_code=1,
        reason="messages",
        edits=(("    from: worker\n", "    from: worker\n    operations: [SendMessageBatch]\n"),),
        lab=(("    acknowledge: last ", "    acknowledge: first "),),
    ),
    "a pipeline without retries": Twin(
        experiment="pipeline-outage",
        verdict="broken",
        exit_code=1,
        reason="encoding",
        lab=((RETRY, "\n"),),
    ),
    "an alarm on a balancer that is not there": Twin(
        experiment="alarm-detects",
        verdict="broken",
        exit_code=1,
        reason="alarm",
        lab=(("dimensions: {LoadBalancer: playback}", "dimensions: {LoadBalancer: playbak}"),),
    ),
    "an app that never looks into the replica": Twin(
        experiment="object-loss",
        verdict="broken",
        exit_code=1,
        reason="playback",
        lab=((ELSEWHERE, ""),),
    ),
    "a balancer that looks too seldom": Twin(
        experiment="zone-outage",
        verdict="broken",
        exit_code=1,
        reason="us_east",
        lab=(("interval: 5s, timeout: 2s", "interval: 100s, timeout: 2s"),),
    ),
    "no failover record": Twin(
        experiment="region-outage",
        verdict="broken",
        exit_code=1,
        reason="playback",
        lab=((SECONDARY, "\n"),),
    ),
    "a client that caches DNS for ever": Twin(
        experiment="region-outage",
        verdict="broken",
        exit_code=1,
        reason="playback",
        edits=(
            (
                "url: http://api.stream.example/playback\n",
                "url: http://api.stream.example/playback\n    dns_cache: forever\n",
            ),
        ),
    ),
    "a group that does not replace": Twin(
        experiment="instance-termination",
        verdict="broken",
        exit_code=1,
        reason="us_east",
        lab=(("suspended: []", "suspended: [Launch]"),),
    ),
    "a service without a circuit breaker": Twin(
        experiment="dependency-outage",
        verdict="broken",
        exit_code=1,
        reason="page",
        lab=((BREAKER, ""),),
    ),
    "a service without timeouts, whose breaker never sees a failure": Twin(
        experiment="dependency-outage",
        verdict="broken",
        exit_code=1,
        reason="page",
        lab=((TIMEOUT, ""),),
    ),
    "a service without a fallback": Twin(
        experiment="dependency-outage",
        verdict="broken",
        exit_code=1,
        reason="page",
        lab=(("fallback: true ", "fallback: false "),),
    ),
    "a link that nobody uses": Twin(
        experiment="dependency-outage",
        verdict="unknown",
        exit_code=3,
        edits=(("    from: home\n", "    from: clients\n"),),
    ),
    "a resolver that waits as long as DNS does": Twin(
        experiment="slow-dns",
        verdict="broken",
        exit_code=1,
        reason="page",
        lab=((RESOLVER, "resolver: {stale: true}"),),
    ),
    "a resolver that gives up, and has nothing to fall back on": Twin(
        experiment="slow-dns",
        verdict="broken",
        exit_code=1,
        reason="page",
        lab=((RESOLVER, "resolver: {timeout: 500ms}"),),
    ),
    "a resolver without fallback": Twin(
        experiment="dns-failure",
        verdict="broken",
        exit_code=1,
        reason="fresh",
        lab=((RESOLVER, "resolver: {timeout: 500ms}"),),
    ),
    "a name of which DNS says that it does not exist": Twin(
        experiment="dns-failure",
        verdict="broken",
        exit_code=1,
        reason="fresh",
        edits=(("    how: servfail\n", "    how: nxdomain\n"),),
    ),
    "a fault that touches nothing": Twin(
        experiment="region-outage",
        verdict="unknown",
        exit_code=3,
        edits=(("region: us-east-1\n    at: 0s", "region: eu-west-1\n    at: 0s"),),
        lab=(
            ("\n  us-west-2: [us-west-2a, us-west-2b]\n", EMPTY_REGION),
            ("    regions: [us-east-1, us-west-2]\n", THREE_REPLICAS),
        ),
    ),
}


def edited(text: str, edits: tuple[tuple[str, str], ...]) -> str:
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} is not there once"
        text = text.replace(old, new)
    return text


def carry_out(twin: Twin, directory: Path) -> tuple[subprocess.CompletedProcess[str], Any]:
    """`chaos run` of the twin; returns the process and its verdict.json."""
    text = (EXPERIMENTS / f"{twin.experiment}.yaml").read_text()
    (lab,) = re.findall(r"^lab: ([\w-]+)$", text, re.MULTILINE)
    (directory / "lab.yaml").write_text(edited((SYSTEMS / f"{lab}.yaml").read_text(), twin.lab))
    text = edited(text, ((f"\nlab: {lab}\n", "\nlab: lab.yaml\n"), *twin.edits))
    (directory / "drill.yaml").write_text(text)
    speed = str(SPEEDS.get(twin.experiment, SPEED))
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "run", "drill.yaml", "--speed", speed],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    (verdict,) = directory.glob("chaos-runs/*/verdict.json")
    return done, json.loads(verdict.read_text())


@pytest.mark.parametrize("name", TWINS)
def test_the_verdict_is_right(tmp_path: Path, name: str) -> None:
    twin = TWINS[name]
    done, verdict = carry_out(twin, tmp_path)
    told = done.stdout + done.stderr
    assert (verdict["value"], done.returncode) == (twin.verdict, twin.exit_code), told
    assert twin.reason in verdict["reasons"][0], told


def test_every_shipped_experiment_is_carried_out_here() -> None:
    assert {path.stem for path in EXPERIMENTS.glob("*.yaml")} == {
        twin.experiment for twin in TWINS.values() if twin.verdict == "held"
    }

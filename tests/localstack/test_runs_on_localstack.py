"""The command line against LocalStack itself: the same verdicts, and nothing left in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from on_localstack import chaos, left, run

# What a user writes for a system with groups, where there is no Auto Scaling.
GROUPED = """\
name: grouped
regions: {us-east-1: [us-east-1a, us-east-1b]}
services:
  recommendations:
    app: recommendations
    auto_scaling: {}
    balancer: {path: /health, interval: 5s, timeout: 2s, unhealthy: 2, healthy: 2}
dns:
  zone: grouped.example
  records:
    - {name: api.grouped.example, ttl: 5s, balancer: {service: recommendations, region: us-east-1}}
"""
REPLACED = """\
name: replaced
lab: grouped.yaml
steady_state: {for: 3s, within: 60s}
probes:
  api:
    kind: http
    url: http://api.grouped.example/recommendations
    every: 500ms
    timeout: 2s
faults:
  - {kind: instance_termination, region: us-east-1, tags: {service: recommendations}, pick: all}
allow_irreversible: [instance_termination]
objectives:
  api: {rto: 90s}
"""
STAND_INS = """\
environments:
  localstack:
    stand_ins: {autoscaling: the lab's own reconciler}
"""


def test_the_lab_replaces_an_instance_of_a_group_where_the_experiment_says_so(
    localstack: str, tmp_path: Path
) -> None:
    (tmp_path / "grouped.yaml").write_text(GROUPED)
    (tmp_path / "replaced.yaml").write_text(REPLACED + STAND_INS)
    done, verdict = run(tmp_path, localstack, "replaced.yaml")
    assert (done.returncode, verdict["value"]) == (0, "held"), done.stderr
    assert verdict["stand_ins"] == {"autoscaling": "the lab's own reconciler"}
    assert not left(localstack, "grouped")


def test_an_experiment_that_needs_more_is_refused_before_anything_is_touched(
    localstack: str, tmp_path: Path
) -> None:
    (tmp_path / "grouped.yaml").write_text(GROUPED)
    (tmp_path / "replaced.yaml").write_text(REPLACED)
    done, _ = run(tmp_path, localstack, "replaced.yaml")
    assert done.returncode == 2
    assert "does not offer all that is needed here: Auto Scaling" in done.stderr
    assert not (tmp_path / "chaos-runs").exists()
    assert not left(localstack, "grouped")


def test_a_lab_that_stays_leaves_nothing_when_it_goes(localstack: str, tmp_path: Path) -> None:
    (tmp_path / "grouped.yaml").write_text(GROUPED)
    where = ("--environment", "localstack", "--endpoint", localstack)
    up = chaos(tmp_path, "lab", "up", "--lab", "grouped.yaml", *where, "--json")
    try:
        told = json.loads(up.stdout)
        assert told["control_plane"].endswith(f"at {localstack}")
        assert list(told["stand_ins"]) == ["autoscaling"]
        assert len(told["lab"]["instances"]) == 2
    finally:
        down = chaos(tmp_path, "lab", "down", "--all")
    assert down.returncode == 0, down.stderr
    assert not left(localstack, "grouped")


def test_a_second_lab_of_the_same_name_is_refused(localstack: str, tmp_path: Path) -> None:
    (tmp_path / "grouped.yaml").write_text(GROUPED)
    (tmp_path / "replaced.yaml").write_text(REPLACED + STAND_INS)
    where = ("--environment", "localstack", "--endpoint", localstack)
    chaos(tmp_path, "lab", "up", "--lab", "grouped.yaml", *where)
    try:
        done, _ = run(tmp_path, localstack, "replaced.yaml")
    finally:
        chaos(tmp_path, "lab", "down", "--all")
    assert done.returncode == 2
    assert f"a lab 'grouped' is at {localstack} already" in done.stderr


def test_a_lab_that_is_killed_is_cleared_away_after(localstack: str, tmp_path: Path) -> None:
    (tmp_path / "grouped.yaml").write_text(GROUPED)
    where = ("--environment", "localstack", "--endpoint", localstack)
    up = chaos(tmp_path, "lab", "up", "--lab", "grouped.yaml", *where, "--json")
    told = json.loads(up.stdout)
    assert left(localstack, "grouped")
    os.kill(told["lab"]["pid"], 9)
    down = chaos(tmp_path, "lab", "down", "--all")  # waits until nothing of its session is left
    assert down.returncode == 0, down.stderr
    assert not Path(told["lab"]["directory"]).exists()
    assert not left(localstack, "grouped")


def test_the_doctor_says_what_it_lacks_and_what_the_lab_stands_in_for(
    localstack: str, tmp_path: Path
) -> None:
    done = chaos(tmp_path, "doctor", "--endpoint", localstack)
    assert f"at {localstack} can be used: --environment localstack" in done.stdout
    assert "it does not offer Auto Scaling" in done.stdout
    assert "the lab stands in for Auto Scaling" in done.stdout

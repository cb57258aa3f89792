"""The doctor, on machines and accounts that really are as it says."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from patients import asked, nothing_configured, only

from chaos import doctor
from chaos.doctor import Asked, Finding, leftovers, machine
from chaos.environments.standing import Standing, StandingLabs
from chaos.experiment import load
from chaos.journal import Journal
from chaos.runs import Runs

__all__ = ["nothing_configured"]  # a fixture for all tests here


# --- the command --------------------------------------------------------------------------


def command(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chaos", "doctor", *args],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_machine_that_is_fit_is_told_so(tmp_path: Path) -> None:
    done = command(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "✗" not in done.stdout
    assert "✓ tmpdir" in done.stdout


def test_a_script_gets_all_findings(tmp_path: Path) -> None:
    done = command(tmp_path, "--json", "--endpoint", "http://127.0.0.1:1")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (2, False)
    assert {finding["check"] for finding in told["findings"]} >= {"python", "clock", "endpoint"}
    missing = [f["check"] for f in told["findings"] if f["level"] == "missing"]
    assert missing == ["endpoint"]


def test_a_check_that_hangs_or_breaks_does_not_hide_the_others(tmp_path: Path) -> None:
    waiting = threading.Event()

    def hangs(_: Asked) -> list[Finding]:
        waiting.wait(60)
        return []

    def breaks(_: Asked) -> list[Finding]:
        raise ZeroDivisionError("division by zero")

    checks = {"hangs": hangs, "breaks": breaks, "python": machine.python}
    found = [*doctor.examine(asked(tmp_path), checks, deadline_s=0.05)]
    waiting.set()
    assert [f.level for f in found] == ["warning", "warning", "ok"]
    assert found[0].says == "did not come to an end within 0.05 s"
    assert found[1].says == "could not be looked at: ZeroDivisionError: division by zero"


# --- the machine --------------------------------------------------------------------------


def test_a_low_limit_of_open_files(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    levels = []
    try:
        for limit in (300, 200):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            levels.append(only(machine.files(asked(tmp_path))).level)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert levels == ["warning", "missing"]


def test_no_port_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PORTS", 100_000)  # more than there are
    assert only(machine.ports(asked(tmp_path))).level == "missing"


def test_addresses_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ADDRESSES", ("127.1.0.10", "192.0.2.1"))  # RFC 5737: nobody's
    finding = only(machine.loopback(asked(tmp_path)))
    assert finding.level == "missing"
    assert "192.0.2.1" in finding.says
    assert "127.1.0.10" not in finding.says


def test_a_tmpdir_that_is_too_long_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    finding = only(machine.tmpdir(asked(tmp_path)))
    assert (finding.level, finding.do) == ("missing", "set TMPDIR to a shorter one, as /tmp")
    assert not [*long.iterdir()]


@pytest.mark.parametrize("there", [False, True], ids=["not-there", "a-file"])
def test_a_tmpdir_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if there:
        (tmp_path / "t").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    assert only(machine.tmpdir(asked(tmp_path))).level == "missing"


def test_a_directory_for_runs_that_cannot_be_written(tmp_path: Path) -> None:
    finding = only(machine.disk(Asked(runs=Runs(Path("/proc/runs")))))  # nobody writes there
    assert finding.level == "missing"
    assert "/proc/runs" in finding.says


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []
    for free in (2**20, 2**29, 2**31):
        usage = shutil._ntuple_diskusage(2**40, 2**40 - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        levels.append(only(machine.disk(asked(tmp_path))).level)
    assert levels == ["missing", "warning", "ok"]


def test_an_extra_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extras = {"lab": ("no_such_module", "labs"), "pytest": ("no_such_module", "tests")}
    monkeypatch.setattr(machine, "EXTRAS", extras)
    lab, tests = machine.extras(asked(tmp_path))
    assert (lab.level, lab.do) == ("missing", "in the clone: pip install '.[lab]'")
    assert (tests.level, tests.do) == ("absent", "in the clone: pip install '.[pytest]'")


def test_an_old_python_another_system_and_a_coarse_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = asked(tmp_path)
    coarse = time.get_clock_info("monotonic")
    coarse.resolution = 0.0156
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        patch.setattr(time, "get_clock_info", lambda _: coarse)
        patch.setattr(machine, "NEWEST_BAD_PYTHON", sys.version_info[:2])
        found = [only(c(here)) for c in (machine.platform, machine.clock, machine.python)]
    assert [finding.level for finding in found] == ["missing", "warning", "missing"]


# --- leftovers ----------------------------------------------------------------------------

EXPERIMENT = """
name: small
probes: {api: {kind: http, url: "http://api.stream.example/playback"}}
faults: [{kind: region_outage, region: us-east-1, lasts: 60s}]
objectives: {api: {heals_within: 10s}}
"""


def a_run(tmp_path: Path, name: str, *, put_back: bool) -> Journal:
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    experiment = load(tmp_path / "small.yaml").to_json()
    journal = Journal.create(asked(tmp_path).runs.journal(name), lambda: 0.0)
    journal.write("run", v=1, run=name, experiment=experiment)
    lever = {"kind": "reachability", "scope": "us-east-1"}
    pull = {"pull": 0, "fault": 0, "lever": lever, "prior": "open", "value": "drop"}
    journal.write("pull", irreversible=False, **pull)
    if put_back:
        journal.write("restored", pull=0, outcome="restored", found="open", error="")
        journal.write("end")
    return journal


def test_levers_that_nobody_put_back(tmp_path: Path) -> None:
    for name, put_back in (("one", True), ("two", False)):
        a_run(tmp_path, name, put_back=put_back).close()
    finding = only(leftovers.runs(asked(tmp_path)))
    journal = asked(tmp_path).runs.journal("two")
    assert (finding.level, finding.says) == ("warning", "two: 1 lever is not put back")
    assert finding.do == f"chaos rollback {journal}"


def test_a_run_that_goes_on_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    journal = a_run(tmp_path, "one", put_back=False)
    torn = asked(tmp_path).runs.journal("two")
    torn.parent.mkdir()
    torn.write_text('{"n": 0, "t": 0, "event": "end"}\n')
    goes_on, unread = leftovers.runs(asked(tmp_path))
    journal.close()
    assert goes_on.says == "one still goes on"
    assert unread.says.startswith("two cannot be read: ")


def test_labs_that_stand_and_have_ended(tmp_path: Path) -> None:
    labs = StandingLabs.of_user()
    ended = Standing(name="old", keeper=1, born="", boot="", since="", until="", ended="so")
    labs.claim(ended)
    finding = only(leftovers.labs(asked(tmp_path)))
    assert (finding.level, finding.says) == ("warning", "old has ended: so")
    assert labs.get("old") == ended  # looked at, not cleared away

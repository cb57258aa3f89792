"""The commands, as a user calls them: processes, their output, their exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from chaos.cli import COMMANDS, group
from chaos.journal import Journal

CHAOS = [sys.executable, "-m", "chaos"]
GOOD = """
name: small
probes: {api: {kind: http, url: "http://api.stream.example/playback"}}
faults: [{kind: region_outage, region: us-east-1, lasts: 60s}]
objectives: {api: {heals_within: 10s}}
"""


def chaos(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHAOS, *args],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_version_costs_no_heavy_import(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "chaos", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("chaos, version ")
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    heavy = {"boto3", "botocore", "aiohttp", "pydantic", "yaml", "asyncio", "dns", "rich"}
    assert not imported & heavy


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    done = chaos(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"chaos {command} " in done.stdout
    assert "Example:" in done.stdout


@pytest.mark.parametrize("group", [[], ["lab"]])
def test_what_a_command_does_is_told_in_full(tmp_path: Path, group: list[str]) -> None:
    done = chaos(*group, "--help", cwd=tmp_path, COLUMNS="60")
    commands = done.stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert "..." not in commands
    assert 40 < max(map(len, commands.splitlines())) <= 60


def test_a_valid_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(GOOD)
    done = chaos("validate", "small.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "small.yaml: valid\n")


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD.replace("lasts", "lats"))
    (tmp_path / "two.yaml").write_text(GOOD.replace("http,", "htp,"))
    done = chaos("validate", "one.yaml", "two.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "one.yaml:4:51: faults[0].lats: is not known here; did you mean 'lasts'?" in done.stderr
    assert "two.yaml:3:22: probes.api.kind: " in done.stderr
    assert "did you mean 'http'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "none.yaml"], "none.yaml"),
        (["validate", "none.yaml"], "none.yaml"),
        (["validte"], "No such command 'validte'. Did you mean 'validate'?"),
        (["frobnicate"], "No such command 'frobnicate'.\n"),
        (["plan", "region-outag"], "did you mean 'region-outage"),
        (["report", "none"], "no run 'none' in chaos-runs"),
        (["rollback", "none"], "no run 'none' in chaos-runs"),
        (["run", "region-outage", "--speed", "nan"], "nan is no speed"),
        (["run", "region-outage", "--speed", "fast"], "'fast' is not a valid float"),
        (
            ["run", "region-outage", "--environment", "mars"],
            "'mars' is not one of 'embedded', 'localstack'",
        ),
    ],
)
def test_what_is_not_there_is_one_sentence(tmp_path: Path, args: list[str], says: str) -> None:
    done = chaos(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_keep_a_journal_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file, where a directory should be")
    done = chaos("run", "region-outage", "--runs", "runs/deep", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot write the journal: Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_extra_says_what_to_install(tmp_path: Path) -> None:
    # A moto that cannot be imported stands in front of the one that is installed.
    hide = tmp_path / "sitecustomize.py"
    hide.write_text("import sys\nsys.modules['moto'] = None\n")
    work = tmp_path / "work"
    work.mkdir()
    done = chaos("run", "region-outage", cwd=work, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "pip install '.[lab]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(work.iterdir()) == []


def test_lists_name_what_there_is(tmp_path: Path) -> None:
    listed = {
        what: chaos("list", what, cwd=tmp_path).stdout
        for what in ("experiments", "faults", "probes", "levers", "runs")
    }
    assert "region-outage.yaml" in listed["experiments"]
    assert "instance_termination" in listed["faults"]
    assert "dynamodb_ledger" in listed["probes"]
    assert "reachability" in listed["levers"]
    assert listed["runs"] == ""


def test_a_journal_that_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"event": "sample"}\n')
    for command in ("report", "rollback"):
        done = chaos(command, "journal.jsonl", cwd=tmp_path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "journal" in done.stderr


def test_a_rollback_that_is_stopped_says_that_it_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chaos.custody.orphans.resume_minded", stopped)
    journal = tmp_path / "journal.jsonl"
    journal.touch()
    done = CliRunner().invoke(group, ["rollback", str(journal)])
    assert done.exit_code == 4
    assert done.stderr == f"stopped: not all is put back; to go on: chaos rollback {journal}\n"


def test_a_run_that_still_goes_on_is_not_rolled_back(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "chaos-runs" / "r" / "journal.jsonl", lambda: 0.0)
    journal.write("run", v=1, run="r", experiment={"probes": {}}, environment={})
    done = chaos("rollback", "r", cwd=tmp_path)
    judged = chaos("report", "r", cwd=tmp_path)
    journal.close()
    assert judged.returncode == 2
    assert "the run still goes on" in judged.stderr
    assert done.returncode == 2
    assert "the run still goes on in another process" in done.stderr


@pytest.mark.parametrize("args", [["list"], ["validate", "region-outage"], ["report", "latest"]])
def test_a_reader_that_has_gone_does_not_change_the_exit_code(
    tmp_path: Path, args: list[str]
) -> None:
    if args[0] == "report":
        journal = Journal.create(tmp_path / "chaos-runs" / "r" / "journal.jsonl", lambda: 0.0)
        header = {
            "v": 1,
            "run": "r",
            "speed": 1.0,
            "tool": "0",
            "wall": "2026-11-21T10:00:00+00:00",
        }
        parts = {"probes": {}, "faults": [], "objectives": {}, "recover_within": 60.0}
        named = {"name": "r", "title": "", "file": "r", "text": "", "sha256": ""}
        journal.write(
            "run",
            **header,
            environment={"kind": "embedded"},
            fidelity=[],
            experiment={**named, **parts, "steady_state": {"for": 5.0, "within": 60.0}},
        )
        journal.close()
    wanted = chaos(*args, cwd=tmp_path).returncode
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*CHAOS, *args],
        cwd=tmp_path,
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (wanted, "")

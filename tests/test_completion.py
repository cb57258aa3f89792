"""Completion, as a shell asks for it: what it offers, how cheaply, and that it never complains."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from calls import printed
from installed_package import installed

from chaos import library, reference
from chaos.cli import COMMANDS, completions

HEAVY = {"aiohttp", "asyncio", "boto3", "botocore", "dns", "moto", "pydantic", "rich", "yaml"}
# What a shell does when Tab is pressed behind these words, and then prints what was offered.
PRESS_TAB = """
compopt() { :; }
eval "$SCRIPT"
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=()
$FUNCTION "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def complete(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program as the script calls it: the words so far, the last one being typed."""
    asked = {
        "COMP_WORDS": " ".join(["chaos", *words]),
        "COMP_CWORD": str(len(words)),
        "_CHAOS_COMPLETE": "bash_complete",
    }
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "chaos"],
        env={**os.environ, **asked, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def offered(*words: str, **env: str) -> list[str]:
    done = complete(*words, **env)
    told = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert (done.returncode, told) == (0, []), done.stderr
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    "words",
    [("",), ("run", "re"), ("show", ""), ("report", ""), ("validate", "--"), ("list", "")],
)
def test_no_answer_waits_for_heavy_modules(words: tuple[str, ...]) -> None:
    lines = [line for line in complete(*words).stderr.splitlines() if "import time:" in line]
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in lines}
    assert not imported & HEAVY


def test_commands_and_options() -> None:
    assert offered("") == list(COMMANDS)
    assert offered("va") == ["validate"]
    assert "--version" in offered("--")
    assert {"--json", "--environment", "--var"} <= set(offered("plan", "region-outage", "--"))
    assert offered("run", "--environment", "") == ["embedded", "localstack", "aws"]
    assert offered("list", "r") == ["runs"]


def test_experiments_are_offered_by_name_and_then_as_files(here: Path) -> None:
    (here / "experiments").mkdir()
    (here / "experiments" / "mine.yaml").touch()
    (here / "beside.yaml").touch()
    names = [path.stem for path in library.shipped()]
    assert offered("run", "") == ["mine", *names, "beside.yaml"]
    assert offered("validate", "region-outage", "mi") == ["mine"]
    assert offered("plan", "experiments/") == ["file,experiments/"]
    assert offered("plan", "other") == ["file,other"]


def test_every_kind_is_offered_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {kind for family in reference.FAMILIES for kind in reference.names(family)}
    assert set(offered("show", "")) == kinds | set(library.names())
    assert offered("show", "region") == ["region_outage", "region-outage"]
    with installed(tmp_path, monkeypatch):
        assert offered("show", "acme_u", PYTHONPATH=str(tmp_path)) == ["acme_unplug"]


def test_runs_are_offered_newest_first(here: Path) -> None:
    assert offered("report", "") == []
    for run in ("20261120-a", "20261121-b"):
        (here / "kept" / run).mkdir(parents=True)
        (here / "kept" / run / "journal.jsonl").touch()
    wanted = ["latest", "20261121-b", "20261120-a"]
    assert offered("report", "--runs", "kept", "") == wanted
    assert offered("rollback", "", CHAOS_RUNS="kept") == wanted
    assert offered("mark", "20261121", CHAOS_RUNS="kept") == ["20261121-b"]


def test_what_goes_wrong_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(library, "names", broken)
    context, parameter = None, None
    assert completions.experiments(context, parameter, "") == []  # type: ignore[arg-type]  # unused


@pytest.mark.parametrize(
    ("program", "function"),
    [("chaos", "_chaos_completion"), ("chaos-drill", "_chaos_drill_completion")],
)
def test_bash_completes_with_the_script(program: str, function: str, here: Path) -> None:
    (here / program).write_text(f'#!/bin/sh\nexec {sys.executable} -m chaos "$@"\n')
    (here / program).chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
        "SCRIPT": printed("completion", "bash"),
        "FUNCTION": function,
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", PRESS_TAB, "bash", program, "show", "region"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("region_outage\nregion-outage\n", "")
    assert f"complete -o nosort -F {function} {program}\n" in env["SCRIPT"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_that_asks_in_their_way(shell: str) -> None:
    told = printed("completion", shell)
    assert f"_CHAOS_COMPLETE={shell}_complete" in told
    assert "chaos-drill" in told

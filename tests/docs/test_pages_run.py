"""Every command and file of the tutorial and the how-to pages runs, in the order of the page.

A fence `yaml`, `sh` or `python` whose first line is `# NAME` is a file. A fence `console` is a
session: what follows `$ ` is run by bash in the page's own directory, and the lines below it must
come out in that order; `…` in them stands for anything. A command that fails must be followed by
`$ echo $?`. Of a workflow file, the steps that call chaos are run.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import localstack_process
import namespaces
import pytest
import yaml

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = [DOCS / "tutorial.md", DOCS / "aws.md", *sorted(DOCS.glob("how-to/*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHIN_S = 300  # of the wall, for a whole page
EXIT_CODE = "echo $?"


@dataclass
class Step:
    """A command, and the lines that it must print."""

    command: str
    wanted: list[str] = field(default_factory=list)


def steps(session: str) -> Iterator[Step]:
    step: Step | None = None
    for line in session.splitlines():
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(line[2:])
        elif line.startswith("> ") and step and not step.wanted:
            step.command += "\n" + line[2:]
        elif step:
            step.wanted.append(line)
    if step:
        yield step


def fits(wanted: str, line: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
    return re.fullmatch(pattern, line.rstrip()) is not None


def missing(wanted: list[str], output: str) -> list[str]:
    """The wanted lines that do not come, in their order; blank ones and `…` may be anything."""
    lines = iter(output.splitlines())
    return [
        line
        for line in wanted
        if line.strip(" …") and not any(fits(line.rstrip(), got) for got in lines)
    ]


class Shell:
    """A bash that stays: variables, directory and jobs live from one command to the next."""

    def __init__(self, directory: Path) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CHAOS_"))}
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=directory,
            env={**keep, "PATH": path, "HOME": str(directory), "TMPDIR": str(directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.code = 0
        self.deadline = threading.Timer(WITHIN_S, self.kill)
        self.deadline.start()

    def run(self, command: str) -> str:
        """What the command printed, on both streams; `code` is how it ended."""
        assert self.bash.stdin is not None
        assert self.bash.stdout is not None
        end = "--end-of-step--"
        self.bash.stdin.write(f"(exit {self.code})\n{command}\necho {end}$?\n")
        self.bash.stdin.flush()
        output = ""
        for line in self.bash.stdout:
            before, found, code = line.partition(end)
            output += before
            if found:
                self.code = int(code)
                return output
        raise AssertionError(f"the shell ended in {command!r}:\n{output}")

    def kill(self) -> None:
        """End it with all that it has started and not waited for."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.bash.pid, signal.SIGKILL)

    def close(self) -> None:
        assert self.bash.stdin is not None
        assert self.bash.stdout is not None
        self.deadline.cancel()
        self.kill()
        self.bash.wait()
        self.bash.stdin.close()
        self.bash.stdout.close()


def write(text: str, directory: Path) -> Path | None:
    named = re.match(r"# (\S+\.\w+)\n", text)
    if named is None:
        return None
    file = directory / named[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def of_workflow(file: Path) -> list[Step]:
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    return [Step(run) for run in runs if run.startswith("chaos")]


def play(page: Path, directory: Path) -> list[str]:
    """Everything that is wrong with the page."""
    wrong: list[str] = []
    shell = Shell(directory)
    try:
        for kind, text in FENCE.findall(page.read_text()):
            todo = list(steps(text)) if kind == "console" else []
            if kind in ("yaml", "sh", "python") and (file := write(text, directory)):
                todo += of_workflow(file) if ".github" in file.parts else []
            for number, step in enumerate(todo):
                output = shell.run(step.command)
                wrong += [
                    f"{step.command}: no line {line!r} in its place in:\n{output}"
                    for line in missing(step.wanted, output)
                ]
                told = [later.command for later in todo[number + 1 : number + 2]] == [EXIT_CODE]
                if shell.code and not told:
                    wrong.append(f"{step.command}: exit code {shell.code}:\n{output}")
    finally:
        shell.close()
    return wrong


def lacking(text: str) -> str:
    """What the page calls and this machine does not have; empty when all is there."""
    if "$ until curl" in text and not shutil.which("curl"):
        return "needs curl"
    if "$ chaos exec --transparent" in text and namespaces.LACKING:
        return namespaces.LACKING
    if "$ localstack/start" in text and not localstack_process.may_be_started():
        return "needs Python 3.13 for LocalStack"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path) -> None:
    if not os.environ.get("CI") and (why := lacking(page.read_text())):
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="page-") as directory:
        # Pages are read in a clone, which has this too.
        (Path(directory) / "localstack").symlink_to(DOCS.parent / "localstack")
        wrong = play(page, Path(directory))
    assert not wrong, "\n".join(wrong)


def test_a_page_that_lies_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one; echo two\ntwo\none\n$ false\n$ true\n```\n")
    first, second = play(page, tmp_path)
    assert "no line 'one'" in first
    assert "exit code 1" in second


def test_every_page_has_something_to_run() -> None:
    for page in PAGES:
        assert "```console" in page.read_text(), page

"""`localstack/start`: LocalStack from pip, and one sentence for whatever keeps it from running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from localstack_process import KEPT, START, LocalStack, not_started, running


def ask(endpoint: str, path: str) -> Any:
    url = f"{endpoint}/_localstack/{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # our own server
        return json.load(answer)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What is said of a failure: the last line, and a code of 2."""
    assert done.returncode == 2, done.stderr
    return done.stderr.splitlines()[-1].removeprefix("localstack/start: ")


def listening(port: int) -> set[str]:
    """The addresses on which that port of this machine is listened on."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            (address, at), state = line.split()[1].split(":"), line.split()[3]
            if state == "0A" and int(at, 16) == port:
                found.add(address)
    return found


def alive(group: int) -> bool:
    """Whether a process of that group runs; one that nobody has asked after yet does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has gone meanwhile
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False


def test_it_starts_once_on_loopback_and_ends_with_all_that_it_started(tmp_path: Path) -> None:
    it = not_started(tmp_path)
    done = it.run("--detach")
    try:
        assert done.returncode == 0, done.stderr
        assert f"AWS_ENDPOINT_URL={it.endpoint} " in done.stdout
        assert "sqs" in ask(it.endpoint, "health")["services"]
        assert listening(it.port) == {"0100007F"}
        again = one_sentence(it.run("--detach"))
        assert again.startswith(f"LocalStack was started on port {it.port} already; to end it: ")
        pid = it.pid
        assert it.run("--stop").stdout == f"LocalStack on port {it.port} has ended\n"
        assert not alive(pid)
        assert one_sentence(it.run("--stop")).startswith("no LocalStack was started here")
    finally:
        it.stop()


def test_a_signal_ends_the_one_in_the_foreground(tmp_path: Path) -> None:
    it = not_started(tmp_path)
    started = foreground(it)
    try:
        assert started.stdout is not None
        assert any(line.startswith(f"LocalStack runs at {it.endpoint}") for line in started.stdout)
        pid = it.pid
        started.send_signal(signal.SIGINT)
        started.stdout.read()
        assert started.wait(60) == 130
        assert not alive(pid)
    finally:
        started.kill()
        started.communicate()
        it.stop()


def foreground(it: LocalStack) -> subprocess.Popen[str]:
    it.run("--install-only")
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {"LOCALSTACK_STATE": str(it.directory), "LOCALSTACK_INIT": str(it.hooks)}
    return subprocess.Popen(
        [START, "--port", str(it.port)], env=kept | own, stdout=subprocess.PIPE, text=True
    )


def test_one_that_was_killed_can_be_started_again(tmp_path: Path) -> None:
    with running(tmp_path) as it:
        session = ask(it.endpoint, "info")["session_id"]
        it.kill()
        assert not listening(it.port)
        it.start_again()
        assert ask(it.endpoint, "info")["session_id"] != session


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        it = LocalStack(sock.getsockname()[1], tmp_path / "state", tmp_path)
        said = one_sentence(it.run("--detach"))
    assert said == f"port {it.port} is taken by another program; choose one with --port"


def test_a_hook_that_fails_is_named_and_nothing_stays(tmp_path: Path) -> None:
    hook = tmp_path / "hooks" / "ready.d" / "20-broken.sh"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\necho no such thing >&2\nexit 3\n")
    hook.chmod(0o755)
    it = not_started(tmp_path, tmp_path / "hooks")
    said = one_sentence(it.run("--detach"))
    assert f"port {it.port}: its init hook did not succeed: 20-broken.sh;" in said
    assert not listening(it.port)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "0"), "--port must be a number from 1 to 65535, not 0"),
        (("--port=65536",), "--port must be a number from 1 to 65535, not 65536"),
        (("--port",), "--port needs a number"),
        (("--detatch",), "there is no option --detatch"),
        (("--detach", "--stop"), "--detach and --stop cannot be had together"),
    ],
)
def test_what_it_does_not_understand(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert one_sentence(not_started(tmp_path).run(*arguments)) == said


def test_another_python_than_it_needs(tmp_path: Path) -> None:
    """In a copy of the directory, which has no virtual environment yet."""
    copy = tmp_path / "localstack"
    copy.mkdir()
    for name in ("start", "requirements.txt"):
        (copy / name).write_bytes((START.parent / name).read_bytes())
    (copy / "start").chmod(0o755)

    def install(**environment: str) -> str:
        return one_sentence(
            subprocess.run(
                [copy / "start", "--install-only"],
                env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | environment,
                capture_output=True,
                text=True,
                check=False,
            )
        )

    assert install(LOCALSTACK_PYTHON="/bin/sh") == "LOCALSTACK_PYTHON=/bin/sh is no Python 3.13"
    said = install(PATH=str(only_tools(tmp_path / "bin")))
    assert said.startswith("LocalStack needs Python 3.13, which is not found; get it with 'uv ")
    assert not (copy / ".venv").exists()


def only_tools(directory: Path) -> Path:
    """A directory of programs in which there is no Python."""
    directory.mkdir()
    for tool in ("bash", "cmp", "dirname", "flock"):
        place = next(p for p in (Path("/usr/bin", tool), Path("/bin", tool)) if p.exists())
        (directory / tool).symlink_to(place)
    return directory

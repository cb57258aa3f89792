"""A whole run with canaries wherever a secret can be: none of them leaves it, in whatever form.

The same run shows what it listens on and whom its files are for.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

CANARIES = {
    "token": "c4nary/one+AAAAAAAAAAAAAAAA==",
    "key": 'c4nary two "quoted" BBBBBBBB',
    "note": "c4nary-three-CCCCCCCCCCCC\\x",
    "literal": "c4nary.four.DDDDDDDDDDDDD",
    "password": "c4nary5EEEEEEEEEEEEEEEEEE",
    "access": "c4nary6/FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
}
GOOD_FIRST = 12  # requests, so that there is a steady state
SPEED = "8"
WITHIN_S = 120.0
EXPERIMENT = """
name: canary
title: nothing secret leaves a run
variables:
  token: {{secret: true}}
  key: {{secret: true}}
  note: {{secret: true, description: what the app is told}}
steady_state: {{for: 1s, within: 60s}}
probes:
  echo:
    kind: http
    method: POST
    url: http://127.0.0.1:{port}/echo?token=given
    headers: {{Authorization: Bearer {literal}, X-Key: "${{key}}", X-Token: "${{token}}"}}
    body: "${{note}} and ${{token}}"
    every: 250ms
    timeout: 2s
  program:
    kind: command
    command: [sh, -c, "test -e {steady} || exit 0; echo $TOLD ${{token}} >&2; exit 1", prog]
    env: {{TOLD: "http://me:{password}@db.example/x {password}"}}
    every: 1s
    timeout: 900ms
  playback:
    kind: http
    url: http://api.stream.example/playback
    every: 250ms
    timeout: 2s
faults:
  - {{kind: region_outage, region: us-east-1, lasts: 4s}}
objectives:
  playback: {{heals_within: 30s}}
recover_within: 30s
"""


class Echo(http.server.BaseHTTPRequestHandler):
    """Repeats all that it was told, in clear, in base64 and percent-encoded, after a while."""

    asked = 0
    steady: Path

    def do_POST(self) -> None:
        type(self).asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, said = 200, ""
        if self.asked > GOOD_FIRST:
            self.steady.touch()
            told = [self.headers["X-Token"], self.headers["X-Key"], body, self.path]
            told.append(self.headers["Authorization"])
            status, said = 401, self._repeated(told[self.asked % len(told)])
        self.send_response(status)
        self.send_header("X-Region", body[:60])
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        self.wfile.write(said.encode())

    def _repeated(self, text: str) -> str:
        encoded = base64.b64encode(text.encode()).decode()
        return [text, encoded, quote(text, safe=""), json.dumps(text)][self.asked // 5 % 4]

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def echoing(steady: Path) -> Iterator[int]:
    handler = type("Handler", (Echo,), {"steady": steady})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def told(place: Path) -> tuple[str, list[str]]:
    """All that the run has said, and what was listened on meanwhile."""
    with echoing(place / "steady") as port:
        values = {"port": port, "steady": place / "steady", **CANARIES}
        (place / "canary.yaml").write_text(EXPERIMENT.format(**values))
        (place / "note.txt").write_text(CANARIES["note"] + "\n")
        given = [f"token={CANARIES['token']}", "key=env:THE_KEY", f"note=@{place}/note.txt"]
        args = [part for value in given for part in ("--var", value)]
        more = ["--json", "--allow-commands", "--metrics-port", "0", "--metrics-file", "m.prom"]
        command = [sys.executable, "-m", "chaos", "run", "canary.yaml", "--speed", SPEED]
        secret = {"THE_KEY": CANARIES["key"], "AWS_SECRET_ACCESS_KEY": CANARIES["access"]}
        with subprocess.Popen(
            [*command, *args, *more],
            cwd=place,
            env={**os.environ, "TMPDIR": str(place), **secret},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            umask=0,
        ) as run:
            assert run.stderr
            assert run.stdout
            said, listened, metrics = "", [], ""
            for line in run.stderr:
                said += line
                if line.startswith("metrics at "):
                    metrics = line.split()[-1]
                if "the fault is on" in line:
                    listened = listening(run.pid)
                    with urllib.request.urlopen(metrics, timeout=10) as page:  # noqa: S310  # ours
                        said += page.read().decode()
            said += run.stdout.read()
    assert run.returncode in (0, 1, 3), said
    return said, listened


def listening(runner: int) -> list[str]:
    """The addresses on which the run's processes listen: those of the runner, and its lab's."""
    mine = {runner}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent, _, session = (process / "stat").read_text().rpartition(")")[2].split()[1:4]
        except OSError:
            continue
        if int(parent) == runner or int(session) in mine:
            mine |= {int(process.name), int(session)} - {os.getsid(0)}
    inodes = set()
    for pid in mine:
        for fd in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(str(fd.readlink()))
            except OSError:
                continue
    found = []
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            _, local, remote, state, *_, inode = line.split()[:10]
            listens = state == "0A" or (kind.startswith("udp") and remote.endswith(":0000"))
            if listens and f"socket:[{inode}]" in inodes:
                found.append(address(local.partition(":")[0]))
    return found


def address(text: str) -> str:
    """One as the kernel prints it: words of four bytes, in the order of the machine."""
    words = [bytes.fromhex(text[n : n + 8])[::-1] for n in range(0, len(text), 8)]
    return str(ip_address(b"".join(words)))


def forms(value: str) -> set[str]:
    """A value as it may be repeated."""
    whole = base64.b64encode(value.encode()).decode()
    return {
        value,
        json.dumps(value)[1:-1],
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        whole[: len(whole) // 4 * 4 - 4],
        base64.b64encode(b"x" + value.encode()).decode()[4:-4],
        base64.b64encode(b"xx" + value.encode()).decode()[4:-4],
    }


def test_no_canary_leaves_the_run(place: Path, told: tuple[str, list[str]]) -> None:
    said, _ = told
    again = subprocess.run(
        [sys.executable, "-m", "chaos", "report", "latest", "--json"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    texts = {"output": said, "report": again.stdout + again.stderr}
    ours = [path for path in (place / "chaos-runs").rglob("*") if path.is_file()]
    texts |= {path.name: path.read_text(errors="replace") for path in [*ours, place / "m.prom"]}
    assert {"journal.jsonl", "report.html", "junit.xml", "verdict.json", "lab.log"} <= set(texts)
    assert "***" in texts["journal.jsonl"]
    assert "status 401" in texts["journal.jsonl"]
    assert "last words" in texts["journal.jsonl"]
    for name, text in texts.items():
        found = [n for n, value in CANARIES.items() for form in forms(value) if form in text]
        assert not found, f"{found} in {name}"
        cut = text[max(0, text.find("c4nary") - 200) :][:400] if "c4nary" in text else ""
        assert not cut, f"{name}: {cut}"


def test_the_file_is_known_by_its_sum_all_the_same(
    place: Path, told: tuple[str, list[str]]
) -> None:
    (journal,) = place.glob("chaos-runs/*/journal.jsonl")
    header = json.loads(journal.read_text().partition("\n")[0])
    kept = header["experiment"]
    assert kept["sha256"] == hashlib.sha256((place / "canary.yaml").read_bytes()).hexdigest()
    assert kept["variables"] == {"token": "***", "key": "***", "note": "***"}
    assert "Bearer ***" in kept["text"] or "Authorization: ***" in kept["text"]
    assert "url: http://127.0.0.1" in kept["text"]


def test_all_files_are_for_this_user_alone(place: Path, told: tuple[str, list[str]]) -> None:
    """The run was made with a umask that keeps nothing from anybody."""
    runs = place / "chaos-runs"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [runs, *runs.rglob("*")]}
    assert len(modes) >= 7
    wrong = {p.name: oct(m) for p, m in modes.items() if m != (0o700 if p.is_dir() else 0o600)}
    assert not wrong


def test_a_run_listens_on_loopback_alone(told: tuple[str, list[str]]) -> None:
    _, listened = told
    assert len(listened) >= 8
    assert not [found for found in listened if not ip_address(found).is_loopback]


def test_a_dead_runner_takes_its_outage_with_it(place: Path) -> None:
    """Nobody cleans up after it: the lab ends by itself, and every fault with it."""
    run = subprocess.Popen(
        [sys.executable, "-u", "-m", "chaos", "run", "region-outage", "--runs", "killed"],
        cwd=place,
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    for line in run.stdout:
        if "injecting" in line:
            break
    (journal,) = place.glob("killed/*/journal.jsonl")
    lab = json.loads(journal.read_text().partition("\n")[0])["environment"]["pid"]
    gone = os.pidfd_open(lab)
    run.send_signal(signal.SIGKILL)
    run.wait(WITHIN_S)
    run.stdout.close()
    ended, _, _ = select.select([gone], [], [], 30)
    os.close(gone)
    assert ended

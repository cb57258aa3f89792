"""The DNS server: questions per second next to dnsmasq, and how exact its delays are.

Needs dnsmasq and dnsperf (Debian: dnsmasq-base, dnsperf).
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import dns.message
from benchmarks.dns_server import NAMES, ZONE
from benchmarks.figures import Figure, in_turns, percentile

HOST = "127.0.0.1"
ROUNDS = 5
SECONDS = "2"  # of each round
CLIENTS = ["-c", "8", "-q", "100"]
ASKED = 200  # questions whose delay is measured, one every EVERY_S
EVERY_S = 0.0237  # no delay is a multiple of it: no answer is due with the next question
READY_WITHIN_S = 20.0
# Rules in force while the questions that they do not mean are answered.
OTHERS: list[dict[str, object]] = [
    {"action": "servfail", "names": ["*.elsewhere.example", "down.example"]}
]


def measure() -> list[Figure]:
    """Medians over the rounds, in turns with dnsmasq, and percentiles of lateness."""
    for tool in ("dnsmasq", "dnsperf"):
        if shutil.which(tool, path=PATH) is None:
            raise SystemExit(f"{tool} is not installed: apt-get install dnsmasq-base dnsperf")
    return [*_speed(), *_accuracy()]


def _speed() -> list[Figure]:
    with ExitStack() as stack:
        run = stack.enter_context
        behind = run(_dnsmasq(f"--address=/{ZONE}/127.1.0.10"))
        ports = {
            "dnsmasq": run(_dnsmasq(f"--address=/{ZONE}/127.1.0.10")),
            "ours": run(_ours("authority", [], 0)),
            "ours, with a rule": run(_ours("authority", OTHERS, 0)),
            "dnsmasq forwards": run(_dnsmasq(f"--server={HOST}#{behind}")),
            "ours forwards": run(_ours("forwarder", [], behind)),
        }
        questions = run(_questions())
        taken = in_turns(
            ROUNDS, {name: partial(_per_second, port, questions) for name, port in ports.items()}
        )
    rate = {name: median(values) for name, values in taken.items()}
    answers, forwards = rate["dnsmasq"], rate["dnsmasq forwards"]
    pairs = [("ours", answers), ("ours, with a rule", answers), ("ours forwards", forwards)]
    return [
        Figure(
            name=name.replace("ours", "DNS server"),
            value=round(rate[name], -2),
            unit="questions/s",
            compared_with=f"dnsmasq: {other:,.0f} questions/s; {rate[name] / other:.2f} of it",
        )
        for name, other in pairs
    ]


def _accuracy() -> list[Figure]:
    taken = {delay: _lateness(delay) for delay in (0.0, 0.05, 0.5)}
    none = taken.pop(0.0)
    noise = f"without a delay: {percentile(none, 0.99):.2f} ms"
    figures = []
    for delay, late in taken.items():
        what = f"DNS delay of {1000 * delay:.0f} ms"
        early = f"the least of {ASKED}: {min(late):.2f} ms"
        half, most = percentile(late, 0.5), percentile(late, 0.99)
        figures += [
            Figure(name=f"{what}, p50 late by", value=half, unit="ms", compared_with=early),
            Figure(
                name=f"{what}, p99 late by", value=most, unit="ms", below=2, compared_with=noise
            ),
        ]
    return figures


def _lateness(delay: float) -> list[float]:
    """Milliseconds beyond the delay, the way there and back included."""
    with _ours("authority", [{"action": "delay", "seconds": delay}] if delay else [], 0) as port:
        return [1000 * (took - delay) for took in _answer_times(port)]


def _answer_times(port: int) -> list[float]:
    """Seconds from each question to its answer, asked on a grid whether or not one is awaited."""
    query = dns.message.make_query(f"{NAMES[0]}.{ZONE}", "A").to_wire()
    sent, took = dict[bytes, float](), list[float]()
    began = monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        while len(took) < ASKED:
            due = began + len(sent) * EVERY_S
            sock.settimeout(max(due - monotonic(), 0.0001) if len(sent) < ASKED else 5.0)
            try:
                answer = sock.recv(512)
            except (TimeoutError, BlockingIOError):
                number = len(sent).to_bytes(2)
                sent[number] = monotonic()
                sock.send(number + query[2:])
            else:
                took.append(monotonic() - sent[answer[:2]])
    return took


def _per_second(port: int, questions: Path) -> float:
    command = ["dnsperf", "-s", HOST, "-p", str(port), "-d", str(questions), "-l", SECONDS]
    done = subprocess.run(
        [*command, *CLIENTS], check=True, capture_output=True, text=True, timeout=60
    )
    found = re.search(r"Queries per second:\s+([0-9.]+)", done.stdout)
    assert found, done.stdout
    assert "NOERROR" in done.stdout, done.stdout
    return float(found[1])


@contextmanager
def _questions() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "questions.txt"
        path.write_text("".join(f"{name}.{ZONE} A\n" for name in NAMES))
        yield path


@contextmanager
def _ours(kind: str, rules: list[dict[str, object]], upstream: int) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.dns_server", kind, json.dumps(rules)]
    with _killed(
        subprocess.Popen([*command, str(upstream)], stdout=subprocess.PIPE, text=True)
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextmanager
def _dnsmasq(*options: str) -> Iterator[int]:
    """Without its cache: what is compared is answering, and passing on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    usual = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"]
    at = [f"--port={port}", f"--listen-address={HOST}", "--bind-interfaces", "--cache-size=0"]
    limits = ["--dns-forward-max=5000", "--pid-file=", "--user="]
    command = [shutil.which("dnsmasq", path=PATH) or "dnsmasq", *usual, *at, *limits, *options]
    with _killed(subprocess.Popen(command, text=True)):
        _wait_for(port)
        yield port


def _wait_for(port: int) -> None:
    query = dns.message.make_query(f"{NAMES[0]}.{ZONE}", "A").to_wire()
    until = monotonic() + READY_WITHIN_S
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        sock.settimeout(0.2)
        while monotonic() < until:
            try:
                sock.send(query)
                sock.recv(512)
            except OSError:
                sleep(0.05)
            else:
                return
    raise SystemExit("dnsmasq does not answer")


@contextmanager
def _killed(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    with process:
        try:
            yield process
        finally:
            process.kill()


# dnsmasq is a daemon, and those are not in everybody's PATH.
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

"""The AWS API proxy next to HAProxy in TCP mode: calls per second and latency, in turns.

Needs haproxy and wrk (Debian: haproxy, wrk) and two cores: what passes calls on has the second
one for itself; wrk and what answers (HAProxy too, `http-request return`) share the first.
"""

from __future__ import annotations

import os
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

from benchmarks.figures import Figure, in_turns
from benchmarks.wrk import CALL, Slice, load

HOST = "127.0.0.1"
ROUNDS = 5
CONNECTIONS = (1, 32, 256)
OTHERS = 10  # rules in force that mean none of the calls
READY_WITHIN_S = 10.0
# haproxy is a daemon, and those are not in everybody's PATH.
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
CONFIG = """\
global
  nbthread 1
  maxconn 4096
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
"""
ANSWER = r"{\"Item\": {\"viewer\": {\"S\": \"v\"}, \"at\": {\"N\": \"1\"}}}"
ANSWERS = """\
listen answers
  mode http
  bind 127.0.0.1:{port}
  http-request return status 200 content-type application/x-amz-json-1.0 string "{ANSWER}"
"""
PASSES = """\
listen passes
  mode tcp
  bind 127.0.0.1:{port}
  server answers 127.0.0.1:{upstream}
"""
OURS = "proxy"
OURS_WITH_RULES = f"proxy, {OTHERS} other rules"


def measure() -> list[Figure]:
    """Medians over slices of a second, each way in turn."""
    for tool, package in (("haproxy", "haproxy"), ("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(tool, path=PATH) is None:
            raise SystemExit(f"{tool} is not installed: apt-get install {package}")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("this benchmark needs two cores: one is the proxy's alone")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports, loop = _stand(stack, directory, cores)
        script = directory / "call.lua"
        script.write_text(CALL)
        return [
            figure
            for connections in CONNECTIONS
            for figure in _figures(connections, loop, _slices(ports, connections, script, cores[0]))
        ]


def _stand(stack: ExitStack, directory: Path, cores: list[int]) -> tuple[dict[str, int], str]:
    """What is to be measured, by its port, and the name of our proxy's loop."""
    answers = stack.enter_context(_haproxy(directory, "answers", ANSWERS, cores[0], 0))
    passes = stack.enter_context(_haproxy(directory, "passes", PASSES, cores[1], answers))
    ours, loop = stack.enter_context(_ours(answers, 0, cores[1]))
    with_rules, _ = stack.enter_context(_ours(answers, OTHERS, cores[1]))
    ports = {"direct": answers, "HAProxy": passes, OURS: ours, OURS_WITH_RULES: with_rules}
    return ports, loop


def _slices(
    ports: dict[str, int], connections: int, script: Path, core: int
) -> dict[str, list[Slice]]:
    taken: dict[str, list[Slice]] = {name: [] for name in ports}

    def once(name: str) -> float:
        taken[name].append(load(ports[name], connections, script, core))
        return taken[name][-1].per_second

    in_turns(ROUNDS, {name: partial(once, name) for name in ports})
    return {name: slices[1:] for name, slices in taken.items()}  # the first was to warm up


def _figures(connections: int, loop: str, taken: dict[str, list[Slice]]) -> Iterator[Figure]:
    aimed = connections == 32
    haproxy = [one.per_second for one in taken["HAProxy"]]
    for name in (OURS, OURS_WITH_RULES):
        pairs = zip(taken[name], haproxy, strict=True)
        aim = aimed and name == OURS
        yield Figure(
            name=f"{name}, {connections} connections",
            value=median(one.per_second / other for one, other in pairs),
            unit="of HAProxy's calls/s",
            at_least=0.9 if aim else None,
            compared_with=_beside(taken, name, loop),
        )
        yield Figure(
            name=f"{name}, {connections} connections, p99",
            value=median(one.p99 for one in taken[name]),
            unit="ms",
            below=3 if aim else None,
            compared_with=_latencies(taken, name),
        )


def _beside(taken: dict[str, list[Slice]], name: str, loop: str) -> str:
    rate = {each: median(one.per_second for one in slices) for each, slices in taken.items()}
    return (
        f"{rate[name]:,.0f} calls/s on {loop}; HAProxy in TCP mode: {rate['HAProxy']:,.0f}, "
        f"direct: {rate['direct']:,.0f}"
    )


def _latencies(taken: dict[str, list[Slice]], name: str) -> str:
    def both(each: str) -> str:
        p50, p99 = (median(getattr(one, p) for one in taken[each]) for p in ("p50", "p99"))
        return f"{p50:.3g} and {p99:.3g} ms"

    others = ", ".join(f"{each}: {both(each)}" for each in ("HAProxy", "direct"))
    return f"p50 {median(one.p50 for one in taken[name]):.3g} ms; p50 and p99 of {others}"


@contextmanager
def _ours(upstream: int, rules: int, core: int) -> Iterator[tuple[int, str]]:
    command = [sys.executable, "-m", "benchmarks.api_proxy_server", str(upstream), str(rules)]
    with _pinned(command, core) as process:
        assert process.stdout is not None
        port, loop = process.stdout.readline().split()
        yield int(port), loop


@contextmanager
def _haproxy(directory: Path, name: str, part: str, core: int, upstream: int) -> Iterator[int]:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    path = directory / f"{name}.cfg"
    path.write_text(CONFIG + part.format(port=port, upstream=upstream, ANSWER=ANSWER))
    command = [shutil.which("haproxy", path=PATH) or "haproxy", "-db", "-q", "-f", str(path)]
    with _pinned(command, core):
        _wait_for(port)
        yield port


def _wait_for(port: int) -> None:
    until = monotonic() + READY_WITHIN_S
    while monotonic() < until:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            sleep(0.05)
        else:
            return
    raise SystemExit("haproxy does not answer")


@contextmanager
def _pinned(command: list[str], core: int) -> Iterator[subprocess.Popen[str]]:
    pinned = ["taskset", "-c", str(core), *command]
    with subprocess.Popen(pinned, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()

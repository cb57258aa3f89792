"""What the lab and the probes need of this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from chaos.doctor.finding import Asked, Finding, Level
from chaos.lab.__main__ import LONGEST_DIRECTORY

NEWEST_BAD_PYTHON = (3, 10)
# The corners of what a lab may use: 127.<region>.<zone>.<host>.
ADDRESSES = ("127.1.0.10", "127.1.1.10", "127.16.20.250")
# A lab alone takes under 50 files; a probe may have 500 attempts under way, with a socket each.
FEWEST_FILES, ENOUGH_FILES = 256, 1024
PORTS = 64  # more than a lab and the attempts of a second take
FEWEST_BYTES, ENOUGH_BYTES = 16 * 2**20, 2**30
COARSEST_TICK_S = 0.001
# The extras: a module that comes with it, and what needs it.
EXTRAS = {
    "lab": ("moto", "the embedded lab"),
    "grpc": ("grpc", "probes of kind `grpc_health`"),
    "pytest": ("pytest", "drills as pytest tests"),
    "transparent": ("cryptography", "`chaos exec --transparent`"),
}
NEEDED_EXTRA = "lab"


def python(_: Asked) -> Iterator[Finding]:
    """The interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] <= NEWEST_BAD_PYTHON:
        yield Finding("python", "missing", f"is Python {version}", "use Python 3.11 or newer")
    else:
        yield Finding("python", "ok", f"Python {version}")


def platform(_: Asked) -> Iterator[Finding]:
    """The lab needs what only Linux has: all of 127/8, and accept queues that drop SYNs."""
    if sys.platform == "linux":
        yield Finding("platform", "ok", f"Linux {os.uname().release}")
    else:
        yield Finding(
            "platform",
            "missing",
            f"{sys.platform}: the lab runs on Linux only",
            "use a virtual machine or a container with Linux",
        )


def loopback(_: Asked) -> Iterator[Finding]:
    """Whether the lab's addresses can be had."""
    refused = []
    for address in ADDRESSES:
        with socket.socket() as sock:
            try:
                sock.bind((address, 0))
            except OSError as error:
                refused.append(f"{address} ({error.strerror})")
    if refused:
        do = "bring the loopback up with all of 127.0.0.0/8: ip addr add 127.0.0.1/8 dev lo"
        yield Finding("loopback", "missing", f"cannot listen on {', '.join(refused)}", do)
    else:
        yield Finding("loopback", "ok", "all of 127.0.0.0/8 can be listened on")


def files(_: Asked) -> Iterator[Finding]:
    """The limit of open files, which children inherit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    says, do = f"{limit} files may be open", f"raise it: ulimit -n {ENOUGH_FILES}"
    if limit == resource.RLIM_INFINITY or limit >= ENOUGH_FILES:
        yield Finding("files", "ok", "any number of files may be open" if limit < 0 else says)
    elif limit >= FEWEST_FILES:
        says += "; attempts that hang by the hundred need more"
        yield Finding("files", "warning", says, do)
    else:
        yield Finding("files", "missing", f"only {says}", do)


def ports(_: Asked) -> Iterator[Finding]:
    """Whether free ports can be had, TCP and UDP; the lab takes any."""
    with contextlib.ExitStack() as stack:
        try:
            for number in range(PORTS):
                kind = socket.SOCK_STREAM if number % 2 else socket.SOCK_DGRAM
                sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                sock.bind(("127.0.0.1", 0))
        except OSError as error:
            do = "end what holds the ports (ss -s), or widen net.ipv4.ip_local_port_range"
            yield Finding("ports", "missing", f"no free port is left: {error.strerror}", do)
            return
    yield Finding("ports", "ok", "free ports can be had")


def tmpdir(_: Asked) -> Iterator[Finding]:
    """Where the lab keeps its sockets: it must take files, and be short enough for them."""
    try:
        with tempfile.TemporaryDirectory(prefix="chaos-lab-") as directory:
            if len(directory) > LONGEST_DIRECTORY:
                says = f"{Path(directory).parent} is too long a path for unix sockets"
                yield Finding("tmpdir", "missing", says, "set TMPDIR to a shorter one, as /tmp")
                return
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(f"{directory}/control.sock")
    except OSError as error:
        says = f"no directory for temporary files can be used: {error.strerror or error}"
        yield Finding("tmpdir", "missing", says, "set TMPDIR to a directory that you may write")
        return
    yield Finding("tmpdir", "ok", f"{Path(directory).parent} takes files and sockets")


def disk(asked: Asked) -> Iterator[Finding]:
    """Where the runs are kept, or will be: whether it may be written, and has room."""
    wanted = asked.runs.directory.absolute()
    directory = next(p for p in (wanted, *wanted.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=directory):
            free = shutil.disk_usage(directory).free
    except OSError as error:
        says = f"runs cannot be kept in {wanted}: {error.strerror}"
        yield Finding("disk", "missing", says, "name another directory with --runs or CHAOS_RUNS")
        return
    says = f"{free / 2**30:.1f} GiB are free for runs in {wanted}"
    do = "make room, or name another directory with --runs or CHAOS_RUNS"
    if free < FEWEST_BYTES:
        yield Finding("disk", "missing", says, do)
    elif free < ENOUGH_BYTES:
        yield Finding("disk", "warning", f"only {says}; a long drill takes some hundred MiB", do)
    else:
        yield Finding("disk", "ok", says)


def extras(_: Asked) -> Iterator[Finding]:
    """What was left out when chaos was installed; those that this version offers."""
    offered = metadata.metadata("chaos-drill").get_all("Provides-Extra") or []
    for extra, (module, needed_for) in EXTRAS.items():
        if extra not in offered:
            continue
        if importlib.util.find_spec(module) is not None:
            yield Finding("extras", "ok", f"{extra} is installed: {needed_for}")
        else:
            level: Level = "missing" if extra == NEEDED_EXTRA else "absent"
            says = f"{extra} is not installed; it is for {needed_for}"
            yield Finding("extras", level, says, f"in the clone: pip install '.[{extra}]'")


def clock(_: Asked) -> Iterator[Finding]:
    """The clock that everything is measured with."""
    tick = time.get_clock_info("monotonic").resolution
    says = f"the monotonic clock ticks every {tick * 1e9:g} ns"
    if tick > COARSEST_TICK_S:
        says += "; latencies below that are not told apart"
        yield Finding("clock", "warning", says, "choose another clock source of the kernel")
    else:
        yield Finding("clock", "ok", says)

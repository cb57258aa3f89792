"""One `chaos exec` from its start to its end."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.cli.exec_ending import Outcome, tell, write
from chaos.cli.exec_environment import environment_of
from chaos.cli.exec_process import refuse_unknown, started
from chaos.cli.say import say
from chaos.environments.localstack import look
from chaos.errors import InvalidInput
from chaos.lab.control_plane import Moto
from chaos.loops import run_fast
from chaos.proxies.admin import AdminDoor
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.rules import Rules

LOOPBACK = "127.0.0.1"

Place = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line; `rules` are JSON by their id."""

    command: list[str]
    environment: str
    endpoint: str | None
    region: str | None
    rules: Mapping[str, dict[str, Any]]
    allow_unmet: bool
    transparent: bool
    keep_credentials: bool
    report: Path | None


def run(wanted: Wanted) -> int:
    """The exit code; raises InvalidInput or EnvironmentFailed before the command has begun."""
    refuse_unknown(wanted.command, os.environ)
    if wanted.report and not wanted.report.parent.is_dir():
        raise InvalidInput(f"--report: {wanted.report.parent} is no directory; make it first")
    outcome = run_fast(_run(wanted))
    tell(outcome)
    if wanted.report:
        write(outcome, wanted.report)
    return outcome.exit_code


async def _run(wanted: Wanted) -> Outcome:
    rules = Rules()
    async with _emulator(wanted) as (name, upstream):
        admin = AdminDoor(rules, lambda: proxy.requests)
        proxy = ApiProxy(upstream, rules, admin=admin.answer, keeps_queues=True)
        port = await proxy.start(LOOPBACK, 0)
        try:
            rules.replace_all(wanted.rules)  # now: schedules count from here
            say(f"the proxy is http://{LOOPBACK}:{port}, before {name}", to_stderr=True)
            code, untrusting = await _through(wanted, (LOOPBACK, port), upstream)
        finally:
            await proxy.stop()
    return Outcome(
        command=wanted.command,
        code=code,
        requests=proxy.requests,
        rules=[(rule, rules.hits(id)) for id, rule in wanted.rules.items()],  # noqa: A001  # its name
        allow_unmet=wanted.allow_unmet,
        transparent=wanted.transparent,
        untrusting=untrusting,
    )


@contextlib.asynccontextmanager
async def _emulator(wanted: Wanted) -> AsyncIterator[tuple[str, Place]]:
    """What it is called, and where it is."""
    if wanted.environment == "localstack":
        found = await look(wanted.endpoint)
        yield found.name, found.address
        return
    moto = Moto()
    with tempfile.TemporaryDirectory(prefix="chaos-exec-", ignore_cleanup_errors=True) as directory:
        try:
            yield "a moto server of its own", await moto.start(Path(directory))
        finally:
            await moto.stop()


async def _through(wanted: Wanted, proxy: Place, emulator: Place) -> tuple[int, int]:
    """The command's exit code, and how many TLS connections did not trust ours."""
    environment = environment_of(
        os.environ,
        f"http://{proxy[0]}:{proxy[1]}",
        region=wanted.region,
        transparent=wanted.transparent,
        keep_credentials=wanted.keep_credentials,
    )
    if wanted.transparent:
        return await _inside(wanted.command, environment, proxy, emulator)
    async with started(wanted.command, environment) as process:
        return await process.ended(), 0


async def _inside(
    command: list[str], environment: dict[str, str], proxy: Place, emulator: Place
) -> tuple[int, int]:
    from chaos.sandbox.authority import Authority
    from chaos.sandbox.namespace import Namespace
    from chaos.sandbox.sandbox import served

    path = environment.get("PATH", "")
    with contextlib.closing(Namespace(path)) as namespace, Authority() as authority:
        trusting = {**environment, **authority.trusted(environment)}
        argv = namespace.argv(command)
        async with (
            started(argv, trusting, namespace.fds) as process,
            served(namespace, authority, proxy=proxy, emulator=emulator) as passage,
        ):
            await namespace.begin()
            return await process.ended(), passage.untrusting

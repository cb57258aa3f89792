"""One `chaos dns` from its start to its end, and what is said of it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import signal
from collections.abc import Callable
from typing import Any

from chaos.cli.dns_places import DNS_PORT, Place, shown
from chaos.cli.say import say
from chaos.errors import EnvironmentFailed
from chaos.proxies.dns import DnsServer
from chaos.proxies.dns_faulty import Faulty
from chaos.proxies.dns_forwarder import Forwarder, Upstream
from chaos.proxies.dns_rules import DnsRules

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Session:
    """The server with its upstreams and rules, and what is said of it."""

    def __init__(
        self,
        asked: list[Place],
        put: list[tuple[str, dict[str, Any]]],
        *,
        as_json: bool,
        allowed: Callable[[str], bool] | None = None,
        lifeline: bool = False,
    ) -> None:
        """Who is not `allowed` gets no answer; with a `lifeline` the rules live by the input."""
        self._lifeline = lifeline
        self._put = put
        self._as_json = as_json
        self._rules = DnsRules()
        for number, (_, rule) in enumerate(put, 1):
            self._rules.put(str(number), rule)
        self._forwarder = Forwarder(asked)
        faulty = Faulty(self._forwarder.respond, self._rules, recursive=True)
        self._server = DnsServer(faulty.respond, allowed=allowed)

    async def serve(self, at: Place, seconds: float | None) -> None:
        """Answer until a signal comes or the time is over; raises EnvironmentFailed."""
        over = asyncio.Event()
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        bound = await self._start(at)
        try:
            self._tell_start((at[0], bound))
            if self._lifeline:
                asyncio.get_running_loop().add_reader(0, self._listen_for_the_end)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await over.wait()
        finally:
            await self._server.stop()
        self._tell_end()

    def _listen_for_the_end(self) -> None:
        """Whoever held our standard input is gone: what it has broken must not stay."""
        if os.read(0, 4096):
            return
        asyncio.get_running_loop().remove_reader(0)
        for number in range(1, len(self._put) + 1):
            self._rules.put(str(number), None)
        say("standard input has closed: all rules are lifted, questions pass", to_stderr=True)

    async def _start(self, at: Place) -> int:
        try:
            return await self._server.start(*at)
        except EnvironmentFailed as error:
            if not isinstance(error.__cause__, PermissionError):
                raise
            raise EnvironmentFailed(
                f"{error}; ports below 1024 are root's, or anybody's after"
                f" sysctl net.ipv4.ip_unprivileged_port_start={at[1]}"
            ) from error

    def _tell_start(self, at: Place) -> None:
        upstreams = [upstream.name for upstream in self._forwarder.upstreams]
        if self._as_json:
            rules = [rule for _, rule in self._put]
            _say_line(event="listening", listen=shown(at), upstreams=upstreams, rules=rules)
            return
        say(f"answering on {shown(at)}, UDP and TCP; passing on to {', then '.join(upstreams)}")
        for number, (text, _) in enumerate(self._put, 1):
            say(f"  rule {number}: {text}")
        say(how_to_use(at))

    def _tell_end(self) -> None:
        hits = [self._rules.hits(str(number)) for number in range(1, len(self._put) + 1)]
        upstreams = self._forwarder.upstreams
        if self._as_json:
            rules = [{"rule": r, "hits": n} for (_, r), n in zip(self._put, hits, strict=True)]
            _say_line(event="ended", rules=rules, upstreams=[_as_json(u) for u in upstreams])
            return
        for (text, _), count in zip(self._put, hits, strict=True):
            say(f"{_questions(count)} met: {text}")
        for upstream in upstreams:
            say(_passed_on(upstream))


def how_to_use(at: Place) -> str:
    """How to point an app at it, by what the port and the address allow."""
    host, port = at
    lines = [f"try it:  dig @{host} -p {port} example.com"]
    loopback = ipaddress.ip_address(host).is_loopback
    if port != DNS_PORT:
        lines.append(f"use it:  as the DNS server in the app's own settings: {shown(at)}")
        lines.append(
            "         resolv.conf and docker run --dns take no port: they need --listen …:53"
        )
    else:
        lines.append(f"use it:  nameserver {host} in resolv.conf")
    if loopback:
        lines.append(
            "         a container has a loopback of its own: --listen 172.17.0.1:53 --expose"
        )
    elif port == DNS_PORT:
        lines.append(f"         docker run --dns {host}")
    return "\n".join(lines)


def _as_json(upstream: Upstream) -> dict[str, Any]:
    counts = {"asked": upstream.asked, "failed": upstream.failed}
    return {"upstream": upstream.name, **counts, "problem": upstream.problem}


def _passed_on(upstream: Upstream) -> str:
    told = f"{_questions(upstream.asked)} passed on to {upstream.name}"
    if not upstream.failed:
        return told
    return f"{told}, {upstream.failed} without an answer (the last: {upstream.problem})"


def _questions(count: int) -> str:
    return "1 question" if count == 1 else f"{count} questions"


def _say_line(**document: Any) -> None:
    say(json.dumps(document))

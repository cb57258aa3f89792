"""A command's own network, served from here for as long as it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from chaos.proxies.dns import DnsServer
from chaos.sandbox.authority import Authority
from chaos.sandbox.host_ports import host_ports
from chaos.sandbox.names import resolvers, respond
from chaos.sandbox.namespace import Namespace
from chaos.sandbox.passage import Passage, Place

# How long a port that is opened on the host's loopback stays unknown inside.
LOOK_EVERY_S = 0.25


@contextlib.asynccontextmanager
async def served(
    namespace: Namespace,
    authority: Authority,
    *,
    proxy: Place,
    emulator: Place,
) -> AsyncIterator[Passage]:
    """Answer what comes from inside, once the command waits to begin; raises EnvironmentFailed."""
    tcp, dns_tcp, dns_udp = await namespace.opened()
    passage = Passage(namespace, authority, proxy=proxy, emulator=emulator)
    dns = DnsServer(respond(resolvers()))
    await dns.start_on(dns_tcp, dns_udp)
    known = host_ports()
    await namespace.pass_loopback(known)
    tasks = [
        asyncio.create_task(passage.serve(tcp)),
        asyncio.create_task(_follow(namespace, known)),
    ]
    try:
        yield passage
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await dns.stop()
        tcp.close()


async def _follow(namespace: Namespace, known: frozenset[int]) -> None:
    """Tell the namespace which ports of the host's loopback are open, as they come and go."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = host_ports()
        if now != known:
            await namespace.pass_loopback(now)
            known = now

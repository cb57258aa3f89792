"""Instances as real processes, forked from a server that has the AWS SDK in memory already.

    L ── forkserver ── instance …        each holds a pipe to L and ends when L does

A process is ended by SIGKILL only: an instance that is terminated gets no time to say goodbye.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import connection, forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.errors import EnvironmentFailed
from chaos.loops import speed_of

if TYPE_CHECKING:
    from chaos.lab.resources import Bucket, Table
    from chaos.lab.services import Service

READY_WITHIN_S = 30.0  # seconds of the wall; a fork with its first call takes a tenth of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What an instance knows of itself and of its surroundings."""

    id: str
    region: str
    zone: str
    service: Service
    table: Table | None  # the service's, if it has one
    address: str  # where it is on the lab's network
    socket: str  # the unix socket that it answers on
    port: int  # what port 80 of the lab's addresses really is
    dns: tuple[str, int]
    endpoint: str  # the workload's door to the AWS API
    key: tuple[str, str]  # its credentials, by which that door knows who calls
    speed: float
    bucket: Bucket | None = None  # the service's, if it has one
    queues: Mapping[str, str] = field(default_factory=dict)  # the region of each


def key_of(service: str) -> tuple[str, str]:
    """The credentials of a service's instances."""
    return (f"lab-{service}", "lab")


class Machine:
    """One live process; to be made on the loop's thread."""

    def __init__(self, process: ForkServerProcess, ready: Connection) -> None:
        self._process = process
        self._ready = ready
        self._on_death: Callable[[], None] | None = None
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(process.sentinel, self._died)

    async def boot(self, on_death: Callable[[], None]) -> None:
        """Wait until it answers; from then on `on_death` is called if it ends without `kill`.

        Raises EnvironmentFailed when it ends before, or does not answer in time.
        """
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        loop.add_reader(self._ready.fileno(), heard.set)
        try:
            async with asyncio.timeout(READY_WITHIN_S * speed_of(loop)):
                await heard.wait()
            self._ready.recv_bytes()
        except (TimeoutError, EOFError) as error:
            raise EnvironmentFailed("an instance of the lab did not come up") from error
        finally:
            loop.remove_reader(self._ready.fileno())
            self._ready.close()
        self._on_death = on_death

    def kill(self) -> None:
        """End it at once; more than once is allowed."""
        self._on_death = None
        if not self._ended.is_set():
            self._process.kill()

    async def ended(self) -> None:
        """Return when nothing of the process is left."""
        await self._ended.wait()

    def _died(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()  # the sentinel says that there is nothing to wait for
        self._process.close()
        self._ended.set()
        if self._on_death is not None:
            self._on_death()


class Hypervisor:
    """Starts instances, and ends those that are left."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["chaos.lab.preload"])
        # Forking blocks, and multiprocessing keeps its list of children without a lock: one thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="forkserver")
        self._made: set[asyncio.Task[Machine]] = set()

    def prepare(self) -> None:
        """Let the fork server start now, so that the first instance need not wait for it."""
        self._thread.submit(forkserver.ensure_running)

    async def start(self, instance: Instance, on_death: Callable[[], None]) -> Machine:
        """A process that answers on the instance's socket; raises EnvironmentFailed.

        When it is cancelled, no process is left behind.
        """
        making = asyncio.create_task(self._make(instance))
        self._made.add(making)
        try:
            # A thread cannot be stopped: what it brings after a cancellation is ended then.
            machine = await asyncio.shield(making)
            await machine.boot(on_death)
        except BaseException:
            making.add_done_callback(_kill)
            raise
        return machine

    async def close(self) -> None:
        """End all processes, and return when they are gone."""
        for made in await asyncio.gather(*self._made, return_exceptions=True):
            if isinstance(made, Machine):
                made.kill()
                await made.ended()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)

    async def _make(self, instance: Instance) -> Machine:
        loop = asyncio.get_running_loop()
        return Machine(*await loop.run_in_executor(self._thread, self._fork, instance))

    def _fork(self, instance: Instance) -> tuple[ForkServerProcess, Connection]:
        ready, tell = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_live, args=(instance, tell), daemon=True)
        process.start()
        tell.close()
        return process, ready


def _kill(made: asyncio.Task[Machine]) -> None:
    if not made.cancelled() and made.exception() is None:
        made.result().kill()


def _live(instance: Instance, ready: Connection) -> None:
    """The life of an instance, in its own process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run
    threading.Thread(target=_end_with_lab, daemon=True).start()
    from chaos.lab.apps import SERVERS

    Path(instance.socket).unlink(missing_ok=True)  # a stopped instance left it
    server = SERVERS[instance.service.app](instance)
    ready.send_bytes(b"ready")
    ready.close()
    server.serve_forever()


def _end_with_lab() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)

"""What a lab has made in a control plane that somebody else runs, and how each of it is removed.

A file remembers it, so that what a lab that was killed has left can be removed as well: by the
process that outlives it (`chaos.lab.last_light`), or by the next lab of that name.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from chaos.environments.calls import NO_ANSWER
from chaos.errors import CallFailed, EnvironmentFailed
from chaos.lab.inventory import LAB_TAG, Call
from chaos.loops import speed_of

__all__ = ["LAB_TAG", "Ledger", "Made", "whole"]
# Seconds of the wall for all of it: an emulator that hangs must not keep a lab from ending.
REMOVED_WITHIN_S = 20.0
T = TypeVar("T")


class Made:
    """Calls that remove what was made, remembered in `file`. None: moto, which ends with the lab.

    `shared` says whether things may have been there before the lab, or be left in the end.
    """

    def __init__(self, call: Call, file: Ledger | None = None) -> None:
        self._call = call
        self._file = file
        self._undo: list[dict[str, Any]] = file.left() if file else []
        self.shared = file is not None

    def undo(self, service: str, region: str, operation: str, /, **params: Any) -> None:
        """Remember the call that removes what has just been made; `params` must be JSON.

        A bucket and a hosted zone are emptied before they are deleted.
        """
        if self._file is not None:
            step = {"service": service, "region": region, "operation": operation, "params": params}
            self._undo.append(step)
            self._file.add(step)

    @property
    def count(self) -> int:
        """How many things there are to remove."""
        return len(self._undo)

    async def remove(self) -> None:
        """Make the calls, the last one first; what fails is told on standard error, never raised.

        What an emulator that does not answer keeps is left in the file.
        """
        if self._file is None:
            return
        budget = REMOVED_WITHIN_S * speed_of(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(budget):
                while self._undo:
                    await self._remove(self._undo[-1])
                    self._undo.pop()
        except TimeoutError:
            count = len(self._undo)
            _complain(f"the emulator does not answer: {count} things that the lab made are left")
        self._file.keep(self._undo)

    def forget(self) -> None:
        """All of it is gone, and what has its names now is somebody else's."""
        self._undo.clear()
        if self._file is not None:
            self._file.keep([])

    async def _remove(self, step: dict[str, Any]) -> None:
        """Raises TimeoutError when nobody answers."""
        service, region, operation = step["service"], step["region"], step["operation"]
        try:
            if empty := EMPTIED.get(operation):
                await empty(self._call, region, **step["params"])
            await self._call(service, region, operation, **step["params"])
        except CallFailed as error:
            if error.code in NO_ANSWER:
                raise TimeoutError from error
            _complain(f"left in the emulator, or gone before: {error}")


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Await it to its end also when it is cancelled: what it makes has to be known."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _empty_bucket(call: Call, region: str, *, Bucket: str) -> None:  # noqa: N803  # the API's
    while True:
        page = await call("s3", region, "list_object_versions", Bucket=Bucket)
        versions = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]
        if not versions:
            return
        objects = {"Objects": versions, "Quiet": True}
        await call("s3", region, "delete_objects", Bucket=Bucket, Delete=objects)


async def _empty_zone(call: Call, region: str, *, Id: str) -> None:  # noqa: N803  # the API's
    while True:
        page = await call("route53", region, "list_resource_record_sets", HostedZoneId=Id)
        changes = [
            {"Action": "DELETE", "ResourceRecordSet": record}
            for record in page["ResourceRecordSets"]
            if record["Type"] not in ("NS", "SOA")
        ]
        if not changes:
            return
        batch = {"Changes": changes}
        await call(
            "route53", region, "change_resource_record_sets", HostedZoneId=Id, ChangeBatch=batch
        )


async def _empty_subnet(call: Call, region: str, *, SubnetId: str) -> None:  # noqa: N803  # the API's
    """Of the network interfaces that moto, and LocalStack with it, keep of terminated instances."""
    where = [{"Name": "subnet-id", "Values": [SubnetId]}]
    page = await call("ec2", region, "describe_network_interfaces", Filters=where)
    for found in page.get("NetworkInterfaces", ()):
        interface = found["NetworkInterfaceId"]
        await call("ec2", region, "delete_network_interface", NetworkInterfaceId=interface)


# What is in it has to go first.
EMPTIED: dict[str, Callable[..., Awaitable[None]]] = {
    "delete_bucket": _empty_bucket,
    "delete_hosted_zone": _empty_zone,
    "delete_subnet": _empty_subnet,
}


class Ledger:
    """The file of a lab's name at one emulator: one JSON line for each thing that was made.

    While it is open no other lab of that name can be at that emulator.
    """

    def __init__(self, path: Path, session: str, file: IO[str]) -> None:
        self.path = path
        self._session = session
        self._file = file

    @classmethod
    def open(cls, endpoint: str, lab: str, session: str, directory: Path | None = None) -> Self:
        """Raises EnvironmentFailed when a lab of that name is there, or files cannot be kept."""
        name = hashlib.sha256(f"{endpoint} {lab}".encode()).hexdigest()[:16]
        path = (directory or _state()) / f"{name}.jsonl"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+")
        except OSError as error:
            raise EnvironmentFailed(
                f"{path}: what a lab makes cannot be noted there: {error.strerror};"
                " set XDG_STATE_HOME to a directory of yours"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise EnvironmentFailed(
                f"a lab {lab!r} is at {endpoint} already: wait for the end of its run, or end it"
                f" (chaos lab status), or start another LocalStack on another port"
            ) from error
        return cls(path, session, file)

    def left(self) -> list[dict[str, Any]]:
        """What the last lab of that name has left, unless the emulator was started anew since."""
        self._file.seek(0)
        noted = [json.loads(line) for line in self._file if line.endswith("\n")]
        left = noted[1:] if noted and noted[0] == {"session": self._session} else []
        self.keep(left)
        return left

    def add(self, step: dict[str, Any]) -> None:
        """Note one thing more."""
        self._file.write(json.dumps(step) + "\n")
        self._file.flush()

    def keep(self, steps: list[dict[str, Any]]) -> None:
        """Forget all but these."""
        self._file.truncate(0)
        self.add({"session": self._session})
        for step in steps:
            self.add(step)

    def close(self) -> None:
        """Let another lab of that name be there."""
        self._file.close()


def _state() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        return Path(state).expanduser() / "chaos" / "emulators"
    except RuntimeError as error:
        raise EnvironmentFailed("no home directory is known; set XDG_STATE_HOME") from error


def _complain(text: str) -> None:
    print(text, file=sys.stderr)

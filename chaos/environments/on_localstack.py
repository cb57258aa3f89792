"""The environment `localstack`: LocalStack for the control plane, the lab for what moves.

    run ──► lab ──► LocalStack, which somebody else runs
      └── when the lab has ended ──► LocalStack

What LocalStack holds outlives the lab: such levers are reached without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from chaos.environments import lab_process, localstack, offered
from chaos.environments.calls import AwsCalls, prepare
from chaos.environments.in_a_lab import KEY, InALab, find_again
from chaos.environments.localstack import Found
from chaos.errors import CallFailed, EnvironmentFailed, EnvironmentGone
from chaos.loops import speed_of

NOWHERE = "http://127.0.0.1:1"  # the operator's door of a lab that has ended
# What says that the thing which a lever belongs to is not there any more.
NOT_THERE = frozenset(
    {
        "NoSuchBucket",
        "NoSuchHostedZone",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "StateMachineDoesNotExist",
    }
)
# A LocalStack that has not answered so often is not asked for a while, in seconds of the wall.
GIVEN_UP_AFTER, SILENCE_S = 6, 10.0


class OnLocalStack(InALab):
    """A running lab with LocalStack behind it, or what is left of one that has ended."""

    kind = "localstack"

    def __init__(
        self,
        lab: dict[str, Any],
        where: dict[str, Any],
        process: Process | None = None,
        log: Path | None = None,
    ) -> None:
        """`where` is what `described_as` gives, as the journal keeps it."""
        super().__init__(lab, process, log)
        self._where = where
        self._unanswered = 0
        self._ask_again = -math.inf
        self._direct = AwsCalls(where["url"], key=localstack.KEY, attempts=3, timeout_s=20)

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation of the AWS API, or of the lab as the service `lab`.

        Of all the instances that LocalStack may have, those of the lab alone are seen.
        """
        if (service, operation) == ("ec2", "describe_instances"):
            own = {"Name": "tag:chaos:lab", "Values": [self._where["lab"]]}
            params["Filters"] = [*params.get("Filters", ()), own]
        try:
            return await super().call(service, region, operation, **params)
        except EnvironmentGone:
            if service == "lab":
                raise
            return await self._without_lab(service, region, operation, **params)

    def describe(self) -> dict[str, Any]:
        """Where the lab and LocalStack are, and which LocalStack it is."""
        return {**super().describe(), **self._where, "regions": self._lab["regions"]}

    def close(self) -> None:
        """Give the threads back."""
        super().close()
        self._direct.close()

    async def _without_lab(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        found = await self._found(f"{service} {operation} in {region}")
        if found.session != self._where["session"] and not found.licensed:
            raise EnvironmentGone(f"{found.name} was started anew since, and lost what it held")
        try:
            return await self._direct.call(service, region, operation, **params)
        except CallFailed as error:
            if error.code in NOT_THERE:
                raise EnvironmentGone(f"it has gone with the lab: {error}") from error
            raise

    async def _found(self, what: str) -> Found:
        """LocalStack; raises CallFailed, and EnvironmentFailed once it has been silent for long.

        A call that failed is made again, for each lever; of hundreds not each can wait so.
        """
        loop = asyncio.get_running_loop()
        silent = f"{self._where['endpoint']} does not answer; start LocalStack, then try again"
        if loop.time() < self._ask_again:
            raise EnvironmentFailed(silent)
        try:
            found = await localstack.look(self._where["url"])
        except EnvironmentFailed as error:
            self._unanswered += 1
            if self._unanswered >= GIVEN_UP_AFTER:
                self._ask_again = loop.time() + SILENCE_S * speed_of(loop)
            raise CallFailed(what, "NoLocalStack", silent) from error
        self._unanswered = 0
        return found


@contextlib.asynccontextmanager
async def start(
    lab: dict[str, Any],
    *,
    endpoint: str | None,
    needed: Collection[str],
    stand_ins: Collection[str],
    speed: float,
    log: Path,
    seed: str | None = None,
) -> AsyncIterator[OnLocalStack]:
    """Find LocalStack, start a lab in front of it, and end the lab afterwards.

    `needed` are the services that the experiment uses, `stand_ins` those that something else
    stands in for. Raises EnvironmentFailed or InvalidInput, before anything is touched.
    """
    found = await localstack.look(endpoint)
    by_lab = await offered.refuse_missing(found, needed, stand_ins)
    plane = control_plane(found, by_lab)
    asked = {"lab": lab, "speed": speed, "control_plane": plane, "seed": seed}
    async with lab_process.process(log) as process:
        described, _ = await asyncio.gather(
            lab_process.ready(process, asked, log), asyncio.to_thread(prepare, KEY, "ec2")
        )
        environment = OnLocalStack(described, described_as(found, lab["name"]), process, log)
        try:
            yield environment
        finally:
            environment.close()


async def attach(described: dict[str, Any]) -> OnLocalStack:
    """What a journal names: its lab, or LocalStack alone when the lab has ended.

    On another machine nothing can be said of it: EnvironmentFailed.
    """
    where = {key: described[key] for key in ("endpoint", "url", "version", "session", "lab")}
    try:
        lab = await find_again(described)
    except EnvironmentGone:
        lab = {**described, "operator": NOWHERE}
    return OnLocalStack(lab, where)


async def for_lab(endpoint: str | None, needed: Collection[str]) -> dict[str, Any]:
    """What a lab that stays needs to know of LocalStack, as JSON; the lab stands in where it can.

    Raises EnvironmentFailed or InvalidInput.
    """
    found = await localstack.look(endpoint)
    lacking = await offered.missing(found, frozenset(needed) & offered.LAB_STANDS_IN.keys())
    by_lab = await offered.refuse_missing(found, needed, lacking, offered.ANOTHER_LAB)
    return control_plane(found, by_lab)


def control_plane(found: Found, stand_ins: Collection[str]) -> dict[str, Any]:
    """What the lab's process needs to know of LocalStack, as JSON."""
    return {
        "endpoint": found.url,
        "name": found.name,
        "session": found.session,
        "key": [*localstack.KEY],
        "stand_ins": sorted(stand_ins),
    }


def described_as(found: Found, lab: str) -> dict[str, Any]:
    """What a journal keeps of LocalStack, and of the lab's name, as JSON."""
    return {
        "endpoint": found.endpoint,
        "url": found.url,
        "version": found.version,
        "session": found.session,
        "lab": lab,
    }

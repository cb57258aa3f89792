"""The embedded environment: moto for the control plane, the lab for everything that moves."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from chaos.environments import lab_process
from chaos.environments.calls import prepare
from chaos.environments.in_a_lab import KEY, InALab, find_again
from chaos.errors import EnvironmentFailed


class Embedded(InALab):
    """A running lab with moto behind it."""

    kind = "embedded"


@contextlib.asynccontextmanager
async def start(
    lab: dict[str, Any], *, speed: float, log: Path, seed: str | None = None
) -> AsyncIterator[Embedded]:
    """Start a lab from its declaration and end it afterwards; what it complains of goes to `log`.

    `seed` is what the lab's chance is drawn from; None: anything.
    Raises EnvironmentFailed with the lab's own sentence when it does not come up.
    """
    look_for_moto()
    asked = {"lab": lab, "speed": speed, "seed": seed}
    async with lab_process.process(log) as process:
        # Meanwhile this process makes ready too: loading boto3 takes a second of the wall.
        described, _ = await asyncio.gather(
            lab_process.ready(process, asked, log),
            asyncio.to_thread(prepare, KEY, "dynamodb", "ec2"),
        )
        environment = Embedded(described, process, log)
        try:
            yield environment
        finally:
            environment.close()


async def attach(described: dict[str, Any]) -> Embedded:
    """The lab that a journal names; raises EnvironmentGone when it has ended.

    On another machine nothing can be said of it: EnvironmentFailed.
    """
    return Embedded(await find_again(described))


def look_for_moto() -> None:
    """Raises EnvironmentFailed when it is not installed."""
    if importlib.util.find_spec("moto") is None:
        raise EnvironmentFailed(
            "the embedded lab needs moto, which is not installed;"
            " in the clone: pip install '.[lab]'"
        )

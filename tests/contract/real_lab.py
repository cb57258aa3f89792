"""A real lab for checks: processes, sockets, DNS; its clock runs faster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from chaos.environments.environment import Environment
from chaos.environments.opening import Place
from chaos.experiment import SYSTEMS
from chaos.lab.declaration import Lab
from chaos.loops import run_at
from chaos.schema import load

SPEED = 5.0
WITHIN_S = 120.0


def in_a_real_lab(
    system: str,
    directory: Path,
    work: Callable[[Environment], Awaitable[None]],
    endpoint: str | None = None,
) -> None:
    """Stand the shipped lab of that name up, do the work in it, and take it down.

    Embedded, or with the LocalStack at `endpoint`, where the lab itself stands in for Auto Scaling.
    """
    lab = load(SYSTEMS / f"{system}.yaml", Lab)
    place = Place()
    if endpoint is not None:
        needed = lab.aws_services()
        stand_ins = needed & {"autoscaling"}
        place = Place(kind="localstack", endpoint=endpoint, needed=needed, stand_ins=stand_ins)

    async def main() -> None:
        log = directory / "lab.log"
        async with place.start(lab.model_dump(mode="json"), speed=SPEED, log=log) as environment:
            await work(environment)

    run_at(SPEED, asyncio.wait_for(main(), WITHIN_S * SPEED))

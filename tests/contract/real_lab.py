"""A real lab for checks: processes, sockets, DNS; its clock runs faster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from chaos.environments import embedded
from chaos.environments.environment import Environment
from chaos.experiment import SYSTEMS
from chaos.lab.declaration import Lab
from chaos.loops import run_at
from chaos.schema import load

SPEED = 5.0
WITHIN_S = 120.0


def in_a_real_lab(
    system: str, directory: Path, work: Callable[[Environment], Awaitable[None]]
) -> None:
    """Stand the shipped lab of that name up, do the work in it, and take it down."""
    lab = load(SYSTEMS / f"{system}.yaml", Lab).model_dump(mode="json")

    async def main() -> None:
        async with embedded.start(lab, speed=SPEED, log=directory / "lab.log") as environment:
            await work(environment)

    run_at(SPEED, asyncio.wait_for(main(), WITHIN_S * SPEED))

"""Scenarios in parts of a lab, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from chaos.loops import run_virtual

L = TypeVar("L")


def played_in(
    a_lab: Callable[[Path], AbstractAsyncContextManager[L]],
) -> Callable[[Path, Callable[[L], Awaitable[None]]], None]:
    """What plays a scenario in such a lab, stood up in a directory and taken down afterwards."""

    def in_a_lab(directory: Path, scenario: Callable[[L], Awaitable[None]]) -> None:
        async def play() -> None:
            async with a_lab(directory) as lab:
                await scenario(lab)

        run_virtual(play())

    return in_a_lab

"""One question to whoever sits at the terminal, with a deadline; without a terminal, a refusal."""

from __future__ import annotations

import asyncio
import sys

from chaos.environments import enter_key
from chaos.errors import InvalidInput
from chaos.loops import speed_of

WITHIN_S = 120.0  # seconds of the wall: a code is good for 30 s, and has to be looked up
LOOK_EVERY_S = 0.1
LONGEST = 2000


async def ask(question: str, without: str) -> str:
    """The line that is typed; raises InvalidInput, where there is nobody with what `without` says.

    What is typed is seen: a code that has been used is no secret any more.
    """
    if not enter_key.there():
        raise InvalidInput(f"{without}, and there is no terminal to ask at")
    enter_key.forget()
    print(f"{question}: ", end="", file=sys.stderr, flush=True)
    speed = speed_of(asyncio.get_running_loop())
    try:
        async with asyncio.timeout(WITHIN_S * speed):
            while (line := enter_key.line()) is None:  # noqa: ASYNC110  # a terminal has no event
                await asyncio.sleep(LOOK_EVERY_S * speed)
    except TimeoutError as error:
        print(file=sys.stderr)
        raise InvalidInput(f"{without}, and nothing was typed within {WITHIN_S:g} s") from error
    return line.strip()[:LONGEST]

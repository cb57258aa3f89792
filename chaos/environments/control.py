"""A client of a lab's control socket: one JSON line there, one back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from chaos.errors import CallFailed, EnvironmentGone
from chaos.loops import speed_of

# A local process answers in milliseconds; this bounds one that is stuck, in seconds of the wall.
ANSWER_WITHIN_S = 20.0


class Control:
    """Calls to the lab whose control socket is at `path`; one connection a call."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def call(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """One operation of the lab; raises CallFailed, or EnvironmentGone where no lab listens."""
        budget = ANSWER_WITHIN_S * speed_of(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(budget):
                line = await self._ask({"op": operation, "params": params})
        except TimeoutError as error:
            raise CallFailed(f"lab {operation}", "Timeout", "the lab does not answer") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise EnvironmentGone(f"the lab at {self.path} has ended") from error
        answer = json.loads(line)
        if "error" in answer:
            raise CallFailed(f"lab {operation}", answer.get("code", "Refused"), answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    async def _ask(self, question: dict[str, Any]) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self.path), limit=2**24)
        try:
            writer.write(json.dumps(question).encode() + b"\n")
            return await reader.readuntil(b"\n")
        finally:
            writer.close()

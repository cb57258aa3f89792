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
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise EnvironmentGone(f"the lab at {self.path} has ended") from error
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            # Perhaps it is ending, perhaps this process is out of descriptors: asking again tells.
            raise CallFailed(f"lab {operation}", "NoAnswer", str(error)) from error
        return _result(operation, line)

    async def _ask(self, question: dict[str, Any]) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self.path), limit=2**24)
        try:
            writer.write(json.dumps(question).encode() + b"\n")
            return await reader.readuntil(b"\n")
        finally:
            writer.close()


def _result(operation: str, line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
        error, code, result = answer.get("error"), answer.get("code"), answer.get("result")
    except (ValueError, AttributeError) as error:
        raise CallFailed(f"lab {operation}", "NoAnswer", "no line of JSON came back") from error
    if not isinstance(result, dict):
        raise CallFailed(f"lab {operation}", code or "Refused", error or "no result came back")
    return result

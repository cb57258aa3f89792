"""The lab's control socket: one JSON line asks, one JSON line answers.

{"op": "put_reachability", "params": {"scope": "us-east-1", "state": "drop"}}  →  {"result": {}}

An error is `{"error": one sentence, "code": …}`, and it has changed nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from chaos.errors import CallFailed, ChaosError

# An operation takes effect before it returns.
Operation = Callable[..., Awaitable[dict[str, Any]]]

log = logging.getLogger("chaos.lab")

LONGEST_LINE = 1024 * 1024


class ControlServer:
    """Answers with the operations, named as they are asked for."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[None]] = set()

    async def start(self, path: Path) -> None:
        """Listen at `path`, for this user only."""
        self._server = await asyncio.start_unix_server(self._accept, path, limit=LONGEST_LINE)
        _for_this_user(path)

    async def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    async def answer(self, line: bytes) -> dict[str, Any]:
        """What the answer to one line is."""
        try:
            asked = json.loads(line)
            name, params = asked["op"], asked.get("params", {})
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error("InvalidRequest", 'a question is {"op": name, "params": {…}} on one line')
        if name not in self._operations:
            known = ", ".join(self._operations)
            return _error("UnknownOperation", f"the lab has no operation {name!r}; it has {known}")
        operation = self._operations[name]
        try:
            inspect.signature(operation).bind(**params)
        except TypeError as error:
            return _error("InvalidParameter", f"{name}: {error}")
        try:
            return {"result": await operation(**params)}
        except CallFailed as error:
            return _error(error.code, str(error))
        except (ChaosError, ValueError) as error:
            return _error("InvalidParameter", str(error))
        except Exception as error:  # a defect: to hang up would look as if the lab had ended
            log.exception("a defect in the operation %s", name)
            return _error("InternalError", repr(error))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # asyncio runs this in one
        self._talking.add(task)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # gone, or a line that is too long
        finally:
            self._talking.discard(task)
            writer.close()


def _for_this_user(path: Path) -> None:
    path.chmod(0o600)


def _error(code: str, sentence: str) -> dict[str, Any]:
    return {"error": sentence, "code": code}

"""A lab's control socket, asked by hand."""

from __future__ import annotations

import json
import socket
from typing import Any

DEADLINE_S = 30.0


def ask(path: str, op: str, **params: Any) -> dict[str, Any]:
    """One operation: its result, or the whole answer when it failed."""
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rw") as file:
        sock.settimeout(DEADLINE_S)
        sock.connect(path)
        file.write(json.dumps({"op": op, "params": params}) + "\n")
        file.flush()
        answer: dict[str, Any] = json.loads(file.readline())
    result: dict[str, Any] = answer.get("result", answer)
    return result

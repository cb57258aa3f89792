"""A feature flag as something that can be read, set and put back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from chaos.environments.environment import Environment
from chaos.errors import CallFailed

# Whoever waits for the flag service waits so long, in seconds of the wall.
ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What a feature flag is for everybody: a JSON value, or nothing where there is no flag."""

    kind: ClassVar[str] = "acme_flag"
    irreversible: ClassVar[bool] = False

    service: str
    flag: str

    async def read(self, environment: Environment) -> Any:
        return await asyncio.to_thread(self._ask, "GET")

    async def set(self, environment: Environment, value: Any) -> None:
        # The service answers when every node has the new value, so there is nothing to wait for.
        if value is None:
            await asyncio.to_thread(self._ask, "DELETE")
        else:
            await asyncio.to_thread(self._ask, "PUT", json.dumps({"value": value}))

    def _ask(self, method: str, body: str | None = None) -> Any:
        """The flag's value, None when there is no such flag; raises CallFailed."""
        call = f"acme-flags {method} {self.flag}"
        connection = HTTPConnection(urlsplit(self.service).netloc, timeout=ANSWER_WITHIN_S)
        try:
            connection.request(method, f"/flags/{quote(self.flag, safe='')}", body)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException) as error:
            raise CallFailed(call, "NoAnswer", str(error)) from error
        finally:
            connection.close()
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise CallFailed(call, str(answer.status), answer.reason)
        return json.loads(text)["value"]

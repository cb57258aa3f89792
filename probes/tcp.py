"""The probe `tcp`: one connection, and what the server says first."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from probes.endpoint import Endpoint
from probes.json_values import shown
from probes.probe import Attempt, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

MOST = 64 * 1024  # bytes that an answer is looked for in


class Expect(BaseModel):
    """All that is given must hold for the first bytes that come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = Field(
        default=None, min_length=1, description="text that the first bytes contain"
    )
    matches: re.Pattern[str] | None = Field(
        default=None, description="regular expression that the first bytes match somewhere"
    )
    max_bytes: int = Field(
        default=4096, ge=1, le=MOST, description="how many of the first bytes are looked at"
    )

    @property
    def anything(self) -> bool:
        """Whether anything is expected."""
        return (self.text, self.matches) != (None, None)

    def lacks(self, came: str) -> str:
        """What is missing in what came; empty when nothing is."""
        if self.text is not None and self.text not in came:
            return f"does not contain {shown(self.text)}"
        if self.matches and not self.matches.search(came):
            return f"does not match {shown(self.matches.pattern)}"
        return ""


class Tcp(Endpoint):
    """Opens one TCP connection, and closes it.

    Without `expect` an attempt is good as soon as the connection stands. That says that somebody
    listens there, no more: a load balancer or a proxy accepts connections with nothing behind it.
    With `expect` the first bytes that the server sends must be what they should be, such as a
    greeting, or the answer to `send`. Bytes are read as UTF-8 until all of `expect` holds, the
    server closes, or `max_bytes` have come.

    Measured phases: `name`, `connect`, and `answer` when something is expected.
    """

    summary: ClassVar[str] = "one TCP connection, and what the server says first"
    example: ClassVar[str] = """
cache:
  kind: tcp
  host: cache.stream.example
  port: 6379
  send: "PING\\r\\n"
  expect: {text: +PONG}
  max_latency: 50ms
"""

    kind: Literal["tcp"]
    send: str = Field(default="", description="text to send once connected, as UTF-8")
    expect: Expect = Field(default_factory=Expect, description="what the server must say")

    @model_validator(mode="after")
    def _send_is_answered(self) -> Self:
        if self.send and not self.expect.anything:
            raise ValueError("send without expect would not show that anything has arrived")
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Connect once; good when all of `expect` holds."""
        reader = asyncio.StreamReader(limit=MOST)
        transport, _ = await net.connect(
            lambda: asyncio.StreamReaderProtocol(reader), self.host, self.port, attempt
        )
        try:
            if self.expect.anything:
                transport.write(self.send.encode())
                with attempt.phase("answer"):
                    await self._judge(reader, attempt)
        finally:
            transport.abort()

    async def _judge(self, reader: asyncio.StreamReader, attempt: Attempt) -> None:
        most, data = self.expect.max_bytes, b""
        while len(data) < most:
            more = await reader.read(most - len(data))
            if not more and not data:
                raise ProbeFailed("the connection was closed without an answer")
            data += more
            came = data.decode("utf-8", "replace")
            attempt.detail["answer"] = shown(came)
            if not (lacks := self.expect.lacks(came)):
                return
            if not more:
                raise ProbeFailed(f"the server closed; what came {lacks}: {shown(came)}")
        raise ProbeFailed(f"the beginning of what came {lacks}: {shown(came)}")

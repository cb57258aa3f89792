"""The two ends of a connection that is passed on: how the end of one is the end of the other."""

from __future__ import annotations

import asyncio

import pytest

from chaos.sandbox.relay import End


class Transport(asyncio.Transport):
    """Counts how often it is closed."""

    def __init__(self, *, closing: bool) -> None:
        super().__init__()
        self.closing = closing
        self.closed = 0

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(("closing", "closed"), [(False, 1), (True, 0)])
def test_an_end_that_is_closing_already_is_not_closed_again(closing: bool, closed: int) -> None:
    """asyncio's TLS transport forgets its protocol when it is closed twice (Python 3.11)."""

    async def scenario() -> int:
        near, far = End(), End()
        near.other, far.other = far, near
        far.transport = transport = Transport(closing=closing)
        near.connection_lost(None)
        return transport.closed

    assert asyncio.run(scenario()) == closed

"""A feature flag, as an application sees it."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field

from probes.http import Http
from probes.http_expect import Expect
from probes.net import Net
from probes.probe import Attempt, Probe


class FlagProbe(Probe):
    """Asks the flag service for one flag; good while it is there and has the value expected."""

    summary: ClassVar[str] = "whether a feature flag has the value that is expected"
    example: ClassVar[str] = """\
checkout_flag:
  kind: acme_flag
  service: http://127.0.0.1:8350
  flag: checkout
"""

    kind: Literal["acme_flag"]
    service: str = Field(pattern=r"^http://", description="URL of the flag service")
    flag: str = Field(pattern=r"^[\w.-]+$", description="name of the flag")
    value: bool = Field(default=True, description="what the flag must be")

    async def check(self, net: Net, attempt: Attempt) -> None:
        await self._request.check(net, attempt)

    @cached_property
    def _request(self) -> Http:
        """One kind of probe may be made of another: this one is a request with an answer."""
        url = f"{self.service.rstrip('/')}/flags/{self.flag}"
        return Http(kind="http", url=url, expect=Expect(json={"value": self.value}))

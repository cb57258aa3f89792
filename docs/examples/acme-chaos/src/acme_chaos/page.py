"""A page of the shop, as a customer sees it."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field

from probes.http import Http
from probes.http_expect import Expect
from probes.net import Net
from probes.probe import Attempt, Probe


class PageProbe(Probe):
    """Asks for a page of the shop; good while it comes and has something on it."""

    summary: ClassVar[str] = "whether a page of the shop has something on it"
    example: ClassVar[str] = """\
page:
  kind: acme_page
  url: http://www.shop.example/recommendations
"""

    kind: Literal["acme_page"]
    url: str = Field(pattern=r"^http://", description="URL of the page")

    async def check(self, net: Net, attempt: Attempt) -> None:
        await self._request.check(net, attempt)

    @cached_property
    def _request(self) -> Http:
        return Http(kind="http", url=self.url, expect=Expect(body="titles"))

"""The probe `http`: one request on a connection of its own, and what must come back.

No redirect is followed, no connection is kept, no compression is asked for.
"""

from __future__ import annotations

import re
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from probes.hosts import checked_host, fits
from probes.http_expect import Expect, judge
from probes.probe import Attempt, Probe
from probes.tls_context import Tls

if TYPE_CHECKING:  # what only an attempt needs
    from probes.http_exchange import Exchange, Response
    from probes.net import Net

PORTS = {"http": 80, "https": 443}
NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
# The probe sets these itself: they say where a message ends and what becomes of the connection.
OURS = {"connection", "content-length", "expect", "te", "transfer-encoding", "upgrade"}


def checked_url(url: str) -> str:
    """The URL; raises ValueError for one that no request can be made to."""
    if not re.fullmatch(r"[!-~]+", url):
        raise ValueError(f"{url!r} has spaces or characters beyond ASCII; percent-encode them")
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise ValueError(f"{url!r} is no URL for this probe; it begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials in a URL end up in every log; send them in a header")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    checked_host(parts.hostname)
    if parts.port == 0:  # urlsplit itself refuses what is no number or above 65535
        raise ValueError("port 0 cannot be connected to")
    return url


def checked_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers; raises ValueError for one that no request can have."""
    for name, value in headers.items():
        if not re.fullmatch(NAME, name):
            raise ValueError(f"{name!r} is no name of a header")
        if not re.fullmatch(r"[\t -~]*", value):
            raise ValueError(f"the header {name} has characters that no header may have")
        if name.lower() in OURS:
            raise ValueError(f"the header {name} is set by the probe itself")
    return headers


class Http(Probe):
    """Sends one HTTP/1.1 request, on a connection of its own.

    An attempt is good when all of `expect` holds. Redirects are not followed, no compression is
    asked for, and the connection is closed after the answer. Host, User-Agent, Accept and
    Accept-Encoding can be replaced by `headers`; what says where a message ends cannot.

    Each sample tells the region that answered, where the answer says so: in the header
    `region_header`, or in its body, where `region_matches` finds it. With the objectives
    `fails_over_within` and `fails_back_within`, the time until another region answers, and until
    the first one alone answers again, are measured by that.

    Measured phases: `name`, `connect`, `tls`, `first_byte`, `body`.
    """

    summary: ClassVar[str] = "one HTTP request: status, headers, body, JSON, TLS"
    example: ClassVar[str] = """
playback:
  kind: http
  url: https://api.stream.example/playback
  headers: {X-Client: drill}
  expect:
    status: [200, 3xx]
    json: {state: playing}
  every: 500ms
  max_latency: 800ms
"""

    tells_region: ClassVar[bool] = True

    kind: Literal["http"]
    url: Annotated[str, AfterValidator(checked_url)] = Field(
        description="http:// or https://, without credentials"
    )
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE"] = Field(
        default="GET", description="what is asked of the server"
    )
    headers: Annotated[dict[str, str], AfterValidator(checked_headers)] = Field(
        default_factory=dict, description="headers to send"
    )
    body: str = Field(default="", description="text to send with POST or PUT, as UTF-8")
    expect: Expect = Field(default_factory=Expect, description="what must come back")
    tls: Tls = Field(default_factory=Tls, description="for https: how to check the certificate")
    region_header: str = Field(
        default="x-region", description="header that says which region answered"
    )
    region_matches: re.Pattern[str] | None = Field(
        default=None,
        description="regular expression with one group that finds it in the body, such as"
        ' "region": "([a-z0-9-]+)"; used where that header is missing',
    )

    @field_validator("url")
    @classmethod
    def _has_the_family(cls, url: str, info: ValidationInfo) -> str:
        fits(urlsplit(url).hostname or "", info.data.get("family", "any"))
        return url

    @field_validator("region_matches")
    @classmethod
    def _one_group(cls, pattern: re.Pattern[str] | None) -> re.Pattern[str] | None:
        if pattern is not None and pattern.groups != 1:
            raise ValueError(f"{pattern.pattern[:60]!r} has {pattern.groups} groups, not one")
        return pattern

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.body and self.method not in ("POST", "PUT"):
            raise ValueError(f"a {self.method} request carries no body")
        if self.method == "HEAD" and self.expect.needs_body:
            raise ValueError("the answer to HEAD has no body to expect anything of")
        if self._url.scheme == "http" and self.tls != Tls():
            raise ValueError("tls is for https, and the url begins with http://")
        if self._url.scheme == "https":
            self.tls.prepared()  # no attempt should wait for it
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Send the request once; good when all of `expect` holds."""
        judge(await self.answer(net, attempt), self.expect)

    async def answer(self, net: Net, attempt: Attempt) -> Response:
        """Send the request once; the whole answer, whatever it says.

        Raises ProbeFailed or OSError when none comes.
        """
        from probes.http_exchange import Exchange

        url = self._url
        transport, exchange = await net.connect(
            partial(Exchange, head=self.method == "HEAD", limit=self.expect.max_bytes),
            url.hostname or "",
            url.port or PORTS[url.scheme],
            attempt,
            tls=self.tls.prepared() if url.scheme == "https" else None,
            server_name=self.tls.server_name,
        )
        try:
            transport.write(self._request)
            with attempt.phase("first_byte"):
                await exchange.began
            with attempt.phase("body"):
                await exchange.ended
        finally:
            transport.abort()
            exchange.close()
            attempt.detail |= self._seen(exchange)
        return exchange.response

    def _seen(self, exchange: Exchange) -> dict[str, Any]:
        response = exchange.response
        region = response.headers.get(self.region_header.lower())
        if not region and self.region_matches:
            found = self.region_matches.search(response.body.decode("utf-8", "replace"))
            region = found[1] if found else None
        seen = {"status": response.status} if response.status else {}
        return seen | ({"region": region[:64]} if region else {})

    @cached_property
    def _url(self) -> SplitResult:
        return urlsplit(self.url)

    @cached_property
    def _request(self) -> bytes:
        """The whole request. A header of the user's replaces the probe's own."""
        url, body = self._url, self.body.encode()
        headers = {
            "Host": url.netloc,
            "User-Agent": "chaos-drill",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if self.method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(body))
        given = {name.lower() for name in self.headers}
        headers = {k: v for k, v in headers.items() if k.lower() not in given} | self.headers
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

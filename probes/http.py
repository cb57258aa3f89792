"""The probe `http`: one request on a connection of its own, and what must come back.

No redirect is followed, no connection is kept, no compression is asked for.
"""

from __future__ import annotations

import re
import ssl
from functools import cached_property, lru_cache, partial
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from probes.http_exchange import Exchange
from probes.http_expect import Expect, judge
from probes.net import Net
from probes.probe import Attempt, Probe

PORTS = {"http": 80, "https": 443}
NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
# The probe sets these itself: they say where a message ends and what becomes of the connection.
OURS = {"connection", "content-length", "expect", "te", "transfer-encoding", "upgrade"}


def _checked_url(url: str) -> str:
    if not re.fullmatch(r"[!-~]+", url):
        raise ValueError(f"{url!r} has spaces or characters beyond ASCII; percent-encode them")
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise ValueError(f"{url!r} is no URL for this probe; it begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials in a URL end up in every log; send them in a header")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    if not re.fullmatch(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+", parts.hostname):
        raise ValueError(f"{parts.hostname!r} is no host name")
    if parts.port == 0:  # urlsplit itself refuses what is no number or above 65535
        raise ValueError("port 0 cannot be connected to")
    return url


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(NAME, name):
            raise ValueError(f"{name!r} is no name of a header")
        if not re.fullmatch(r"[\t -~]*", value):
            raise ValueError(f"the header {name} has characters that no header may have")
        if name.lower() in OURS:
            raise ValueError(f"the header {name} is set by the probe itself")
    return headers


@lru_cache(maxsize=64)
def _context(verify: bool, ca: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    # Python 3.13 began to refuse certificates that other clients, and so the users', accept.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _checked_ca(path: str) -> str:
    try:
        _context(True, path)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(f"{path}: cannot be used as CA certificates: {error.strerror}") from error
    return path


class Tls(BaseModel):
    """How the server's certificate is checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verify: bool = Field(default=True, description="whether the certificate must be valid")
    ca: Annotated[str, AfterValidator(_checked_ca)] | None = Field(
        default=None, description="file of CA certificates (PEM) to trust"
    )
    server_name: str | None = Field(
        default=None, description="name to ask for and verify, default: the URL's host"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.ca and not self.verify:
            raise ValueError("ca says whom to trust, and verify: false trusts everybody")
        return self


class Http(Probe):
    """Sends one HTTP/1.1 request and compares the answer with what is expected."""

    summary: ClassVar[str] = "one HTTP request: status, headers, body, JSON, TLS"

    kind: Literal["http"]
    url: Annotated[str, AfterValidator(_checked_url)] = Field(description="http:// or https://")
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE"] = "GET"
    headers: Annotated[dict[str, str], AfterValidator(_checked_headers)] = Field(
        default_factory=dict, description="headers to send"
    )
    body: str = Field(default="", description="text to send, as UTF-8")
    expect: Expect = Field(default_factory=Expect, description="what must come back")
    tls: Tls = Field(default_factory=Tls, description="for https: how to check the certificate")
    region_header: str = Field(
        default="x-region", description="header that says which region answered, for the report"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.body and self.method not in ("POST", "PUT"):
            raise ValueError(f"a {self.method} request carries no body")
        if self.method == "HEAD" and self.expect.needs_body:
            raise ValueError("the answer to HEAD has no body to expect anything of")
        if self._url.scheme == "http" and self.tls != Tls():
            raise ValueError("tls is for https, and the url begins with http://")
        if self._url.scheme == "https":
            # Reading certificates takes tens of milliseconds; no attempt should wait for that.
            _context(self.tls.verify, self.tls.ca)
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Send the request once; good when all of `expect` holds."""
        url = self._url
        transport, exchange = await net.connect(
            partial(Exchange, head=self.method == "HEAD", limit=self.expect.max_bytes),
            url.hostname or "",
            url.port or PORTS[url.scheme],
            attempt,
            tls=_context(self.tls.verify, self.tls.ca) if url.scheme == "https" else None,
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
        judge(exchange.response, self.expect)

    def _seen(self, exchange: Exchange) -> dict[str, Any]:
        response = exchange.response
        region = response.headers.get(self.region_header.lower())
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

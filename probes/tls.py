"""The probe `tls`: one TLS handshake, and the certificate that the server shows."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from probes.durations import LongDuration, show
from probes.endpoint import Endpoint, Port
from probes.probe import Attempt, ProbeFailed
from probes.tls_context import Tls

if TYPE_CHECKING:
    from probes.net import Net

TLS_1_3 = "TLSv1.3"  # as Python's ssl calls it


class TlsProbe(Tls, Endpoint):
    """Makes one TLS handshake, looks at the certificate, and closes.

    The server's certificate must be valid for `server_name` and signed by whom this machine
    trusts (or by `ca`), as any client would demand; `verify: false` leaves that out. With
    `valid_for` it must also stay valid for so long, counted by the calendar and not in the lab's
    time: so an experiment can begin with proof that no certificate runs out soon. Only the
    server's own certificate is looked at for that, not those of the authorities that signed it.

    Nothing is sent after the handshake. With TLS 1.3 a server that wants a certificate of the
    client refuses only after it, so this probe does not notice.

    Measured phases: `name`, `connect`, `tls`. Each sample tells the version and, when it is
    verified, the certificate's issuer and end (`not_after`).
    """

    summary: ClassVar[str] = "one TLS handshake: certificate, its expiry, version, protocol"
    example: ClassVar[str] = """
certificate:
  kind: tls
  host: api.stream.example
  valid_for: 14d
  every: 10s
"""

    kind: Literal["tls"]
    port: Port = Field(default=443, description="port to connect to")
    valid_for: LongDuration | None = Field(
        default=None, gt=0, description="how long the certificate must still be valid, such as 14d"
    )
    min_version: Literal["1.2", "1.3"] = Field(
        default="1.2", description="the oldest version of TLS that will do"
    )
    alpn: tuple[str, ...] = Field(
        default=(),
        max_length=8,
        description="protocols to offer, such as h2; the server must choose one of them",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.valid_for is not None and not self.verify:
            raise ValueError("valid_for needs the certificate, and verify: false does not read it")
        for name in self.alpn:
            if not name.isascii() or not 0 < len(name) < 256:
                raise ValueError(f"{name[:40]!r} is no name of a protocol such as h2")
        self.prepared(self.alpn)  # no attempt should wait for it
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Make the handshake once; good when all that is demanded of it holds."""
        transport, _ = await net.connect(
            asyncio.Protocol,
            self.host,
            self.port,
            attempt,
            tls=self.prepared(self.alpn),
            server_name=self.server_name,
        )
        try:
            self._judge(transport.get_extra_info("ssl_object"), attempt)
        finally:
            transport.abort()

    def _judge(self, agreed: ssl.SSLObject, attempt: Attempt) -> None:
        version, protocol = agreed.version() or "", agreed.selected_alpn_protocol()
        attempt.detail["version"] = version
        if protocol:
            attempt.detail["alpn"] = protocol
        # Absent, or empty, when it was not verified.
        certificate: dict[str, Any] = agreed.getpeercert() or {}
        if certificate:
            self._judge_certificate(certificate, attempt)
        if self.min_version == "1.3" and version != TLS_1_3:
            raise ProbeFailed(f"the server agreed to {version}, not {TLS_1_3}")
        if self.alpn and protocol not in self.alpn:
            raise ProbeFailed(f"the server chose no protocol of {', '.join(self.alpn)}")

    def _judge_certificate(self, certificate: dict[str, Any], attempt: Attempt) -> None:
        ends = ssl.cert_time_to_seconds(certificate["notAfter"])
        until = datetime.fromtimestamp(ends, UTC).isoformat()
        attempt.detail |= {"not_after": until, "issuer": _name(certificate["issuer"])}
        # A certificate ends by the calendar, whatever the lab's clock does.
        left = ends - time.time()
        if self.valid_for is not None and left < self.valid_for:
            raise ProbeFailed(
                f"the certificate ends in {show(left)} ({until}), before {show(self.valid_for)}"
            )


def _name(issuer: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """`Example Trust, Example Root CA`: the organisation and the common name, as far as given."""
    parts = {key: value for rdn in issuer for key, value in rdn}
    known = [parts.get("organizationName"), parts.get("commonName")]
    return ", ".join(part for part in known if part)[:100]

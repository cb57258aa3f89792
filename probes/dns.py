"""The probe `dns`: one question to one DNS server, and what the answer must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import dns.exception
import dns.flags
import dns.name
import dns.rcode
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from probes.durations import Duration, show
from probes.hosts import Server, Transport, is_address
from probes.probe import Attempt, Probe, ProbeFailed

if TYPE_CHECKING:  # what only an attempt needs
    from dns.message import QueryMessage
    from dns.rdata import Rdata

    from probes.net import Net

RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]
KEPT = 20  # answers that a sample keeps


def _checked_name(name: str) -> str:
    try:
        dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{name!r} is no domain name: {error}") from error
    return name


def _checked_rcode(rcode: str) -> str:
    try:
        return dns.rcode.to_text(dns.rcode.from_text(rcode))
    except dns.exception.DNSException as error:
        raise ValueError(f"{rcode!r} is no rcode such as NOERROR or NXDOMAIN") from error


def _checked_server(server: str) -> str:
    _server(server)
    return server


def _server(text: str) -> Server:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    if is_address(text):
        return text, 53
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not is_address(host) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ValueError(f"{text!r} is no server; write 192.0.2.1 or 192.0.2.1:5353")
    if not 0 < int(port) < 65536:
        raise ValueError(f"{text!r}: there is no port {port}")
    return host, int(port)


class Expect(BaseModel):
    """All that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rcode: Annotated[str, AfterValidator(_checked_rcode)] = Field(
        default="NOERROR", description="the answer's code: NOERROR, NXDOMAIN, SERVFAIL …"
    )
    answers: tuple[str, ...] | None = Field(
        default=None, description="values that must be there; not given: at least one; []: none"
    )
    match: Literal["all", "any"] = Field(
        default="all", description="whether all of `answers` must be there, or one of them"
    )
    max_ttl: Duration | None = Field(
        default=None, description="the TTL at most, the shortest one of a chain of aliases"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.rcode != "NOERROR" and (self.answers or self.max_ttl is not None):
            raise ValueError(f"with {self.rcode} there are no answers to expect anything of")
        return self


class Dns(Probe):
    """Asks a DNS server one question, once.

    An attempt is good when all of `expect` holds: without `expect`, when there is at least one
    answer. An answer that is truncated, cannot be read or belongs to another question is bad.
    Answers are compared as records, so upper and lower case in names does not matter. They are
    written as in a zone file, but a TXT record without quotes.

    Nothing is cached, and the server is not changed for another when it fails.

    Measured phase: `answer`.
    """

    summary: ClassVar[str] = "one DNS question: rcode, answers, TTL"
    example: ClassVar[str] = """
record:
  kind: dns
  name: api.stream.example
  expect: {answers: [198.51.100.7, 203.0.113.7], match: any, max_ttl: 60s}
"""
    without: ClassVar[Mapping[str, str]] = {
        "dns_cache": "each attempt asks a server",
        "family": "its server is given as an address; type says which records to ask for",
    }

    kind: Literal["dns"]
    name: Annotated[str, AfterValidator(_checked_name)] = Field(description="the name to ask for")
    type: RecordType = Field(default="A", description="the type of record to ask for")
    server: Annotated[str, AfterValidator(_checked_server)] | None = Field(
        default=None, description="address or address:port, default: the workload's resolver"
    )
    transport: Transport = Field(default="udp", description="udp or tcp; there is no falling back")
    expect: Expect = Field(default_factory=Expect, description="what must come back")

    @model_validator(mode="after")
    def _answers_are_records(self) -> Self:
        for text in self.expect.answers or ():
            try:
                _key_of(self.type, text)
            except (dns.exception.DNSException, ValueError) as error:
                raise ValueError(f"{text!r} is no {self.type} record: {error}") from error
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Ask once; good when all of `expect` holds."""
        from probes.names import query

        server = _server(self.server) if self.server else net.resolver
        attempt.detail["server"] = f"{server[0]}:{server[1]}"
        with attempt.phase("answer"):
            message = await query(server, self.name, self.type, self.transport)
        if message.flags & dns.flags.TC:
            raise ProbeFailed(f"the answer over {self.transport} is truncated")
        rcode = dns.rcode.to_text(message.rcode())
        attempt.detail["rcode"] = rcode
        if rcode != self.expect.rcode:
            raise ProbeFailed(f"{rcode}, not {self.expect.rcode}")
        if rcode == "NOERROR":
            self._judge(message, attempt)

    def _judge(self, message: QueryMessage, attempt: Attempt) -> None:
        try:
            chain = message.resolve_chaining()
        except dns.exception.DNSException as error:
            raise ProbeFailed(f"the answer makes no sense: {error}") from error
        found = list(chain.answer or ())
        shown = [_shown(rdata) for rdata in found[:KEPT]]
        attempt.detail |= {"answers": shown, "ttl": chain.minimum_ttl} if found else {"answers": []}
        self._judge_answers({_key(rdata) for rdata in found}, shown)
        limit = self.expect.max_ttl
        if limit is not None and found and chain.minimum_ttl > limit:
            raise ProbeFailed(f"the TTL is {show(chain.minimum_ttl)}, over {show(limit)}")

    def _judge_answers(self, found: set[bytes], shown: list[str]) -> None:
        expected = self.expect.answers
        said = ", ".join(shown) or f"no {self.type} record"
        if expected is None and not found:
            raise ProbeFailed(f"the answer has {said}")
        if expected == () and found:
            raise ProbeFailed(f"the answer has {said}, and should have none")
        if expected:
            there = [_key_of(self.type, text) in found for text in expected]
            if not (all(there) if self.expect.match == "all" else any(there)):
                joint = " and " if self.expect.match == "all" else " or "
                raise ProbeFailed(f"the answer has {said}, not {joint.join(expected)}")


def _key_of(rdtype: str, text: str) -> bytes:
    """The key of a record as people write it; a TXT record is its text, without quotes."""
    if rdtype == "TXT":
        return text.encode()
    import dns.rdata

    return _key(dns.rdata.from_text("IN", rdtype, text, origin=dns.name.root, relativize=False))


def _key(rdata: Rdata) -> bytes:
    """Equal for equal records: names in any case, a TXT record however it is cut in strings."""
    from dns.rdtypes.ANY.TXT import TXT

    if isinstance(rdata, TXT):
        return b"".join(rdata.strings)
    return rdata.to_digestable()


def _shown(rdata: Rdata) -> str:
    from dns.rdtypes.ANY.TXT import TXT

    if isinstance(rdata, TXT):
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    return rdata.to_text()

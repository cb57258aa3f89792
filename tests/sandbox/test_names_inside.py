"""The name service inside: AWS's names are ours, all others are the resolver's."""

from __future__ import annotations

import asyncio

import dns.message
import dns.rcode
import dns.rrset
import pytest

from chaos.loops import run_at
from chaos.proxies.dns import DnsServer
from chaos.sandbox.names import AWS_ADDRESS, is_aws, respond


def elsewhere(wire: bytes, *, udp: bool) -> bytes:
    """A resolver for which every name has one address."""
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.answer = [dns.rrset.from_text(response.question[0].name, 9, "IN", "A", "192.0.2.9")]
    return response.to_wire()


def asked(name: str, kind: str = "A") -> list[str]:
    async def scenario() -> dns.message.Message:
        server = DnsServer(elsewhere)
        port = await server.start()
        try:
            reply = respond([("127.0.0.1", port)])(
                dns.message.make_query(name, kind).to_wire(), udp=True
            )
            assert reply is not None
            wire = reply if isinstance(reply, bytes) else await asyncio.wait_for(reply, 10)
            assert wire is not None
            return dns.message.from_wire(wire)
        finally:
            await server.stop()

    answer = run_at(1, scenario())
    assert answer.rcode() == dns.rcode.NOERROR
    return [str(value) for rrset in answer.answer for value in rrset]


@pytest.mark.parametrize(
    "name",
    [
        "dynamodb.us-east-1.amazonaws.com",
        "My-Bucket.s3.amazonaws.com",
        "sqs.cn-north-1.amazonaws.com.cn",
        "lambda.us-east-1.api.aws",
        "localhost.localstack.cloud",
        "my-bucket.s3.localhost.localstack.cloud",
    ],
)
def test_names_of_aws_lead_to_us_and_have_no_other_address(name: str) -> None:
    assert is_aws(name)
    assert asked(name) == [AWS_ADDRESS]
    assert asked(name, "AAAA") == []


@pytest.mark.parametrize("name", ["www.example.org", "amazonaws.com.evil.test", "notamazonaws.com"])
def test_all_others_are_the_resolvers(name: str) -> None:
    assert not is_aws(name)
    assert asked(name) == ["192.0.2.9"]

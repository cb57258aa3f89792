"""QueueUrls of LocalStack lead to the proxy, so that no SDK is led past it."""

from __future__ import annotations

import json

import pytest
from upstreams import End, run, standing

from chaos.proxies.queue_urls import MAX_ANSWER

THEIRS = "http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/jobs"
OURS = "http://127.0.0.1:9/000000000000/jobs"


def asking(operation: str) -> bytes:
    return (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1:9\r\nX-Amz-Target: AmazonSQS.%b\r\n"
        b"Content-Length: 2\r\n\r\n{}" % operation.encode()
    )


def saying(body: bytes, length: bytes = b"Content-Length: %d") -> bytes:
    announced = length % len(body) if b"%" in length else length
    return b"HTTP/1.1 200 OK\r\n%s\r\nX-Other: 1\r\n\r\n%s" % (announced, body)


async def exchanged(client: End, peer: End, asked: bytes, said: bytes) -> None:
    client.send(asked)
    assert await peer.read(len(asked)) == asked
    peer.send(said)


def answered(operation: str, said: bytes, *, keeps: bool = True, cut: int = 10**9) -> bytes:
    """What the client gets when upstream says that, in two pieces, as its second answer."""

    async def test() -> bytes:
        async with standing(keeps_queues=keeps) as stand:
            client = await stand.client()
            client.send(asking("SendMessage"))
            peer = await stand.peer()
            await peer.read(len(asking("SendMessage")))
            peer.send(saying(b"{}"))
            await client.read(len(saying(b"{}")))
            await exchanged(client, peer, asking(operation), said[:cut])
            peer.send(said[cut:])
            peer.close()
            return await client.rest()

    return run(test())


@pytest.mark.parametrize("cut", [20, 60, 100])
@pytest.mark.parametrize("operation", ["CreateQueue", "GetQueueUrl"])
def test_a_queue_url_has_the_host_that_was_called(operation: str, cut: int) -> None:
    said = saying(json.dumps({"QueueUrl": THEIRS}).encode())
    head, _, body = answered(operation, said, cut=cut).partition(b"\r\n\r\n")
    assert json.loads(body) == {"QueueUrl": OURS}
    assert f"content-length: {len(body)}\r\nx-other: 1".encode() in head.lower()
    assert len(head) == said.index(b"\r\n\r\n")


def test_all_of_a_list_do() -> None:
    said = saying(json.dumps({"QueueUrls": [THEIRS, THEIRS]}).encode())
    body = answered("ListQueues", said).partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"QueueUrls": [OURS, OURS]}


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("ReceiveMessage", saying(json.dumps({"Body": THEIRS}).encode())),  # what was sent stays
        ("CreateQueue", saying(json.dumps({"QueueUrl": OURS}).encode())),
        ("CreateQueue", saying(b"{}")),
        (
            "CreateQueue",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n"
            + json.dumps({"QueueUrl": THEIRS}).ljust(0x60).encode()
            + b"\r\n0\r\n\r\n",
        ),
        ("ListQueues", saying(b"[" + THEIRS.encode() * (MAX_ANSWER // len(THEIRS) + 1) + b"]")),
    ],
    ids=["message", "ours", "none", "chunked", "too long"],
)
def test_anything_else_is_as_it_was(operation: str, said: bytes) -> None:
    assert answered(operation, said) == said


def test_an_answer_that_breaks_off_breaks_off_as_it_came() -> None:
    said = saying(json.dumps({"QueueUrl": "x" * 80}).encode())
    assert answered("CreateQueue", said[:-10]) == said[:-10]


def test_without_the_wish_nothing_is_changed() -> None:
    said = saying(json.dumps({"QueueUrl": THEIRS}).encode())
    assert answered("CreateQueue", said, keeps=False) == said

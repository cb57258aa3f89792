"""What the AWS API proxy tells of the calls that were answered: for replication."""

from __future__ import annotations

from upstreams import GET, OK, post, run, standing

from chaos.proxies.exchange import MAX_SEEN
from chaos.proxies.request import ApiRequest

PUT_ITEM = ApiRequest(
    region="us-east-1",
    service="dynamodb",
    operation="PutItem",
    access_key="lab",
    method="POST",
    path="/",
)
Seen = list[tuple[ApiRequest, bytes, int]]


def told(request: bytes, response: bytes = OK) -> Seen:
    """What `seen` hears of one call, at the latest when the client has its answer."""
    seen: Seen = []

    async def test() -> None:
        async with standing(seen=lambda *what: seen.append(what)) as stand:
            client = await stand.client()
            client.send(request)
            peer = await stand.peer()
            await peer.read(len(request))
            assert not seen
            peer.send(response)
            await client.head()
            assert len(seen) == 1

    run(test())
    return seen


def test_a_write_is_told_with_its_body() -> None:
    assert told(post(b'{"Item": {}}')) == [(PUT_ITEM, b'{"Item": {}}', 200)]


def test_a_chunked_body_is_told_without_its_chunks() -> None:
    chunked = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    body = b'8\r\n{"Item":\r\n4\r\n {}}\r\n0\r\n\r\n'
    assert told(chunked + body) == [(PUT_ITEM, b'{"Item": {}}', 200)]


def test_a_failed_write_is_told_with_its_status() -> None:
    no = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    assert told(post(b"{}"), no) == [(PUT_ITEM, b"{}", 400)]


def test_the_body_of_anything_else_is_not_kept() -> None:
    get_item = post(b"{}").replace(b"PutItem", b"GetItem")
    assert [body for _, body, _ in told(get_item) + told(GET)] == [b"", b""]


def test_a_body_longer_than_dynamodb_takes_is_not_kept() -> None:
    assert told(post(b"x" * (MAX_SEEN + 1))) == [(PUT_ITEM, b"", 200)]


def test_an_answer_before_the_body_has_come_is_told_without_it() -> None:
    seen: Seen = []

    async def test() -> None:
        async with standing(seen=lambda *what: seen.append(what)) as stand:
            client = await stand.client()
            client.send(post(b"hello")[:-1])
            peer = await stand.peer()
            await peer.head()
            peer.send(OK)
            assert await client.read(len(OK)) == OK
            client.send(b"o" + GET)  # the rest, and the next
            await peer.read(5)
            await peer.head()
            peer.send(OK)
            assert await client.read(len(OK)) == OK

    run(test())
    assert [(request.operation, body) for request, body, _ in seen] == [
        ("PutItem", b""),
        (None, b""),
    ]

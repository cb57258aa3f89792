"""All three kinds of store keep the same promises, on moto and through real sockets."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
from typing import Any

import pytest
from custody_stores import URLS, calls_to
from moto_account import REGION

from chaos.custody.opening import open_store
from chaos.custody.store import Calls, Store, check
from chaos.errors import CallFailed, InvalidInput

KINDS = sorted(URLS)
AT_ONCE = 20


def a_key() -> str:
    return f"tests/{secrets.token_hex(8)}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_made_replaced_listed_and_removed(kind: str, call: Calls) -> None:
    async def life() -> None:
        store, key = open_store(URLS[kind], call), a_key()
        assert await store.get(key) is None
        first = await store.write(key, "first")
        assert first is not None
        second = await store.write(key, "second", over=first)
        assert second is not None
        assert second != first
        assert await store.write(key, "late", over=first) is None
        assert await store.write(key, "new") is None
        found = await store.get(key)
        assert found is not None
        assert (found.text, found.version) == ("second", second)
        assert await store.keys(key[:-3]) == [key]
        await store.remove(key)
        await store.remove(key)
        assert await store.get(key) is None
        assert await store.keys(key) == []
        assert await store.write(key, "anew") is not None
        await store.remove(key)

    asyncio.run(life())


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_many_tasks_makes_a_document_and_one_replaces_it(kind: str, call: Calls) -> None:
    async def race() -> None:
        store, key = open_store(URLS[kind], call), a_key()
        over = None
        for lap in ("make", "replace"):
            texts = [f"{lap} {n}" for n in range(AT_ONCE)]
            versions = await asyncio.gather(*(store.write(key, text, over) for text in texts))
            won = [text for text, version in zip(texts, versions, strict=True) if version]
            found = await store.get(key)
            assert found is not None
            assert won == [found.text]
            over = found.version
        await store.remove(key)

    asyncio.run(race())


def contend(endpoint: str, url: str, key: str, ready: Any, won: Any, name: str) -> None:
    """One process among several that want the same document."""

    async def write() -> None:
        with calls_to(endpoint) as call:
            store = open_store(url, call)
            await store.keys("nothing")  # so that all have their connections
            ready.wait(60)
            if await store.write(key, name):
                won.put(name)

    asyncio.run(write())


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_several_processes_makes_a_document(kind: str, account: str, call: Calls) -> None:
    context, key = multiprocessing.get_context("spawn"), a_key()
    ready, won = context.Barrier(4), context.Queue()
    racers = [
        context.Process(target=contend, args=(account, URLS[kind], key, ready, won, f"process {n}"))
        for n in range(4)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(120)
        assert racer.exitcode == 0
    winner = won.get(timeout=10)
    assert won.empty()
    found = asyncio.run(open_store(URLS[kind], call).get(key))
    assert found is not None
    assert found.text == winner


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 3_000, 120_000])
def test_a_document_may_be_long(kind: str, size: int, call: Calls) -> None:
    text = "é\n" + secrets.token_hex(size // 2)

    async def keep() -> str:
        store, key = open_store(URLS[kind], call), a_key()
        assert await store.write(key, text)
        found = await store.get(key)
        assert found is not None
        assert await store.keys(key) == [key]
        await store.remove(key)
        assert await store.get(key) is None
        return found.text

    assert asyncio.run(keep()) == text


@pytest.mark.parametrize("kind", KINDS)
def test_more_documents_than_one_page_are_listed(kind: str, call: Calls) -> None:
    async def keep() -> None:
        store, prefix = open_store(URLS[kind], call), f"{a_key()}/log/"
        keys = [f"{prefix}{n:08}" for n in range(25)]
        await asyncio.gather(*(store.write(key, key) for key in keys))
        assert await store.keys(prefix) == keys
        await asyncio.gather(*(store.remove(key) for key in keys))

    asyncio.run(keep())


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_whose_answer_was_lost_has_been_first(kind: str, call: Calls) -> None:
    lost: list[str] = []

    async def losing(service: str, region: str, operation: str, /, **params: Any) -> Any:
        answer = await call(service, region, operation, **params)
        if operation.startswith("put_") and operation not in lost:
            lost.append(operation)
            raise CallFailed(operation, "ReadTimeoutError", "the answer was lost")
        return answer

    async def write() -> None:
        store, key = open_store(URLS[kind], losing), a_key()
        version = await store.write(key, "mine")
        assert lost
        lost.clear()
        assert version is not None
        assert await store.write(key, "mine too", over=version)
        await store.remove(key)

    asyncio.run(write())


def test_versions_of_a_parameter_are_let_go_but_for_the_first_and_the_last(call: Calls) -> None:
    async def replace() -> list[str]:
        store, key = open_store(URLS["ssm"], call), a_key()
        version = await store.write(key, "0")
        for n in range(1, 12):
            version = await store.write(key, str(n), over=version)
            assert version is not None
        assert await store.write(key, "one that has slept", over="3") is None
        assert await store.write(key, "one that is new") is None
        found = await store.get(key)
        assert found is not None
        assert found.text == "11"
        path = f"/chaos/undo/{key}"
        answer = await call("ssm", REGION, "get_parameters_by_path", Path=path, Recursive=True)
        await store.remove(key)
        return sorted(p["Name"].rpartition("/")[2] for p in answer["Parameters"])

    assert asyncio.run(replace()) == ["000001", "000009", "000010", "000011", "000012"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_store_passes_and_nothing_is_left_of_the_check(kind: str, call: Calls) -> None:
    async def checked() -> list[str]:
        store = open_store(URLS[kind], call)
        await check(store)
        return await store.keys("checks/")

    assert asyncio.run(checked()) == []


def test_what_is_written_is_encrypted(call: Calls) -> None:
    async def written() -> tuple[Any, Any]:
        for kind in ("s3", "ssm"):
            await open_store(URLS[kind], call).write("tests/secret", "text")
        s3 = await call(
            "s3", REGION, "head_object", Bucket="chaos-custody", Key="undo/tests/secret"
        )
        ssm = await call("ssm", REGION, "get_parameter", Name="/chaos/undo/tests/secret/000001")
        return s3["ServerSideEncryption"], ssm["Parameter"]["Type"]

    assert asyncio.run(written()) == ("AES256", "SecureString")


def test_a_key_of_ones_own_is_used(call: Calls) -> None:
    sent: list[dict[str, Any]] = []

    async def seen(service: str, region: str, operation: str, /, **params: Any) -> Any:
        sent.append(params)
        return await call(service, region, operation, **params)

    async def write() -> None:
        key = (await call("kms", REGION, "create_key"))["KeyMetadata"]["Arn"]
        for url in (f"s3://chaos-custody/own?kms={key}", f"{URLS['ssm']}&kms={key}"):
            assert await open_store(url, seen).write(a_key(), "text")
        assert sent[0]["ServerSideEncryption"] == "aws:kms"
        assert sent[0]["SSEKMSKeyId"] == sent[1]["KeyId"] == key

    asyncio.run(write())


async def refusal(store: Store) -> str:
    with pytest.raises(InvalidInput) as refused:
        await check(store)
    return str(refused.value)


def test_a_bucket_that_may_become_public_is_refused(call: Calls) -> None:
    async def refused() -> tuple[str, str]:
        await call("s3", REGION, "create_bucket", Bucket="open-bucket")
        return (
            await refusal(open_store("s3://open-bucket", call)),
            await refusal(open_store("s3://no-such-bucket-here", call)),
        )

    opened, missing = asyncio.run(refused())
    assert "does not block public access" in opened
    assert "cannot be used" in missing
    assert "NoSuchBucket" in missing


def test_a_table_of_another_shape_or_key_is_refused(call: Calls) -> None:
    async def refused() -> tuple[str, str]:
        await call(
            "dynamodb",
            REGION,
            "create_table",
            TableName="orders",
            KeySchema=[{"AttributeName": "order", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "order", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        other = open_store(f"dynamodb:orders?region={REGION}", call)
        own = open_store(f"{URLS['dynamodb']}&kms=arn:aws:kms:us-east-1:1:key/k", call)
        return await refusal(other), await refusal(own)

    shape, key = asyncio.run(refused())
    assert "another key than the string `id`" in shape
    assert "is encrypted with a key of AWS" in key


def test_a_store_that_takes_every_write_can_hold_no_lock(call: Calls) -> None:
    async def careless(service: str, region: str, operation: str, /, **params: Any) -> Any:
        for condition in ("IfNoneMatch", "IfMatch"):
            params.pop(condition, None)
        return await call(service, region, operation, **params)

    said = asyncio.run(refusal(open_store(URLS["s3"], careless)))
    assert "takes a write over another's" in said


def test_a_bucket_that_does_not_encrypt_is_refused(call: Calls) -> None:
    async def plain(service: str, region: str, operation: str, /, **params: Any) -> Any:
        answer = await call(service, region, operation, **params)
        answer.pop("ServerSideEncryption", None)
        return answer

    assert "does not encrypt" in asyncio.run(refusal(open_store(URLS["s3"], plain)))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://", "names no undo log"),
        ("s3:bucket", "names no undo log"),
        ("s3:///prefix", "names no undo log"),
        ("dynamodb:/table?region=eu-west-1", "names no undo log"),
        ("bucket", "names no undo log"),
        ("https://bucket", "names no undo log"),
        ("ssm:path?region=eu-west-1", "names no undo log"),
        ("ssm:/path", "does not say its region"),
        ("dynamodb:table", "does not say its region"),
        ("dynamodb:table?region=", "does not say its region"),
        ("s3://bucket?regoin=eu-west-1", "'regoin', which is not known"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        open_store(url, None)  # type: ignore[arg-type]  # nobody is called

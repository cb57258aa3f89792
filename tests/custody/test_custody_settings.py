"""Where the undo log is, who says so, what it takes, and how its commands are called wrongly."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from calls import called
from custody_stores import URLS, calls_to

from chaos.custody import grants, lock, taking
from chaos.custody.lease import Owner
from chaos.custody.of_drill import where
from chaos.custody.opening import open_store
from chaos.custody.store import Calls, check
from chaos.errors import CallFailed, InvalidInput
from chaos.permissions.actions import actions

A, B = "s3://one", "s3://two"


@pytest.mark.parametrize(
    ("asked", "policy", "is_at"),
    [(A, None, A), (None, A, A), (A, A, A), ("none", None, "none")],
)
def test_the_undo_log_is_where_somebody_says(
    asked: str | None, policy: str | None, is_at: str
) -> None:
    assert where(asked, policy) == is_at


@pytest.mark.parametrize(
    ("asked", "policy", "said"),
    [
        (None, None, "give --undo-log"),
        (B, A, "the policy keeps the undo log and the locks in s3://one"),
        ("none", A, "the policy keeps the undo log and the locks in s3://one"),
    ],
)
def test_a_drill_without_an_undo_log_or_beside_the_policys_is_refused(
    asked: str | None, policy: str | None, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        where(asked, policy)


@pytest.mark.parametrize("kind", sorted(URLS))
def test_what_is_granted_is_what_is_called(kind: str, account: str) -> None:
    """Through the check, a lock and the end of a run; what marks are looked for with besides."""
    used: set[str] = set()

    async def main() -> None:
        with calls_to(account) as call:

            async def seen(service: str, region: str, operation: str, /, **params: Any) -> Any:
                used.update(actions(service, operation))
                return await call(service, region, operation, **params)

            store = open_store(URLS[kind], seen)
            await check(store)
            await lock.take(store, "333333333333", "g", Owner.here("arn"))
            await taking.finish(store, "g")

    asyncio.run(main())
    used.discard("s3:DeleteObjectVersion")  # it takes that only with the id of a version
    granted = grants(URLS[kind])
    parts = (*granted.looks, *granted.injects)
    named = {action for grant in parts for action in grant.actions}
    assert named - {"ec2:DescribeRegions", "tag:GetResources"} == used
    assert granted.injects == granted.puts_back


def test_a_key_of_ones_own_is_granted() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/k"
    [_, of_key] = grants(f"{URLS['ssm']}&kms={key}").injects
    assert of_key.resources == (key,)
    assert "kms:Decrypt" in of_key.actions


def test_writes_that_cross_are_tried_again(call: Calls) -> None:
    """S3 answers 409 while another write of the key is under way; moto never does."""
    crossed: list[str] = []

    async def crossing(service: str, region: str, operation: str, /, **params: Any) -> Any:
        if operation == "put_object" and len(crossed) < 2:
            crossed.append(operation)
            raise CallFailed(operation, "ConditionalRequestConflict", "409")
        return await call(service, region, operation, **params)

    async def main() -> None:
        store = open_store(URLS["s3"], crossing)
        assert await store.write("tests/crossed", "mine") is not None
        crossed.clear()
        assert await store.write("tests/crossed", "another's") is None
        await store.remove("tests/crossed")

    asyncio.run(main())
    assert len(crossed) == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["rollback"], "give either RUN or --orphans"),
        (["rollback", "latest", "--orphans"], "give either RUN or --orphans"),
        (["rollback", "latest", "--yes"], "--yes goes with --orphans"),
        (["rollback", "latest", "--take-over", "r"], "--take-over goes with --orphans"),
        (["rollback", "--orphans"], "where is the undo log?"),
        (["rollback", "--orphans", "--undo-log", "none"], "where is the undo log?"),
        (["rollback", "--orphans", "--undo-log", "x"], "names no undo log"),
        (["rollback", "--orphans", "--watch", "--json"], "--watch goes with neither"),
        (["rollback", "--orphans", "--watch", "--every", "1"], "'1'"),
        (["rollback", "--orphans", "--watch", "--every", "10ms"], "once a second"),
        (["unlock", "123456789012"], "where is the undo log?"),
        (["unlock", "12345"], "'12345' is no id of an account; it has 12 digits"),
    ],
)
def test_commands_called_wrongly_say_what_to_do(args: list[str], said: str) -> None:
    error = called(*args, CHAOS_UNDO_LOG="").exception
    assert error is not None
    assert said in getattr(error, "message", str(error))

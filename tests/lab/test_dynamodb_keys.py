"""Which items a write to DynamoDB touches, from its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.lab.dynamodb_keys import WRITES, identity, key_of, touched
from chaos.proxies.exchange import DYNAMODB_WRITES

A: dict[str, Any] = {"id": {"S": "a"}}
B: dict[str, Any] = {"id": {"S": "b"}, "n": {"N": "1"}}


@pytest.mark.parametrize(
    ("operation", "request_", "items"),
    [
        ("PutItem", {"TableName": "t", "Item": B}, [("t", B)]),
        ("UpdateItem", {"TableName": "t", "Key": A, "UpdateExpression": "x"}, [("t", A)]),
        ("DeleteItem", {"TableName": "t", "Key": A}, [("t", A)]),
        (
            "BatchWriteItem",
            {
                "RequestItems": {
                    "t": [{"PutRequest": {"Item": B}}, {"DeleteRequest": {"Key": A}}],
                    "u": [{"PutRequest": {"Item": A}}],
                }
            },
            [("t", B), ("t", A), ("u", A)],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": B}},
                    {"Update": {"TableName": "u", "Key": A}},
                    {"Delete": {"TableName": "t", "Key": A}},
                    {"ConditionCheck": {"TableName": "t", "Key": A}},
                ]
            },
            [("t", B), ("u", A), ("t", A)],
        ),
    ],
)
def test_each_write_names_its_items(operation: str, request_: Any, items: Any) -> None:
    assert touched(operation, json.dumps(request_).encode()) == items


def test_the_proxy_keeps_the_bodies_of_just_these_writes() -> None:
    assert WRITES.keys() == DYNAMODB_WRITES


def test_a_table_may_be_named_by_its_arn() -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/t"
    assert touched("PutItem", json.dumps({"TableName": arn, "Item": A}).encode()) == [("t", A)]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"7", b'{"TableName": "t"}', b"\xff"])
def test_what_is_no_such_request_is_said(body: bytes) -> None:
    with pytest.raises(ValueError, match="PutItem"):
        touched("PutItem", body)


@pytest.mark.parametrize("item", [{}, {"id": 7}, []])
def test_an_item_without_its_key_is_said(item: Any) -> None:
    with pytest.raises(ValueError, match="without the key id"):
        key_of(item, ("id",))


def test_bytes_are_text_on_the_wire_only() -> None:
    assert key_of({"id": {"B": "AAE="}, "x": {"S": ""}}, ("id",)) == {"id": {"B": b"\x00\x01"}}


def test_keys_are_the_same_whatever_way_a_number_is_written() -> None:
    one, other = {"id": {"N": "1"}}, {"id": {"N": "1.0"}, "more": {"S": "x"}}
    assert identity(one, ("id",)) == identity(other, ("id",))
    assert identity(one, ("id",)) != identity({"id": {"S": "1"}}, ("id",))

"""Which items a write to DynamoDB touches, read off the request; no state, no I/O.

PartiQL statements (ExecuteStatement and its kin) are not understood.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

# An attribute's value as boto3's client takes and gives it: {"S": "x"}, {"N": "1"}, {"B": b"x"}.
Value = dict[str, Any]
Key = dict[str, Value]
# The same key in one form: 1 and 1.0 are one number.
Identity = tuple[tuple[str, str | bytes | Decimal], ...]


def touched(operation: str, body: bytes) -> list[tuple[str, Key]]:
    """Table names, and items or keys; raises ValueError when the body is no such request."""
    try:
        request = json.loads(body)
        return [(_name(table), attributes) for table, attributes in WRITES[operation](request)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"this is no {operation}: {error!r}") from error


def key_of(attributes: Mapping[str, Value], names: Sequence[str]) -> Key:
    """The key of an item as it stands in a request, as boto3 takes it; raises ValueError."""
    try:
        return {name: _from_wire(attributes[name]) for name in names}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"an item without the key {', '.join(names)}") from error


def identity(item: Mapping[str, Value], names: Sequence[str]) -> Identity:
    """What makes two keys, or the keys of two items, the same."""
    return tuple(_same(*next(iter(item[name].items()))) for name in names)


def _name(table: str) -> str:
    """A table may be named by its ARN."""
    return table.rpartition("table/")[2]


def _from_wire(value: Value) -> Value:
    if "B" in value:
        return {"B": base64.b64decode(value["B"])}
    return dict(value)


def _same(kind: str, value: Any) -> tuple[str, str | bytes | Decimal]:
    return (kind, Decimal(value)) if kind == "N" else (kind, value)


def _put(request: Any) -> Iterator[tuple[str, Any]]:
    yield request["TableName"], request["Item"]


def _keyed(request: Any) -> Iterator[tuple[str, Any]]:
    yield request["TableName"], request["Key"]


def _batch(request: Any) -> Iterator[tuple[str, Any]]:
    for table, writes in request["RequestItems"].items():
        for write in writes:
            put = write.get("PutRequest")
            yield table, put["Item"] if put else write["DeleteRequest"]["Key"]


def _transaction(request: Any) -> Iterator[tuple[str, Any]]:
    for action in request["TransactItems"]:
        if put := action.get("Put"):
            yield put["TableName"], put["Item"]
        elif change := action.get("Update") or action.get("Delete"):
            yield change["TableName"], change["Key"]


WRITES: dict[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "PutItem": _put,
    "UpdateItem": _keyed,
    "DeleteItem": _keyed,
    "BatchWriteItem": _batch,
    "TransactWriteItems": _transaction,
}

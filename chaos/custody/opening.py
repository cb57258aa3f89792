"""From the URL of a store to the store."""

from __future__ import annotations

from collections.abc import Callable

from chaos.custody.dynamodb import TableStore
from chaos.custody.location import Location, locate
from chaos.custody.s3 import BucketStore
from chaos.custody.ssm import ParameterStore
from chaos.custody.store import Calls, Store


def open_store(url: str, call: Calls) -> Store:
    """The store at that URL, reached with these calls; contacts nobody. Raises InvalidInput."""
    at = locate(url)
    kinds: dict[str, Callable[[Location, Calls], Store]] = {
        "s3": BucketStore,
        "ssm": ParameterStore,
        "dynamodb": TableStore,
    }
    return kinds[at.kind](at, call)

"""The operations of all AWS services: what a request means, and the names of what it says.

Most requests name their operation themselves. Those of REST services do not: their models are
read when the first one comes, in up to 20 ms, and kept as routes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from chaos.proxies.operations_index import (
    index,
    names_of,
    operations_of,
    service_names,
    signed_as,
    signing_of,
)
from chaos.proxies.operations_models import Service, operations, shapes
from chaos.proxies.operations_routes import Route, Routes

__all__ = [
    "names_of",
    "operations_of",
    "prepare",
    "rest_operation",
    "rest_operation_unsigned",
    "service_names",
    "signing_of",
]

# Two operations at one path; buckets of either kind are listed under a signing name of their own.
NOT_SIGNED_AS = {"s3": {"ListDirectoryBuckets"}, "s3express": {"ListBuckets"}}
# Services with REST operations that nobody signs, or that a bearer token signs; by boto3's name.
NEVER_SIGNED = ("sso-oidc", "sso", "signin", "codecatalyst", "account-access-runtime")
SIGNED_BY_TOKEN = ("bedrock-runtime", "bedrock")


def prepare() -> None:
    """Read ahead what first questions need, in 100 to 200 ms."""
    _signed("s3")
    for name in NEVER_SIGNED:
        _of_one(name)


def rest_operation(
    signing: str, method: bytes, path: bytes, query: bytes, headers: Mapping[bytes, bytes]
) -> str | None:
    """The operation of a signed request to a REST service."""
    return _signed(signing).find(method, path, query, headers)


def rest_operation_unsigned(
    method: bytes, path: bytes, query: bytes, headers: Mapping[bytes, bytes]
) -> tuple[str | None, str | None]:
    """Signing name and operation of a request to a REST service that nobody has signed."""
    by_token = headers.get(b"authorization", b"").startswith(b"Bearer ")
    for name in NEVER_SIGNED + (SIGNED_BY_TOKEN if by_token else ()):
        if found := _of_one(name).find(method, path, query, headers, strict=True):
            return index().names[name].signing, found
    return None, None


@cache
def _signed(signing: str) -> Routes:
    rest = [service for service in signed_as(signing) if service.is_rest]
    routes = (route for service in rest for route in _routes_of(service))
    left_out = NOT_SIGNED_AS.get(signing, set())
    return Routes(route for route in routes if route.operation not in left_out)


@cache
def _of_one(name: str) -> Routes:
    return Routes(_routes_of(index().names[name]))


def _routes_of(service: Service) -> Iterator[Route]:
    """A service's routes; its shapes are read only where something depends on them."""
    said = operations(service)
    shared = max(Counter(map(_place, said.values())).values()) > 1
    members = shapes(service) if shared or service.name in NEVER_SIGNED else {}
    for name, operation in said.items():
        path, _, query = operation["http"]["requestUri"].encode().partition(b"?")
        fixed = dict(pair.partition(b"=")[::2] for pair in query.split(b"&") if pair)
        yield Route(
            operation=name,
            method=operation["http"]["method"].encode(),
            path=path,
            query=frozenset(fixed),
            values=frozenset(item for item in fixed.items() if item[1]),
            parameters=_required(operation, members, "querystring"),
            fields=_required(operation, members, "header"),
            deprecated=operation.get("deprecated", False),
        )


def _place(operation: dict[str, Any]) -> tuple[str, str]:
    """Method and path; how the labels of the path are called does not matter."""
    return operation["http"]["method"], re.sub(r"\{[^}+]+", "{", operation["http"]["requestUri"])


def _required(
    operation: dict[str, Any], members: dict[str, Any], location: str
) -> frozenset[bytes]:
    """The names, in lower case for headers, of what a request must have there."""
    shape = members.get(operation.get("input", {}).get("shape"), {})
    said = {name: shape["members"][name] for name in shape.get("required", ())}
    names = {m.get("locationName", n) for n, m in said.items() if m.get("location") == location}
    return frozenset((n.lower() if location == "header" else n).encode() for n in names)

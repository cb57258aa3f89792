"""Routes of REST services: which operation a method, a path and a query mean.

A tree of path segments per method. Names go before labels (`{Bucket}`) and labels before greedy
ones (`{Key+}`); at a leaf the operation that asks for most and gets all of it is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation, and what its requests have at the least."""

    operation: str
    method: bytes
    path: bytes  # the template
    query: frozenset[bytes] = frozenset()  # names that are fixed in it
    values: frozenset[tuple[bytes, bytes]] = frozenset()  # of those that have one
    parameters: frozenset[bytes] = frozenset()  # names that are required in it
    fields: frozenset[bytes] = frozenset()  # required among the headers
    deprecated: bool = False

    @property
    def demands(self) -> int:
        """How much it asks for."""
        return sum(map(len, (self.query, self.values, self.parameters, self.fields)))


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a request that decide."""

    query: Mapping[bytes, bytes]
    fields: Mapping[bytes, bytes]
    slash: bool  # the path ends with one

    def fits(self, route: Route) -> bool:
        return self.query.keys() >= route.query and self.query.items() >= route.values

    def completes(self, route: Route) -> bool:
        return self.query.keys() >= route.parameters and self.fields.keys() >= route.fields


@dataclass(slots=True)
class Node:
    """What may follow a segment."""

    names: dict[bytes, Node] = field(default_factory=dict)
    label: Node | None = None
    greedy: Node | None = None
    routes: list[Route] = field(default_factory=list)
    bare: list[Route] = field(default_factory=list)  # those that ask for nothing in the query

    def add(self, route: Route) -> None:
        """A route that ends here, after those that ask for more."""
        self.routes.append(route)
        if not route.query and not route.parameters:
            self.bare.append(route)

    def child(self, segment: bytes) -> Node:
        """The node of a template's segment, made when it is new."""
        if segment.endswith(b"+}"):
            self.greedy = self.greedy or Node()
            return self.greedy
        if segment.startswith(b"{"):
            self.label = self.label or Node()
            return self.label
        return self.names.setdefault(segment, Node())

    def find(self, segments: list[bytes], at: int, asked: Asked, strict: bool) -> Route | None:
        """The route of the segments from `at` on."""
        if at == len(segments):
            return _choice(self.routes if asked.query else self.bare, asked, strict)
        segment, found = segments[at], None
        if name := self.names.get(segment):
            found = name.find(segments, at + 1, asked, strict)
        if found is None and self.label and segment:
            found = self.label.find(segments, at + 1, asked, strict)
        if found is None and self.greedy:
            found = self.greedy.after(segments, at + 1, asked, strict)
        return found

    def after(self, segments: list[bytes], at: int, asked: Asked, strict: bool) -> Route | None:
        """The route after a greedy label of one segment or more; one with a name there is meant."""
        for end in range(len(segments) - 1, at - 1, -1) if self.names else ():
            if found := self.find(segments, end, asked, strict):
                return found
        return _choice(self.routes if asked.query else self.bare, asked, strict)


class Routes:
    """The routes of the services that share a signing name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._roots: dict[bytes, Node] = {}
        for route in sorted(routes, key=lambda route: (-route.demands, route.deprecated)):
            node = self._roots.setdefault(route.method, Node())
            for segment in _segments(route.path):
                node = node.child(segment)
            node.add(route)

    def find(
        self,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: Mapping[bytes, bytes],
        *,
        strict: bool = False,
    ) -> str | None:
        """The operation; `strict`: only if the request has all that the operation requires."""
        if root := self._roots.get(method):
            asked = Asked(_pairs(query), headers, path.endswith(b"/"))
            if route := root.find(_segments(path), 0, asked, strict):
                return route.operation
        return None


def _choice(routes: list[Route], asked: Asked, strict: bool) -> Route | None:
    """Lex and Bedrock have two services at one path, told apart by a slash at its end."""
    complete = incomplete = None
    for route in routes:
        if not asked.fits(route):
            continue
        if asked.completes(route):
            if route.path.endswith(b"/") == asked.slash:
                return route
            complete = complete or route
        elif not strict:
            incomplete = incomplete or route
    return complete or incomplete


def _segments(path: bytes) -> list[bytes]:
    """Of `/a/b` and `/a/b/` the same two."""
    segments = path.split(b"/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    return segments


def _pairs(query: bytes) -> dict[bytes, bytes]:
    pairs = (pair.partition(b"=") for pair in query.split(b"&")) if query else ()
    return {name: value for name, _, value in pairs}

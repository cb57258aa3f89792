"""Changes to a document, as JSON Merge Patch (RFC 7396) has them, and to the items of its lists."""

from __future__ import annotations

from typing import Any


def merged(document: Any, change: Any) -> Any:
    """The document with the change: mappings are merged, null removes a key, all else replaces.

    Beyond the RFC, a mapping whose keys are whole numbers changes the items of a list by their
    positions, from 0; the position after the last one appends. Raises ValueError for another one.
    """
    if not isinstance(change, dict):
        return change
    if isinstance(document, list):
        return _merged_list(document, change)
    found = dict(document) if isinstance(document, dict) else {}
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def _merged_list(items: list[Any], change: dict[str, Any]) -> list[Any]:
    found: list[Any] = [*items]
    for key, value in change.items():
        if not key.isdecimal() or int(key) > len(found):
            last = f"{len(items)} items, counted from 0"
            raise ValueError(f"{key[:60]!r} is no position in a list of {last}; the next appends")
        before = found[int(key)] if int(key) < len(found) else None
        found[int(key) : int(key) + 1] = [None if value is None else merged(before, value)]
    return [item for item in found if item is not None]

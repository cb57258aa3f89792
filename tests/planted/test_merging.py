"""Changes to documents: RFC 7396's own examples, and the positions of lists."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.testing.merging import merged


@pytest.mark.parametrize(
    ("document", "change", "result"),
    [  # RFC 7396, appendix A, for documents that are mappings
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch(document: Any, change: Any, result: Any) -> None:
    before = repr(document)
    assert merged(document, change) == result
    assert repr(document) == before  # which others share


def test_items_of_a_list_are_changed_removed_and_added_by_their_positions() -> None:
    records = {"records": [{"name": "a", "ttl": 5}, {"name": "b"}, {"name": "c"}]}
    change = {"records": {"0": {"ttl": None, "kind": "A"}, "1": None, "3": {"name": "d"}}}
    assert merged(records, change) == {
        "records": [{"name": "a", "kind": "A"}, {"name": "c"}, {"name": "d"}]
    }


@pytest.mark.parametrize("position", ["2", "-1", "first", "1.0", ""])
def test_what_is_no_position_is_refused(position: str) -> None:
    with pytest.raises(ValueError, match="is no position in a list of 1 items, counted from 0"):
        merged({"records": [1]}, {"records": {position: 2}})

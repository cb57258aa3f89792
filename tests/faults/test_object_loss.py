"""Objects are deleted: which, what is refused before anything is touched, and what is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chaos.errors import InvalidInput, RestoreFailed
from chaos.faults.object_loss import MOST, ObjectLoss
from chaos.injection import Looker
from chaos.levers import Lever, Value, to_json
from chaos.levers.s3 import ObjectDeletion
from chaos.testing import FakeEnvironment, small_lab

BUCKET = "viewing-history-us-east-1"
KIM = ObjectDeletion(region="us-east-1", bucket=BUCKET, key="history/kim.json")


def environment(**objects: dict[str, list[str]]) -> FakeEnvironment:
    """With these objects, by the last part of their keys."""
    state = small_lab()
    state["objects"] = {f"history/{name}.json": there for name, there in objects.items()}
    return FakeEnvironment(state)


def pulled(lab: FakeEnvironment, prefix: str = "history/") -> list[tuple[dict[str, Any], Value]]:
    seen: list[tuple[dict[str, Any], Value]] = []

    async def pull(lever: Lever, value: Value, /) -> None:
        seen.append((to_json(lever), value))

    given = {"kind": "object_loss", "region": "us-east-1", "bucket": BUCKET, "lasts": "60s"}
    fault = ObjectLoss.model_validate({**given, "prefix": prefix})
    asyncio.run(fault.inject(Looker(lab), pull))
    return seen


def test_each_object_that_is_there_gets_a_marker_on_its_newest_version() -> None:
    lab = environment(
        kim={"versions": ["v2", "v1"], "markers": []},
        gone={"versions": ["v3"], "markers": ["m1"]},
        sam={"versions": ["v4"], "markers": []},
    )
    assert pulled(lab) == [
        (to_json(KIM), {"version": "v2", "markers": 1}),
        ({**to_json(KIM), "key": "history/sam.json"}, {"version": "v4", "markers": 1}),
    ]
    assert len(pulled(lab, "history/s")) == 1


def test_a_bucket_that_is_not_versioned_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be a one-way door."""
    lab = environment(kim={"versions": ["null"], "markers": []})
    monkeypatch.setattr(lab, "_get_bucket_versioning", lambda **_: {"Status": "Suspended"})
    with pytest.raises(InvalidInput, match="is not versioned: nothing would bring its objects"):
        pulled(lab)


def test_no_object_and_too_many_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no objects of .* begin with 'histories/'"):
        pulled(environment(kim={"versions": ["v1"], "markers": []}), "histories/")
    many = {f"k{n}": {"versions": ["v1"], "markers": []} for n in range(MOST + 1)}
    with pytest.raises(InvalidInput, match=rf"{MOST + 1} objects of .* at most {MOST}"):
        pulled(environment(**many))


def test_a_long_listing_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions of one key may be on another page than its markers."""
    lab = environment()
    pages = {
        "": {
            "Versions": [{"Key": KIM.key, "VersionId": "v1", "IsLatest": False}],
            "IsTruncated": True,
            "NextKeyMarker": KIM.key,
            "NextVersionIdMarker": "v1",
        },
        "v1": {"DeleteMarkers": [{"Key": KIM.key, "VersionId": "m1"}], "IsTruncated": False},
    }
    monkeypatch.setattr(
        lab, "_list_object_versions", lambda **asked: pages[asked.get("VersionIdMarker", "")]
    )
    assert asyncio.run(KIM.read(lab)) == {"version": "v1", "markers": 1}
    with pytest.raises(InvalidInput, match="no objects"):
        pulled(lab)


def test_exactly_the_newest_marker_is_removed() -> None:
    lab = environment(kim={"versions": ["v1"], "markers": ["ours", "theirs"]})
    asyncio.run(KIM.set(lab, {"version": "v1", "markers": 1}))
    assert lab.state["objects"][KIM.key]["markers"] == ["theirs"]


def test_an_object_that_was_written_anew_is_left_as_it_is() -> None:
    lab = environment(kim={"versions": ["v2", "v1"], "markers": ["ours"]})
    with pytest.raises(RestoreFailed, match="has another newest version than v1"):
        asyncio.run(KIM.set(lab, {"version": "v1", "markers": 0}))
    assert lab.state["objects"][KIM.key]["markers"] == ["ours"]

"""Many samples in one line: each comes back as it was, and no turn waits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.packing import LONGEST_S, MOST, Packer, unpacked

FIRST, EVERY = 0.05, 0.2  # the grid of every probe
microseconds = st.integers(0, 10**9).map(lambda n: n / 1e6)


class Lines:
    """What a packer has written."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.packer = Packer(self.write)

    def write(self, event: str, **fields: Any) -> None:
        self.events.append({"n": len(self.events), "t": 0.0, "event": event, **fields})

    def samples(self) -> list[dict[str, Any]]:
        """Each sample that they hold, without where it stands."""
        return [
            {k: v for k, v in e.items() if k not in ("n", "t", "event")}
            for e in unpacked(self.events)
        ]


def sample(n: int, *, ok: bool = True, probe: str = "page", **fields: Any) -> dict[str, Any]:
    due = round(FIRST + n * EVERY, 6)
    return {
        "attempt": n,
        "probe": probe,
        "due": due,
        "start": due,
        "end": round(due + 0.012345, 6),
        "ok": ok,
        "error": "" if ok else "boom",
        "crashed": False,
        "phases": {"connect": 0.001},
        "detail": {"status": 200},
        **fields,
    }


@st.composite
def attempts(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(0, 10**7))
    start = round(FIRST + n * EVERY + draw(microseconds), 6)
    names = draw(st.lists(st.sampled_from(["name", "connect", "body"]), unique=True))
    return sample(
        n,
        ok=draw(st.booleans()),
        probe=draw(st.sampled_from(["page", "canary"])),
        start=start,
        end=round(start + draw(microseconds), 6),
        phases={name: draw(microseconds) for name in names},
        detail=draw(st.sampled_from([{}, {"status": 200}, {"region": "eu"}])),
        crashed=draw(st.booleans()),
    )


@given(st.lists(attempts(), max_size=40), st.lists(st.booleans(), max_size=40))
def test_each_sample_comes_back_as_it_was(given_: list[dict[str, Any]], late: list[bool]) -> None:
    lines, now = Lines(), 0.0
    for n, one in enumerate(given_):
        now += LONGEST_S * 2 if n < len(late) and late[n] else 0.1
        lines.packer.add(one, FIRST, EVERY, now)
    lines.packer.flush()
    assert sorted(map(as_text, lines.samples())) == sorted(map(as_text, given_))


def as_text(one: dict[str, Any]) -> str:
    return json.dumps(one, sort_keys=True)


def test_other_events_are_passed_on() -> None:
    phase = {"n": 0, "t": 0.0, "event": "phase", "phase": "steady"}
    assert list(unpacked([phase])) == [phase]


def test_what_is_alike_shares_a_line() -> None:
    lines = Lines()
    held = [lines.packer.add(sample(n), FIRST, EVERY, 0.0) for n in range(MOST + 1)]
    assert held == [False] + [True] * MOST  # the first one is a turn: nothing was known before
    assert [e["event"] for e in lines.events] == ["sample", "samples"]
    assert lines.events[1]["count"] == MOST


def test_a_turn_is_written_at_once_after_what_came_before() -> None:
    lines = Lines()
    for n in range(5):
        lines.packer.add(sample(n), FIRST, EVERY, 0.0)
    assert not lines.packer.add(sample(5, ok=False), FIRST, EVERY, 0.0)
    assert [e["event"] for e in lines.events] == ["sample", "samples", "sample"]
    assert [one["attempt"] for one in lines.samples()] == [0, 1, 2, 3, 4, 5]


def test_a_turn_of_one_probe_is_none_of_another() -> None:
    lines = Lines()
    for probe in ("page", "canary"):
        lines.packer.add(sample(0, probe=probe), FIRST, EVERY, 0.0)
        lines.packer.add(sample(1, probe=probe), FIRST, EVERY, 0.0)
    lines.packer.add(sample(2, ok=False), FIRST, EVERY, 0.0)
    assert [(e["event"], e["probe"]) for e in lines.events[2:]] == [
        ("samples", "page"),
        ("sample", "page"),
    ]


def test_nothing_is_held_back_for_long() -> None:
    lines = Lines()
    lines.packer.add(sample(0), FIRST, EVERY, 0.0)
    lines.packer.add(sample(1), FIRST, EVERY, 1.0)
    lines.packer.add(sample(2), FIRST, EVERY, 1.0 + LONGEST_S + 0.5)
    assert [one["attempt"] for one in lines.samples()] == [0, 1, 2]


@pytest.mark.parametrize(
    "other", [{"detail": {"status": 204}}, {"error": "slow"}, {"phases": {"tls": 0.001}}]
)
def test_what_is_not_alike_has_a_line_of_its_own(other: dict[str, Any]) -> None:
    lines = Lines()
    for n in range(4):
        lines.packer.add(sample(n, **(other if n % 2 else {})), FIRST, EVERY, 0.0)
    lines.packer.flush()
    assert [e.get("count", 1) for e in lines.events] == [1, 2, 1]

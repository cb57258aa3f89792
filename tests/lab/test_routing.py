"""Which records Route 53 answers with, as its developer guide has it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

import dns.name
import pytest
from dns.name import Name
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st

from chaos.lab.routing import PLACES, Alias, Policy, Record, choose

API = dns.name.from_text("api.stream.example")


def record(identifier: str, policy: Policy = "simple", **fields: Any) -> Record:
    """A record whose health check, unless it is given another, is named as the record is."""
    usual: dict[str, Any] = {"name": API, "type": RdataType.A, "health_check": identifier}
    return Record(set_identifier=identifier, policy=policy, **(usual | fields))


def chosen(
    records: Sequence[Record],
    down: Collection[str] = (),
    *,
    seed: int = 0,
    viewer: str | None = None,
    groups: Mapping[str, Sequence[Record]] | None = None,
) -> list[str]:
    def lookup(name: Name, _type: RdataType) -> Sequence[Record]:
        return (groups or {}).get(name.labels[0].decode(), ())

    found = choose(
        records,
        lambda check: check not in down,
        random.Random(seed),
        viewer_region=viewer,
        lookup=lookup,
    )
    return [each.set_identifier for each in found]


def alias(identifier: str, to: str, policy: Policy = "simple", **fields: Any) -> Record:
    evaluate = fields.pop("evaluate", True)
    target = Alias(target=dns.name.from_text(to), evaluate_target_health=evaluate)
    return record(identifier, policy, alias=target, **{"health_check": None} | fields)


P = record("p", "failover", role="PRIMARY")
S = record("s", "failover", role="SECONDARY")
UNCHECKED_P = record("p", "failover", role="PRIMARY", health_check=None)
UNCHECKED_S = record("s", "failover", role="SECONDARY", health_check=None)


@pytest.mark.parametrize(
    ("records", "down", "answer"),
    [
        ([P, S], "", "p"),
        ([S, P], "", "p"),
        ([P, S], "p", "s"),
        ([P, S], "s", "p"),
        ([P, S], "ps", "p"),
        ([S, P], "ps", "p"),
        ([P, UNCHECKED_S], "ps", "s"),
        ([UNCHECKED_P, S], "ps", "p"),
        ([P], "p", "p"),
        ([S], "", "s"),
        ([S], "s", "s"),
    ],
)
def test_failover(records: list[Record], down: str, answer: str) -> None:
    assert chosen(records, down) == [answer]


def weighted(**weights: int) -> list[Record]:
    return [record(name, "weighted", weight=weight) for name, weight in weights.items()]


@pytest.mark.parametrize(
    ("weights", "down", "shares"),
    [
        ({"a": 3, "b": 1}, "", {"a": 0.75, "b": 0.25}),
        ({"a": 3, "b": 1}, "a", {"b": 1}),
        ({"a": 3, "b": 1}, "ab", {"a": 0.75, "b": 0.25}),
        ({"a": 255, "b": 0}, "", {"a": 1}),
        ({"a": 255, "b": 0}, "a", {"b": 1}),
        ({"a": 255, "b": 0}, "ab", {"a": 1}),
        ({"a": 0, "b": 0}, "", {"a": 0.5, "b": 0.5}),
        ({"a": 0, "b": 0}, "b", {"a": 1}),
        ({"a": 1, "b": 0, "c": 0}, "ac", {"b": 1}),
    ],
)
def test_weighted(weights: dict[str, int], down: str, shares: dict[str, float]) -> None:
    records = weighted(**weights)
    drawn = Counter(chosen(records, down, seed=seed)[0] for seed in range(2000))
    assert {name: count / 2000 for name, count in drawn.items()} == pytest.approx(shares, abs=0.05)


def test_multivalue_answers_up_to_eight_that_are_healthy() -> None:
    names = "abcdefghijkl"
    records = [record(name, "multivalue") for name in names]
    assert len(set(chosen(records))) == 8
    assert sorted(chosen(records, "abcdefghij")) == ["k", "l"]
    assert len(set(chosen(records, names))) == 8
    every = {name for seed in range(50) for name in chosen(records, seed=seed)}
    assert every == set(names)


LATENCY = [
    record(region, "latency", region=region) for region in ("us-west-2", "eu-west-1", "us-east-1")
]


@pytest.mark.parametrize(
    ("viewer", "down", "answer"),
    [
        ("us-east-1", [], "us-east-1"),
        ("us-east-2", [], "us-east-1"),
        ("us-east-2", ["us-east-1"], "us-west-2"),
        ("eu-central-1", [], "eu-west-1"),
        ("eu-central-1", ["eu-west-1"], "us-east-1"),
        ("ap-northeast-1", [], "us-west-2"),
        ("ap-northeast-1", ["us-west-2", "eu-west-1", "us-east-1"], "us-west-2"),
        (None, [], "us-west-2"),
        (None, ["us-west-2"], "eu-west-1"),
        ("mars-1", [], "us-west-2"),
    ],
)
def test_latency(viewer: str | None, down: list[str], answer: str) -> None:
    assert chosen(LATENCY, down, viewer=viewer) == [answer]


def test_a_region_whose_place_is_unknown_is_the_farthest() -> None:
    mars = record("mars", "latency", region="mars-1")
    assert chosen([mars, *LATENCY], viewer="eu-west-2") == ["eu-west-1"]
    assert chosen([mars], viewer="eu-west-2") == ["mars"]


@pytest.mark.parametrize("viewer", PLACES)
def test_a_viewer_s_own_region_is_the_nearest(viewer: str) -> None:
    everywhere = [record(region, "latency", region=region) for region in PLACES]
    assert chosen(everywhere, viewer=viewer) == [viewer]


def test_a_simple_record_is_answered_whatever_its_check_says() -> None:
    assert chosen([record("a")], "a") == ["a"]


def test_no_records_are_no_answer() -> None:
    assert chosen([]) == []


def test_an_alias_leads_nowhere_where_there_is_nothing_to_look_up() -> None:
    assert choose([alias("x", "east")], lambda _: True, random.Random(0)) == ()


# Two regions, each a weighted pair, as in the developer guide's complex configurations.
TREE = {
    "east": [record(name, "weighted", weight=1) for name in ("e1", "e2")],
    "west": [record(name, "weighted", weight=1) for name in ("w1", "w2")],
}


def regions(**fields: Any) -> list[Record]:
    return [
        alias("e", "east", "failover", role="PRIMARY", **fields),
        alias("w", "west", "failover", role="SECONDARY", **fields),
    ]


@pytest.mark.parametrize(
    ("records", "down", "answers"),
    [
        (regions(), [], {"e1", "e2"}),
        (regions(), ["e1"], {"e2"}),
        (regions(), ["e1", "e2"], {"w1", "w2"}),
        (regions(), ["e1", "e2", "w1"], {"w2"}),
        (regions(), ["e1", "e2", "w1", "w2"], {"e1", "e2"}),
        # without evaluation it stays in the dead branch
        (regions(evaluate=False), ["e1", "e2"], {"e1", "e2"}),
        # a check of the alias itself must pass too
        (regions(health_check="east"), ["east"], {"e1", "e2"}),
        (
            [
                alias("e", "east", "failover", role="PRIMARY", health_check="own"),
                alias("w", "west", "failover", role="SECONDARY"),
            ],
            ["own"],
            {"w1", "w2"},
        ),
        ([alias("n", "nowhere")], [], set()),
        (
            [
                alias("n", "nowhere", "failover", role="PRIMARY"),
                alias("w", "west", "failover", role="SECONDARY"),
            ],
            [],
            {"w1", "w2"},
        ),
    ],
)
def test_aliases(records: list[Record], down: list[str], answers: set[str]) -> None:
    found = {name for seed in range(30) for name in chosen(records, down, seed=seed, groups=TREE)}
    assert found == answers


def test_aliases_of_aliases_are_as_healthy_as_what_they_end_at() -> None:
    groups = {**TREE, "middle": [alias("m", "east")]}
    records = [
        alias("far", "middle", "failover", role="PRIMARY"),
        record("s", "failover", role="SECONDARY"),
    ]
    assert set(chosen(records, ["e1"], groups=groups)) == {"e2"}
    assert chosen(records, ["e1", "e2"], groups=groups) == ["s"]


def test_many_aliases_of_one_group_ask_its_health_once() -> None:
    """Else a tree of a few levels would be walked millions of times for one question."""
    groups: dict[str, list[Record]] = {"level0": [record("leaf", "weighted")]}
    for level in range(1, 7):
        groups[f"level{level}"] = [
            alias(f"{level}-{n}", f"level{level - 1}", "weighted", weight=n) for n in range(50)
        ]
    assert chosen(groups["level6"], ["leaf"], groups=groups) == ["leaf"]


@st.composite
def groups_of_records(draw: st.DrawFn) -> list[Record]:
    policy = draw(st.sampled_from(get_args(Policy)))
    names = draw(st.lists(st.sampled_from("abcdefghijklmno"), min_size=1, max_size=12, unique=True))
    if policy in ("failover", "simple"):
        names = names[: 2 if policy == "failover" else 1]
    roles = draw(st.permutations(["PRIMARY", "SECONDARY"]))
    return [
        record(
            name,
            policy,
            weight=draw(st.sampled_from([0, 0, 1, 255])),
            region=draw(st.sampled_from([*PLACES, "mars-1"])),
            role=roles[n] if policy == "failover" else None,
            health_check=draw(st.sampled_from([name, name, None])),
        )
        for n, name in enumerate(names)
    ]


@given(
    groups_of_records(),
    st.sets(st.sampled_from("abcdefghijklmno")),
    st.integers(),
    st.sampled_from([None, "us-east-1", "mars-1"]),
)
def test_an_unhealthy_record_is_never_answered_while_there_is_a_healthy_one(
    records: list[Record], down: set[str], seed: int, viewer: str | None
) -> None:
    names = chosen(records, down, seed=seed, viewer=viewer)
    healthy = {each.set_identifier for each in records if each.health_check not in down}
    assert 1 <= len(names) <= 8
    assert len(set(names)) == len(names)
    assert set(names) <= (healthy or {each.set_identifier for each in records})
    if records[0].policy == "multivalue":
        assert len(names) == min(8, len(healthy) or len(records))
    else:
        assert len(names) == 1


@given(groups_of_records(), st.sets(st.sampled_from("abcdefghijklmno")), st.integers())
def test_if_none_is_healthy_the_answer_is_as_if_all_were(
    records: list[Record], down: set[str], seed: int
) -> None:
    checked = [each for each in records if each.health_check]
    everything_down = down | {each.health_check for each in checked if each.health_check}
    if len(checked) == len(records):
        assert chosen(records, everything_down, seed=seed) == chosen(records, seed=seed)


@given(groups_of_records(), st.sets(st.sampled_from("abcdefghijklmno")), st.integers())
def test_an_evaluating_alias_answers_as_its_target_does(
    records: list[Record], down: set[str], seed: int
) -> None:
    direct = chosen(records, down, seed=seed)
    assert chosen([alias("x", "group")], down, seed=seed, groups={"group": records}) == direct

"""Statements of ours go into a policy and out again; all else in it stays as it is."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chaos.levers.policies import marked, merged, run_of, same, sid, statements, without

TEXT = st.text(max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-_.0123456789ABCXx", min_size=1, max_size=40)
ACTIONS = st.lists(TEXT, min_size=1, max_size=3) | TEXT
THEIRS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": ACTIONS, "Resource": ACTIONS},
    optional={
        "Sid": TEXT,
        "Principal": st.just("*") | st.dictionaries(TEXT, ACTIONS, max_size=2),
        "Condition": st.dictionaries(TEXT, st.dictionaries(TEXT, ACTIONS, max_size=2), max_size=2),
    },
)
POLICIES = st.fixed_dictionaries(
    {"Statement": THEIRS | st.lists(THEIRS, min_size=1, max_size=4)},
    optional={"Version": st.sampled_from(["2008-10-17", "2012-10-17"]), "Id": TEXT},
)


def ours(run: str) -> list[dict[str, Any]]:
    return [{"Sid": sid(run, n), "Effect": "Deny", "Action": "s3:*"} for n in range(2)]


@given(st.none() | POLICIES, NAMES)
def test_in_and_out_again_is_the_same_policy(policy: dict[str, Any] | None, run: str) -> None:
    before = copy.deepcopy(policy)
    with_ours = merged(policy, ours(run))
    assert marked(with_ours) == ours(run)
    back = without(with_ours)
    assert statements(back) == statements(before)
    assert {**(back or {}), "Statement": 0} == {**(before or {}), "Statement": 0}
    assert policy == before  # what was given is not changed


@given(POLICIES, NAMES)
def test_into_twice_is_into_once(policy: dict[str, Any], run: str) -> None:
    once = merged(policy, ours(run))
    assert merged(once, ours(run)) == once


@given(POLICIES)
def test_a_policy_without_ours_is_left_as_it_is(policy: dict[str, Any]) -> None:
    assert without(policy) is policy
    assert same(policy, json.loads(json.dumps(policy)))


@given(NAMES)
def test_the_run_is_read_back_from_the_mark(run: str) -> None:
    mark = sid(run, 7)
    assert mark.isalnum()  # all that IAM lets a Sid have
    assert run_of({"Sid": mark}) == run


@given(THEIRS)
def test_statements_of_others_carry_no_mark(statement: dict[str, Any]) -> None:
    assert run_of(statement) is None


def test_nothing_is_left_of_a_policy_that_was_ours_alone() -> None:
    assert without(merged(None, ours("r"))) is None


def test_lists_in_another_order_mean_the_same() -> None:
    one = {"Action": ["a", "b"], "Resource": ["x"], "Condition": {"Bool": {"k": "true"}}}
    assert same(
        one, {"Condition": {"Bool": {"k": ["true"]}}, "Resource": "x", "Action": ["b", "a"]}
    )
    assert not same(one, one | {"Action": ["a"]})

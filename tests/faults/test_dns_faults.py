"""The faults of DNS: what they put, what they refuse, and that the rule they put bites."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chaos.errors import InvalidInput
from chaos.faults.dns_failure import DnsFailure
from chaos.faults.dns_fault import DnsFault, meets
from chaos.faults.slow_dns import SlowDns
from chaos.injection import Looker
from chaos.levers import Lever, to_json
from chaos.proxies.dns_names import labels_of, means
from chaos.proxies.dns_rules import DnsRules
from chaos.proxies.dns_wire import asked
from chaos.testing import FakeEnvironment, small_lab


def slow(**given: Any) -> SlowDns:
    return SlowDns.model_validate({"kind": "slow_dns", "delay": "2s", "lasts": "60s", **given})


def failure(**given: Any) -> DnsFailure:
    return DnsFailure.model_validate(
        {"kind": "dns_failure", "how": "servfail", "lasts": "60s", **given}
    )


def pulled(fault: DnsFault, names: tuple[str, ...] = ()) -> list[tuple[dict[str, Any], Any]]:
    """The levers that it pulls, and to what."""
    lab, pulls = FakeEnvironment(small_lab()), list[tuple[dict[str, Any], Any]]()
    if names:
        lab._describe_lab = lambda: {"names": names}  # type: ignore[method-assign]  # another lab

    async def pull(lever: Lever, value: Any, /) -> None:
        await lever.set(lab, value)
        assert await lever.read(lab) == value
        pulls.append((to_json(lever), value))

    asyncio.run(fault.inject(Looker(lab), pull))
    return pulls


def test_slow_dns_puts_one_rule_that_delays() -> None:
    fault = slow(names=["*.stream.example", "api.stream.example"], jitter="500ms", types=["A"])
    assert pulled(fault) == [
        (
            {"kind": "dns_rule", "id": "slow_dns-*.stream.example+api.stream.example-A"},
            {
                "action": "delay",
                "seconds": 2.0,
                "jitter": 0.5,
                "names": ["*.stream.example", "api.stream.example"],
                "types": ["A"],
            },
        )
    ]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, {"action": "servfail"}),
        ({"how": "silence"}, {"action": "silence"}),
        ({"how": "truncated"}, {"action": "truncated"}),
        ({"how": "refused"}, {"action": "refused"}),
        ({"how": "nxdomain", "ttl": "5s"}, {"action": "nxdomain", "ttl": 5}),
        (
            {"how": "wrong", "answers": ["192.0.2.1"]},
            {"action": "wrong", "answers": ["192.0.2.1"]},
        ),
    ],
)
def test_a_failure_puts_the_rule_of_that_name(given: dict[str, Any], rule: dict[str, Any]) -> None:
    [(lever, value)] = pulled(failure(**given))
    assert lever == {"kind": "dns_rule", "id": "dns_failure-*"}
    assert value == {**rule, "names": ["*"]}


@pytest.mark.parametrize("fault", [slow(), failure(how="silence", names=["api.stream.example"])])
def test_the_rule_bites(fault: DnsFault) -> None:
    rules = DnsRules()
    [(_, value)] = pulled(fault)
    rules.put("r", value)
    question = asked(dns.message.make_query("API.stream.example", "A").to_wire())
    assert question is not None
    assert rules.match(question, udp=True) is not None
    assert rules.hits("r") == 1


@pytest.mark.parametrize("fault", [SlowDns, DnsFailure])
def test_faults_for_different_questions_can_be_on_at_the_same_time(fault: type[DnsFault]) -> None:
    make = slow if fault is SlowDns else failure
    ids = {
        pulled(make(**given))[0][0]["id"]
        for given in ({}, {"types": ["A"]}, {"types": ["AAAA"]}, {"names": ["api.stream.example"]})
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("make", "given", "where", "says"),
    [
        (slow, {"delay": "0s"}, "delay", "greater than 0"),
        (slow, {"delay": "2h"}, "delay", "must be a number of seconds from 0 to 3600, not 7200.0"),
        (slow, {"jitter": "3s"}, "jitter", "must be at most the delay"),
        (slow, {"names": []}, "names", "a list of one text or more, not []"),
        (slow, {"names": ["a.*"]}, ("names", 0), "'a.*' is no pattern: write api.example.com"),
        (slow, {"types": ["A", "ADDRESS"]}, ("types", 1), "'ADDRESS' is no record type"),
        (failure, {"how": "wrong"}, "answers", "missing; 'wrong' needs it"),
        (failure, {"answers": ["192.0.2.1"]}, "answers", "means nothing to 'servfail', only to"),
        (failure, {"how": "wrong", "answers": ["here"]}, "answers", "'here' is no address"),
        (failure, {"how": "silence", "ttl": "5s"}, "ttl", "means nothing to 'silence'"),
        (failure, {"how": "nxdomain", "ttl": "1500ms"}, "ttl", "must be whole seconds"),
        (failure, {"how": "crash"}, "how", "'servfail', 'refused'"),
    ],
)
def test_what_is_impossible_is_refused_where_it_stands(
    make: Any, given: dict[str, Any], where: str | tuple[str | int, ...], says: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        make(**given)
    [error] = caught.value.errors()
    assert error["loc"] == (where if isinstance(where, tuple) else (where,))
    assert says in error["msg"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["ap.stream.example"], "did you mean 'api.stream.example'?"),
        (["api.stream.example", "*.other.test"], "there is api.stream.example, stream.example"),
        (["*.api.stream.example"], "'*.api.stream.example' is no name of this lab"),
    ],
)
def test_a_pattern_that_means_nothing_of_the_lab_is_refused(names: list[str], says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        pulled(slow(names=names))
    [problem] = caught.value.problems
    assert problem.startswith("slow_dns: '")
    assert says in problem


def test_a_long_list_of_names_is_cut() -> None:
    with pytest.raises(InvalidInput, match=r"there is n00\.example, .* and 12 more$"):
        pulled(slow(names=["zzz"]), tuple(f"n{n:02}.example" for n in range(20)))


@pytest.mark.parametrize(
    ("pattern", "met"),
    [("x.stream.example", True), ("*.stream.example", True), ("stream.example", False)],
)
def test_a_wildcard_record_stands_for_any_name_below_it(pattern: str, met: bool) -> None:
    assert meets(pattern, ["*.stream.example"]) is met


NAMES = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(".".join)


@given(NAMES, NAMES, st.booleans())
def test_a_pattern_meets_a_wildcard_record_where_a_name_is_meant_by_both(
    owner: str, base: str, below: bool
) -> None:
    pattern = f"*.{owner}" if below else owner
    candidates = [owner, f"x.{owner}", f"x.{base}"]
    both = any(
        means(pattern, labels_of(name)) and means(f"*.{base}", labels_of(name))
        for name in candidates
    )
    assert meets(pattern, [f"*.{base}"]) is both


def test_the_same_fault_for_all_names_needs_none() -> None:
    assert slow().names == failure().names == ("*",)
    assert pulled(slow())[0][1]["names"] == ["*"]

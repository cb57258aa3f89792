"""Rules of a DNS server: read strictly, matched in order, counted; patterns mean what DNS does."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.proxies.dns_names import means
from chaos.proxies.dns_rules import DnsRule, DnsRules
from chaos.proxies.dns_wire import Asked, asked

SLOW = {"action": "delay", "names": ["*.example.com"], "seconds": 2.0}


def question(name: str, kind: str = "A") -> Asked:
    found = asked(dns.message.make_query(name, kind).to_wire())
    assert found is not None
    return found


@pytest.mark.parametrize(
    "rule",
    [
        SLOW,
        {"action": "delay", "seconds": 0.25, "jitter": 0.25},
        {"action": "servfail"},
        {"action": "refused", "names": ["*", "api.example.com"]},
        {"action": "nxdomain", "names": ["bücher.example"], "ttl": 0},
        {"action": "silence", "types": ["AAAA", "HTTPS"]},
        {"action": "truncated", "names": ["_sip._tcp.example.com"]},
        {"action": "wrong", "answers": ["192.0.2.1", "2001:db8::1"], "ttl": 604800},
        {"action": "wrong", "answers": ["192.0.2.1"], "types": ["A"]},
        {"action": "wrong", "answers": ["10 mail.example.com"], "types": ["MX"]},
    ],
)
def test_a_rule_reads_back_as_it_was_put(rule: dict[str, Any]) -> None:
    rules = DnsRules()
    rules.put("r", rule)
    found = rules.get("r")
    assert found is not None
    assert found.to_json() == rule


@pytest.mark.parametrize(
    ("rule", "field", "says"),
    [
        (7, "rule", "must be an object"),
        ({}, "action", "missing; it is one of delay, servfail, "),
        ({"action": "explode"}, "action", "must be one of delay, "),
        ({"action": ["delay"]}, "action", "must be one of"),
        ({"action": "silence", "name": "a.example"}, "name", "unknown; a rule has action, names"),
        ({"action": "silence", "names": "a.example"}, "names", "must be a list"),
        ({"action": "silence", "names": []}, "names", "must be a list"),
        ({"action": "silence", "names": [""]}, "names", "must be a list"),
        ({"action": "silence", "names": ["a.*.example"]}, "names", "write api.example.com, "),
        ({"action": "silence", "names": ["api*"]}, "names", "write api.example.com, "),
        ({"action": "silence", "names": ["*."]}, "names", "is no pattern"),
        ({"action": "silence", "names": ["."]}, "names", "is no pattern"),
        ({"action": "silence", "names": ["a..b"]}, "names", "is no name"),
        ({"action": "silence", "names": ["a" * 64]}, "names", "is no name"),
        ({"action": "silence", "names": ["a"] * 101}, "names", "not have more than 100"),
        ({"action": "silence", "types": ["a"]}, "types", "'a' is no record type such as A"),
        ({"action": "silence", "types": ["TYPE1"]}, "types", "no record type"),
        ({"action": "delay"}, "seconds", "missing"),
        ({"action": "delay", "seconds": -1}, "seconds", "from 0 to 3600"),
        ({"action": "delay", "seconds": 3601}, "seconds", "from 0 to 3600"),
        ({"action": "delay", "seconds": float("nan")}, "seconds", "from 0"),
        ({"action": "delay", "seconds": True}, "seconds", "must be a number"),
        ({"action": "delay", "seconds": "2s"}, "seconds", "must be a number"),
        ({"action": "delay", "seconds": 1, "jitter": 1.5}, "jitter", "at most the delay"),
        ({"action": "servfail", "seconds": 1}, "seconds", "means nothing to 'servfail'"),
        ({"action": "silence", "jitter": 1}, "jitter", "only to 'delay'"),
        ({"action": "silence", "ttl": 1}, "ttl", "only to 'nxdomain' and 'wrong'"),
        ({"action": "nxdomain", "answers": ["192.0.2.1"]}, "answers", "only to 'wrong'"),
        ({"action": "nxdomain", "ttl": 1.5}, "ttl", "whole seconds"),
        ({"action": "nxdomain", "ttl": -1}, "ttl", "whole seconds"),
        ({"action": "wrong"}, "answers", "missing"),
        ({"action": "wrong", "answers": ["x"]}, "answers", "'x' is no address"),
        ({"action": "wrong", "answers": ["::1"], "types": ["A"]}, "answers", "of type A"),
        ({"action": "wrong", "answers": ["x"], "types": ["MX"]}, "answers", "is no MX record"),
        ({"action": "wrong", "answers": ["x"], "types": ["A", "MX"]}, "types", "one other type"),
    ],
)
def test_a_bad_rule_is_refused_by_the_name_of_its_field(rule: Any, field: str, says: str) -> None:
    rules = DnsRules()
    rules.put("r", SLOW)
    with pytest.raises(ValueError, match=rf"^{field}: ") as caught:
        rules.put("r", rule)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert rules.get("r") == DnsRule.from_json(SLOW), "what was in force must stay"


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("api.example.com", "api.example.com", True),
        ("API.Example.com.", "aPi.eXample.COM", True),
        ("api.example.com", "x.api.example.com", False),
        ("api.example.com", "example.com", False),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "notexample.com", False),
        ("*.com", "example.com", True),
        ("*", "example.com", True),
        ("*", ".", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        (r"a\.b.example", r"a\.b.example", True),
        (r"a\.b.example", "a.b.example", False),
    ],
)
def test_a_pattern_means_a_name_or_all_below_one(pattern: str, name: str, meant: bool) -> None:
    rule = DnsRule.from_json({"action": "silence", "names": [pattern]})
    assert rule.matches(question(name), udp=True) is meant


LABELS = st.lists(
    st.binary(min_size=1, max_size=8).filter(lambda label: b"*" not in label), max_size=6
)


@given(st.booleans(), LABELS, LABELS, st.booleans())
def test_a_pattern_means_what_dns_says_is_below_it(
    below: bool, owner: list[bytes], above: list[bytes], related: bool
) -> None:
    """Against dnspython's own idea of names, for any bytes that a label may hold."""
    name = dns.name.Name([*owner, *(above if related else []), b""])
    base = dns.name.Name([*(above or [b"x"]), b""])
    pattern = ("*." if below else "") + base.to_text(omit_final_dot=True)
    wire = dns.message.make_query(name, "A").to_wire()
    found = asked(wire)
    assert found is not None
    expected = (name.is_subdomain(base) and name != base) if below else name == base
    assert means(pattern, found.name) is expected
    assert means("*", found.name)


def test_a_rule_means_its_types_only() -> None:
    rule = DnsRule.from_json({"action": "silence", "types": ["AAAA", "TXT"]})
    assert [rule.matches(question("a", kind), udp=True) for kind in ("A", "AAAA", "TXT")] == [
        False,
        True,
        True,
    ]


def test_wrong_addresses_are_for_questions_about_addresses() -> None:
    rule = DnsRule.from_json({"action": "wrong", "answers": ["192.0.2.1", "::1"]})
    assert [rule.matches(question("a", kind), udp=True) for kind in ("A", "AAAA", "MX")] == [
        True,
        True,
        False,
    ]
    assert rule.answers_to("A") == ["192.0.2.1"]
    assert rule.answers_to("AAAA") == ["::1"]


def test_only_questions_by_udp_can_be_truncated() -> None:
    rule = DnsRule.from_json({"action": "truncated"})
    assert [rule.matches(question("a"), udp=udp) for udp in (True, False)] == [True, False]


def test_the_rule_that_was_put_first_wins() -> None:
    rules = DnsRules()
    assert not rules
    rules.put("first", SLOW)
    rules.put("second", {"action": "silence"})
    assert rules
    api, other = question("api.example.com"), question("other.test")
    first, second = rules.get("first"), rules.get("second")
    assert [rules.match(api, udp=True), rules.match(other, udp=True)] == [first, second]
    rules.put("first", {"action": "servfail"})  # replaced: it keeps its place
    assert rules.match(other, udp=True) == rules.get("first")
    rules.put("first", None)
    rules.put("first", SLOW)  # put anew: it is the last
    assert rules.match(api, udp=True) == second


def test_hits_are_counted_from_the_putting_and_outlive_the_removal() -> None:
    rules, api = DnsRules(), question("api.example.com")
    assert rules.hits("r") == 0
    rules.put("r", None)  # there is none, which is what was wanted
    rules.put("r", SLOW)
    rules.match(api, udp=True)
    rules.match(api, udp=False)
    rules.match(question("other.test"), udp=True)
    rules.put("r", SLOW)  # idempotent: nothing begins anew
    assert rules.hits("r") == 2
    rules.put("r", None)
    assert rules.match(api, udp=True) is None
    assert rules.hits("r") == 2
    rules.put("r", SLOW)
    assert rules.hits("r") == 0
    rules.match(api, udp=True)
    rules.put("r", {"action": "servfail"})
    assert rules.hits("r") == 0, "what has met the one before has not met this one"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_question_or_none(junk: bytes) -> None:
    header = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    found = asked(header + junk)
    assert found is None or found.end <= len(header + junk)


@pytest.mark.parametrize(
    "change",
    [
        lambda wire: wire[:2] + b"\x28" + wire[3:],  # another opcode
        lambda wire: wire[:4] + b"\x00\x02" + wire[6:],  # two questions
        lambda wire: wire[:-1],
        lambda wire: wire[:20],
        lambda wire: wire[:12] + b"\xc0\x0c\x00\x01\x00\x01",  # a pointer to itself
    ],
)
def test_what_is_no_single_plain_question_is_none(change: Any) -> None:
    wire = dns.message.make_query("api.example.com", "A").to_wire()
    assert asked(wire) == Asked((b"api", b"example", b"com"), "A", len(wire))
    assert asked(change(wire)) is None


def test_a_type_without_a_name_has_its_number() -> None:
    assert question("a", "TYPE65400").type == "TYPE65400"

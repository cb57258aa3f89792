"""Settings that all probes have: which of them fit together, and where they mean nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from probes import KINDS
from probes.durations import LongDuration, show
from probes.probe import Probe

GIVEN: dict[str, dict[str, Any]] = {
    "aws": {"service": "ec2", "region": "us-east-1", "operation": "describe_instances"},
    "cloudwatch": {
        "region": "us-east-1",
        "namespace": "n",
        "metric": "m",
        "stat": "Sum",
        "expect": {"above": 0},
    },
    "cloudwatch_alarm": {"alarm": "a", "region": "us-east-1"},
    "command": {"command": ["true"]},
    "dns": {"name": "a.test"},
    "dynamodb_ledger": {"table": "t", "write_to": "us-east-1", "read_from": "us-west-2"},
    "grpc_health": {"host": "a.test", "port": 50051},
    "http": {"url": "http://a.test/"},
    "http_ledger": {
        "write": {"url": "http://a.test/{series}/{number}"},
        "read": {"url": "http://a.test/{series}", "numbers": "[]"},
    },
    "prometheus": {"url": "http://a.test/", "query": "up", "expect": {"equals": 1}},
    "kinesis_ledger": {"stream": "clicks", "region": "us-east-1"},
    "s3_ledger": {"bucket": "bucket", "write_to": "us-east-1", "read_from": "us-west-2"},
    "sql_ledger": {"url": "postgresql://u:p@a.test/d"},
    "sqs_ledger": {"queue": "jobs", "region": "us-east-1"},
    "step_functions": {"state_machine": "encode", "region": "us-east-1"},
    "tcp": {"host": "a.test", "port": 80},
    "tls": {"host": "a.test"},
}
RESOLVING = ["grpc_health", "http", "http_ledger", "prometheus", "sql_ledger", "tcp", "tls"]
BY_URL = ("http", "prometheus")


def made(kind: str, **settings: Any) -> Probe:
    return KINDS[kind].model_validate({"kind": kind} | GIVEN[kind] | settings)


def refused(kind: str, **settings: Any) -> str:
    with pytest.raises(ValidationError) as error:
        made(kind, **settings)
    return str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_how_names_are_resolved_is_for_those_who_resolve_them(kind: str) -> None:
    for settings in ({"family": "ipv4"}, {"dns_cache": "none"}):
        if kind in RESOLVING:
            made(kind, **settings)
        else:
            told = refused(kind, **settings)
            assert "has no meaning for this kind: " in told
            assert f"\n{next(iter(settings))}\n" in told


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_into_a_journal_can_be_read_again(kind: str) -> None:
    probe = made(kind, max_latency="500ms")
    assert probe.max_latency == 0.5
    assert KINDS[kind].model_validate(probe.model_dump(mode="json", by_alias=True)) == probe


@pytest.mark.parametrize("kind", sorted({*RESOLVING} - {"http_ledger", "sql_ledger"}))
def test_an_address_must_be_of_the_family(kind: str) -> None:
    place = (lambda host: {"url": f"http://{host}/"}) if kind in BY_URL else _host
    v6 = "[2001:db8::1]" if kind in BY_URL else "2001:db8::1"
    made(kind, family="ipv4", **place("192.0.2.1"))
    made(kind, family="ipv6", **place(v6))
    told = refused(kind, family="ipv6", **place("192.0.2.1"))
    assert "192.0.2.1 is an IPv4 address, and family is ipv6" in told
    told = refused(kind, family="ipv4", **place(v6))
    assert "2001:db8::1 is an IPv6 address, and family is ipv4" in told


def _host(host: str) -> dict[str, str]:
    return {"host": host}


@pytest.mark.parametrize("kind", ["grpc_health", "tcp", "tls"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "a.test:80"}, "'a.test:80' is no host name"),
        ({"host": "http://a.test"}, "is no host name"),
        ({"host": ""}, "'' is no host name"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"port": 65536}, "less than or equal to 65535"),
    ],
)
def test_a_host_and_a_port_must_be_possible(kind: str, settings: dict[str, Any], said: str) -> None:
    assert said in refused(kind, **settings)


@pytest.mark.parametrize(
    ("text", "seconds", "told"),
    [("14d", 1209600, "14 d"), ("1.5d", 129600, "36 h"), ("61h", 219600, "2 d 13 h")],
)
def test_days_are_for_what_no_run_waits_for(text: str, seconds: float, told: str) -> None:
    assert TypeAdapter(LongDuration).validate_python(text) == seconds
    assert show(seconds) == told


def test_ten_years_are_long_enough() -> None:
    with pytest.raises(ValidationError, match="4000d is longer than ten years"):
        TypeAdapter(LongDuration).validate_python("4000d")
    assert "8d is longer than a week" in refused("http", every="8d")

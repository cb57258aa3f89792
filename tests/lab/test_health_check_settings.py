"""Settings of a health check as the API lists them: read with its defaults, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.errors import EnvironmentFailed
from chaos.lab.health_check import HealthCheck, read_health_check

HOST = "127.0.0.1"


def check(kind: str = "HTTP", **fields: Any) -> HealthCheck:
    return HealthCheck(**({"id": "hc-1", "name": "c", "type": kind, "ip": HOST} | fields))


def listed(**config: Any) -> dict[str, Any]:
    return {"Id": "hc-1", "HealthCheckConfig": {"Type": "HTTP", "IPAddress": HOST} | config}


def test_settings_are_read_with_the_api_s_defaults() -> None:
    assert read_health_check(listed()) == check(
        name=HOST, port=80, path="/", interval=30.0, threshold=3
    )
    assert read_health_check(listed(Type="HTTPS")).port == 443
    assert read_health_check(listed(ResourcePath="health")).path == "/health"
    named = read_health_check(listed(IPAddress=None, FullyQualifiedDomainName="a.example"))
    assert (named.ip, named.name) == (None, "a.example")
    assert read_health_check(listed(), "playback in the east").name == "playback in the east"


def test_settings_are_read_as_given() -> None:
    given = listed(
        Type="HTTPS_STR_MATCH",
        FullyQualifiedDomainName="a_b.example.",
        Port=8443,
        ResourcePath="/ok",
        SearchString="gut für alle",
        EnableSNI=True,
        RequestInterval=10,
        FailureThreshold=1,
        Inverted=True,
        Disabled=True,
        Regions=["us-east-1", "eu-west-1", "sa-east-1"],
    )
    assert read_health_check(given) == check(
        "HTTPS_STR_MATCH",
        name="a_b.example.",
        fqdn="a_b.example.",
        port=8443,
        path="/ok",
        search="gut für alle".encode(),
        sni=True,
        interval=10.0,
        threshold=1,
        inverted=True,
        disabled=True,
    )


NO_SUCH_TYPE = (
    "health check hc-1 is of type {}, which the lab does not have;"
    " it has HTTP, HTTPS, HTTP_STR_MATCH, HTTPS_STR_MATCH, TCP, CALCULATED"
)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Type": "CLOUDWATCH_METRIC"}, NO_SUCH_TYPE.format("CLOUDWATCH_METRIC")),
        ({"Type": "RECOVERY_CONTROL"}, NO_SUCH_TYPE.format("RECOVERY_CONTROL")),
        ({"IPAddress": "127.0.0"}, "health check hc-1 has the IP address '127.0.0', which is none"),
        ({"IPAddress": None}, "health check hc-1 has neither an IP address nor a domain name"),
        ({"Port": 70000}, "health check hc-1 has the port 70000, which is none"),
        (
            {"FullyQualifiedDomainName": "a\r\nX: y"},
            "health check hc-1 has the domain name 'a\\r\\nX: y', which is none",
        ),
        (
            {"FullyQualifiedDomainName": "a..b"},
            "health check hc-1 has the domain name 'a..b', which is none",
        ),
        (
            {"FullyQualifiedDomainName": "a" * 64},
            f"health check hc-1 has the domain name '{'a' * 64}', which is none",
        ),
    ],
)
def test_what_the_lab_cannot_check_is_refused_in_one_sentence(
    config: dict[str, Any], message: str
) -> None:
    with pytest.raises(EnvironmentFailed) as caught:
        read_health_check(listed(**config))
    assert str(caught.value) == message

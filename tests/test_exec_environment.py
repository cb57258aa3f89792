"""The variables of a command under `chaos exec`: what leads to the proxy, and nothing past it."""

from __future__ import annotations

import pytest

from chaos.cli.exec_environment import CREDENTIALS, environment_of

URL = "http://127.0.0.1:5555"


def made(
    own: dict[str, str],
    region: str | None = None,
    *,
    transparent: bool = False,
    keep_credentials: bool = False,
) -> dict[str, str]:
    return environment_of(
        own, URL, region=region, transparent=transparent, keep_credentials=keep_credentials
    )


def test_every_sdk_finds_the_proxy_a_region_and_a_key_of_no_worth() -> None:
    assert made({"HOME": "/home/me"}) == {
        "HOME": "/home/me",
        "AWS_ENDPOINT_URL": URL,
        "CHAOS_PROXY_URL": URL,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "no_proxy": "127.0.0.1",
        "NO_PROXY": "127.0.0.1",
    }


def test_what_would_lead_past_the_proxy_is_gone() -> None:
    past = {
        "AWS_ENDPOINT_URL": "http://elsewhere",
        "AWS_ENDPOINT_URL_S3": "http://elsewhere",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://elsewhere",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    }
    assert "http://elsewhere" not in made(past).values()
    assert made(past)["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "false"


def test_transparent_names_no_endpoint_at_all() -> None:
    variables = made({"AWS_ENDPOINT_URL": "http://localhost:4566"}, transparent=True)
    assert not [name for name in variables if name.startswith("AWS_ENDPOINT_URL")]
    assert ".amazonaws.com" in variables["no_proxy"].split(",")


@pytest.mark.parametrize("name", CREDENTIALS)
def test_no_credential_of_the_users_reaches_the_proxy_unless_it_is_wanted(name: str) -> None:
    own = {name: "the user's own"}
    assert "the user's own" not in made(own).values()
    assert made(own, keep_credentials=True)[name] == "the user's own"


@pytest.mark.parametrize(
    ("own", "region", "used"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1"}, "us-west-2", "us-west-2"),
    ],
)
def test_the_region_is_the_one_asked_for_then_the_commands_own(
    own: dict[str, str], region: str | None, used: str
) -> None:
    variables = made(own, region)
    assert (variables["AWS_REGION"], variables["AWS_DEFAULT_REGION"]) == (used, used)


def test_proxies_stay_but_not_on_the_way_to_ours() -> None:
    variables = made({"HTTPS_PROXY": "http://corp:3128", "NO_PROXY": "intra.example"})
    assert variables["HTTPS_PROXY"] == "http://corp:3128"
    assert variables["NO_PROXY"] == variables["no_proxy"] == "intra.example,127.0.0.1"

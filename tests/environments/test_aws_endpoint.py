"""Which endpoint is called: AWS itself or the one given, never one that the surroundings name."""

from __future__ import annotations

import pytest

from chaos.environments import endpoint
from chaos.environments.opening import Place
from chaos.errors import InvalidInput

ELSEWHERE = {"AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL": "http://a:1"}


def test_what_the_surroundings_name_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        endpoint.checked(None, ELSEWHERE)
    assert str(caught.value).startswith("AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_EC2 would lead")
    assert endpoint.checked(None, {"AWS_ENDPOINT_URL": ""}) is None


def test_one_that_is_given_counts_and_so_does_being_told_to_ignore() -> None:
    assert endpoint.checked("http://127.0.0.1:5000/", ELSEWHERE) == "http://127.0.0.1:5000"
    ignored = {**ELSEWHERE, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}
    assert endpoint.checked(None, ignored) is None


@pytest.mark.parametrize(
    "given",
    [
        "127.0.0.1:5000",
        "ftp://a",
        "http://",
        "http://a/path",
        "http://a?b",
        "http://me:pw@a",
        "http://[::1",
        "http://a:99999",
        "http://ec2.us-east-1.amazonaws.com",
    ],
)
def test_what_is_no_endpoint_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput):
        endpoint.checked(given, {})


def test_a_host_of_aws_is_aws() -> None:
    private = "https://vpce-0a.ec2.us-east-1.vpce.amazonaws.com"
    assert endpoint.checked(private, {}) == private
    assert endpoint.is_real(private)
    assert endpoint.is_real(None)
    assert not endpoint.is_real("http://127.0.0.1:5000")


def test_reads_of_an_emulator_may_be_said_to_be_fresh() -> None:
    assert endpoint.stale_s(None, {}) == endpoint.stale_s("http://a", {}) == 10
    assert endpoint.stale_s("http://a", {"CHAOS_STALE_SECONDS": "0"}) == 0


@pytest.mark.parametrize(
    ("url", "given"), [(None, "0"), ("https://ec2.us-east-1.amazonaws.com", "0"), ("http://a", "x")]
)
def test_those_of_aws_may_not(url: str | None, given: str) -> None:
    with pytest.raises(InvalidInput, match="CHAOS_STALE_SECONDS is"):
        endpoint.stale_s(url, {"CHAOS_STALE_SECONDS": given})


@pytest.mark.parametrize("given", ["-1", "601", "nan", "inf"])
def test_a_time_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput):
        endpoint.stale_s("http://a", {"CHAOS_STALE_SECONDS": given})


def test_a_lab_has_no_profile() -> None:
    with pytest.raises(InvalidInput, match="--profile names credentials for real accounts"):
        Place(kind="embedded", profile="drills")
    Place(kind="aws", profile="drills")

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from probes.http import Http


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "api.example"}, "begins with http:// or https://"),
        ({"url": "ftp://api.example/"}, "begins with http:// or https://"),
        ({"url": "http://me:secret@api.example/"}, "credentials in a URL end up in every log"),
        ({"url": "http:///x"}, "names no host"),
        ({"url": "http://a b/"}, "percent-encode"),
        ({"url": "http://x/\r\nHost: y"}, "percent-encode"),
        ({"url": "http://x/ü"}, "percent-encode"),
        ({"url": "http://a{b}/"}, "is no host name"),
        ({"url": "http://x:0/"}, "port 0"),
        ({"url": "http://x:99999/"}, "Port out of range"),
        ({"method": "PATCH"}, "'GET'"),
        ({"headers": {"A B": "c"}}, "'A B' is no name of a header"),
        ({"headers": {"A": "b\r\nC: d"}}, "the header A has characters"),
        ({"headers": {"Content-length": "4"}}, "is set by the probe itself"),
        ({"body": "x"}, "a GET request carries no body"),
        ({"method": "HEAD", "expect": {"body": "x"}}, "the answer to HEAD has no body"),
        ({"tls": {"verify": False}}, "tls is for https"),
        ({"url": "https://x/", "tls": {"ca": "/no/such"}}, "No such file"),
        ({"url": "https://x/", "tls": {"ca": __file__}}, "cannot be used as CA certificates"),
        ({"expect": {"status": 99}}, "'99' is no status"),
        ({"expect": {"status": "2x"}}, "'2x' is no status"),
        ({"expect": {"status": []}}, "an empty list of statuses"),
        ({"expect": {"body_matches": "("}}, "regular expression"),
        ({"expect": {"json_": 1}}, "Extra inputs"),
        ({"every": "1ms"}, "more than 500 attempts could hang at once"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Http(**({"kind": "http", "url": "http://api.example/"} | fields))
    assert said in str(refusal.value)
    assert "secret" not in "".join(e["msg"] for e in refusal.value.errors())


def test_parameters_survive_being_written_and_read_again() -> None:
    probe = Http(
        kind="http",
        url="http://api.example:81/a?b",
        expect={"status": [200, "3xx"], "body_matches": "a+", "json": {"a": [1]}},
    )
    again = Http.model_validate(probe.model_dump(mode="json", by_alias=True))
    assert again == probe

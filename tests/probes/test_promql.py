"""The question to Prometheus and its answer: how far back it looks, and what is no answer."""

from __future__ import annotations

import json

import pytest
from http_servers import answer_of, saying, serving
from http_servers import run as run_main
from pydantic import ValidationError

from chaos.testing import one_sample
from probes.net import Net
from probes.probe import ProbeFailed, Sample
from probes.prometheus import Prometheus
from probes.promql import PART, Answer, Series, answer, reach


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("up", 0),
        ("rate(x[5m])", 300),
        ("rate(x[1h30m] offset 10m)", 6000),
        ("max_over_time(rate(x[5m])[1h:1m])", 3900),
        ("x offset -1h", 3600),  # a bound from above: nobody asks for the future in earnest
        ('x{a="[5m]"} # offset 7d', 0),
        ("avg_over_time(x[ 500ms ])", 0.5),
        ("x OFFSET 10m", 600),  # keywords of PromQL may be written in capitals
        ("rate(x[300])", 300),  # and lengths, from 2.54 on, as seconds
        ("rate(x[0.5] offset 1e2)", 100.5),
        ("rate(x[1H])", None),
        ("rate(x[5m * 2])", None),
        ("rate(x[$__rate_interval])", None),
        ("x offset (5m)", None),
        ("max_over_time(x[step():1m])", None),
        ("rate(x[5m])[", None),
    ],
)
def test_how_far_back_a_query_looks(query: str, seconds: float | None) -> None:
    if seconds is not None:
        assert reach(query) == seconds
        return
    with pytest.raises(ValueError, match=r"looks back for a time that cannot be read"):
        reach(query)


def test_a_query_whose_reach_is_not_known_is_refused() -> None:
    """It would be taken for fresh."""
    given = {"kind": "prometheus", "url": "http://p.test", "series": "x", "expect": {"equals": 1}}
    with pytest.raises(ValidationError, match="looks back for a time that cannot be read"):
        Prometheus.model_validate({**given, "query": "rate(x[$__interval])"})


def told(*results: object, **more: object) -> bytes:
    data = {"resultType": "vector", "result": results}
    return json.dumps({"status": "success", "data": data} | more).encode()


def part(name: str, value: str, **labels: str) -> dict[str, object]:
    return {"metric": {PART: name, **labels}, "value": [1.5, value]}


def test_values_and_age_are_told_apart() -> None:
    body = told(part("value", "+Inf", __name__="up", a='"'), part("age", "2.5"))
    assert answer(200, body) == Answer(
        series=(Series(name='up{a="\\""}', value=float("inf")),), age=2.5
    )
    assert answer(200, told()) == Answer(series=(), age=None)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "status 200, and the answer is no JSON"),
        (200, b"[]", "status 200: []"),
        (503, b'{"status": "error", "error": "starting"}', "status 503: 'starting'"),
        (200, told(warnings=["a store is gone"]), "the answer may not be whole: "),
        (200, told(isPartial=True), "the answer may not be whole: 'isPartial'"),  # VictoriaMetrics
        (503, told(part("value", "1"), part("age", "1")), "status 503: "),
        (200, told(part("value", "1"), part("age", "NaN")), "tells no age: nan"),
        (200, told(part("value", "1"), part("age", "+Inf")), "tells no age: inf"),
        (200, told(part("value", "1"), part("age", "-5")), "5 s ahead of"),
        (200, told({"metric": {}, "value": [1, "1"]}), "is no vector of numbers"),
        (200, told({"metric": {PART: "value"}, "histogram": [1, {}]}), "is no vector of numbers"),
        (200, b'{"status": "success", "data": {"resultType": "scalar"}}', "is no vector"),
    ],
)
def test_what_is_no_whole_answer_is_bad(status: int, body: bytes, said: str) -> None:
    with pytest.raises(ProbeFailed) as error:
        answer(status, body)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"bearer_token": "s3cret"}, b"Authorization: Bearer s3cret\r\n"),
        ({"basic_auth": {"username": "u", "password": "p"}}, b"Authorization: Basic dTpw\r\n"),
        ({}, b""),
    ],
)
def test_who_asks_is_shown_in_a_header(settings: dict[str, object], shown: bytes) -> None:
    requests: list[bytes] = []
    whole = told(part("value", "1"), part("age", "0.1")).decode()

    async def main() -> Sample:
        async with serving(saying(answer_of(whole), asked=requests)) as port:
            given = {"kind": "prometheus", "query": "up", "expect": {"equals": 1}}
            url = {"url": f"http://127.0.0.1:{port}/prometheus/"}
            return await one_sample(Prometheus.model_validate(given | url | settings), Net())

    sample = run_main(main())
    assert sample.ok, sample.error
    assert requests[0].startswith(b"GET /prometheus/api/v1/query?query=label_replace%28")
    assert shown in requests[0]
    assert (b"Authorization" in requests[0]) == bool(shown)


def test_in_a_lab_that_runs_faster_the_same_age_is_more_of_its_seconds() -> None:
    whole = told(part("value", "1"), part("age", "2")).decode()

    async def main() -> Sample:
        async with serving(saying(answer_of(whole))) as port:
            given = {"kind": "prometheus", "query": "up", "expect": {"equals": 1}, "timeout": 10}
            url = {"url": f"http://127.0.0.1:{port}"}
            return await one_sample(Prometheus.model_validate(given | url), Net())

    assert run_main(main(), speed=4).detail["age"] == 8

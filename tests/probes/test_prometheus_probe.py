"""The probe `prometheus` before a real one, that scrapes a real blackbox exporter and evaluates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_servers import Origin, prometheus, started
from pydantic import ValidationError

from chaos.loops import run_at
from chaos.testing import one_sample
from probes.detection import looked
from probes.net import Net
from probes.probe import Sample, evidence
from probes.prometheus import Prometheus

WITHIN_S = 30.0
SCRAPED_EVERY = 0.2
CONFIG = """
global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}
rule_files: [rules.yml]
scrape_configs:
  - job_name: edge
    metrics_path: /probe
    params: {module: [http]}
    static_configs:
      - {targets: [ORIGIN], labels: {region: us-east-1}}
    relabel_configs:
      - {source_labels: [__address__], regex: (.*), replacement: "http://$1/health",
         target_label: __param_target}
      - {target_label: __address__, replacement: BLACKBOX}
  - job_name: origin
    static_configs: [{targets: [ORIGIN]}]
"""
RULES = """
groups:
  - name: drill
    rules:
      - {record: drill_rules:alive, expr: vector(1)}
      - {alert: OriginDown, expr: 'probe_success{job="edge"} == 0'}
"""
EDGE = 'probe_success{job="edge"}'
ALERT = 'ALERTS{alertname="OriginDown", alertstate="firing"}'


@dataclass(frozen=True)
class Watched:
    """A Prometheus and the server that it watches."""

    url: str
    origin: Origin


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("prometheus")
    (directory / "rules.yml").write_text(RULES)
    (directory / "blackbox.yml").write_text(
        "modules: {http: {prober: http, timeout: 200ms, http: {preferred_ip_protocol: ip4}}}\n"
    )
    with ExitStack() as servers:
        origin = servers.enter_context(Origin().serving())
        long_ago = int((time.time() - 60) * 1000)
        origin.metrics = f'regions{{at="a"}} 1\nregions{{at="b"}} 3\nold 1 {long_ago}\n'
        blackbox = servers.enter_context(
            started("prometheus-blackbox-exporter", f"--config.file={directory / 'blackbox.yml'}")
        )
        config = CONFIG.replace("ORIGIN", origin.address)
        config = config.replace("BLACKBOX", blackbox.removeprefix("http://"))
        found = Watched(servers.enter_context(prometheus(directory, config)), origin)
        until(found, lambda sample: sample.ok)
        until(found, lambda sample: sample.ok, query="regions", expect={"above": 0})
        yield found


def made(base: str, /, **settings: Any) -> Prometheus:
    usual: dict[str, Any] = {"kind": "prometheus", "url": base, "query": EDGE, "timeout": 10}
    if not settings.get("alert"):
        usual["expect"] = {"equals": 1}
    return Prometheus.model_validate(usual | settings)


def asked(watched: Watched, **settings: Any) -> Sample:
    return run_at(1, one_sample(made(watched.url, **settings), Net()))


def until(watched: Watched, found: Callable[[Sample], bool], **settings: Any) -> Sample:
    """The first attempt of many that is so."""

    async def main() -> Sample:
        async with asyncio.timeout(WITHIN_S):
            while True:
                sample = await one_sample(made(watched.url, **settings), Net())
                if found(sample):
                    return sample
                await asyncio.sleep(SCRAPED_EVERY / 4)

    return run_at(1, main())


# --- values and their age -------------------------------------------------------------------


def test_what_is_well_is_good_and_tells_how_old_that_is(watched: Watched) -> None:
    sample = asked(watched)
    assert sample.ok, sample.error
    assert sample.detail["series"] == 1
    assert 0 < sample.detail["age"] < WITHIN_S
    assert evidence(sample).start == sample.start - sample.detail["age"]
    assert list(sample.phases) == ["connect", "first_byte", "body"]


def test_an_outage_is_seen_after_the_scrape_that_met_it(watched: Watched) -> None:
    watched.origin.status = 503
    try:
        down = until(watched, lambda sample: not sample.ok)
        assert down.error.startswith("probe_success{")
        assert down.error.endswith("} is 0, not 1")
    finally:
        watched.origin.status = 200
    assert until(watched, lambda sample: sample.ok).detail["age"] > 0


def test_what_is_scraped_no_more_does_not_look_good(watched: Watched) -> None:
    fresh = asked(watched, query="old", stale_after="1h")
    assert fresh.ok, fresh.error
    assert 60 < fresh.detail["age"] < 60 + 10 * WITHIN_S
    stale = asked(watched, query="old", stale_after="30s")
    assert not stale.ok
    assert stale.error.startswith("the sample of old is ")
    assert stale.error.endswith(" old, more than 30 s")
    # However the query is made of it, and in whatever company.
    hidden = asked(watched, query="sum(old) + 0 * sum(regions)", series="old", stale_after="30s")
    assert hidden.error == stale.error or hidden.error.endswith("more than 30 s")
    assert "age" not in hidden.detail


def test_what_the_query_looks_back_is_age_too(watched: Watched) -> None:
    back = asked(watched, query=f"max_over_time({EDGE}[5m])", series=EDGE)
    assert back.ok, back.error
    assert 300 < back.detail["age"] < 300 + WITHIN_S


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"expect": {"above": 0}}, ""),
        ({"expect": {"above": 2}}, 'regions{at="a", TARGET} is 1, not above 2; 1 of 2 series'),
        ({"expect": {"above": 2}, "of": "any"}, ""),
        ({"expect": {"above": 3}, "of": "any"}, "is 1, not above 3; 2 of 2 series"),
        ({"expect": {"above": 0}, "of": "one"}, "the answer has 2 series, not one"),
        ({"query": 'regions{at="b"}', "expect": {"equals": 3}, "of": "one"}, ""),
        ({"expect": {"at_least": 1, "at_most": 2}}, 'regions{at="b", TARGET} is 3, not at most 2'),
        ({"query": "none", "expect": {"equals": 1}}, "there is no sample of none"),
        ({"query": "regions > 5", "series": "regions"}, "the answer has no series"),
        ({"query": "regions > 5", "series": "regions", "empty": "good"}, ""),
        ({"query": "regions > 5", "series": "none", "empty": "good"}, "no sample of none"),
        ({"query": "0 * sum(regions) / 0", "series": "regions"}, "the result is nan, not 1"),
        ({"query": "sum(regions) # in all", "series": "regions", "expect": {"equals": 4}}, ""),
        ({"query": "time()", "series": "regions"}, "expected type instant vector"),
        ({"query": "sum(", "series": "regions"}, "status 400: "),
    ],
)
def test_which_series_and_what_they_must_be(
    watched: Watched, settings: dict[str, Any], said: str
) -> None:
    sample = asked(watched, **({"query": "regions"} | settings))
    target = f'instance="{watched.origin.address}", job="origin"'
    assert said.replace("TARGET", target) in sample.error
    assert sample.ok == (not said), sample.error
    assert not sample.crashed
    assert not looked(sample)


# --- alerts ---------------------------------------------------------------------------------


def test_an_alert_detects_once_it_fires(watched: Watched) -> None:
    alert = {"query": ALERT, "series": "drill_rules:alive", "alert": True}
    assert made(watched.url, **alert).detects
    silent = until(watched, lambda sample: sample.ok, **alert)
    assert (silent.detail["detected"], silent.detail["series"]) == (False, 0)
    watched.origin.status = 503
    try:
        rings = until(watched, lambda sample: not sample.ok, **alert)
    finally:
        watched.origin.status = 200
    assert rings.detail["detected"] is True
    assert rings.error.startswith('ALERTS{alertname="OriginDown"')


def test_rules_that_nobody_evaluates_are_no_silence(watched: Watched) -> None:
    sample = asked(watched, query=ALERT, series="old", alert=True)
    assert not sample.ok
    assert not looked(sample)


def test_no_answer_is_no_detection(watched: Watched) -> None:
    nobody = Watched("http://127.0.0.1:9", watched.origin)
    sample = asked(nobody, query=ALERT, series="up", alert=True)
    assert sample.error == "connection refused (connect)"
    assert not looked(sample)


def test_what_is_no_prometheus_is_told(watched: Watched) -> None:
    other = Watched(f"http://{watched.origin.address}", watched.origin)
    assert asked(other).error == "status 200, and the answer is no JSON of Prometheus"


# --- what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"expect": None}, "expects nothing; write expect: {equals: 1}, or alert: true"),
        ({"expect": {}}, "expects nothing; write one or more of above, at_least"),
        ({"expect": {"above": "nan"}}, "finite number"),
        ({"query": "  # nothing"}, "asks for nothing"),
        ({"query": "up @ 1600000000"}, "looks at a fixed time"),
        ({"query": "sum(up)"}, "this query has no age itself: name in `series`"),
        ({"empty": "good"}, "an empty answer has no age"),
        ({"alert": True, "expect": {"equals": 1}}, "has no meaning with alert: true"),
        ({"alert": True}, "an empty answer has no age"),
        ({"series": "sum(up)"}, "is no selector, such as up"),
        ({"url": "ftp://a.test"}, "http:// or https://"),
        ({"url": "http://u:p@a.test"}, "credentials in a URL"),
        ({"url": "http://a.test/?a=b"}, "has more than a path"),
        ({"tls": {"verify": False}}, "tls is for https"),
        ({"bearer_token": "a b"}, "should match pattern"),
        (
            {"bearer_token": "x", "basic_auth": {"username": "u", "password": "p"}},
            "two ways to say who asks",
        ),
    ],
)
def test_what_cannot_be_asked(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        made("http://a.test", **settings)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("query", "alone"),
    [
        ("up", True),
        ('up{job="a", at=~"b|c",}', True),
        ("drill:ok{a='}'}", True),
        ("up{}", True),
        ("up offset 5m", False),
        ("-up", False),
        ("up > 0", False),
        ("up[5m]", False),
        ('up{job="a"} or down', False),
    ],
)
def test_only_a_selector_has_samples_of_its_own(query: str, alone: bool) -> None:
    settings = {} if alone else {"series": "up"}
    assert made("http://a.test", query=query, **settings).query == query
    if not alone:
        with pytest.raises(ValidationError, match="has no age itself"):
            made("http://a.test", query=query)

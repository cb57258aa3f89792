"""The dashboard in docs/grafana: what it asks for is there, and a real Prometheus takes it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_servers import Origin, prometheus
from report import journals

from chaos import metrics
from chaos.history import fold
from chaos.journal import read
from chaos.metrics.families import COMMON, FAMILIES
from chaos.verdict import judge

PAGE = Path(__file__).parent.parent / "docs" / "grafana" / "chaos.json"
DASHBOARD: dict[str, Any] = json.loads(PAGE.read_text())
# What Grafana puts in the place of its variables.
FILLED = {"$experiment": ".*", "$__rate_interval": "5m"}
CONFIG = """
global: {scrape_interval: 100ms, scrape_timeout: 100ms}
scrape_configs: [{job_name: chaos, static_configs: [{targets: [ORIGIN]}]}]
"""
# What says nothing of a run that has just ended: nothing has changed within one scrape.
WITHIN_S = 30


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*asked, *(one["expr"] for one in DASHBOARD["annotations"]["list"])]


def filled(expression: str) -> str:
    for name, value in FILLED.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"a variable that is not declared: {expression}"
    return expression


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped the metrics of a run."""
    directory = tmp_path_factory.mktemp("dashboard")
    events = read(journals.region_outage(directory / "run"))
    origin = Origin()
    origin.metrics = metrics.text(metrics.of(events, judge(fold(events))))
    config = CONFIG.replace("ORIGIN", origin.address)
    with origin.serving(), prometheus(directory, config) as url:
        for _ in range(WITHIN_S * 100):
            if origin.scraped.wait(0.01) and asked(url, "count(up) > 0"):
                break
        yield url


def asked(url: str, expression: str) -> list[dict[str, Any]]:
    """The series that the expression gives; an expression that is wrong is an error."""
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=20) as answer:  # noqa: S310  # our own
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{expression}: {error.read().decode()}") from error


def test_every_metric_that_it_asks_for_is_one_of_ours() -> None:
    named = {name for one in expressions() for name in re.findall(r"\bchaos_\w+", one)}
    assert {re.sub(r"_bucket$", "", name) for name in named} <= FAMILIES.keys()
    for one in expressions():
        for labels in re.findall(r"\{([^}]*)\}", one):
            used = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)", labels))
            assert used <= {COMMON, *(label for _, of, _ in FAMILIES.values() for label in of)}


@pytest.mark.parametrize("expression", expressions())
def test_prometheus_takes_every_expression(full: str, expression: str) -> None:
    found = asked(full, filled(expression))
    if "rate(" not in expression and "start_timestamp" not in expression:
        off = "chaos_fault_active" in expression and expression.endswith("== 1")
        assert off or found, f"nothing is shown by {expression}"


def test_an_expression_that_is_wrong_would_be_found(full: str) -> None:
    with pytest.raises(AssertionError, match="parse error"):
        asked(full, "max by (chaos_verdict")


def test_the_verdict_is_told_by_its_number(full: str) -> None:
    (panel,) = [panel for panel in panels() if panel["title"] == "Verdict"]
    (series,) = asked(full, filled(panel["targets"][0]["expr"]))
    shown = panel["fieldConfig"]["defaults"]["mappings"][0]["options"][series["value"][1]]
    assert (series["metric"], shown["text"]) == ({"experiment": "region-outage"}, "held")
    texts = [
        one["text"] for one in panel["fieldConfig"]["defaults"]["mappings"][0]["options"].values()
    ]
    assert tuple(texts) == metrics.VALUES


def test_it_is_for_any_data_source_and_any_experiment() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables.keys() == {"datasource", "experiment"}
    assert variables["datasource"]["type"] == "datasource"
    for one in (*panels(), *DASHBOARD["annotations"]["list"], variables["experiment"]):
        assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for expression in expressions():
        assert '{experiment=~"$experiment"' in expression


def test_its_panels_do_not_lie_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells = {(column, line) for column in range(x, x + w) for line in range(y, y + h)}
        assert x + w <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert [p["title"] for p in DASHBOARD["panels"] if p["type"] == "row"] == [
        "Verdict",
        "Probes",
        "Objectives and what was measured",
    ]

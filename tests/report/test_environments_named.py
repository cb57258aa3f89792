"""Whoever reads of a run learns where it was, and what stood in for a missing service."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from report.browser import browse, needs_browser
from report.moments import at, events_of

from chaos.history import History, fold
from chaos.journal import Event
from chaos.report import html, junit, words
from chaos.report.frame import frame
from chaos.report.progress import Progress
from chaos.report.terminal import verdict_block
from chaos.verdict import judge

LOCALSTACK = {"kind": "localstack", "endpoint": "http://127.0.0.1:4566", "version": "2026.3.0"}
STAND_INS = {
    "dynamodb": "the same ledger over S3; playback keeps its history there too",
    "autoscaling": "the lab's own reconciler replaces an instance of a declared group",
}
PLACE = "on LocalStack 2026.3.0 at http://127.0.0.1:4566"
TOLD = [f"Stood in for {service}: {what}" for service, what in STAND_INS.items()]


def on_localstack(tmp_path: Path, **environment: Any) -> list[Event]:
    first, *rest = copy.deepcopy(events_of(tmp_path))
    first["environment"] = LOCALSTACK | environment
    first["experiment"]["stand_ins"] = STAND_INS
    return [first, *rest]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return fold(on_localstack(tmp_path))


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"kind": "embedded", "endpoint": "http://127.0.0.1:1"}, "in the embedded lab"),
        (LOCALSTACK, PLACE),
        (LOCALSTACK | {"version": ""}, "on the emulator at http://127.0.0.1:4566"),
        ({"kind": "localstack"}, "on the emulator"),
        ({"kind": "aws"}, "on AWS"),
        ({"kind": "mars"}, "on mars"),
    ],
)
def test_where_it_was(environment: dict[str, Any], place: str) -> None:
    assert words.where(environment) == place


def test_the_terminal_says_it(history: History) -> None:
    text = verdict_block(history, judge(history), {}, width=100)
    place = f"Ran {PLACE}; times are lab time, 8 times faster than the"
    lines = text.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(place))
    assert lines[begin + 2 : begin + 4] == TOLD


def test_verdict_json_and_junit_say_it(history: History) -> None:
    verdict = judge(history)
    told = json.loads(json.dumps(verdict.to_json()))
    assert told["environment"] == "localstack"
    assert told["endpoint"] == "http://127.0.0.1:4566"
    assert told["environment_version"] == "2026.3.0"
    assert told["stand_ins"] == STAND_INS
    suite = ET.fromstring(junit.render(history, verdict))  # noqa: S314  # of our own making
    said = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert said["place"] == PLACE
    assert said["stand_in.dynamodb"] == STAND_INS["dynamodb"]


def test_the_live_view_says_it(tmp_path: Path) -> None:
    events = on_localstack(tmp_path)
    assert frame(at(events, 30.0), 30.0, 40).place == (PLACE, *TOLD)
    first = Progress().line(events[0])
    assert first is not None
    assert first.endswith(f", {PLACE}, at 8 times the wall's speed. {'. '.join(TOLD)}")


def test_a_journal_of_the_time_before_there_were_any(tmp_path: Path) -> None:
    events = events_of(tmp_path)
    assert "stand_ins" not in events[0]["experiment"]
    history = fold(events)
    told = judge(history).to_json()
    assert (told["stand_ins"], told["endpoint"], told["environment_version"]) == ({}, None, None)
    assert frame(at(events, 30.0), 30.0, 40).place == ()
    assert "Stood in" not in verdict_block(history, judge(history), {})


@needs_browser
def test_the_page_says_it_below_the_verdict(tmp_path: Path, history: History) -> None:
    page = browse(tmp_path, html.render(history, judge(history)))
    paragraphs = page.texts("p")
    begin = next(n for n, text in enumerate(paragraphs) if text.startswith(f"Ran {PLACE}; "))
    assert paragraphs[begin + 1 : begin + 3] == TOLD
    facts = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert facts["Environment"] == "localstack"
    assert facts["Endpoint"] == "http://127.0.0.1:4566"
    assert facts["Stood in for dynamodb"] == STAND_INS["dynamodb"]

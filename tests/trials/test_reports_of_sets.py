"""The files of a set: JSON, the page, JUnit; and the documents about them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from trials.fake_drills import FakeDrill, carried_out, of

from chaos.trials import SetVerdict, TrialSet, charts, reports

DOCS = Path(__file__).parents[2] / "docs"
SPREAD = {"look": {"heals_within": {"p50": 2, "confidence": 0.75}}}


@pytest.fixture(scope="module")
def flaky(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialSet, SetVerdict]:
    drill = FakeDrill(of(title="<script>alert(1)</script> & all"), late=(0, 3.5, 0))
    made, verdict, _ = carried_out(tmp_path_factory.mktemp("runs"), drill, 3)
    reports.write(made, verdict)
    return made, verdict


def document(made: TrialSet) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.directory / "trials.json").read_text())
    return found


def test_the_json_has_the_verdict_and_every_trial(flaky: tuple[TrialSet, SetVerdict]) -> None:
    made, _ = flaky
    said = document(made)
    assert (said["value"], said["exit_code"], said["flaky"]) == ("broken", 1, True)
    assert said["runs"] == list(made.runs) == [trial["run"] for trial in said["trials"]]
    assert [trial["outcome"] for trial in said["trials"]] == ["passed", "failed", "passed"]
    heals = next(p for p in said["promises"] if p["objective"] == "heals_within")
    assert (heals["passed"], heals["failed"], heals["unknown"], heals["not_made"]) == (2, 1, 0, 0)
    assert heals["percentiles"]["p99"]["shown"]["high"] is None


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        inner = {key for of_one in value.values() for key in keys(of_one)}
        names = {key for key in value if not re.fullmatch(r"p\d\d", key)}
        return names | inner
    return {key for item in value for key in keys(item)} if isinstance(value, list) else set()


def test_every_key_of_the_json_is_documented(flaky: tuple[TrialSet, SetVerdict]) -> None:
    told = set(re.findall(r"`([a-z_]+)`", (DOCS / "trials-json.md").read_text()))
    assert keys(document(flaky[0])) <= told


class Page(HTMLParser):
    """Its elements, and what its links point at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_page_links_each_trial_and_runs_nothing(flaky: tuple[TrialSet, SetVerdict]) -> None:
    made, _ = flaky
    text = (made.directory / "report.html").read_text()
    page = Page(text)
    assert page.links == [f"../{run}/report.html" for run in made.runs]
    assert "script" not in page.tags
    assert page.tags.count("svg") == 2  # the strips and the shares of the one promised time
    assert "BROKEN, flaky: 2 of 3 trials held" in text
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    ("top", "step"), [(0.55, 0.1), (5.5, 1), (132, 30), (9000, 1800), (1e6, 172800)]
)
def test_an_axis_has_round_times(top: float, step: float) -> None:
    assert charts.round_step(top) == pytest.approx(step)


def test_junit_has_a_case_for_each_promise(flaky: tuple[TrialSet, SetVerdict]) -> None:
    made, _ = flaky
    [suite] = ET.parse(made.directory / "junit.xml").getroot()  # noqa: S314  # our own text
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
    }
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["look: heals within ≤ 2 s"].find("failure")
    assert failure is not None
    assert "trial 2: look healed" in (failure.text or "")


def test_a_set_that_ended_early_is_not_green_in_junit(tmp_path: Path) -> None:
    drill = FakeDrill(during=lambda n, stop: stop.request("enough") if n == 2 else None)
    made, verdict, _ = carried_out(tmp_path, drill, 3)
    reports.write(made, verdict)
    [suite] = ET.parse(made.directory / "junit.xml").getroot()  # noqa: S314  # our own text
    assert suite.get("errors") != "0"
    assert (made.directory / "report.html").stat().st_mode & 0o077 == 0


def test_reports_that_cannot_be_written_change_no_verdict(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made, verdict, _ = carried_out(tmp_path, FakeDrill(of(objectives=SPREAD)), 2)
    (made.directory / "report.html").mkdir()
    assert reports.write(made, verdict) is None
    assert "cannot be written" in caplog.text

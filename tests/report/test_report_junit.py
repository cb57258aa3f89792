"""junit.xml is valid for any text, and green only when the verdict is held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import journals

from chaos.history import History, fold
from chaos.journal import read
from chaos.report import junit
from chaos.verdict import Result, Verdict, judge


def suite_of(tmp_path: Path, **variant: Any) -> ET.Element:
    history = fold(read(journals.region_outage(tmp_path, **variant)))
    return parsed(history, judge(history))


def parsed(history: History, verdict: Verdict) -> ET.Element:
    text = junit.render(history, verdict)
    suite = ET.fromstring(text.encode()).find("testsuite")  # noqa: S314  # our own text
    assert suite is not None
    return suite


def wrong(suite: ET.Element) -> dict[str, str]:
    """The testcases that are not green: their name, and whether failure or error."""
    return {
        case.attrib["name"]: child.tag
        for case in suite.iter("testcase")
        for child in case
        if child.tag in ("failure", "error")
    }


def properties(element: ET.Element) -> dict[str, str]:
    return {p.attrib["name"]: p.attrib["value"] for p in element.findall("properties/property")}


def test_a_held_run_is_green(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)
    names = [case.attrib["name"] for case in suite.iter("testcase")]
    assert wrong(suite) == {}
    assert names[0] == "playback: rto"
    assert names[-2:] == ["rollback", "the fault took effect"]
    assert suite.attrib["tests"] == str(len(names))


def test_the_measured_interval_and_the_run_are_properties(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)
    case = next(suite.iter("testcase"))
    found = properties(case)
    assert float(found["measured.low"]) <= 74.4 <= float(found["measured.high"])
    assert found["how"] == "failover"
    assert properties(suite)["run"] == "20261121-094312-region-outage-4f2a"


def test_broken_is_a_failure(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, failover=None)
    assert wrong(suite) == {"playback: rto": "failure", "playback: availability": "failure"}
    assert suite.attrib["failures"] == "2"
    failure = suite.find(".//failure")
    assert failure is not None
    assert "only after the fault was lifted" in failure.attrib["message"]


def test_a_fault_without_effect_is_an_error(tmp_path: Path) -> None:
    assert wrong(suite_of(tmp_path, bites=False))["the fault took effect"] == "error"


def test_what_was_not_put_back_is_an_error_of_the_rollback(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, outcomes=("restored", "restored", "restored", "failed"))
    assert wrong(suite)["rollback"] == "error"
    assert "chaos rollback" in "".join(suite.itertext())


def test_a_run_that_could_not_begin_is_not_green(tmp_path: Path) -> None:
    found = wrong(suite_of(tmp_path, steady=False))
    assert found["the fault took effect"] == "error"
    assert found["playback: rto"] == "error"


def test_a_verdict_that_is_not_held_is_never_green(tmp_path: Path) -> None:
    """Not even when nothing else says why."""
    history = fold(read(journals.region_outage(tmp_path)))
    verdict = replace(judge(history), value="unknown", reasons=("who knows",))
    assert wrong(parsed(history, verdict)) == {"the fault took effect": "error"}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> History:
    return fold(read(journals.region_outage(tmp_path_factory.mktemp("held"))))


@given(text=st.text(st.characters(exclude_categories=())))
def test_any_text_gives_valid_xml(held: History, text: str) -> None:
    result = Result(
        probe=text,
        objective="rto",
        wanted=1.0,
        measured=None,
        value="broken",
        how="",
        reason=text,
    )
    verdict = replace(judge(held), value="broken", results=(result,), reasons=(text,))
    assert wrong(parsed(held, verdict))


def test_text_that_xml_can_hold_comes_back_as_it_was(held: History) -> None:
    text = "<a> & \"b\" ]]> 'c' \N{SNOWMAN} \N{PILE OF POO}"
    result = Result(
        probe="p", objective="rto", wanted=1.0, measured=None, value="broken", how="", reason=text
    )
    verdict = replace(judge(held), value="broken", results=(result,), reasons=(text,))
    failure = parsed(held, verdict).find(".//failure")
    assert failure is not None
    assert failure.text == failure.attrib["message"] == text

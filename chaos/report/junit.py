"""junit.xml, for what shows test results: broken is a failure, what cannot be told is an error.

A testcase for each objective, one for the rollback, one for whether the fault took effect. It is
green only where the verdict is `held`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from chaos.history import History
from chaos.report import words
from chaos.verdict import Result, Verdict
from chaos.verdict.doubts import doubts

# What XML 1.0 cannot hold in any form (its production "Char").
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One testcase; `wrong` is "failure", "error" or empty."""

    name: str
    wrong: str = ""
    why: str = ""
    properties: tuple[tuple[str, str], ...] = ()


def render(history: History, verdict: Verdict) -> str:
    """The file's text."""
    cases = [*map(_objective, verdict.results), _rollback(history, verdict)]
    cases.append(_effect(history, verdict, told=any(case.wrong for case in cases)))
    root = ET.Element("testsuites")
    wrong = [case.wrong for case in cases]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_xml(history.experiment["name"]),
        tests=str(len(cases)),
        failures=str(wrong.count("failure")),
        errors=str(wrong.count("error")),
        skipped="0",
        time=f"{history.ended:.3f}",
        timestamp=_xml(history.header["wall"][:19]),
    )
    _properties(suite, _of_run(history, verdict))
    for case in cases:
        _add(suite, case, history.experiment["name"])
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _objective(result: Result) -> Case:
    wrong = {"held": "", "broken": "failure", "unknown": "error"}[result.value]
    found = result.measured
    properties = [("wanted", words.wanted(result)), ("measured", words.measured(result))]
    if found is not None:
        properties += [("measured.low", f"{found.low:g}"), ("measured.high", f"{found.high:g}")]
    if result.how:
        properties.append(("how", result.how))
    return Case(
        name=f"{result.probe}: {result.objective}",
        wrong=wrong,
        why=result.reason,
        properties=tuple(properties),
    )


def _rollback(history: History, verdict: Verdict) -> Case:
    left = len(history.open_pulls)
    why = "\n".join(verdict.reasons[:left]) if left else ""
    return Case(name="rollback", wrong="error" if left else "", why=why)


def _effect(history: History, verdict: Verdict, *, told: bool) -> Case:
    """Any doubt about the run itself lands here, and so does one that no other case tells."""
    doubt = doubts(history, verdict.probes.values())
    if not doubt and not told and verdict.value != "held":
        doubt = list(verdict.reasons)
    name = "the fault took effect"
    return Case(name=name, wrong="error" if doubt else "", why="\n".join(doubt))


def _of_run(history: History, verdict: Verdict) -> Iterator[tuple[str, str]]:
    header = history.header
    yield "verdict", verdict.value
    yield "exit_code", str(verdict.exit_code)
    yield "run", history.run
    yield "environment", str(header["environment"]["kind"])
    yield "place", words.where(header["environment"])
    for service, what in history.experiment.get("stand_ins", {}).items():
        yield f"stand_in.{service}", what
    for name, text in words.coverage(history):
        yield "coverage", f"{name}: {text}"
    if history.stops:
        yield "stopped", words.stopped(history)
    yield "speed", f"{header['speed']:g}"
    yield "sha256", history.experiment["sha256"]
    yield "chaos", header["tool"]


def _add(suite: ET.Element, case: Case, experiment: str) -> None:
    element = ET.SubElement(suite, "testcase", name=_xml(case.name), classname=_xml(experiment))
    _properties(element, case.properties)
    if case.wrong:
        first = case.why.partition("\n")[0]
        told = ET.SubElement(element, case.wrong, message=_xml(first), type=case.wrong)
        told.text = _xml(case.why)


def _properties(
    parent: ET.Element, pairs: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]
) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in pairs:
        ET.SubElement(properties, "property", name=name, value=_xml(value))


def _xml(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)

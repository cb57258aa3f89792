"""junit.xml of a set: a testcase for each promise, and one for whether all trials were made."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from chaos.report.junit import NOT_XML
from chaos.trials import told
from chaos.trials.judging import Judged, SetVerdict
from chaos.trials.sets import TrialSet

WRONG = {"held": "", "broken": "failure", "unknown": "error"}


def render(made: TrialSet, verdict: SetVerdict) -> str:
    """The file's text; green only where the verdict is `held`."""
    # A rollback that is incomplete, and a set that ended early, are in no promise of their own.
    first, *_ = told.reasons(verdict)
    lost = verdict.undone or verdict.ended or not verdict.judged
    cases = [(told.promise(one.promise), WRONG[one.value], one) for one in verdict.judged]
    wrong = [kind for _, kind, _ in cases] + (["error"] if lost else [])
    root = ET.Element("testsuites")
    suite = ET.SubElement(
        root,
        "testsuite",
        name=made.experiment,
        tests=str(len(cases) + 1),
        failures=str(wrong.count("failure")),
        errors=str(wrong.count("error")),
        skipped="0",
        time=f"{sum(trial.ended for trial in verdict.trials):.3f}",
        timestamp=made.wall[:19],
    )
    _properties(suite, made, verdict)
    for name, kind, one in cases:
        _case(suite, made.experiment, name, kind, _why(one))
    _case(suite, made.experiment, "all trials", "error" if lost else "", first)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _properties(suite: ET.Element, made: TrialSet, verdict: SetVerdict) -> None:
    properties = ET.SubElement(suite, "properties")
    told_of = {
        "verdict": verdict.value,
        "exit_code": str(verdict.exit_code),
        "flaky": str(verdict.flaky).lower(),
        "set": made.set,
        "seed": str(made.seed),
        "trials": str(len(verdict.trials)),
        "planned": str(verdict.of),
    }
    for name, value in told_of.items():
        ET.SubElement(properties, "property", name=name, value=value)


def _case(suite: ET.Element, experiment: str, name: str, kind: str, why: str) -> None:
    case = ET.SubElement(suite, "testcase", name=_xml(name), classname=experiment)
    if kind:
        ET.SubElement(case, kind, message=_xml(why.partition("\n")[0]), type=kind).text = _xml(why)


def _why(one: Judged) -> str:
    bad = (
        f"trial {n}: {found.reason}" for n, found in one.told.items() if found.outcome != "passed"
    )
    return "\n".join([told.sentence(one), *bad])


def _xml(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)

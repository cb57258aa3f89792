"""What a fault cut in a real account, and what went on, stands in the report and the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from report import journals

from chaos.history import History, Pull, fold
from chaos.journal import read
from chaos.report import junit
from chaos.report.data import page
from chaos.report.terminal import verdict_block
from chaos.report.words import around, coverage
from chaos.verdict import judge

FAULT = {"kind": "region_outage", "region": "us-east-1"}


def pull(fault: int) -> Pull:
    return Pull(pull=fault, fault=fault, lever={"kind": "subnet_acl"}, prior="acl-1", value=None)


def told(*covers: dict[str, list[str]] | None, pulled: tuple[int, ...] = (0, 1)) -> dict[str, str]:
    header = {"experiment": {"faults": [FAULT, FAULT]}, "coverage": list(covers)}
    return dict(coverage(History(header=header, pulls=tuple(map(pull, pulled)))))


def test_both_are_told_of_each_fault_that_has_them() -> None:
    found = told({"cut": ["the subnets", "tables"], "goes_on": ["Route 53"]}, None)
    assert list(found.values()) == ["the subnets; tables", "Route 53"]
    assert [name.partition(" ")[0] for name in found] == ["Cut", "Went"]
    assert all("region_outage" in name for name in found)


def test_what_was_never_brought_about_has_cut_nothing() -> None:
    covers = {"cut": ["the subnets"], "goes_on": ["Route 53"]}
    assert told(covers, covers, pulled=()) == {}


def test_a_lab_and_a_journal_of_before_tell_nothing() -> None:
    assert told(None, None) == {}
    assert not list(coverage(History(header={"experiment": {"faults": [FAULT]}})))


def reports(history: History) -> list[str]:
    """The terminal's, in one line, junit.xml, the page's data and verdict.json."""
    verdict = judge(history)
    block = " ".join(verdict_block(history, verdict, {}).split())
    told = str(page(history, verdict))
    return [block, junit.render(history, verdict), told, str(verdict.to_json())]


def test_all_reports_tell_what_was_not_cut(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    covers: list[Any] = [{"cut": ["all of the named subnets"], "goes_on": ["the DNS resolver"]}]
    history = replace(history, header=history.header | {"coverage": covers})
    for report in reports(history):
        assert "all of the named subnets" in report
        assert "the DNS resolver" in report


def test_all_reports_tell_who_stopped_it_whatever_else_went_wrong(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    failed = [replace(f, error="AccessDenied") for f in history.faults]
    stops = ("stopped by chaos stop: customers are hit",)
    history = replace(history, faults=tuple(failed), stops=stops, asked=100.0)
    block, *others = reports(history)
    assert "region_outage failed: AccessDenied" in block
    for report in (block, *others):
        assert stops[0] in report


def test_the_page_tells_in_which_accounts_and_as_whom(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    account = {"id": "123456789012", "regions": ["us-east-1", "us-west-2"], "arn": "arn:role"}
    place = history.header["environment"] | {"kind": "aws", "accounts": {"prod": account}}
    header = history.header | {"environment": place, "undo_log": "s3://drills/undo"}
    facts = dict(around(replace(history, header=header)))
    assert facts["Account prod"] == "123456789012, us-east-1, us-west-2, as arn:role"
    assert facts["Undo log"] == "s3://drills/undo"
    assert not dict(around(history))

"""What a fault cut in a real account, and what went on, stands in the report and the verdict."""

from __future__ import annotations

from chaos.history import History
from chaos.report.words import coverage

FAULT = {"kind": "region_outage", "region": "us-east-1"}


def told(*covers: dict[str, list[str]] | None) -> dict[str, str]:
    header = {"experiment": {"faults": [FAULT, FAULT]}, "coverage": list(covers)}
    return dict(coverage(History(header=header)))


def test_both_are_told_of_each_fault_that_has_them() -> None:
    found = told({"cut": ["the subnets", "tables"], "goes_on": ["Route 53"]}, None)
    assert list(found.values()) == ["the subnets; tables", "Route 53"]
    assert [name.partition(" ")[0] for name in found] == ["Cut", "Went"]
    assert all("region_outage" in name for name in found)


def test_a_lab_and_a_journal_of_before_tell_nothing() -> None:
    assert told(None, None) == {}
    assert not list(coverage(History(header={"experiment": {"faults": [FAULT]}})))

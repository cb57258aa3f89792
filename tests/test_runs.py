"""Runs are found by what people remember of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chaos.errors import InvalidInput
from chaos.runs import JOURNAL, SET, Runs

IDS = ["20261120-101010-region-outage-00aa", "20261121-090000-region-outage-11bb"]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    kept = Runs(tmp_path / "chaos-runs")
    for run in IDS:
        kept.journal(run).parent.mkdir(parents=True)
        kept.journal(run).touch()
    return kept


def test_a_new_id_says_when_and_what(runs: Runs) -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-drill-[0-9a-f]{4}", runs.new("drill"))


def test_runs_are_listed_oldest_first(runs: Runs) -> None:
    assert runs.all() == IDS
    assert Runs(Path("none")).all() == []


@pytest.mark.parametrize(
    ("asked", "found"), [(IDS[0], 0), ("00aa", 0), ("20261121", 1), ("latest", 1)]
)
def test_an_id_a_part_of_one_or_the_latest(runs: Runs, asked: str, found: int) -> None:
    assert runs.find(asked) == runs.journal(IDS[found])


def test_a_path_to_a_journal_or_its_directory(runs: Runs, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / JOURNAL
    elsewhere.parent.mkdir()
    elsewhere.touch()
    assert runs.find(str(elsewhere)) == elsewhere
    assert runs.find(str(elsewhere.parent)) == elsewhere


def test_what_fits_several_is_told(runs: Runs) -> None:
    with pytest.raises(InvalidInput, match="'region' fits 2 runs: 20261120"):
        runs.find("region")


def test_a_set_of_trials_is_no_run(runs: Runs) -> None:
    of_trials = runs.directory / "set-20261121-094312-region-outage-4f2a"
    of_trials.mkdir()
    (of_trials / SET).touch()
    for asked in (of_trials.name, str(of_trials)):
        with pytest.raises(InvalidInput, match="is a set of trials; name one of its runs"):
            runs.find(asked)


def test_what_fits_none_is_told(runs: Runs) -> None:
    with pytest.raises(InvalidInput, match=f"no run 'x' in .*; the newest is {IDS[1]}"):
        runs.find("x")
    with pytest.raises(InvalidInput, match="no run 'latest' in none"):
        Runs(Path("none")).find("latest")

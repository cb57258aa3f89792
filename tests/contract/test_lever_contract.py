"""Every lever keeps to what is asked of levers, in the fake environment and in a real lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract.account_cases import IN_ACCOUNTS
from contract.attending import attended
from contract.lever_cases import CASES, check_in_homepage, check_in_streaming_s3
from contract.real_lab import in_a_real_lab

from chaos.levers import KINDS, Lever
from chaos.loops import run_virtual
from chaos.testing import FakeEnvironment, check_lever, small_lab


def test_every_lever_has_a_case_here() -> None:
    assert {lever.kind for lever, _ in CASES} | IN_ACCOUNTS == set(KINDS)


@pytest.mark.parametrize(("lever", "values"), CASES, ids=lambda c: getattr(c, "kind", ""))
def test_a_lever_in_the_fake_environment(
    lever: Lever, values: tuple[Any, ...], tmp_path: Path
) -> None:
    lab = FakeEnvironment(small_lab())
    run_virtual(check_lever(lever, attended(lab, tmp_path), *values))
    if not lever.irreversible:
        assert lab.state == small_lab() | {"reachability": lab.state["reachability"]}


def test_the_levers_in_a_real_lab(tmp_path: Path) -> None:
    """One lab for all of them: what a fake answers is worth as much as the real one agrees."""
    in_a_real_lab("homepage", tmp_path, lambda lab: check_in_homepage(lab, tmp_path))


def test_the_lever_of_an_object_in_a_real_lab(tmp_path: Path) -> None:
    in_a_real_lab("streaming-s3", tmp_path, check_in_streaming_s3)

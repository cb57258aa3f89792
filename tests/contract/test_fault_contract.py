"""Every fault keeps to what is asked of faults: its own example, carried out and put back."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.attending import attended
from contract.fault_cases import IN_LABS, SYSTEMS, check_examples
from contract.real_lab import in_a_real_lab

from chaos.faults import KINDS
from chaos.loops import run_virtual
from chaos.testing import (
    FakeEnvironment,
    check_fault,
    check_fault_kind,
    example_fault,
    small_lab,
)


@pytest.mark.parametrize("kind", IN_LABS)
def test_a_fault_carries_its_own_example_out(kind: str, tmp_path: Path) -> None:
    lab = FakeEnvironment(small_lab())
    run_virtual(check_fault(example_fault(KINDS[kind]), attended(lab, tmp_path)))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(IN_LABS)))
def test_a_fault_for_accounts_alone_says_what_it_is(kind: str) -> None:
    check_fault_kind(KINDS[kind])


@pytest.mark.parametrize("system", ["streaming", *SYSTEMS.values()])
def test_the_examples_of_faults_in_the_labs_that_they_are_for(system: str, tmp_path: Path) -> None:
    in_a_real_lab(system, tmp_path, lambda lab: check_examples(system, lab, tmp_path))

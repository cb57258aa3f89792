"""The levers and the faults keep to the same on LocalStack as on the emulator that we bring."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.fault_cases import SYSTEMS, check_examples
from contract.lever_cases import check_in_homepage, check_in_streaming_s3
from contract.real_lab import in_a_real_lab

from chaos.faults import KINDS

# DynamoDB needs Docker there; the same system with S3 has the same regions, zones, names and tags.
WITHOUT_DYNAMODB = {"streaming": "streaming-s3"}


def test_every_fault_says_how_real_it_is_here() -> None:
    in_labs = {kind for kind in KINDS if set(KINDS[kind].fidelity) != {"aws"}}
    assert in_labs == set(KINDS) - {"fis"}  # whose actions only AWS carries out
    assert all("localstack" in KINDS[kind].fidelity for kind in in_labs)


def test_the_levers(localstack: str, tmp_path: Path) -> None:
    in_a_real_lab("homepage", tmp_path, lambda lab: check_in_homepage(lab, tmp_path), localstack)


def test_the_lever_of_an_object(localstack: str, tmp_path: Path) -> None:
    in_a_real_lab("streaming-s3", tmp_path, check_in_streaming_s3, localstack)


@pytest.mark.parametrize("system", ["streaming", *SYSTEMS.values()])
def test_the_examples_of_faults(system: str, localstack: str, tmp_path: Path) -> None:
    here = WITHOUT_DYNAMODB.get(system, system)
    in_a_real_lab(here, tmp_path, lambda lab: check_examples(system, lab, tmp_path), localstack)

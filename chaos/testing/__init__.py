"""What helps to test faults, levers, probes and whole runs without a cloud.

`FakeEnvironment` stands in for a lab; `check_lever`, `check_fault` and `check_probe` hold what
every kind has to keep to, ours and those of other packages. A check raises AssertionError.
`chaos.testing.planted` drills systems with planted defects.
"""

from __future__ import annotations

from chaos.testing.accounts import Recording, check_account_lever, check_nothing_idle
from chaos.testing.fake_environment import REGIONS, FakeEnvironment, small_lab
from chaos.testing.faults import check_fault, check_fault_kind
from chaos.testing.levers import check_lever
from chaos.testing.models import example_fault, example_probe
from chaos.testing.probes import Aim, check_probe, check_probe_kind, one_sample

__all__ = [
    "REGIONS",
    "Aim",
    "FakeEnvironment",
    "Recording",
    "check_account_lever",
    "check_fault",
    "check_fault_kind",
    "check_lever",
    "check_nothing_idle",
    "check_probe",
    "check_probe_kind",
    "example_fault",
    "example_probe",
    "one_sample",
    "small_lab",
]

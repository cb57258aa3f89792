"""Probes and faults as they stand in an experiment: each is what its `kind` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import SerializeAsAny

from chaos import faults as our_faults
from chaos import schema
from chaos.faults.fault import Fault
from probes.probe import Probe

MOST = 500  # probes, faults and conditions of one experiment


def _probe_kinds() -> Mapping[str, type[Probe]]:
    from probes import KINDS

    return KINDS


AnyProbe = Annotated[SerializeAsAny[Probe], schema.by_kind(_probe_kinds, "chaos.probes")]
AnyFault = Annotated[
    SerializeAsAny[Fault], schema.by_kind(lambda: our_faults.KINDS, "chaos.faults")
]

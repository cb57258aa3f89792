"""The examples of the faults, each in the shipped lab that it is for."""

from __future__ import annotations

from pathlib import Path

from contract.attending import attended

from chaos.environments.environment import Environment
from chaos.faults import KINDS
from chaos.testing import check_fault, example_fault

# Others have no effect in a lab, so that they are refused there.
IN_LABS = tuple(kind for kind in KINDS if "embedded" in KINDS[kind].fidelity)
# All others are shown for the lab `streaming`.
SYSTEMS = {"dependency_outage": "homepage", "object_loss": "streaming-s3"}


async def check_examples(system: str, environment: Environment, directory: Path) -> None:
    """Carry the examples for that lab out, one after the other, and put them back."""
    for kind in IN_LABS:
        if SYSTEMS.get(kind, "streaming") == system:
            await check_fault(example_fault(KINDS[kind]), attended(environment, directory))

"""Every lever keeps to what is asked of levers, in the fake environment and in a real lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract.attending import attended
from contract.real_lab import in_a_real_lab

from chaos.environments.environment import Environment
from chaos.levers import KINDS, Lever
from chaos.levers.by_hand import ByHand
from chaos.levers.ec2 import InstanceTermination
from chaos.levers.lab import ApiRule, DnsRule, LinkRule, Reachability, Replication
from chaos.loops import run_virtual
from chaos.testing import FakeEnvironment, check_lever, small_lab

HOME, DEPENDENCY = "home", "recommendations"
REFUSE: dict[str, Any] = {"action": "refuse"}

# Each lever, and values beside the one in which it is found.
CASES: list[tuple[Lever, tuple[Any, ...]]] = [
    (ApiRule(id="r"), (REFUSE, REFUSE | {"regions": ["us-east-1"]})),
    (ByHand(task="pull the plug"), ("handed out",)),
    (DnsRule(id="r"), ({"action": "silence", "names": ["api.stream.example"]},)),
    (InstanceTermination(region="us-east-1", instance="i-1"), (True,)),
    (LinkRule(id="r"), (REFUSE | {"to": DEPENDENCY}, REFUSE | {"to": DEPENDENCY, "from": HOME})),
    (Reachability(scope="us-east-1"), ("drop", "refuse")),
    (Replication(region="us-east-1"), ("off",)),
]


def test_every_lever_has_a_case_here() -> None:
    assert {lever.kind for lever, _ in CASES} == set(KINDS)


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

    async def work(environment: Environment) -> None:
        found = await environment.call("lab", "", "describe_lab")
        instance = found["instances"][0]["id"]
        for lever, values in CASES:
            here: Lever = lever
            if isinstance(lever, InstanceTermination):
                here = replace(lever, instance=instance)
            await check_lever(here, attended(environment, tmp_path), *values)

    in_a_real_lab("homepage", tmp_path, work)

"""A small system for tests of the engine: one probe that looks at a fake environment's state."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

from chaos.experiment import Experiment
from chaos.testing import FakeEnvironment
from probes.net import Net
from probes.probe import Attempt, Probe, ProbeFailed


class Look(Probe):
    """Good while the region can be reached."""

    kind: Literal["look"] = "look"
    region: str = "us-east-1"

    async def check(self, net: Net, attempt: Attempt) -> None:
        if cast("Any", net)["reachability"].get(self.region, "open") != "open":
            raise ProbeFailed("unreachable")


class LookLedger(Look):
    """A ledger whose every write is there."""

    ledger: ClassVar[bool] = True

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        return cast("list[int]", cast("Any", net)["written"])


class LookLab(FakeEnvironment):
    """A fake environment whose net is its state, for Look."""

    def net(self, _probe: Probe) -> Net:
        return cast("Net", self.state)


def experiment(**changes: Any) -> Experiment:
    """A region outage of 3 s and, 1 s into it, a termination; watched by one probe."""
    return Experiment.model_validate(
        {
            "name": "crash",
            "steady_state": {"for": 1, "within": 5},
            "probes": {"look": Look(every=1.0, timeout=0.5, confirm=1)},
            "faults": [
                {"kind": "region_outage", "region": "us-east-1", "lasts": 3},
                {"kind": "instance_termination", "region": "us-east-1", "ids": ["i-1"], "at": 1},
            ],
            "allow_irreversible": ["instance_termination"],
            "objectives": {"look": {"heals_within": 5}},
            "recover_within": 5,
            **changes,
        }
    )

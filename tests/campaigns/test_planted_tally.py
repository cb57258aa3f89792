"""The figures of the campaign with planted defects, without its drills."""

from __future__ import annotations

import pytest
from campaigns.planted import campaign

from chaos.errors import EnvironmentFailed
from chaos.testing import planted
from chaos.testing.planted import Outcome, System


def test_each_system_is_drilled_so_often_and_every_false_verdict_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders: list[str] = []

    def carry_out(system: System) -> Outcome:
        orders.append(system.name)
        if system.name == "pilot-light":
            raise EnvironmentFailed("the lab did not start")
        false = "flapping: the verdict is held" if system.name == "flapping" else ""
        return Outcome(system=system.name, value="held", reason="a | b", wrong=false)

    monkeypatch.setattr(planted, "carry_out", carry_out)
    tally = campaign(2, seed=1)
    systems = [system.name for system in planted.systems()]
    assert [*sorted(orders[: len(systems)]), *sorted(orders[len(systems) :])] == systems * 2
    assert orders[: len(systems)] != orders[len(systems) :]
    assert sorted(tally.wrong) == [
        *["flapping: the verdict is held"] * 2,
        *["pilot-light: the drill could not begin: the lab did not start"] * 2,
    ]
    shown = dict(tally.shown())
    assert (shown["full runs"], shown["false verdicts"]) == ("2", "4")
    assert shown["`two-zones`"] == "held 2 times: a \\| b"
    assert shown["systems"].startswith(f"{len(systems)}: ")

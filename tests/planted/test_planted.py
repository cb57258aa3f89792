"""A sample of the suite, really drilled; `python -m campaigns planted` has all of it.

A sound system is drilled by the tests of docs/examples/acme-chaos.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest

from chaos.testing import planted
from chaos.testing.planted import SYSTEMS, Outcome, System
from chaos.testing.planted import _wrong as wrong
from probes import KINDS
from probes.net import Net
from probes.probe import Attempt, Probe


def shipped(name: str) -> System:
    return System.load(SYSTEMS / f"{name}.yaml")


class Flatterer(Probe):
    """A company's probe that calls everything good."""

    kind: Literal["acme_flatterer"]

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Good."""


def test_a_defect_is_found_and_shown() -> None:
    found = planted.carry_out(shipped("one-zone-only"))
    assert (found.value, found.wrong) == ("broken", "")
    assert "timed out after 4 s" in found.reason


def test_a_probe_that_calls_everything_good_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def flatterer(page: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "acme_flatterer", "every": page["every"]}

    monkeypatch.setitem(KINDS, "acme_flatterer", Flatterer)
    with pytest.raises(AssertionError, match=r"^one-zone-only: the verdict is held") as found:
        planted.check_planted(shipped("one-zone-only"), probes={"page": flatterer})
    assert "should be broken: The group launches in one zone only" in str(found.value)


def test_a_verdict_for_the_wrong_reason_is_wrong() -> None:
    system = shipped("one-zone-only")
    reason = "page recovered only after the fault was lifted"
    seen = f"{reason}: timed out (connect), at 127.1.0.10 in us-east-1"
    assert wrong(system, "broken", seen, shows=True) == ""
    assert wrong(system, "broken", reason, shows=False) == ""  # a probe of others, in its words
    assert "for a reason that does not say" in wrong(system, "broken", reason, shows=True)
    assert "for a reason that does not say" in wrong(system, "broken", "west_canary", shows=False)
    assert "is unknown (x), and should be broken" in wrong(system, "unknown", "x", shows=False)
    assert Outcome(system="s", value="held", reason="r").wrong == ""

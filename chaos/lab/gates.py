"""What lies between the addresses of the lab and those who want to reach them: one gate for each
region and zone, which a fault can close.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, get_args

from chaos.errors import InvalidInput

# drop: packets vanish, as in an outage. refuse: each is answered by RST, as by a firewall.
State = Literal["open", "drop", "refuse"]


class Guarded(Protocol):
    """What lies behind gates: an address, or a connection that passes through."""

    def settle(self) -> None:
        """Tell the gates that are closed what they have met up to now."""

    def gate_changed(self) -> None:
        """Look at the gates again."""


class Gate:
    """The way into one region or zone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: State = "open"
        self.hits = 0
        self.guarded: set[Guarded] = set()

    def put(self, state: State) -> None:
        """Open or close it, for what passes through at this moment too."""
        if state != self.state:
            self._settle()
            self.state = state
            for one in list(self.guarded):
                one.gate_changed()

    def met(self) -> int:
        """What has come up against it while it was closed: packets dropped, connections cut."""
        self._settle()
        return self.hits

    def _settle(self) -> None:
        for one in list(self.guarded):
            one.settle()


class Gates:
    """All gates of a lab, by the name of their region or zone."""

    def __init__(self, regions: Mapping[str, tuple[str, ...]]) -> None:
        names = [name for region, zones in regions.items() for name in (region, *zones)]
        self._gates = {name: Gate(name) for name in names}

    def __getitem__(self, scope: str) -> Gate:
        """The gate of a region or zone; raises InvalidInput for another name."""
        if scope not in self._gates:
            known = ", ".join(self._gates)
            raise InvalidInput(f"no region or zone {scope!r} in this lab; there is {known}")
        return self._gates[scope]

    def put(self, scope: str, state: str) -> None:
        """Open or close a gate; raises InvalidInput."""
        gate = self[scope]
        for known in get_args(State):
            if state == known:
                gate.put(known)
                return
        states = ", ".join(get_args(State))
        raise InvalidInput(f"a gate cannot be {state!r}; it can be {states}")


def first_closed(gates: tuple[Gate, ...]) -> Gate | None:
    """The outermost gate that is closed: what is behind it is not asked any more."""
    return next((gate for gate in gates if gate.state != "open"), None)

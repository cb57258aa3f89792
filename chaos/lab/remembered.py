"""Answers that were given before, given again while the same records would be chosen.

To take a question apart and put its answer together costs thirty times what choosing does.
"""

from __future__ import annotations

from collections.abc import Callable

import dns.rcode

from chaos.lab.authority import Choose
from chaos.lab.hosted_zones import Group

# Renders the answer to one message, by the records that are chosen on the way.
Render = Callable[[bytes, bool, Choose], bytes | None]

ANSWERS_MOST = 4096
LONGEST_QUESTION = 512

Choices = list[tuple[Group, Group]]  # among which records, and which of them


class Remembered:
    """Says what `render` would; `choose` is asked anew for every answer, by chance too."""

    def __init__(self, render: Render, choose: Choose) -> None:
        self._render = render
        self._choose = choose
        self._known: dict[tuple[bytes, bool], tuple[Choices, bytes]] = {}

    def forget(self) -> None:
        """There are other records now."""
        self._known.clear()

    def respond(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The answer to one message."""
        known = self._known.get((wire[2:], udp))
        if known is None:
            return self._anew(wire, udp, {})
        choices, answer = known
        drawn = {id(among): self._choose(among) for among, _ in choices}
        if all(drawn[id(among)] == chosen for among, chosen in choices):
            return wire[:2] + answer  # the id is all that two questions of the same kind differ in
        return self._anew(wire, udp, drawn)

    def _anew(self, wire: bytes, udp: bool, drawn: dict[int, Group]) -> bytes | None:
        """Render it; what is drawn already stays, or rare draws would be drawn twice as often."""
        choices: Choices = []

        def choose(among: Group) -> Group:
            chosen = drawn[id(among)] if id(among) in drawn else self._choose(among)
            choices.append((among, chosen))
            return chosen

        answer = self._render(wire, udp, choose)
        if answer is not None and len(wire) <= LONGEST_QUESTION and _sound(answer):
            if len(self._known) >= ANSWERS_MOST:
                self._known.clear()
            self._known[wire[2:], udp] = choices, answer[2:]
        return answer


def _sound(answer: bytes) -> bool:
    """Whether it is no complaint about a defect, which may be over by the next question."""
    return answer[3] & 0x0F != dns.rcode.SERVFAIL

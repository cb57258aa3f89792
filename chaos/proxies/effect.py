"""What happens to one call at the AWS API proxy: decided by the rules, carried out by the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Befalls = Literal["pass", "error", "hang", "refuse", "reset", "truncate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One decision.

    pass      passed on unchanged, after `delay`; its answer comes at `rate`, if given
    error     answered with `status`, `code` and `message`, as the service itself would
    hang      never answered
    refuse    the connection is reset at once; nothing is read any further
    reset     the connection is reset: after the request was read, or inside the answer
    truncate  the answer ends after `after` bytes of its body, with its length as announced
    """

    rule: str
    """The id of the rule that decided."""
    delay: float = 0.0
    """Seconds of the loop before anything else; after it the later rules are asked."""
    action: Befalls = "pass"
    status: int | None = None
    code: str | None = None
    message: str = ""
    """What an error says; empty: a sentence that names the rule."""
    forward: bool = False
    """The call is passed on and answered upstream first; what `action` says befalls the answer:
    the write happened, and who asked does not know."""
    after: int = 0
    """Bytes of the answer's body that still pass before a reset or a truncation."""
    rate: float | None = None
    """Bytes per second at which the body of the answer passes."""

"""How a `chaos exec` ended, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.cli.rule_shown import shown_rule
from chaos.cli.say import say
from chaos.errors import InvalidInput

UNKNOWN = 3
NOT_SEEN = (
    "the proxy saw no request, so no fault can have met the command: its SDK may be older than"
    " AWS_ENDPOINT_URL, or the code names an endpoint of its own, or it called nothing;"
    " on Linux, --transparent needs no variable"
)
NOT_SEEN_INSIDE = (
    "the proxy saw no request, so no fault can have met the command: it asked for no name of AWS"
)
NOT_TRUSTED = (
    "the proxy saw no request: the command's TLS does not trust the certificates of this run, as"
    " with a trust store of its own (Java) or pinned ones"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the command did, and what it met. `rules` are those of the command line, with hits."""

    command: list[str]
    code: int
    requests: int
    rules: list[tuple[dict[str, Any], int]]
    allow_unmet: bool
    transparent: bool
    untrusting: int

    @property
    def unknown(self) -> str | None:
        """Why nothing is proven by it, if nothing is."""
        if not self.requests:
            if self.untrusting:
                return NOT_TRUSTED
            return NOT_SEEN_INSIDE if self.transparent else NOT_SEEN
        unmet = sum(not hits for _, hits in self.rules)
        if unmet and not self.allow_unmet:
            what = "a rule met" if unmet == 1 else f"{unmet} rules met"
            untried = "so that fault was never tried; if it need not be: --allow-unmet"
            return f"{what} no request, {untried}"
        return None

    @property
    def exit_code(self) -> int:
        """The command's own, unless that is 0 and nothing is proven."""
        return self.code or (UNKNOWN if self.unknown else 0)

    def to_json(self) -> dict[str, Any]:
        """As it is written for scripts."""
        return {
            "command": self.command,
            "command_exit_code": self.code,
            "exit_code": self.exit_code,
            "requests": self.requests,
            "rules": [{"rule": rule, "hits": hits} for rule, hits in self.rules],
            "untrusting_connections": self.untrusting,
            "unknown": self.unknown,
        }


def tell(outcome: Outcome) -> None:
    """A short table on standard error."""
    counts = [(outcome.requests, "seen by the proxy")]
    counts += [(hits, f"met: {shown_rule(rule)}") for rule, hits in outcome.rules]
    width = max(len(f"{count:,}") for count, _ in counts)
    for count, what in counts:
        noun = "request " if count == 1 else "requests"
        say(f"{count:>{width},} {noun} {what}", to_stderr=True)
    if outcome.untrusting:
        say(f"{outcome.untrusting} TLS connections were given up by the command", to_stderr=True)
    if outcome.unknown:
        say(f"unknown: {outcome.unknown}", to_stderr=True)


def write(outcome: Outcome, file: Path) -> None:
    """The outcome as JSON; raises InvalidInput when the file cannot be written."""
    try:
        file.write_text(json.dumps(outcome.to_json(), indent=2) + "\n")
    except OSError as error:
        raise InvalidInput(f"--report {file}: {error.strerror}") from error

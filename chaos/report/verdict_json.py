"""verdict.json, for scripts; docs/verdict-json.md says what is in it."""

from __future__ import annotations

import json

from chaos.history import History
from chaos.verdict import Verdict


def render(_: History, verdict: Verdict) -> str:
    """The verdict as JSON, one line a value, ASCII only."""
    return json.dumps(verdict.to_json(), indent=2, allow_nan=False) + "\n"

"""What a check finds, and what it may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chaos.runs import Runs

Level = Literal["ok", "absent", "warning", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, in one sentence, and what to do about it."""

    check: str
    level: Level
    says: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user named: an endpoint, a region and a profile, or None for what is configured.

    `environment` is the one that is meant, None for the lab.
    """

    environment: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    region: str | None = None
    runs: Runs

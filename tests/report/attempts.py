"""The attempts of the probes of a made-up `region-outage`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

INJECTED = 8.412  # when the first lever begins to move
LASTS = 180.0
FAILOVER = 46.9  # seconds from the injection until playback answers from us-west-2
RELAPSE = (71.0, 74.2)
FAILBACK = 24.0  # seconds from the lifting until playback answers from us-east-1 again

# t, the event's name, its fields
Entry = tuple[float, str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How the system behaves; `failover` None is one that comes back only after the lifting."""

    failover: float | None = FAILOVER
    relapse: bool = True
    bites: bool = True
    steady: bool = True

    def attempts(self, end: float) -> Iterator[Entry]:
        """The samples of all probes until `end`; the same ones each time."""
        chance = random.Random(7)
        for number in range(int(end / 0.5)):
            yield self._playback(number, number * 0.5, chance.random() ** 3)
        for number in range(int(end)):
            latency = 0.016 + chance.random() * 0.006
            yield _http("west_canary", number, float(number), latency, "us-west-2")
            yield self._write(number, float(number), 0.011 + chance.random() * 0.01)

    def _playback(self, number: int, due: float, chance: float) -> Entry:
        since = due - INJECTED
        if not self.steady:
            return _http("playback", number, due, 0.004, "us-east-1", status=500)
        if not self.bites or not -0.03 < since < LASTS + FAILBACK:
            return _http("playback", number, due, 0.021 + chance * 0.05, "us-east-1")
        if since < min(LASTS, self.failover or LASTS):
            return _hangs("playback", number, due)
        if self.relapse and RELAPSE[0] < since < RELAPSE[1]:
            return _http("playback", number, due, 0.048, "us-west-2", status=503)
        return _http("playback", number, due, 0.031 + chance * 0.11, "us-west-2")

    def _write(self, number: int, due: float, latency: float) -> Entry:
        lost = self.bites and self.steady and INJECTED - 1 < due < INJECTED + LASTS
        fields = {
            "ok": not lost,
            "error": "no answer within 2 s" if lost else "",
            "phases": {},
            "detail": {"number": number, "acknowledged": not lost},
        }
        return _sample("history", number, due, 2.0 if lost else latency, fields)


def _http(
    probe: str, number: int, due: float, latency: float, region: str, *, status: int = 200
) -> Entry:
    ok = status == 200
    fields = {
        "ok": ok,
        "error": "" if ok else f"the status is {status}, not 200",
        "phases": {"name": 0.001, "connect": 0.002, "first_byte": latency - 0.004},
        "detail": {"status": status, "region": region},
    }
    return _sample(probe, number, due, latency, fields)


def _hangs(probe: str, number: int, due: float) -> Entry:
    fields = {
        "ok": False,
        "error": "no answer within 2 s, while at connect",
        "phases": {"name": 0.001, "connect": 1.999},
        "detail": {"address": "127.1.0.10"},
    }
    return _sample(probe, number, due, 2.0, fields)


def _sample(probe: str, number: int, due: float, took: float, fields: dict[str, Any]) -> Entry:
    start = due + 0.0004
    times = {"due": due, "start": start, "end": start + took}
    entry = {"probe": probe, "attempt": number, **times, "crashed": False, **fields}
    return start + took, "sample", entry

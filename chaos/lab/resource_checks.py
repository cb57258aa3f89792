"""Whether what a lab keeps in AWS fits the rest of it: pure, each problem with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import JsonValue

if TYPE_CHECKING:
    from chaos.lab.declaration import Lab

Place = tuple[str | int, ...]
# Where in the declaration, and what is wrong there.
Problem = tuple[Place, str]

QUEUE_URL = "queue:"
# AWS, PutMetricAlarm: periods of 10 and 30 seconds, and multiples of 60.
SHORT_PERIODS = (10, 30)


def problems(lab: Lab) -> Iterator[Problem]:
    """All that contradicts itself or names what is not there."""
    yield from _tables(lab)
    yield from _buckets(lab)
    yield from _queues(lab)
    yield from _streams(lab)
    yield from _secrets(lab)
    yield from _pipelines(lab)
    yield from _alarms(lab)


def _tables(lab: Lab) -> Iterator[Problem]:
    for name, table in lab.tables.items():
        where = ("tables", name)
        yield from _regions(lab, where, table.regions)
        for n, item in enumerate(table.items):
            for key in (table.key, table.sort_key):
                if not item.get(key):
                    yield (*where, "items", n), f"has no {key!r}, which is a key of the table"


def _buckets(lab: Lab) -> Iterator[Problem]:
    for name, bucket in lab.buckets.items():
        where = ("buckets", name)
        yield from _regions(lab, where, bucket.regions)
        if bucket.replicated and not bucket.versioned:
            yield (*where, "versioned"), "S3 replicates only buckets that are versioned"


def _regions(lab: Lab, where: Place, regions: Sequence[str]) -> Iterator[Problem]:
    for n, region in enumerate(regions):
        if region not in lab.regions:
            yield (*where, "regions", n), unknown("region", region, lab.regions)
    if len(set(regions)) < len(regions):
        yield (*where, "regions"), "a region is listed twice"


def _queues(lab: Lab) -> Iterator[Problem]:
    for name, queue in lab.queues.items():
        where = ("queues", name)
        yield from _region(lab, where, queue.region)
        dead = lab.queues.get(queue.dead_letters or name)
        if dead is None:
            yield (*where, "dead_letters"), unknown("queue", queue.dead_letters or "", lab.queues)
        elif queue.dead_letters == name:
            yield (*where, "dead_letters"), "a queue cannot be its own"
        elif dead.region != queue.region:
            yield (*where, "dead_letters"), f"SQS wants both in one region, {queue.region}"
        elif dead is not queue and dead.dead_letters:
            yield (*where, "dead_letters"), f"{queue.dead_letters} has one itself"


def _streams(lab: Lab) -> Iterator[Problem]:
    for name, stream in lab.streams.items():
        yield from _region(lab, ("streams", name), stream.region)


def _secrets(lab: Lab) -> Iterator[Problem]:
    for name, secret in lab.secrets.items():
        yield from _regions(lab, ("secrets", name), secret.regions)


def _pipelines(lab: Lab) -> Iterator[Problem]:
    for name, pipeline in lab.pipelines.items():
        where = ("pipelines", name)
        yield from _region(lab, where, pipeline.region)
        for key in ("StartAt", "States"):
            if key not in pipeline.definition:
                yield (*where, "definition"), f"has no {key}, which every state machine has"
        for queue in _queues_of(pipeline.definition):
            if queue not in lab.queues:
                yield (*where, "definition"), unknown("queue", queue, lab.queues)


def _queues_of(part: JsonValue) -> Iterator[str]:
    """The queues that a definition names."""
    if isinstance(part, str) and part.startswith(QUEUE_URL):
        yield part.removeprefix(QUEUE_URL)
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _queues_of(inner)


def _alarms(lab: Lab) -> Iterator[Problem]:
    for name, alarm in lab.alarms.items():
        where = ("alarms", name)
        yield from _region(lab, where, alarm.region)
        if alarm.period not in SHORT_PERIODS and (alarm.period % 60 or not alarm.period):
            yield (*where, "period"), "is 10s, 30s or a multiple of 60s, as CloudWatch wants it"
        if alarm.bad_periods is not None and alarm.bad_periods > alarm.periods:
            yield (*where, "bad_periods"), "is at most 'periods', of which they are a part"


def _region(lab: Lab, where: Place, region: str) -> Iterator[Problem]:
    if region not in lab.regions:
        yield (*where, "region"), unknown("region", region, lab.regions)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence on a name that leads nowhere."""
    known = [*known]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known) or 'none'}"
    return f"no {what} {name!r} in this lab; {hint}"

"""The most that may be hit, of everything and of each type of resource.

Small numbers are built in. An experiment may say other ones; no policy can be exceeded by that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from chaos.experiment.safety import AtMost
from chaos.safety.counting import Hits, Key, hits
from chaos.safety.facts import Facts, Source, Spot

COUNT, PERCENT = 10, 0.5
KEYS = ("at_most", "at_most_in_a_run")


def of_a_fault(facts: Facts, sources: Sequence[Source]) -> Iterator[str]:
    """What one fault hits: by default at most 10 resources, and half of their kind."""
    for fault in sorted({pull.fault for pull in facts.planned}):
        what = f"faults[{fault}] hits"
        yield from _beyond(facts, [fault], _limits(sources, "at_most"), what)


def of_a_run(facts: Facts, sources: Sequence[Source]) -> Iterator[str]:
    """What all faults hit together: by default the same; a resource hit twice counts once."""
    faults = {pull.fault for pull in facts.planned}
    limits = _limits(sources, "at_most_in_a_run")
    yield from _beyond(facts, faults, limits, "all faults together hit")


def told(facts: Facts, sources: Sequence[Source], key: str) -> str:
    """What is hit, and the strictest of the limits."""
    limits = [limit for limit, *_ in _limits(sources, key)]
    count = min(limit.count for limit in limits if limit.count is not None)
    share = min(limit.percent for limit in limits if limit.percent is not None)
    faults = {pull.fault for pull in facts.planned}
    groups = [{fault} for fault in faults] if key == "at_most" else [faults]
    worst = max((hits(facts, group).worst() for group in groups), default=0)
    return f"{worst} hit; at most {count}, and {_percent(share)} of a type in a region"


def _limits(sources: Sequence[Source], key: str) -> Iterator[tuple[AtMost, str, str]]:
    """Each limit, who says so, and what to do."""
    for source in sources:
        given: AtMost | None = getattr(source.rules, key)
        if source.own:
            own = given or AtMost.model_construct()
            count = COUNT if own.count is None else own.count
            percent = PERCENT if own.percent is None else own.percent
            limit = AtMost(count=count, percent=percent)
            more = f"hit less, or raise it with safety: {{{key}: {{%s}}}}"
            yield limit, "the experiment's safety" if given else "chaos by default", more
        elif given:
            yield given, source.name, "hit less"


def _beyond(
    facts: Facts, faults: Collection[int], limits: Iterator[tuple[AtMost, str, str]], what: str
) -> Iterator[str]:
    hit = hits(facts, faults)
    worst = hit.worst()
    for limit, who, more in limits:
        if limit.count is not None and worst > limit.count:
            do = more.replace("%s", f"count: {worst}")
            s = "s" * (worst != 1)
            yield f"{what} {worst} resource{s}, and {who} allows {limit.count}; {do}"
        if limit.percent is not None and limit.percent < 1:  # all there are may be any number
            for key, spots in hit.by_kind().items():
                yield from _share(hit, key, spots, limit.percent, (what, who, more))


def _share(
    hit: Hits, key: Key, spots: list[Spot], most: float, words: tuple[str, str, str]
) -> Iterator[str]:
    what, who, more = words
    _, region, type_ = key
    known = [spot.target.among for spot in spots if spot.target.among is not None]
    if len(known) < len(spots):
        yield (
            f"{what} {type_} in {region}, and how many of those there are is not known, so that"
            f" {_percent(most)} of them, which {who} allows, cannot be told; leave the fault out"
        )
        return
    worst, there = hit.worst(lambda spot: spot.among == key), min(known)
    if worst > most * there + 1e-9:
        do = more.replace("%s", f"percent: {-(-100 * worst // max(there, 1))}%")
        yield (
            f"{what} {worst} of {there} {type_} in {region}, and {who} allows"
            f" {_percent(most)} of them; {do}"
        )


def _percent(share: float) -> str:
    return f"{share * 100:g}%"

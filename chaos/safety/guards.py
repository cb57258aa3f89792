"""The guards: each is a pure function of the facts and the rules, and tells why it refuses.

A rule can only refuse, so that one more never allows what was refused without it. What cannot be
known is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from chaos.experiment.safety import Rules
from chaos.safety import limits
from chaos.safety.facts import Facts, Source, Spot
from chaos.safety.own_branch import own_branch
from chaos.safety.planning import TOUCH_NOTHING
from chaos.safety.result import GuardResult
from chaos.safety.terminations import terminations
from chaos.safety.words import listed, tag
from probes.durations import show

Refusals = Iterator[str]
Sources = Sequence[Source]


def judged(facts: Facts, sources: Sources, names: Iterable[str] = ()) -> list[GuardResult]:
    """What every guard says, or those of these names."""
    found = []
    for name in names or GUARDS:
        guard, keys = GUARDS[name]
        refusals = tuple(dict.fromkeys(guard(facts, sources)))
        said = "; ".join(refusals) or _held(facts, sources, keys)
        ok = not refusals
        found.append(GuardResult(name=name, ok=ok, said=said, refusals=refusals))
    return found


def _held(facts: Facts, sources: Sources, keys: tuple[str, ...]) -> str:
    for key in keys:
        if key in limits.KEYS:
            return limits.told(facts, sources, key)
    told = [f"{key} of {s.name}" for s in sources for key in keys if _given(s.rules, key)]
    return f"held: {', '.join(told)}" if told else "held"


def _given(rules: Rules, key: str) -> bool:
    return getattr(rules, key, None) not in (None, {}, ())


def accounts(facts: Facts, sources: Sources) -> Refusals:
    """Only accounts that are allowed by id."""
    for source in sources:
        may = source.rules.accounts
        for name, account in facts.accounts.items() if may is not None else ():
            if may is not None and account not in may:
                yield (
                    f"{name} is account {account}, and {source.name} allows"
                    f" {', '.join(may) or 'none'}; use one of those"
                )


def regions(facts: Facts, sources: Sources) -> Refusals:
    """Only regions that are allowed, of faults, probes and resources."""
    touched = facts.regions | {spot.region for spot in facts.spots}
    for source in sources:
        may = source.rules.regions
        if may is not None and (wrong := sorted(touched - set(may))):
            told = ", ".join(region or "a resource without a region" for region in wrong)
            yield f"{told}: {source.name} allows {', '.join(may) or 'none'}; use one of those"


def known_targets(facts: Facts, _: Sources) -> Refusals:
    """Whoever cannot say whom it touches touches nobody."""
    for pull in facts.possible:
        if not pull.targets and pull.lever["kind"] not in TOUCH_NOTHING:
            which = f"the lever {pull.lever['kind']} of faults[{pull.fault}]"
            if pull.targets is None:
                yield (
                    f"{which} cannot tell which resources it touches, so no guard can look at them;"
                    " leave the fault out"
                )
            else:
                yield f"{which} finds nothing to touch now; see to its region, tags and ids"
    for fault, why in facts.drawn.items():
        if isinstance(why, str):
            yield f"whom faults[{fault}] could draw is not known: {why}; name its targets by id"


def required_tags(facts: Facts, sources: Sources) -> Refusals:
    """Only resources that carry every tag: whoever owns them has opted in."""
    for source in sources:
        for key, value in source.rules.require_tags.items():
            without = [s for s in facts.spots if not _carries(s, key, value)]
            if without:
                yield (
                    f"{listed(without)} without the tag {tag(key, value)} that {source.name}"
                    " requires; tag what may be touched, or choose other targets"
                )


def protected_tags(facts: Facts, sources: Sources) -> Refusals:
    """No resource that carries one of these tags."""
    for source in sources:
        for key, value in source.rules.protect_tags.items():
            if bearing := [s for s in facts.spots if _carries(s, key, value)]:
                yield (
                    f"{listed(bearing)} protected by the tag {tag(key, value)}, says"
                    f" {source.name}; choose other targets"
                )


def _carries(spot: Spot, key: str, value: str) -> bool:
    found = spot.target.tags.get(key)
    return found is not None and value in ("*", found)


def duration(facts: Facts, sources: Sources) -> Refusals:
    """No drill that takes too long, from steady state to recovery."""
    for source in sources:
        most = source.rules.max_duration
        if most is not None and facts.duration_s > most:
            yield (
                f"the drill may take {show(facts.duration_s)}, and {source.name} allows"
                f" {show(most)}; shorten faults, objectives or recover_within"
            )


def hours(facts: Facts, sources: Sources) -> Refusals:
    """It begins, and is expected to end, within one and the same window."""
    for source in sources:
        windows = source.rules.hours
        if windows and not any(_within(facts, *w) for h in windows for w in h.windows(facts.now)):
            yield (
                f"a drill from {_clock(facts.now)} to {_clock(facts.ends)} does not lie within"
                f" {' or '.join(map(str, windows))}, says {source.name}; start it then"
            )


def blackout(facts: Facts, sources: Sources) -> Refusals:
    """Not one moment of it on a day without drills."""
    for source in sources:
        for days in source.rules.blackout:
            start, end = days.window()
            if facts.now < end and facts.ends > start:
                yield f"no drills on {days}, says {source.name}; start it after that"


def irreversible(facts: Facts, sources: Sources) -> Refusals:
    """What cannot be put back is allowed by the experiment, and by every policy that tells."""
    for kind in sorted(facts.irreversible - facts.allowed):
        yield (
            f"{kind} cannot be put back; to allow it anyway, write allow_irreversible: [{kind}]"
            " in the experiment"
        )
    for source in sources:
        may = getattr(source.rules, "allow_irreversible", None)
        if may is not None and (wrong := sorted(facts.irreversible - set(may))):
            told = ", ".join(may) or "nothing of that kind"
            yield (
                f"{', '.join(wrong)} cannot be put back, and {source.name} allows {told}; leave it"
                " out"
            )


def _within(facts: Facts, start: datetime, end: datetime) -> bool:
    return start <= facts.now and facts.ends <= end


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# By name: the guard, and the keys of `safety:` and of policies that it goes by.
GUARDS: dict[str, tuple[Callable[[Facts, Sources], Refusals], tuple[str, ...]]] = {
    "accounts": (accounts, ("accounts",)),
    "regions": (regions, ("regions",)),
    "known targets": (known_targets, ()),
    "required tags": (required_tags, ("require_tags",)),
    "protected tags": (protected_tags, ("protect_tags",)),
    "limit of a fault": (limits.of_a_fault, ("at_most",)),
    "limit of a run": (limits.of_a_run, ("at_most_in_a_run",)),
    "duration": (duration, ("max_duration",)),
    "hours": (hours, ("hours",)),
    "blackout": (blackout, ("blackout",)),
    "terminations": (terminations, ("alone",)),
    "own branch": (own_branch, ()),
    "irreversible": (irreversible, ("allow_irreversible",)),
}
# What can be told from the experiment alone, without an account.
PLACES = ("accounts", "regions")
STATIC = (*PLACES, "duration", "irreversible")

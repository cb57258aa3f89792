"""Whatever the plan and the rules are: one more rule opens nothing, and limits are limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from guarded import NOW, facts, group, instance, kill, own, policy, pull, refused, subnet
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.levers.powers import Target
from chaos.safety.counting import hits
from chaos.safety.facts import Facts

REGIONS = ("us-east-1", "us-west-2")
KINDS = ("instance_termination", "database_failover")
IDS = [f"r-{n}" for n in range(8)]

tags = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]))
amounts = st.one_of(st.none(), st.integers(1, 12))
limits = st.fixed_dictionaries(
    {"count": st.integers(0, 9), "percent": st.sampled_from([0.1, 0.5, 1.0])}
)
clock = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
windows = st.builds(
    lambda start, end: {"from": start, "to": end if end != start else "24:00", "zone": "UTC"},
    clock,
    clock,
)
days = st.integers(20, 30).map(lambda day: {"from": f"2026-11-{day}"})
SHARED: dict[str, Any] = {
    "accounts": st.lists(st.sampled_from(["123456789012", "210987654321"])),
    "regions": st.lists(st.sampled_from(REGIONS)),
    "require_tags": tags,
    "protect_tags": tags,
    "at_most": limits,
    "at_most_in_a_run": limits,
    "max_duration": st.sampled_from([300.0, 600.0, 900.0]),
    "hours": st.lists(windows, min_size=1),
    "blackout": st.lists(days),
    "alone": st.lists(st.sampled_from(IDS)),
}
experiments = st.fixed_dictionaries({}, optional=SHARED)
policies = st.fixed_dictionaries(
    {}, optional={**SHARED, "allow_irreversible": st.lists(st.sampled_from(KINDS))}
)


@st.composite
def targets(draw: st.DrawFn, there: dict[str, int | None]) -> Target:
    make = draw(st.sampled_from([subnet, instance]))
    changes: dict[str, Any] = {
        "region": draw(st.sampled_from(REGIONS)),
        "tags": draw(tags),
    }
    if make is instance:
        changes["group"] = draw(st.sampled_from([None, "web"]))
    name = draw(st.sampled_from(IDS))
    found: Target = make(name, among=there[name], **changes)
    return found


@st.composite
def plans(draw: st.DrawFn) -> Facts:
    """A few faults, of which the last may draw from more than it has drawn."""
    there = draw(st.fixed_dictionaries(dict.fromkeys(IDS, amounts)))
    planned, drawn = [], {}
    for fault in range(draw(st.integers(1, 3))):
        make = draw(st.sampled_from([pull, kill]))
        every = [
            make(t, fault=fault) for t in draw(st.lists(targets(there), min_size=1, max_size=6))
        ]
        taken = draw(st.integers(1, len(every)))
        planned += every[:taken]
        if taken < len(every):
            drawn[fault] = tuple(every)
    return facts(
        *planned,
        drawn=drawn,
        irreversible=frozenset(draw(st.lists(st.sampled_from(KINDS)))),
        allowed=frozenset(KINDS),
        groups={("main", region, "web"): group(*IDS) for region in REGIONS},
        ends=NOW + timedelta(seconds=600),
    )


@settings(max_examples=100)
@given(plans(), experiments, st.lists(policies, max_size=2), policies)
def test_a_policy_more_never_allows_what_was_refused(
    plan: Facts, rules: dict[str, Any], there: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    before = [own(**rules), *(policy(f"{n}.toml", **p) for n, p in enumerate(there))]
    without = refused(plan, *before)
    with_it = refused(plan, *before, policy("more.toml", **more))
    for guard, said in without.items():
        assert set(said) <= set(with_it.get(guard, ())), guard


@settings(max_examples=100)
@given(plans(), st.integers(0, 6), st.booleans())
def test_no_draw_beyond_a_limit_is_allowed(plan: Facts, most: int, of_run: bool) -> None:
    """The draw that the plan shows is one of those that may be, and never more than the worst."""
    key, guard = (
        ("at_most_in_a_run", "limit of a run") if of_run else ("at_most", "limit of a fault")
    )
    told = refused(plan, own(**{key: {"count": most, "percent": 1.0}}))
    faults = {p.fault for p in plan.planned}
    for chosen in [faults] if of_run else [{fault} for fault in faults]:
        shown = {
            (t.region, t.type, t.id)
            for p in plan.planned
            if p.fault in chosen
            for t in p.targets or ()
        }
        assert hits(plan, chosen).worst() >= len(shown)
        if len(shown) > most:
            assert guard in told


@settings(max_examples=100)
@given(plans(), st.sampled_from([0.1, 0.5, 1.0]))
def test_no_share_beyond_a_limit_is_allowed(plan: Facts, most: float) -> None:
    told = refused(plan, policy(at_most_in_a_run={"percent": most}))
    shown: dict[tuple[str, str], dict[str, int | None]] = {}
    for p in plan.planned:
        for t in p.targets or ():
            shown.setdefault((t.region, t.type), {})[t.id] = t.among
    for ids in shown.values():
        if any(among is None for among in ids.values()):
            continue  # another target of that kind may know it; the guard refuses all the same
        if len(ids) > most * min(a for a in ids.values() if a is not None):
            assert "limit of a run" in told

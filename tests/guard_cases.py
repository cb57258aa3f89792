"""For each guard: facts and rules with which it lets pass, and with which it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from guarded import facts, group, instance, kill, own, policy, pull, subnet

from chaos.safety.facts import Branch, Facts, Source

TAGGED = subnet(tags={"chaos": "allowed", "env": "prod"})
WEEK = {"days": ["wed"], "from": "09:00", "to": "16:00", "zone": "UTC"}
NIGHT = {"from": "22:00", "to": "04:00", "zone": "Europe/Berlin"}
MANY = [subnet(f"subnet-{n}") for n in range(11)]
IN_GROUP = instance(group="web")
PLACE = ("main", "us-east-1", "web")


def at(hour: int, minute: int = 0, *, day: int = 25, minutes: float = 10) -> dict[str, Any]:
    now = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    return {"now": now, "ends": now + timedelta(minutes=minutes)}


# The name of the guard; facts and rules with which it lets pass; and the same for its refusal,
# with a part of what it says.
CASES: list[tuple[str, tuple[Facts, Source], tuple[Facts, Source], str]] = [
    (
        "accounts",
        (facts(pull(TAGGED)), policy(accounts=("123456789012",))),
        (facts(pull(TAGGED)), policy(accounts=("210987654321",))),
        "main is account 123456789012, and chaos.toml allows 210987654321; use one of those",
    ),
    (
        "accounts",
        (facts(pull(TAGGED)), own(accounts=("123456789012",))),
        (facts(pull(TAGGED)), policy(accounts=())),
        "allows none",
    ),
    (
        "regions",
        (facts(pull(TAGGED)), policy(regions=("us-east-1", "eu-west-1"))),
        (facts(pull(subnet(region="us-west-2"))), policy(regions=("us-east-1",))),
        "us-west-2: chaos.toml allows us-east-1",
    ),
    (
        "regions",
        (facts(regions=frozenset()), policy(regions=())),
        (facts(regions=frozenset({"eu-west-1"})), policy(regions=("us-east-1",))),
        "eu-west-1: chaos.toml allows us-east-1",
    ),
    (
        "known targets",
        (facts(pull(TAGGED), pull(lever={"kind": "by_hand"})), own()),
        (facts(pull(targets=None)), own()),
        "the lever subnet_acl of faults[0] cannot tell which resources it touches",
    ),
    (
        "known targets",
        (facts(pull(TAGGED)), own()),
        (facts(pull(targets=())), own()),
        "the lever subnet_acl of faults[0] finds nothing to touch now; see to its region",
    ),
    (
        "known targets",
        (facts(pull(TAGGED), drawn={0: (pull(TAGGED),)}), own()),
        (facts(pull(TAGGED), drawn={0: "dice cannot tell"}), own()),
        "whom faults[0] could draw is not known: dice cannot tell; name its targets by id",
    ),
    (
        "required tags",
        (facts(pull(TAGGED)), policy(require_tags={"chaos": "allowed", "env": "*"})),
        (facts(pull(TAGGED, subnet("subnet-2"))), policy(require_tags={"env": "*"})),
        "ec2:subnet subnet-2 in us-east-1 is without the tag env (any value) that chaos.toml",
    ),
    (
        "required tags",
        (facts(pull(TAGGED)), own(require_tags={"env": "prod"})),
        (facts(pull(TAGGED)), own(require_tags={"env": "test"})),
        "without the tag env=test that the experiment's safety requires",
    ),
    (
        "required tags",
        (facts(pull(TAGGED), drawn={0: (pull(TAGGED),)}), own(require_tags={"env": "prod"})),
        # Not the one that the plan drew, but one that the run may draw.
        (
            facts(pull(TAGGED), drawn={0: (pull(TAGGED), pull(subnet("subnet-2")))}),
            own(require_tags={"env": "prod"}),
        ),
        "subnet-2",
    ),
    (
        "protected tags",
        (facts(pull(TAGGED)), policy(protect_tags={"tier": "*", "env": "dev"})),
        (facts(pull(TAGGED)), policy(protect_tags={"env": "*"})),
        "ec2:subnet subnet-1 in us-east-1 is protected by the tag env (any value), says chaos.toml",
    ),
    (
        "limit of a fault",
        (facts(pull(*MANY[:10])), own()),
        (facts(pull(*MANY)), own()),
        (
            "faults[0] hits 11 resources, and chaos by default allows 10; hit less, or raise it"
            " with safety: {at_most: {count: 11}}"
        ),
    ),
    (
        "limit of a fault",
        (facts(pull(*MANY)), own(at_most={"count": 11})),
        (facts(pull(*MANY)), policy(at_most={"count": 3})),
        "faults[0] hits 11 resources, and chaos.toml allows 3; hit less",
    ),
    (
        "limit of a fault",
        (facts(pull(subnet(among=2))), own()),
        (facts(pull(subnet(among=1))), own()),
        (
            "faults[0] hits 1 of 1 ec2:subnet in us-east-1, and chaos by default allows 50% of"
            " them; hit less, or raise it with safety: {at_most: {percent: 100%}}"
        ),
    ),
    (
        "limit of a fault",
        (facts(pull(subnet(among=1))), own(at_most={"percent": 1.0})),
        (facts(pull(subnet(among=None))), own(at_most={"percent": 0.99})),
        "how many of those there are is not known",
    ),
    (
        "limit of a fault",
        (facts(pull(*MANY[:5]), pull(*MANY[:5], fault=1)), own(at_most={"count": 5})),
        # Two of five are drawn, and which two is not known: with those of the other, four.
        (
            facts(
                pull(*MANY[:2], fault=0),
                pull(MANY[2], fault=1),
                drawn={1: tuple(pull(t, fault=1) for t in MANY[2:8])},
            ),
            own(at_most_in_a_run={"count": 2}, at_most={"count": 1}),
        ),
        "faults[0] hits 2 resources",
    ),
    (
        "limit of a run",
        (
            # What two faults hit counts once.
            facts(pull(*MANY[:6]), pull(*MANY[:6], fault=1)),
            own(),
        ),
        (facts(pull(*MANY[:6]), pull(*MANY[5:], fault=1)), own()),
        (
            "all faults together hit 11 resources, and chaos by default allows 10; hit less, or"
            " raise it with safety: {at_most_in_a_run: {count: 11}}"
        ),
    ),
    (
        "limit of a run",
        (facts(pull(MANY[0]), drawn={0: (pull(MANY[0]),)}), own(at_most_in_a_run={"count": 1})),
        # Both draw one of the same two: they may draw two different ones.
        (
            facts(
                pull(MANY[0]),
                pull(MANY[0], fault=1),
                drawn={n: tuple(pull(t, fault=n) for t in MANY[:2]) for n in (0, 1)},
            ),
            own(at_most_in_a_run={"count": 1}),
        ),
        "all faults together hit 2 resources",
    ),
    (
        "limit of a run",
        (facts(pull(*MANY[:2])), policy(at_most_in_a_run={"percent": 0.02})),
        (facts(pull(*MANY[:3])), policy(at_most_in_a_run={"percent": 0.02})),
        "hit 3 of 100 ec2:subnet in us-east-1, and chaos.toml allows 2% of them; hit less",
    ),
    (
        "limit of a run",
        (facts(pull(MANY[0])), policy(at_most_in_a_run={"count": 1})),
        (facts(pull(MANY[0])), policy(at_most_in_a_run={"count": 0})),
        "chaos.toml allows 0",
    ),
    (
        "duration",
        (facts(), policy(max_duration="10m")),
        (facts(), policy(max_duration="9m")),
        "the drill may take 10 min, and chaos.toml allows 9 min; shorten faults",
    ),
    (
        "hours",
        (facts(**at(12)), policy(hours=[WEEK])),
        (facts(**at(15, 55)), policy(hours=[WEEK])),  # it begins in time, and ends too late
        (
            "a drill from 2026-11-25 15:55 UTC to 2026-11-25 16:05 UTC does not lie within wed"
            " 09:00-16:00 UTC, says chaos.toml; start it then"
        ),
    ),
    (
        "hours",
        (facts(**at(12)), policy(hours=[{**WEEK, "days": ["mon"]}, WEEK])),
        (facts(**at(12)), policy(hours=[{**WEEK, "days": ["mon"]}])),
        "mon 09:00-16:00 UTC",
    ),
    (
        "hours",
        (facts(**at(23, 30)), policy(hours=[NIGHT])),  # half past midnight in Berlin
        (facts(**at(20, 30)), policy(hours=[NIGHT])),  # half past nine in the evening there
        "22:00-04:00 Europe/Berlin",
    ),
    (
        "hours",
        (facts(**at(12)), policy(hours=[{"from": "00:00", "to": "24:00", "zone": "UTC"}])),
        (facts(**at(8, 55)), policy(hours=[WEEK])),
        "start it then",
    ),
    (
        "blackout",
        (facts(**at(12)), policy(blackout=({"from": "2026-11-26"},))),
        (facts(**at(12)), policy(blackout=({"from": "2026-11-20", "to": "2026-11-25"},))),
        "no drills on 2026-11-20 to 2026-11-25, says chaos.toml; start it after that",
    ),
    (
        "blackout",
        (facts(**at(23, 40)), policy(blackout=({"from": "2026-11-26"},))),
        (facts(**at(23, 55)), policy(blackout=({"from": "2026-11-26"},))),  # it ends on that day
        "no drills on 2026-11-26",
    ),
    (
        "blackout",
        (facts(**at(7)), policy(blackout=({"from": "2026-11-26", "zone": "Asia/Tokyo"},))),
        (facts(**at(15)), policy(blackout=({"from": "2026-11-26", "zone": "Asia/Tokyo"},))),
        "no drills on 2026-11-26",
    ),
    (
        "terminations",
        (facts(kill(IN_GROUP), groups={PLACE: group("i-1", "i-2")}), own()),
        (facts(kill(IN_GROUP), groups={PLACE: group("i-1")}), own()),
        (
            "the Auto Scaling group web in us-east-1 has 1 healthy instances in service, and 1 of"
            " them would be terminated; let at least one stay"
        ),
    ),
    (
        "terminations",
        (facts(kill(instance())), own(alone=("i-1",))),
        (facts(kill(instance())), own()),
        (
            "ec2:instance i-1 in us-east-1 is in no Auto Scaling group, so nothing replaces it; to"
            " terminate it anyway, write safety: {alone: [i-1]}"
        ),
    ),
    (
        "terminations",
        (facts(kill(IN_GROUP), groups={PLACE: group("i-1", "i-2")}), policy(alone=())),
        (facts(kill(instance())), policy(alone=("i-2",))),
        "chaos.toml does not name it; choose another one",
    ),
    (
        "terminations",
        (facts(pull(instance())), own()),  # not terminated
        (facts(kill(IN_GROUP), groups={PLACE: "AccessDenied"}), own()),
        "web in us-east-1 cannot be read, so nobody knows whether enough of it stays: AccessDenied",
    ),
    (
        "terminations",
        (facts(kill(IN_GROUP), groups={PLACE: group("i-2", members=("i-1",))}), own()),
        (facts(kill(IN_GROUP), groups={PLACE: group("i-1", "i-2", launches=False)}), own()),
        "launches nothing instead (it is being deleted, or its process Launch,",
    ),
    (
        "terminations",
        (facts(kill(IN_GROUP), groups={PLACE: group("i-1", "i-2")}), own()),
        (facts(kill(IN_GROUP), groups={PLACE: group("i-2", "i-3")}), own()),
        "is said to be in the Auto Scaling group web in us-east-1, which does not have it",
    ),
    (
        "terminations",
        (facts(kill(IN_GROUP), groups={PLACE: group("i-1", "i-2", "i-3")}), own()),
        (facts(kill(IN_GROUP)), own()),
        "it was not asked",
    ),
    (
        "own branch",
        (facts(kill(instance("i-9"))), own(alone=("i-9",))),
        (
            facts(kill(instance("i-9")), branch=Branch(ids={"i-9": "the instance of chaos"})),
            own(alone=("i-9",)),
        ),
        "ec2:instance i-9 in us-east-1 is the instance of chaos; run chaos from somewhere else",
    ),
    (
        "own branch",
        (facts(branch=Branch(region="us-east-1")), own()),
        (facts(dark=frozenset({"us-east-1"}), branch=Branch(region="us-east-1")), own()),
        "us-east-1 is the region that chaos itself runs in; run it in another one",
    ),
    (
        "own branch",
        (facts(branch=Branch()), own()),
        (facts(branch=Branch(unknown=("nobody tells",))), own()),
        "whether this cuts it off: nobody tells; run it where that can be told",
    ),
    (
        "own branch",
        (
            facts(
                pull(subnet("other", type="iam:role")),
                branch=Branch(roles=frozenset({"arn:aws:iam::123456789012:role/ops/chaos"})),
            ),
            own(),
        ),
        (
            facts(
                pull(subnet("chaos", type="iam:role")),
                branch=Branch(roles=frozenset({"arn:aws:iam::123456789012:role/ops/chaos"})),
            ),
            own(),
        ),
        "iam:role chaos in us-east-1 is the role that chaos itself acts in",
    ),
    (
        "own branch",
        (facts(pull(subnet("arn:aws:s3:::data", type="s3:bucket"))), own()),
        (
            facts(
                pull(subnet("arn:aws:s3:::undo", type="s3:bucket")),
                branch=Branch(ids={"undo": "where the undo log is kept"}),
            ),
            own(),
        ),
        "arn:aws:s3:::undo in us-east-1 is where the undo log is kept",
    ),
    (
        "irreversible",
        (facts(irreversible=frozenset({"instance_termination"})), own()),
        (facts(irreversible=frozenset({"instance_termination"}), allowed=frozenset()), own()),
        (
            "instance_termination cannot be put back; to allow it anyway, write allow_irreversible:"
            " [instance_termination] in the experiment"
        ),
    ),
    (
        "irreversible",
        (
            facts(irreversible=frozenset({"instance_termination"})),
            policy(allow_irreversible=("instance_termination",)),
        ),
        (
            facts(irreversible=frozenset({"instance_termination"})),
            policy(allow_irreversible=("database_failover",)),
        ),
        "cannot be put back, and chaos.toml allows database_failover; leave it out",
    ),
]

"""A plan of an account, as people read it: for one subnet and for sixty, wide and narrow."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from fakes import Look

from chaos.cli.plan_json import document
from chaos.cli.plan_text import lines
from chaos.experiment import Experiment
from chaos.faults.fault import Coverage, Fault, Fidelity
from chaos.levers.powers import Target
from chaos.levers.subnet_acl import NONE, SubnetAcl
from chaos.plan import Checked, Cost, GuardResult, Plan, Planned, Times
from chaos.plan.principal import Principal
from chaos.plan.simulation import Answer, Permission

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/chaos"
PLACE = {"kind": "aws", "endpoint": None}
ZONES = "abc"
WIDE = """\
the subnets of us-east-1 are cut off
environment: aws, on AWS
  main: account 123456789012, us-east-1

at 0s, for 3m: cut_subnets us-east-1 in main (real)
  cuts      all traffic of the subnets, in and out
  goes on   the AWS API
  touches   60 of 66 ec2:subnet
              subnet-0  us-east-1a  Name=web-0 chaos=allowed
              subnet-1  us-east-1b  Name=web-1 chaos=allowed
              subnet-2  us-east-1c  Name=web-2 chaos=allowed
              … and 57 more in us-east-1a, us-east-1b, us-east-1c (--json names them)
  changes   subnet_acl us-east-1 subnet-0: acl-1 → no traffic, and 59 alike
  calls     to do it                                  to undo it
            ec2 create_network_acl ×60                ec2 replace_network_acl_association ×60
            ec2 replace_network_acl_association ×60   ec2 delete_network_acl ×60
  if we die subnet_acl never ends by itself: chaos rollback --orphans puts it back

guards
  ✓ accounts          held: accounts of chaos.toml
  ✗ limit of a fault  60 of 66 subnets, and at most 50% may be hit

permissions in main  as arn:aws:iam::123456789012:role/chaos
  ✓ 2 actions  1 to look, 1 to inject
  ✗ ec2:DeleteNetworkAcl  to put back, on arn:aws:ec2:::network-acl/* and 1 more: allowed by no
                          policy
  ? not checked  no dry runs

cost   $0.60; 6 action-minutes
takes  up to 5 min: steady state 60 s, faults 3 min, putting back 10 s (longer when AWS throttles),
       recovery 50 s

not to be run: 1 guard, 1 missing permission; nothing was touched
"""


class CutSubnets(Fault):
    """For these tests."""

    fidelity: ClassVar[dict[str, Fidelity]] = {"aws": "real"}
    kind: Literal["cut_subnets"] = "cut_subnets"
    region: str = "us-east-1"

    def coverage(self) -> Coverage:
        cut = ("all traffic of the subnets, in and out",)
        return Coverage(cut=cut, goes_on=("the AWS API",))


def experiment() -> Experiment:
    return Experiment.model_validate(
        {
            "name": "cut",
            "title": "the subnets of us-east-1 are cut off",
            "accounts": {"main": {"id": "123456789012", "regions": ["us-east-1"]}},
            "probes": {"look": Look(every=1.0, timeout=0.5)},
            "faults": [CutSubnets(lasts=180.0, account="main")],
            "objectives": {"look": {"rto": 60}},
        }
    )


def pull(number: int) -> Planned:
    subnet = f"subnet-{number}"
    zone = f"us-east-1{ZONES[number % 3]}"
    tags = {"chaos": "allowed", "Name": f"web-{number}"}
    lever = SubnetAcl(region="us-east-1", subnet=subnet)
    return Planned(
        fault=0,
        lever={"kind": "subnet_acl", "region": "us-east-1", "subnet": subnet},
        account="main",
        prior="acl-1",
        value=NONE,
        irreversible=False,
        calls=tuple(lever.calls("acl-1", NONE)),
        targets=(
            Target(
                type="ec2:subnet", id=subnet, region="us-east-1", zone=zone, tags=tags, among=66
            ),
        ),
    )


def permission(part: str, action: str, answer: Answer, resource: str = "*") -> Permission:
    said = {"allowed": "simulated", "missing": "allowed by no policy", "unknown": "who knows"}
    return Permission(part=part, action=action, answer=answer, resource=resource, said=said[answer])


def plan(subnets: int, **changes: Any) -> Plan:
    acls = "arn:aws:ec2:::network-acl/"
    checked = Checked(
        account="main",
        principal=Principal(account="123456789012", identity="", arn=ROLE),
        unknown=("no dry runs",),
        permissions=(
            permission("look", "ec2:DescribeSubnets", "allowed"),
            permission("inject", "ec2:CreateNetworkAcl", "allowed", "a"),
            permission("inject", "ec2:CreateNetworkAcl", "allowed", "b"),
            permission("rollback", "ec2:DeleteNetworkAcl", "missing", f"{acls}*"),
            permission("rollback", "ec2:DeleteNetworkAcl", "missing", f"{acls}x"),
        ),
    )
    over = "60 of 66 subnets, and at most 50% may be hit"
    drawn = Plan(
        pulls=tuple(pull(number) for number in range(subnets)),
        guards=(
            GuardResult(name="accounts", ok=True, said="held: accounts of chaos.toml"),
            GuardResult(name="limit of a fault", ok=False, said=over, refusals=(over,)),
        ),
        permissions=(checked,),
        cost=Cost(dollars=0.6, action_minutes=6.0, notes=("6 action-minutes",)),
        times=Times(steady=60.0, faults=180.0, rollback=10.0, recovery=50.0),
        drawn_up=NOW,
    )
    return replace(drawn, **changes)


def shown(wanted: Plan, width: int = 100) -> list[str]:
    return "\n".join(lines(experiment(), PLACE, wanted, width)).splitlines()


def test_sixty_subnets_are_as_readable_as_one() -> None:
    assert shown(plan(60)) == WIDE.splitlines()
    one = shown(plan(1))
    assert len(one) == len(WIDE.splitlines()) - 3
    assert "  touches   1 of 66 ec2:subnet" in one
    assert "  changes   subnet_acl us-east-1 subnet-0: acl-1 → no traffic" in one


def test_a_narrow_terminal_gets_narrow_lines() -> None:
    told = shown(plan(60), 60)
    assert max(map(len, told)) <= 60
    assert "  does      ec2 create_network_acl ×60" in told
    assert "  undone by ec2 replace_network_acl_association ×60" in told


def test_what_ends_by_itself_and_what_never_comes_back() -> None:
    ends = replace(pull(0), expires=NOW + timedelta(minutes=3))
    told = shown(plan(0, pulls=(ends,)))
    assert "  if we die subnet_acl ends by itself at +3 min" in told
    for_good = replace(pull(0), irreversible=True)
    told = shown(plan(0, pulls=(for_good,)))
    assert "  if we die subnet_acl stays: nothing brings it back, with us or without" in told
    assert any(line.endswith("no traffic; cannot be put back") for line in told)
    assert any(line.rstrip().endswith("   nothing can") for line in told)


def test_one_of_several_that_never_ends_counts_for_all() -> None:
    pulls = (replace(pull(0), expires=NOW), pull(1))
    told = shown(plan(0, pulls=pulls))
    assert any("subnet_acl never ends by itself" in line for line in told)


def test_what_a_lever_cannot_tell_is_told_so() -> None:
    silent = replace(pull(0), targets=None, calls=None, lever={"kind": "api_rule", "id": "x"})
    told = shown(plan(0, pulls=(silent,)))
    assert "  touches   what some of its levers touch is not known" in told
    assert any("its levers cannot tell   its levers cannot tell" in line for line in told)


def test_a_plan_without_objections_says_that_nothing_was_touched() -> None:
    sound: dict[str, Any] = {"guards": plan(1).guards[:1], "permissions": ()}
    assert shown(plan(1, undo_log="s3://drills/undo", **sound))[-1] == "nothing was touched"
    told = shown(plan(1, **sound))
    assert told[-1] == "nothing was touched; a run needs an undo log besides: --undo-log URL"


def test_guards_of_a_plan_with_a_hole_are_said_to_be_of_the_rest() -> None:
    assert "guards" in shown(plan(1))
    assert "guards  of what could be planned" in shown(plan(0, problems=("no subnets",)))


def test_scripts_get_everything_and_nothing_folded() -> None:
    told = json.loads(json.dumps(document(experiment(), PLACE, plan(60))))
    (fault,) = told["faults"]
    assert len(fault["pulls"]) == 60
    assert fault["pulls"][7]["targets"][0]["id"] == "subnet-7"
    assert fault["pulls"][7]["ends_by_itself_after"] is None
    assert [call["operation"] for call in fault["undo"][:2]] == [
        "replace_network_acl_association",
        "delete_network_acl",
    ]
    assert fault["undo"][0]["to"] == "acl of subnet-59"  # what was done last is undone first
    assert fault["coverage"]["goes_on"] == ["the AWS API"]
    assert told["refused"] is True
    assert told["permissions"][0]["missing"] == 2
    assert told["takes_at_most"]["total"] == 300.0


def test_scripts_are_told_when_it_ends_by_itself() -> None:
    ends = replace(pull(0), expires=NOW + timedelta(minutes=3))
    told = document(experiment(), PLACE, plan(0, pulls=(ends,)))
    (found,) = told["faults"][0]["pulls"]
    assert found["expires"] == "2026-11-21T10:03:00+00:00"
    assert found["ends_by_itself_after"] == 180.0

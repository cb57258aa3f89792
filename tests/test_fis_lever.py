"""The lever of AWS FIS, in moto, whose FIS knows states and breaks nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from fis_cases import DATA, RUN, STALL, definition, fault, lever, of_template, template, volumes
from moto_account import ACCOUNT, REGION, moto_account
from moto_place import MotoPlace, moto_place
from stale_place import Stale

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InjectionFailed, InvalidInput, RestoreFailed
from chaos.injection import Looker
from chaos.levers import Value, expiry, fis_api
from chaos.levers.fis import ABSENT, RUNNING, SETTLED, FisExperiment
from chaos.testing import check_account_lever, check_nothing_idle

OTHERS = [{"id": ACCOUNT, "role": fault().role or "", "account": "b"}]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fis_api, "POLL_S", 0.01)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as endpoint:
        yield endpoint


def in_moto(endpoint: str, work: Callable[[Environment], Awaitable[None]]) -> None:
    async def main() -> None:
        with moto_place(endpoint) as place:
            await asyncio.wait_for(work(place), 120)

    asyncio.run(main())


async def templates(place: Environment) -> str:
    answer = await place.call("fis", REGION, "list_experiment_templates")
    return " ".join(sorted(one["id"] for one in answer["experimentTemplates"]))


def test_it_keeps_to_what_is_asked_of_levers_of_accounts(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        await volumes(place, 2, chaos="allowed")
        await _others(place)
        theirs = await template(place)
        used: frozenset[str] = frozenset()
        cases = [lever(), lever(accounts=OTHERS), of_template(theirs)]
        cases.append(
            lever(
                definition=definition(
                    targets=ALL_TYPES, actions=ON_ALL_TYPES, allow_irreversible=BOTH
                )
            )
        )
        for one in cases:
            used |= await check_account_lever(
                one,
                place,
                RUNNING,
                snapshot=lambda: templates(place),
                unseen=("iam:PassRole",),
            )
        check_nothing_idle(FisExperiment.grants, used)

    in_moto(endpoint, work)


def _on(action: str, key: str, target: str, **more: str) -> dict[str, Any]:
    parameters = {"duration": "PT5M", **more}
    return {"actionId": action, "parameters": parameters, "targets": {key: target}}


def _of(kind: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": f"aws:{kind}", "resourceTags": {"chaos": "allowed"}, **more}


BOTH = ["aws:rds:reboot-db-instances", "aws:rds:failover-db-cluster"]
BUCKET = "arn:aws:s3:::chaos-fis"
ALL_TYPES = {
    "instances": _of("ec2:instance"),
    "subnets": _of("ec2:subnet", parameters={"availabilityZoneIdentifier": f"{REGION}a"}),
    "data": DATA,
    "groups": _of("ec2:autoscaling-group"),
    "tables": _of("dynamodb:global-table"),
    "databases": _of("rds:db"),
    "clusters": _of("rds:cluster"),
    "caches": _of("elasticache:replicationgroup"),
    "buckets": _of("s3:bucket"),
    "roles": {"resourceType": "aws:iam:role", "resourceArns": [f"arn:aws:iam::{ACCOUNT}:role/a"]},
}
ON_ALL_TYPES = {
    "stop": {
        "actionId": "aws:ec2:stop-instances",
        "parameters": {"startInstancesAfterDuration": "PT5M"},
        "targets": {"Instances": "instances"},
    },
    "cut": _on("aws:network:disrupt-connectivity", "Subnets", "subnets", scope="all"),
    "stall": STALL,
    "no-capacity": _on(
        "aws:ec2:asg-insufficient-instance-capacity-error",
        "AutoScalingGroups",
        "groups",
        availabilityZoneIdentifiers=f"{REGION}a",
    ),
    "no-replicas": _on("aws:dynamodb:global-table-pause-replication", "Tables", "tables"),
    "reboot": {"actionId": "aws:rds:reboot-db-instances", "targets": {"DBInstances": "databases"}},
    "failover": {"actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "clusters"}},
    "no-cache": _on("aws:elasticache:interrupt-cluster-az-power", "ReplicationGroups", "caches"),
    "no-copies": _on("aws:s3:bucket-pause-replication", "Buckets", "buckets", region="us-west-2"),
    "no-api": _on(
        "aws:fis:inject-api-throttle-error",
        "Roles",
        "roles",
        service="ec2",
        percentage="50",
        operations="DescribeInstances",
    ),
}


async def _others(place: Environment) -> dict[str, str]:
    """An instance, a subnet and a bucket that carry the tag, and an instance that does not."""
    tags = [{"Key": "chaos", "Value": "allowed"}]
    mark = [{"ResourceType": "instance", "Tags": tags}]
    run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1}
    made = await place.call("ec2", REGION, "run_instances", **run, TagSpecifications=mark)
    await place.call("ec2", REGION, "run_instances", **run)
    found = await place.call("ec2", REGION, "describe_subnets")
    subnet = next(s for s in found["Subnets"] if s["AvailabilityZone"] == f"{REGION}a")
    await place.call("ec2", REGION, "create_tags", Resources=[subnet["SubnetId"]], Tags=tags)
    with suppress(CallFailed):  # it is there since another test
        role = {"RoleName": "a", "AssumeRolePolicyDocument": "{}", "Tags": tags}
        await place.call("iam", REGION, "create_role", **role)
    await place.call("s3", REGION, "create_bucket", Bucket="chaos-fis")
    await place.call(
        "s3", REGION, "put_bucket_tagging", Bucket="chaos-fis", Tagging={"TagSet": tags}
    )
    return {"instance": made["Instances"][0]["InstanceId"], "subnet": subnet["SubnetId"]}


def test_targets_are_those_that_fis_would_find(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        made = await _others(place)
        found = await lever(
            definition=definition(targets=ALL_TYPES, actions=ON_ALL_TYPES, allow_irreversible=BOTH)
        ).targets(place)
        ids = {target.id for target in found}
        assert {made["instance"], made["subnet"], BUCKET} <= ids
        assert {t.tags.get("chaos") for t in found} == {"allowed"}
        one = next(target for target in found if target.id == made["instance"])
        assert one.zone
        assert one.subnet
        assert one.among is not None
        assert one.among > 1

    in_moto(endpoint, work)


@pytest.mark.parametrize(
    ("path", "values", "met"),
    [
        ("State.Name", ["running"], True),
        ("State.Name", ["stopped", "pending"], False),
        ("Placement.AvailabilityZone", [f"{REGION}a", f"{REGION}b", f"{REGION}c"], True),
        ("NetworkInterfaces.Groups.GroupId", ["sg-none"], False),
        ("EbsOptimized", ["false"], True),
    ],
)
def test_filters_are_paths_into_what_is_described(
    endpoint: str, path: str, values: list[str], met: bool
) -> None:
    async def work(place: Environment) -> None:
        made = await _others(place)
        wanted = _of("ec2:instance", filters=[{"path": path, "values": values}])
        actions = {"stop": ON_ALL_TYPES["stop"]}
        one = lever(definition=definition(targets={"instances": wanted}, actions=actions))
        assert (made["instance"] in {t.id for t in await one.targets(place)}) is met

    in_moto(endpoint, work)


def test_targets_that_nobody_can_tell_before_are_refused(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        wanted = {"resourceType": "aws:eks:nodegroup", "parameters": {"x": "y"}}
        with pytest.raises(InvalidInput, match="name them in resourceArns"):
            await lever(definition={"targets": {"n": wanted}, "actions": {}}).targets(place)

    in_moto(endpoint, work)


def test_an_account_that_is_not_the_one_named_is_refused(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        other = OTHERS[0] | {"id": "210987654321"}
        with pytest.raises(InvalidInput, match=f"b is the account {ACCOUNT}, and the id that FIS"):
            await lever(accounts=[other]).targets(place)

    in_moto(endpoint, work)


def test_pods_are_told_by_their_selector(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        where = {"clusterIdentifier": "c", "namespace": "n"}
        pods = {"resourceType": "aws:eks:pod", "parameters": where}
        [found] = await lever(definition={"targets": {"p": pods}, "actions": {}}).targets(place)
        assert found.id == "c/n/?/?"
        assert found.among is None

    in_moto(endpoint, work)


def test_what_ends_by_itself_is_told_with_the_reason_of_fis(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        one = replace(lever(), run=f"{RUN}-ended")
        await one.set(place, RUNNING)
        assert await one.ended_because(place) == ""
        listed = await place.call("fis", REGION, "list_experiments")
        [ours] = [e["id"] for e in listed["experiments"] if e["tags"].get("chaos:run") == one.run]
        await place.call("fis", REGION, "get_experiment", id=ours)  # moto moves on at each look
        found = await one.read(place)
        assert found == {"experiments": [], "templates": 1}
        assert one.halfway(found, ABSENT, RUNNING)
        assert f"{ours} is completed: " in await one.ended_because(place)
        await one.set(place, ABSENT)
        assert await one.read(place) == ABSENT

    in_moto(endpoint, work)


def test_an_experiment_that_fails_to_start_is_no_fault(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        one = replace(lever(), run=f"{RUN}-failed")
        fails(place, "no targets resolved")
        with pytest.raises(InjectionFailed, match="is failed: no targets resolved"):
            await one.set(place, RUNNING)
        cast("MotoPlace", place).answers.clear()
        await one.set(place, ABSENT)

    in_moto(endpoint, work)


def test_an_experiment_that_fails_at_what_it_did_is_not_back_until_somebody_says_so(
    endpoint: str,
) -> None:
    async def work(place: Environment) -> None:
        one = replace(lever(), run=f"{RUN}-stuck")
        await one.set(place, RUNNING)
        fails(place, "the target was edited meanwhile", {})
        with pytest.raises(RestoreFailed, match=r"edited meanwhile; .* may not be put back: .*tag"):
            await one.set(place, ABSENT)
        assert (await one.read(place))["experiments"] == ["failed"]
        assert "edited meanwhile" in await one.ended_because(place)
        fails(place, "the target was edited meanwhile", {SETTLED: "yes"})
        await one.set(place, ABSENT)
        assert await one.read(place) == ABSENT
        cast("MotoPlace", place).answers.clear()
        await one.set(place, ABSENT)

    in_moto(endpoint, work)


def fails(place: Environment, reason: str, tags: dict[str, str] | None = None) -> None:
    """From now on every experiment has failed: with `tags`, at an action that had begun."""
    state = {"status": "failed", "reason": reason}
    begun = {"startTime": 0, "targets": {"Volumes": "data"}, "state": state}
    actions = {} if tags is None else {"stall": begun}
    one = {"id": "EXP1", "arn": "arn:exp", "state": state, "actions": actions, "creationTime": 0}
    answers = cast("MotoPlace", place).answers
    answers["fis", "get_experiment"] = lambda _: {"experiment": one}
    if tags is not None:
        marks = {"chaos:run": f"{RUN}-stuck", "chaos:for": lever().name, **tags}
        answers["fis", "list_experiments"] = lambda _: {"experiments": [one | {"tags": marks}]}


def test_a_template_that_was_changed_since_the_plan_is_not_started(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        one = of_template(await template(place, stop_conditions=[]), role=f"{fault().role}-other")
        with pytest.raises(InjectionFailed, match="was changed since the run was planned"):
            await one.set(place, RUNNING)

    in_moto(endpoint, work)


def test_a_template_of_theirs_is_read_before_it_is_started(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        theirs = await template(place)
        pulled: list[Any] = []

        async def pull(one: Any, value: Value, /) -> None:
            pulled.append((one, value))

        only = {"role": None, "actions": None, "targets": None}
        await fault(template=theirs, **only).inject(Looker(place), pull)
        [(one, value)] = pulled
        assert value == RUNNING
        assert one.definition["actions"] == {"stall": STALL}
        with pytest.raises(InvalidInput, match=r"lasts: must be shorter than the 5 min"):
            await fault(template=theirs, lasts="300s", **only).inject(Looker(place), pull)

    in_moto(endpoint, work)


def test_only_the_role_that_is_named_may_be_passed() -> None:
    def passed(role: str | None) -> set[str]:
        grants = fis_api.grants(role)
        return {r for g in grants.injects if g.actions == ("iam:PassRole",) for r in g.resources}

    assert passed(None) == {"*"}
    assert passed(fault().role) == {fault().role}
    assert fault().grants() == fis_api.grants(fault().role)


def test_it_ends_and_costs_as_its_actions_do(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
    monkeypatch.setattr(expiry, "now", lambda: now)
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT90S"}}
    stall = STALL | {"startAfter": ["wait"]}
    one = lever(definition=definition(actions={"wait": wait, "stall": stall}))
    ends = one.expires(RUNNING)
    assert ends is not None
    assert (ends - now).total_seconds() == 90 + 300 + expiry.MARGIN_S
    assert one.expires(ABSENT) is None
    place = cast("Environment", None)
    assert asyncio.run(one.action_minutes(place, RUNNING)) == 2 + 5
    assert asyncio.run(replace(one, accounts=OTHERS).action_minutes(place, RUNNING)) is None


class LateLists(Stale):
    """moto's experiments move on at each look, so that a late one would never see them run."""

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        late = operation != "get_experiment"
        call = super().call if late else self.inner.call
        return await call(service, region, operation, **params)


def test_reads_that_are_late_start_nothing_twice(endpoint: str) -> None:
    async def work(place: Environment) -> None:
        stale = cast("Environment", LateLists(place, lag=3))
        one = replace(lever(), run=f"{RUN}-stale")
        before = await templates(place)
        await one.set(stale, RUNNING)
        found = (await place.call("fis", REGION, "list_experiments"))["experiments"]
        assert sum(e["tags"].get("chaos:run") == one.run for e in found) == 1
        await one.set(stale, ABSENT)
        assert await one.read(place) == ABSENT
        assert await templates(place) == before

    in_moto(endpoint, work)


def test_an_automation_hides_behind_no_target(endpoint: str) -> None:
    """It may do anything to anything, so that a lever with one cannot tell whom it touches."""
    automation = {
        "actionId": "aws:ssm:start-automation-execution",
        "parameters": {"documentArn": "arn:aws:ssm:us-east-1::document/x", "maxDuration": "PT5M"},
    }

    async def work(place: Environment) -> None:
        await volumes(place, 1, chaos="allowed")
        one = lever(definition=definition(actions={"stall": STALL, "other": automation}))
        with pytest.raises(InvalidInput, match="no guard can look at it"):
            await one.targets(place)

    in_moto(endpoint, work)


@pytest.mark.parametrize(
    ("kind", "action", "arn"),
    [
        ("ec2:ebs-volume", STALL, f"arn:aws:ec2:us-west-2:{ACCOUNT}:volume/vol-1"),
        ("ec2:ebs-volume", STALL, f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"),
        ("iam:role", ON_ALL_TYPES["no-api"], "arn:aws:iam::210987654321:role/a"),
    ],
)
def test_what_is_named_and_not_found_is_no_target_less(
    endpoint: str, kind: str, action: dict[str, Any], arn: str
) -> None:
    (key,) = action["targets"]
    there = {"stall": STALL, "other": {**action, "targets": {key: "named"}}}
    named = {"resourceType": f"aws:{kind}", "resourceArns": [arn]}

    async def work(place: Environment) -> None:
        await volumes(place, 1, chaos="allowed")
        one = lever(definition=definition(targets={"data": DATA, "named": named}, actions=there))
        with pytest.raises(InvalidInput, match=arn):
            await one.targets(place)

    in_moto(endpoint, work)


def test_groups_of_one_name_in_two_accounts_are_two(endpoint: str) -> None:
    """Else the tags of one would be those of both, and a limit would count them once."""
    arn = f"arn:aws:autoscaling:{REGION}::autoScalingGroup:1:autoScalingGroupName/web"
    group = {"AutoScalingGroupName": "web", "AutoScalingGroupARN": arn}
    wanted = {"g": {"resourceType": "aws:ec2:autoscaling-group", "resourceArns": [arn]}}
    actions = {"no": {**ON_ALL_TYPES["no-capacity"], "targets": {"AutoScalingGroups": "g"}}}
    two = [*OTHERS, {**OTHERS[0], "id": "210987654321", "account": "c"}]

    async def work(place: Environment) -> None:
        answers = cast("MotoPlace", place).answers
        answers["autoscaling", "describe_auto_scaling_groups"] = lambda _: {
            "AutoScalingGroups": [group]
        }
        ids = iter([ACCOUNT, "210987654321"])
        answers["sts", "get_caller_identity"] = lambda _: {"Account": next(ids)}
        one = lever(definition={"targets": wanted, "actions": actions}, accounts=two)
        found = await one.targets(place)
        assert [t.id for t in found] == [f"{ACCOUNT}:web", "210987654321:web"]

    in_moto(endpoint, work)

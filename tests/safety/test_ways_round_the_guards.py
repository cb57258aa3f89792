"""Ways to something that nobody has allowed, each of which was open once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from guarded import facts, own, policy, pull, refused, subnet
from moto_account import ACCOUNT, KEYS, REGION, moto_account, on_account
from moto_place import MotoPlace
from patients import nothing_configured

from chaos import safety
from chaos.custody.orphans import look
from chaos.custody.unfinished import Unfinished
from chaos.drill import Drill
from chaos.environments.calls import AwsCalls
from chaos.environments.environment import Environment
from chaos.environments.whoami import Whoami, whoami
from chaos.errors import CallFailed, InvalidInput, JournalFailed
from chaos.experiment import Experiment
from chaos.experiment.safety import PolicyRules
from chaos.faults.instance_termination import InstanceTermination
from chaos.history import History, Pull
from chaos.injection import Looker
from chaos.levers.replication_deny import BucketReplication, TableReplication
from chaos.safety import branch, gathering
from chaos.safety import policy as policies
from chaos.safety.facts import written_accounts, written_regions

__all__ = ["nothing_configured"]  # a fixture for all tests here

OTHERS = "arn:aws:dynamodb:us-east-1:210987654321:table/titles"
FILE = f"""
name: dark
accounts: {{main: {{id: "{ACCOUNT}", regions: [{REGION}]}}}}
probes: {{p: {{kind: tcp, host: 127.0.0.1, port: 9}}}}
faults: [{{kind: region_outage, region: {REGION}, subnets: {{ids: [subnet-1]}}, lasts: 5s}}]
objectives: {{p: {{unaffected: true}}}}
"""


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_account() as url:
        yield url


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_configured: None) -> None:
    monkeypatch.setattr(policies, "ORGANISATION", tmp_path / "etc" / "chaos.toml")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def at(moto: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        place = MotoPlace(moto)
        try:
            return await asyncio.wait_for(work(place), 60)
        finally:
            place.close()

    return asyncio.run(main())


def experiment(**changes: Any) -> Experiment:
    accounts = {
        "main": {"id": ACCOUNT, "regions": [REGION]},
        "other": {"id": "210987654321", "regions": ["eu-west-1"]},
    }
    fault = {"kind": "region_outage", "region": REGION, "subnets": {"ids": ["subnet-1"]}}
    whole = {
        "name": "dark",
        "accounts": accounts,
        "probes": {"p": {"kind": "tcp", "host": "127.0.0.1", "port": 9}},
        "faults": [{**fault, "account": "main", "lasts": "5s"}],
        "objectives": {"p": {"unaffected": True}},
    }
    return Experiment.model_validate({**whole, **changes})


def test_a_policy_beside_the_experiment_holds_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, linked, home = (tmp_path / name for name in ("team", "linked", "home"))
    for directory in (theirs / ".git", linked, home):
        directory.mkdir(parents=True)
    (theirs / "chaos.toml").write_text("accounts = []")
    (theirs / "drill.yaml").write_text(FILE)
    (linked / "drill.yaml").symlink_to(theirs / "drill.yaml")
    monkeypatch.chdir(home)
    for path in (theirs / "drill.yaml", linked / "drill.yaml", Path("../team/drill.yaml")):
        with pytest.raises(InvalidInput, match="allows none"):  # before any account is reached
            Drill(path, environment="aws", undo_log="none")


def test_without_a_working_directory_nobody_knows_the_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InvalidInput, match="the working directory is gone"):
        policies.find()


def test_what_is_not_allowed_is_not_even_read() -> None:
    rules = policies.Policy((policies.PolicyFile(Path("p"), PolicyRules(regions=("eu-west-1",))),))
    with pytest.raises(InvalidInput, match="regions: us-east-1: p allows eu-west-1"):
        safety.stay_out("aws", experiment(), rules)
    safety.stay_out("embedded", experiment(), rules)


def test_alarms_are_asked_in_allowed_places_alone() -> None:
    alarm = {"alarm": "errors", "region": "eu-west-1", "account": "other"}
    found = experiment(stop_when=[alarm])
    assert written_accounts(found) == {"main": ACCOUNT, "other": "210987654321"}
    assert written_regions(found) == {REGION, "eu-west-1"}


@pytest.mark.parametrize("tags", [{"tier": "pay*"}, {"prod-*": "*"}, {"*": "*"}])
def test_no_tag_is_a_pattern_that_protects_nothing(tags: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is no tag"):
        PolicyRules(protect_tags=tags)


class Elsewhere(BaseHTTPRequestHandler):
    """S3 where the bucket is not."""

    def do_GET(self) -> None:
        self.send_response(301)
        self.send_header("x-amz-bucket-region", "us-west-2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


@pytest.mark.parametrize("bucket", ["titles", "arn:aws:s3:us-west-2:123456789012:accesspoint/a"])
def test_s3_follows_no_bucket_into_another_region(bucket: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever).start()
    here = None if ":" in bucket else f"http://127.0.0.1:{server.server_port}"
    calls = AwsCalls(here, key=("test", "test"), timeout_s=30, regions=[REGION])
    try:
        with pytest.raises(CallFailed, match="is in us-west-2, and only us-east-1 may be called"):
            calls.call_now("s3", REGION, "get_object", Bucket=bucket, Key="a")
    finally:
        calls.close()
        server.shutdown()
        server.server_close()


def test_accounts_do_not_let_s3_go_elsewhere(moto: str) -> None:
    place = on_account(moto)
    try:
        assert place._only()._operator._regions == place._accounts["main"]["regions"]
    finally:
        place.close()


def test_the_bucket_of_another_account_is_none_to_touch(moto: str) -> None:
    async def work(place: MotoPlace) -> list[Any]:
        for name in ("ours", "theirs"):
            await place.call("s3", REGION, "create_bucket", Bucket=name)
        place.answers["s3", "list_buckets"] = lambda _: {"Buckets": [{"Name": "ours"}]}
        levers = [BucketReplication(region=REGION, bucket=name) for name in ("ours", "theirs")]
        there = cast("Environment", place)
        return [[t.id for t in await lever.targets(there)] for lever in levers]

    assert at(moto, work) == [["ours"], []]


def test_the_table_of_another_account_is_none_to_touch(moto: str) -> None:
    async def work(place: MotoPlace) -> Any:
        own = {"TableArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/titles"}
        place.answers["dynamodb", "describe_table"] = lambda _: {"Table": own}
        return await TableReplication(region=REGION, arn=OTHERS).targets(cast("Environment", place))

    assert at(moto, work) == []


def test_the_vpc_of_chaos_itself_is_a_part_of_its_branch(moto: str) -> None:
    async def work(place: MotoPlace) -> Any:
        (subnet, *_) = (await place.call("ec2", REGION, "describe_subnets"))["Subnets"]
        me = Whoami(subnet=subnet["SubnetId"], region=REGION, known=True)
        found = await branch.find(experiment(), cast("Environment", place), me, None)
        return found.ids.get(subnet["VpcId"])

    assert at(moto, work) == "the VPC that chaos itself runs in"


@pytest.mark.parametrize("process", ["Launch", "HealthCheck", "ReplaceUnhealthy", "AZRebalance"])
@pytest.mark.parametrize("status", [{}, {"Status": "Delete in progress"}])
def test_a_group_that_does_not_replace(moto: str, process: str, status: dict[str, str]) -> None:
    group = {"Instances": [], "SuspendedProcesses": [{"ProcessName": process}], **status}

    async def work(place: MotoPlace) -> Any:
        answer = {"AutoScalingGroups": [group]}
        place.answers["autoscaling", "describe_auto_scaling_groups"] = lambda _: answer
        return await gathering._group((None, REGION, "web"), cast("Environment", place))

    assert at(moto, work).launches is (process == "AZRebalance" and not status)


def test_where_aws_runs_it_is_not_guessed(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "CloudShell")
    place = on_account(moto)
    try:
        assert not asyncio.run(whoami(place)).known
    finally:
        place.close()


def test_tags_of_instances_are_no_patterns(moto: str) -> None:
    pulled: list[Any] = []

    async def pull(lever: Any, _value: Any) -> None:
        pulled.append(lever)

    async def work(place: MotoPlace) -> None:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "chaos", "Value": "never"}]}]
        run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "TagSpecifications": tags}
        await place.call("ec2", REGION, "run_instances", **run)
        fault = {"kind": "instance_termination", "region": REGION, "tags": {"chaos": "n*"}}
        await InstanceTermination.model_validate(fault).inject(
            Looker(cast("Environment", place)), pull
        )

    with pytest.raises(InvalidInput, match="picks nothing"):
        at(moto, work)
    assert not pulled


@pytest.mark.parametrize(
    ("was", "found"),
    [(None, "http://127.0.0.1:5000"), ("http://attacker.example", None)],
)
def test_an_undo_log_leads_to_no_other_cloud(was: str | None, found: str | None) -> None:
    """From an emulator to AWS itself, or with the credentials for AWS to somebody else."""
    pull = Pull(pull=0, fault=0, lever={}, prior=1, value=2, irreversible=False)
    history = History(
        header={"environment": {"kind": "aws", "endpoint": was}},
        pulls=(pull,),
    )
    run = Unfinished(
        run="r", events=(), history=history, held=None, leased=None, alive=False, over=False, next=1
    )
    with pytest.raises(JournalFailed, match="nothing was touched"):
        asyncio.run(look(run, endpoint=found))


def test_of_what_nobody_can_count_only_all_may_be_hit() -> None:
    unknown = pull(subnet(among=None))
    all_of_it = {"percent": "100%"}
    free = own(at_most=all_of_it, at_most_in_a_run=all_of_it)
    assert "limit of a fault" in refused(facts(unknown))
    assert refused(facts(unknown), free) == {}
    assert "limit of a fault" in refused(facts(unknown), free, policy(at_most={"percent": "99%"}))

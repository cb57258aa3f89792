"""DNS of an instance, slow or silent: the scripts run for real, in namespaces of this machine."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from instances_of_ours import STAND_IN, Instance, instance
from moto_account import REGION, moto_account
from moto_place import MotoPlace, moto_place
from namespaces import needs_namespaces

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InjectionFailed, InvalidInput
from chaos.faults.dns_failure import DnsFailure
from chaos.faults.dns_fault import DnsFault
from chaos.faults.slow_dns import SlowDns
from chaos.injection import Looker
from chaos.levers import expiry, ssm
from chaos.levers.instance_dns import InstanceDns
from chaos.testing.accounts import Recording, check_nothing_idle, covered

pytestmark = needs_namespaces

RUN = "20261121-185000-dns-ab12"
SILENT = {"silence": True, "for_s": 300}
LATE = {"delay_ms": 1000, "jitter_ms": 100, "for_s": 300}
ON_IT = InstanceDns(region=REGION, instance="i-0123456789abcdef0", run=RUN)
WITHIN_S = 60.0
NOTICEABLE_S = 0.25


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssm, "POLL_S", 0.01)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as endpoint:
        yield endpoint


@pytest.fixture
def machine() -> Iterator[Instance]:
    with instance() as machine:
        yield machine


@pytest.fixture
def with_netem(machine: Instance) -> Instance:
    """The same, where packets can be late: with the kernel's netem, or with what stands in."""
    if not machine.has_netem():
        machine.stand_in("/usr/sbin/tc", STAND_IN)
    return machine


class Place:
    """Nothing but SSM, which has the machine carry out what it is sent."""

    kind, stale_s = "aws", 0.0

    def __init__(self, machine: Instance) -> None:
        self._answers = machine.answers()

    async def call(self, service: str, _: str, operation: str, /, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._answers[service, operation](params)
        return answer


def on(machine: Instance, work: Callable[[Environment], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(cast("Environment", Place(machine))), 120))


def traces(machine: Instance) -> str:
    """All that a script of ours could have left."""
    tc = "/run/real/tc" if machine.run("test", "-e", "/run/real/tc").returncode == 0 else "tc"
    return machine.sh(
        f"ls /run | grep chaos || :; nft list ruleset; {tc} qdisc show; {tc} filter show dev eth0;"
        " for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$one; echo; done 2>/dev/null |"
        " grep '[c]haos-dns' || :"
    )


def fast(machine: Instance, how: str = "udp", port: int = 53) -> bool:
    """Whether a question is answered at once, if it is put often enough on a busy machine."""
    return min(machine.ask(how, port=port, times=5)) < NOTICEABLE_S


def until(so: Callable[[], bool]) -> None:
    """Wait for what must come, with a deadline."""
    give_up = time.monotonic() + WITHIN_S
    while not so():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_answers_do_not_arrive_and_then_they_do_again(machine: Instance) -> None:
    async def work(place: Environment) -> None:
        before = traces(machine)
        assert await ON_IT.read(place) is None
        for _ in range(2):
            await ON_IT.set(place, SILENT)
            assert await ON_IT.read(place) == SILENT
        assert machine.ask(within=1) == [math.inf]
        assert machine.ask("tcp", within=1) == [math.inf]
        assert fast(machine, port=5300)
        assert await ON_IT.noticed(place) >= 2
        for _ in range(2):
            await ON_IT.set(place, None)
            assert await ON_IT.read(place) is None
        assert fast(machine)
        assert traces(machine) == before

    on(machine, work)


def test_queries_are_late_and_then_they_are_not(with_netem: Instance) -> None:
    machine = with_netem

    async def work(place: Environment) -> None:
        before = traces(machine)
        for _ in range(2):
            await ON_IT.set(place, LATE)
            assert await ON_IT.read(place) == LATE
        assert max(machine.ask(times=4)) > NOTICEABLE_S  # what stands in lets the first through
        assert min(machine.ask("tcp")) > NOTICEABLE_S
        assert fast(machine, port=5300)
        assert fast(machine, "tcp", port=5300)
        assert await ON_IT.noticed(place) >= 6
        await ON_IT.set(place, LATE | {"delay_ms": 500, "jitter_ms": 0})
        await ON_IT.set(place, None)
        assert await ON_IT.read(place) is None
        assert fast(machine)
        assert traces(machine) == before

    on(machine, work)


@pytest.mark.parametrize("value", [SILENT, LATE], ids=["silent", "late"])
def test_the_timer_ends_it_when_nobody_else_does(
    with_netem: Instance, value: dict[str, Any]
) -> None:
    """Whoever asked is gone: nothing but the machine itself is there."""
    machine = with_netem
    before = traces(machine)

    async def work(place: Environment) -> None:
        await ON_IT.set(place, value | {"for_s": 5})

    on(machine, work)
    assert traces(machine) != before
    until(lambda: traces(machine) == before)
    assert fast(machine)


def test_queueing_that_somebody_has_customised_is_left_alone(machine: Instance) -> None:
    machine.sh("tc qdisc add dev eth0 root handle 1: tbf rate 1gbit burst 100kb latency 50ms")
    before = traces(machine)

    async def work(place: Environment) -> None:
        with pytest.raises(InjectionFailed, match=r"queueing of eth0 is customised \(tbf 1:\)"):
            await ON_IT.set(place, LATE)
        assert await ON_IT.read(place) is None

    on(machine, work)
    assert traces(machine) == before


def test_a_kernel_that_refuses_leaves_nothing_behind(machine: Instance) -> None:
    machine.stand_in("/usr/sbin/tc", '#!/bin/sh\ncase "$*" in *netem*) exit 2; esac\n' + STAND_IN)
    before = traces(machine)

    async def work(place: Environment) -> None:
        with pytest.raises(InjectionFailed, match="refused it, and nothing of it is left"):
            await ON_IT.set(place, LATE)
        assert await ON_IT.read(place) is None

    on(machine, work)
    assert traces(machine) == before


@pytest.mark.parametrize(
    ("missing", "value", "says"),
    [("tc", LATE, "there is no tc: install iproute"), ("nft", SILENT, "there is no nft")],
)
def test_what_is_not_installed_is_named(
    machine: Instance, missing: str, value: dict[str, Any], says: str
) -> None:
    machine.sh(f"mkdir /run/bin; cp /usr/sbin/* /run/bin; rm /run/bin/{missing}")
    machine.sh("mount --bind /run/bin /usr/sbin")

    async def work(place: Environment) -> None:
        with pytest.raises(InjectionFailed, match=says):
            await ON_IT.set(place, value)
        assert await ON_IT.read(place) is None

    on(machine, work)


def test_another_run_is_told_whose_it_is(machine: Instance) -> None:
    async def work(place: Environment) -> None:
        await ON_IT.set(place, SILENT)
        other = replace(ON_IT, run="another")
        with pytest.raises(InvalidInput, match=f"still held by the run {RUN}; put that back"):
            await other.read(place)
        with pytest.raises(InjectionFailed, match=f"still held by the run {RUN}"):
            await other.set(place, SILENT)
        assert await ON_IT.read(place) == SILENT

    on(machine, work)


@pytest.mark.parametrize(
    "damage",
    [
        "nft delete table inet chaos_dns",
        f"rm /run/chaos/{RUN}/dns/timer",
        f"rm /run/chaos/{RUN}/dns/value",
    ],
)
def test_what_is_not_whole_is_told_and_taken_away(machine: Instance, damage: str) -> None:
    async def work(place: Environment) -> None:
        await ON_IT.set(place, SILENT)
        machine.sh(damage)
        found = await ON_IT.read(place)
        assert ON_IT.halfway(found, None, SILENT)
        await ON_IT.set(place, SILENT)
        machine.sh(damage)
        await ON_IT.set(place, None)
        assert await ON_IT.read(place) is None

    on(machine, work)


def test_what_somebody_has_put_in_its_place_stays(with_netem: Instance) -> None:
    machine = with_netem

    async def work(place: Environment) -> None:
        await ON_IT.set(place, LATE)
        machine.sh("tc qdisc del dev eth0 root; tc qdisc add dev eth0 root handle 7: bfifo")
        await ON_IT.set(place, None)
        assert "bfifo 7:" in machine.sh("tc qdisc show dev eth0")

    on(machine, work)


def test_where_there_is_systemd_it_keeps_the_time(machine: Instance) -> None:
    """No systemd runs here, so what would be asked of it is written down by a stand-in."""
    machine.sh("mkdir -p /run/systemd/system")
    noted = '#!/bin/sh\necho "$0 $*; $(nft list ruleset | wc -l)" >>/run/asked\n'
    for path in ("/usr/bin/systemd-run", "/usr/bin/systemctl"):
        machine.stand_in(path, noted)

    async def work(place: Environment) -> None:
        await ON_IT.set(place, SILENT)
        assert await ON_IT.read(place) == SILENT
        await ON_IT.set(place, None)

    on(machine, work)
    started, stopped = machine.sh("cat /run/asked").splitlines()
    unit = f"--unit=chaos-dns-{RUN} --on-active=300s --timer-property=AccuracySec=1s"
    script = f"/bin/sh /run/chaos/{RUN}/dns/script end {RUN}"
    assert started == f"/usr/bin/systemd-run --quiet {unit} {script}; 0"  # before the change
    assert stopped == f"/usr/bin/systemctl stop chaos-dns-{RUN}.timer; 0"


def test_it_takes_no_permission_that_it_does_not_say(machine: Instance, endpoint: str) -> None:
    async def work() -> None:
        with moto_place(endpoint) as place:
            cast("MotoPlace", place).answers.update(machine.answers())
            made = await place.call(
                "ec2", REGION, "run_instances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1
            )
            lever = replace(ON_IT, instance=made["Instances"][0]["InstanceId"])
            recording = Recording(place)
            seen = cast("Environment", recording)
            [target] = await lever.targets(seen)
            assert target.id == lever.instance
            await lever.read(seen)
            covered(InstanceDns.grants.looks, recording.used)
            await lever.set(seen, SILENT)
            await lever.set(seen, None)
            covered(InstanceDns.grants.looks + InstanceDns.grants.injects, recording.used)
            used = recording.used | {"ssm:describeinstanceinformation"}  # the fault's look
            check_nothing_idle(InstanceDns.grants, frozenset(used))
            assert {change[2] for change in recording.changes} == {"send_command"}

    asyncio.run(asyncio.wait_for(work(), 120))


def test_an_agent_that_carries_nothing_out_is_no_success(endpoint: str) -> None:
    """moto's SSM says Success of every command and runs none: it must not pass for done."""

    async def work() -> None:
        with moto_place(endpoint) as place:
            made = await place.call(
                "ec2", REGION, "run_instances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1
            )
            lever = replace(ON_IT, instance=made["Instances"][0]["InstanceId"])
            with pytest.raises(CallFailed, match="script was not carried out"):
                await lever.read(place)

    asyncio.run(asyncio.wait_for(work(), 60))


def test_it_ends_when_its_timer_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
    monkeypatch.setattr(expiry, "now", lambda: now)
    assert ON_IT.expires(SILENT) == datetime(2026, 11, 21, 19, 5, tzinfo=UTC)
    assert ON_IT.expires(None) is None


IN = {"via": "instances", "region": REGION, "instances": {"tags": {"chaos": "allowed"}}}
SLOW: dict[str, Any] = {"kind": "slow_dns", "delay": "2s", "lasts": "60s", **IN}
SILENCE: dict[str, Any] = {"kind": "dns_failure", "how": "silence", "lasts": "60s", **IN}


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        (SlowDns.model_validate(SLOW), {"delay_ms": 2000, "jitter_ms": 0, "for_s": 120}),
        (DnsFailure.model_validate(SILENCE), {"silence": True, "for_s": 120}),
    ],
)
def test_the_fault_pulls_one_lever_for_each_instance(
    endpoint: str, fault: DnsFault, value: dict[str, Any]
) -> None:
    async def work() -> None:
        with moto_place(endpoint) as place:
            tags = [{"ResourceType": "instance", "Tags": [{"Key": "chaos", "Value": "allowed"}]}]
            await place.call(
                "ec2",
                REGION,
                "run_instances",
                ImageId="ami-12c6146b",
                MinCount=2,
                MaxCount=2,
                TagSpecifications=tags,
            )
            pulled: list[Any] = []

            async def pull(lever: Any, value: Any, /) -> None:
                pulled.append((lever.kind, value))

            online: list[str] = []
            answers = cast("MotoPlace", place).answers
            answers["ssm", "describe_instance_information"] = lambda params: {
                "InstanceInformationList": [
                    {"InstanceId": id_, "PingStatus": "Online", "PlatformType": "Linux"}
                    for id_ in params["Filters"][0]["Values"]
                    if online
                ]
            }
            with pytest.raises(InvalidInput, match=r"SSM does not reach .*: i-\w+, i-\w+"):
                await fault.inject(Looker(place), pull)
            assert not pulled
            online.append("all")
            await fault.inject(Looker(place), pull)
            assert pulled
            assert {kind for kind, _ in pulled} == {"instance_dns"}
            assert all(given == value for _, given in pulled)

    asyncio.run(asyncio.wait_for(work(), 60))

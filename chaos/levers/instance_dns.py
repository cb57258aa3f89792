"""The lever that makes DNS slow or silent on an instance, through SSM: a timer there ends it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import CallFailed, InjectionFailed, RestoreFailed
from chaos.levers import expiry
from chaos.levers.fis_targets import described
from chaos.levers.lever import Value
from chaos.levers.marked import refuse_others
from chaos.levers.powers import Call, Grant, Grants, Target
from chaos.levers.settled import settled
from chaos.levers.ssm import DOCUMENT, run_script

SENDS = Grant(
    actions=("ssm:SendCommand",),
    resources=(f"arn:aws:ssm:*::document/{DOCUMENT}", "arn:aws:ec2:*:*:instance/*"),
)
FILTERS = 4  # UDP and TCP, by IPv4 and IPv6
MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
SENT = re.compile(r"Sent \d+ bytes (\d+) pkt")
NETEM = re.compile(r"netem .* delay ([\d.]+)(us|ms|s)(?: +([\d.]+)(us|ms|s))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceDns:
    """How DNS is on an instance: late, silent, or as it was (none).

    Late: queries leave late, with tc (prio and netem) on the device of the default route. Silent:
    answers do not arrive, with nftables. A timer on the instance ends both, whatever becomes of
    whoever asked for it; a reboot too. Put back by taking away exactly what was added. Queueing
    that somebody has customised is left alone, and the lever refuses.

    What it reads is what a script on the instance finds, for no API tells it: to read takes an SSM
    command too, one that changes nothing.
    """

    kind: ClassVar[str] = "instance_dns"
    irreversible: ClassVar[bool] = False
    budget_s: ClassVar[float] = 300.0
    grants: ClassVar[Grants] = Grants(
        looks=(
            Grant(
                actions=(
                    "ec2:DescribeInstances",
                    "ssm:DescribeInstanceInformation",
                    "ssm:GetCommandInvocation",
                )
            ),
            SENDS,
        ),
        injects=(SENDS,),
        puts_back=(SENDS,),
    )

    region: str
    instance: str
    run: str = ""

    async def read(self, environment: Environment) -> Value:
        return self._value(await self._told(environment))

    async def set(self, environment: Environment, value: Value) -> None:
        script = _undo(self.run) if value is None else _put(self.run, value)
        well, _, wrong = await self._run(environment, script, f"chaos {self.run}")
        if not well:
            error = RestoreFailed if value is None else InjectionFailed
            raise error(f"{self.instance}: {_reason(wrong)}")
        await settled(self, environment, value)

    async def noticed(self, environment: Environment) -> int:
        """How many packets of DNS were late or lost."""
        told = await self._told(environment)
        silent = [int(line.split()[2]) for line in told if line.startswith("nft packets ")]
        late = [
            int(found[1]) for a, b in pairwise(told) if "netem" in a and (found := SENT.search(b))
        ]
        return sum(silent + late)

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """One command; what reads is sent as one too."""
        what = "slower or silent" if value else "as it was"
        to = f"{self.instance}: DNS {what}"
        return [Call(service="ssm", region=self.region, operation="send_command", to=to)]

    def expires(self, value: Value) -> datetime | None:
        """When the timer on the instance ends it, if it begins now."""
        return expiry.now() + timedelta(seconds=value["for_s"]) if value else None

    def halfway(self, found: Value, prior: Value, value: Value) -> bool:
        """Some of ours is there, or the timer has ended some of it."""
        return isinstance(found, dict) and found.keys() == {"partly"}

    async def targets(self, environment: Environment) -> list[Target]:
        """The instance."""
        arn = f"instance/{self.instance}"
        return await described(environment, self.region, "ec2:instance", {"resourceArns": [arn]})

    async def _told(self, environment: Environment) -> list[str]:
        well, out, wrong = await self._run(environment, _read(self.run), "chaos: look at DNS")
        lines = out.splitlines()
        if not well or lines[:1] != ["chaos-dns read"] or lines[-1:] != ["chaos-dns done"]:
            raise CallFailed(
                f"looking at DNS on {self.instance}",
                "NoAnswer",
                f"the script was not carried out: {_reason(wrong) if wrong else out[:200]!r}",
            )
        return lines[1:-1]

    def _value(self, told: list[str]) -> Value:
        for line in told:
            if line.startswith("held "):
                refuse_others(f"DNS on {self.instance}", line.split()[1], self.run)
        asked = next((line.split()[1:] for line in told if line.startswith("asked ")), [])
        late = next((found for line in told if (found := NETEM.search(line))), None)
        filters = any(line == f"filters {FILTERS}" for line in told)
        silent = sum(line.startswith("nft ") for line in told) == 2
        timed = any(line.startswith("timer ") for line in told)
        left = [line for line in told if line.startswith(("tc ", "nft ", "asked ", "timer "))]
        if not left:
            return None
        if timed and asked[:1] == ["delay"] and late and filters:
            delay, jitter = _ms(late[1], late[2]), _ms(late[3], late[4])
            return {"delay_ms": delay, "jitter_ms": jitter, "for_s": int(asked[1])}
        if timed and asked[:1] == ["silence"] and silent:
            return {"silence": True, "for_s": int(asked[1])}
        return {"partly": sorted({line.split()[0] for line in left})}

    async def _run(self, environment: Environment, script: str, what: str) -> tuple[bool, str, str]:
        return await run_script(environment, self.region, self.instance, script, what)


@cache
def _library() -> str:
    return Path(__file__).with_name("on_instance.sh").read_text()


def _read(run: str) -> str:
    return f"{_library()}\nchaos_dns read {shlex.quote(run or '-')}\n"


def _undo(run: str) -> str:
    return f"{_library()}\nchaos_dns undo {shlex.quote(run)}\n"


def _put(run: str, value: dict[str, Any]) -> str:
    """Kind and seconds, then its own numbers; by standard input what the timer runs."""
    given = [f"silence {value['for_s']}"]
    if "delay_ms" in value:
        given = [f"delay {value['for_s']} {value['delay_ms']} {value['jitter_ms']}"]
    later = f'{_library()}\nchaos_dns "$@"'
    return (
        f"{_library()}\nchaos_dns put {shlex.quote(run)} {given[0]} <<'CHAOS_SCRIPT'\n"
        f"{later}\nCHAOS_SCRIPT\n"
    )


def _ms(number: str | None, unit: str | None) -> int:
    return round(float(number) * MS[unit]) if number and unit else 0


def _reason(wrong: str) -> str:
    """What the script said last, to people."""
    lines = [line.removeprefix("chaos: ") for line in wrong.splitlines() if line.strip()]
    said = [line for line in lines if not line.endswith("failed")] or lines
    return said[-1] if said else "the script failed and said nothing"

"""One service of a chain fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from chaos.errors import InvalidInput
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.levers.lab import ApiRule, LinkRule
from chaos.proxies import rules
from chaos.schema import did_you_mean, problem, problems
from probes.durations import Duration, show

# Services that apps depend on most: their signing names, and what boto3 calls two of them.
AWS = [
    "athena",
    "cloudwatch",
    "cognito-idp",
    "dynamodb",
    "events",
    "firehose",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "rds-data",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
    "stepfunctions",
    "sts",
]
BOTO3 = {"monitoring": "cloudwatch", "states": "stepfunctions"}
CLIENTS = "clients"
ACTIONS = {"refuse": "refuse", "hang": "hang", "error": "error", "slow": "delay"}
DEFAULT_STATUS = 503
# What means something to one `how` only.
OF_A_KIND = {"status": "error", "delay": "slow", "jitter": "slow"}


class DependencyOutage(Fault):
    """One service refuses, hangs, answers errors or is slow, for all who call it or for one.

    What happens to traffic to the service's load balancers and instances:

    - `refuse`: a connection is reset as soon as it is made, and those that stand are reset. (A
      client sees a reset and not ECONNREFUSED: the same port goes on serving other consumers.)
    - `hang`: connections are accepted and never answered; those that stand are frozen.
    - `error`: every HTTP request is answered with `status` and never reaches the service;
      connections that stand are reset, so that keep-alive does not get around it.
    - `slow`: what first comes back after the consumer has said something is held back for `delay`,
      give or take `jitter`. Works for any protocol over TCP.

    The consumer is known by the address that it connects from. `from: clients` are all who are no
    service of the lab: probes, and Route 53's health checkers. The checks that a load balancer
    makes of its own targets stay inside the service and pass.

    `service` can be one of AWS (`dynamodb`, `sqs` …) too: then calls to its API fail, for everybody
    who makes them through the workload's door, or for one service of the lab, which is known by
    its access key; of its `operations` all, or those that are named.

    When it is lifted, what hangs goes on, what is held back is delivered at once, and new
    connections reach the service again. A link that nobody uses makes the verdict `unknown`,
    because nothing has met the fault; one that cannot be used is refused.
    """

    summary: ClassVar[str] = "one service of a chain refuses, hangs, answers errors or is slow"
    example: ClassVar[str] = """\
- kind: dependency_outage
  service: recommendations
  from: home
  how: hang
  lasts: 60s
"""
    fidelity: ClassVar[dict[str, Fidelity]] = {"embedded": "lab", "localstack": "lab"}

    kind: Literal["dependency_outage"]
    service: str = Field(description="what fails: a service of the lab, or of AWS such as dynamodb")
    from_: str | None = Field(
        default=None,
        alias="from",
        description="for whom: a service, or clients; without it for all",
    )
    region: str | None = Field(default=None, description="only in this region; without it in all")
    operations: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="of a service of AWS only these, such as [SendMessage]; without it all",
    )
    how: Literal["refuse", "hang", "error", "slow"] = Field(
        default="hang", description="what its consumers see"
    )
    status: int | None = Field(
        default=None, ge=400, le=599, description="error: what is answered; without it 503"
    )
    delay: Duration | None = Field(
        default=None, gt=0, description="slow: for how long an answer is held back"
    )
    jitter: Duration | None = Field(
        default=None, gt=0, description="slow: how much more or less it may be; without it nothing"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if found := [problem(name, what=what) for name, what in self._impossible()]:
            raise problems(self.kind, found)
        return self

    def _impossible(self) -> Iterator[tuple[str, str]]:
        for name, how in OF_A_KIND.items():
            if getattr(self, name) is not None and self.how != how:
                yield name, f"means nothing to 'how: {self.how}', only to 'how: {how}'"
        if self.how == "slow" and self.delay is None:
            yield "delay", "is missing; 'how: slow' needs it, such as 2s"
        if self.jitter is not None and self.delay is not None and self.jitter > self.delay:
            yield "jitter", "can be at most 'delay': no answer comes before its time"

    def services(self) -> frozenset[str]:
        """What it breaks must be there; a rule in the proxy needs nothing else."""
        return frozenset({BOTO3.get(self.service, self.service)} if self.service in AWS else ())

    async def inject(self, look: Look, pull: Pull) -> None:
        lab = await look("lab", "", "describe_lab")
        self._known("region", self.region, lab["regions"])
        rule = self._rule()
        if self.service in lab["services"]:
            self._called(lab["services"])
            self._no_operations()
            link = {"to": self.service, **({"from": self.from_} if self.from_ else {})}
            await pull(LinkRule(id=self._id()), {**rule, **link})
        elif self.service in AWS:
            await pull(ApiRule(id=self._id()), self._checked({**rule, **self._calls(lab)}))
        else:
            self._known("service", self.service, lab["services"])

    def _rule(self) -> dict[str, Any]:
        """What both kinds of rules have in common."""
        rule: dict[str, Any] = {"action": ACTIONS[self.how]}
        if self.how == "error":
            rule["status"] = self.status or DEFAULT_STATUS
        for key, value in (("seconds", self.delay), ("jitter", self.jitter)):
            rule |= {key: value} if value is not None else {}
        return rule | ({"regions": [self.region]} if self.region else {})

    def _id(self) -> str:
        """Different for faults that differ, so that they can be on at the same time."""
        status = str(self.status or DEFAULT_STATUS) if self.how == "error" else None
        times = [time and show(time).replace(" ", "") for time in (self.delay, self.jitter)]
        what = [f"{self.from_ or 'any'}-to-{self.service}", self.how, status, *times, self.region]
        what += self.operations or ()
        return "-".join(str(part) for part in what if part)

    def _called(self, services: dict[str, Any]) -> None:
        """Raise InvalidInput for a consumer that does not call the service."""
        if self.from_ is None or self.from_ == CLIENTS:
            return
        self._known("service", self.from_, [*services, CLIENTS])
        calls = services[self.from_]["depends_on"]
        if BOTO3.get(self.service, self.service) not in calls:
            raise InvalidInput(
                f"dependency_outage: {self.from_} does not call {self.service};"
                f" it calls {', '.join(calls) or 'nothing'}"
            )

    def _calls(self, lab: dict[str, Any]) -> dict[str, Any]:
        """Which calls of the AWS API are meant; raises InvalidInput."""
        meant: dict[str, Any] = {"services": [self.service]}
        if self.operations:
            meant["operations"] = [*self.operations]
        if self.from_ == CLIENTS:
            raise InvalidInput(
                f"dependency_outage: 'from: {CLIENTS}' is for services of the lab; who calls"
                f" {self.service} is known by the access keys of the lab's own services"
            )
        if self.from_ is not None:
            self._called(lab["services"])
            meant["callers"] = [lab["services"][self.from_]["caller"]]
        return meant

    def _no_operations(self) -> None:
        """Raise InvalidInput for what a link between services of the lab does not know."""
        if self.operations is not None:
            raise InvalidInput(
                f"dependency_outage: 'operations' is for services of AWS; {self.service} is one of"
                " the lab: leave it out"
            )

    def _checked(self, rule: dict[str, Any]) -> dict[str, Any]:
        """The rule as it is; raises InvalidInput when the proxy would not take it."""
        try:
            rules.Rule.from_json(rule)
        except ValueError as error:
            raise InvalidInput(f"dependency_outage: {error}") from error
        return rule

    def _known(self, what: str, name: str | None, known: list[str] | dict[str, Any]) -> None:
        if name is not None and name not in known:
            hint = did_you_mean(name, [*known, *(AWS if what == "service" else [])])
            raise InvalidInput(
                f"dependency_outage: there is no {what} {name!r} here;"
                f" there is {', '.join(known)}{hint}"
            )

"""The probe `aws`: one operation of the AWS API that reads, and what its answer must say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from probes.aws_api import NO_NAMES, ApiCall, Region, reads
from probes.jmespaths import Query, search
from probes.json_values import differences
from probes.probe import Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

Service = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]


def _checked_operation(operation: str) -> str:
    if not operation.islower() or not operation.isidentifier():
        raise ValueError(f"{operation[:60]!r} is no method of boto3, such as describe_instances")
    if not reads(operation):
        raise ValueError(f"{operation} is not known to only read, and a probe changes nothing")
    return operation


class Expect(BaseModel):
    """What the answer must say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: Query = Field(description="JMESPath expression for a value in the answer")
    equals: JsonValue = Field(
        default=True,
        description="what that value must be: objects may have more keys, lists are compared item"
        ' by item, and scalars as they are written, so that 5 is also "5"',
    )


class Aws(Probe):
    """Calls one operation of the AWS API, which may only read, and looks at its answer.

    An attempt is good when the call succeeds and, with `expect`, when a JMESPath expression gives
    what it should. The expression is applied to the answer as boto3 returns it, with points of
    time as text (ISO 8601). A comparison in JMESPath gives true or false, and true is what is
    expected unless `equals` says otherwise. It sees one page of the answer: ask for a filtered
    or a longer one with `params`. A body that comes as a stream, as that of an object in S3, is
    not read.

    A probe never changes anything, so operations that are not named as reading ones (`describe_`,
    `get_`, `list_`, `head_` and the like) are refused. Each attempt is sent once, without a retry;
    connections are boto3's, which keeps them open from one attempt to the next. Credentials are
    those of the workload's environment.

    Measured phase: `call`.
    """

    summary: ClassVar[str] = "one AWS API call that reads, and what its answer says"
    example: ClassVar[str] = """
table:
  kind: aws
  service: dynamodb
  region: us-west-2
  operation: describe_table
  params: {TableName: watch-history}
  expect: {query: Table.TableStatus, equals: ACTIVE}
"""
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["aws"]
    service: Service = Field(description="the service as boto3 names it, such as dynamodb")
    region: Region = Field(description="the region that is asked, such as us-east-1")
    operation: Annotated[str, AfterValidator(_checked_operation)] = Field(
        description="what to call, as boto3 names its methods, such as describe_instances"
    )
    params: dict[str, JsonValue] = Field(
        default_factory=dict, description="parameters of the operation, as boto3 names them"
    )
    expect: Expect | None = Field(
        default=None, description="what the answer must say; not given: the call succeeds"
    )

    def calls(self) -> tuple[ApiCall, ...]:
        return (ApiCall(service=self.service, region=self.region, operation=self.operation),)

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Call once; good when it succeeds and all of `expect` holds."""
        with attempt.phase("call"):
            answer = await net.aws(self.service, self.region, self.operation, **self.params)
        for value in answer.values():
            if hasattr(value, "close"):
                value.close()  # the body of an object, which would hold its connection
        if self.expect is not None:
            _judge(answer, self.expect)


def _judge(answer: dict[str, Any], expect: Expect) -> None:
    plain = json.loads(json.dumps(answer, default=_as_json))
    found = search(expect.query, plain)
    if difference := next(differences(expect.equals, found, expect.query), None):
        raise ProbeFailed(difference)


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

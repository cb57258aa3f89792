"""The probe `dynamodb_ledger`: numbered writes in one region, and which of them another has.

An attempt is one PutItem. Afterwards `read` tells which numbers are there; together with the
times of the acknowledgements in the samples that gives the RPO. A write without acknowledgement
may have been done or not: its sample says `unknown`, and it counts neither as kept nor as lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.durations import Duration
from probes.probe import CONFLICTING, Attempt, Probe, ProbeFailed

if TYPE_CHECKING:
    from probes.net import Net

Attribute = Annotated[str, StringConstraints(min_length=1, max_length=255)]
# 1 MB each (the service's limit), which is some ten thousand numbers: days of a busy ledger.
MAX_PAGES = 200


class DynamodbLedger(Probe):
    """Writes numbered records in one region, and asks another which of them it has.

    Each attempt puts one record and is good when the service acknowledges it. While the fault is
    on, and at the end, `read_from` is asked, consistently, which numbers it has; acknowledged ones
    that are missing give the RPO. A write that was refused or timed out may have been done all the
    same: it counts neither as kept nor as lost.

    A record is {`partition_key`: "ledger#RUN#PROBE", `sort_key`: NUMBER, "written": SECONDS}. Both
    keys are strings; the number has twelve digits, so that the order is that of writing; `written`
    is the clock of the process that measures: a record with another one was changed, and has not
    survived. Records stay in the table, all under the one hash key, which nothing else uses.

    Measured phases: `write` and `read`.
    """

    summary: ClassVar[str] = "numbered writes to DynamoDB, and which survive elsewhere (RPO)"
    example: ClassVar[str] = """
history:
  kind: dynamodb_ledger
  table: watch-history
  write_to: us-east-1
  read_from: us-west-2
"""
    ledger: ClassVar[bool] = True
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["dynamodb_ledger"]
    every: Duration = Field(default=0.5, ge=0.001, description="period of the grid")
    table: Attribute = Field(description="the table, which exists in both regions")
    write_to: Region = Field(description="the region that is written to")
    read_from: Region = Field(description="the region that is asked what survived")
    partition_key: Attribute = Field(default="profile", description="hash key of the table (S)")
    sort_key: Attribute = Field(default="watched", description="range key of the table (S)")

    _written: dict[str, dict[int, float]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        names = [self.partition_key, self.sort_key, "written"]
        if len(set(names)) < len(names):
            raise ValueError("partition_key, sort_key and the attribute 'written' must differ")
        return self

    def calls(self) -> tuple[ApiCall, ...]:
        return tuple(
            ApiCall(
                service="dynamodb",
                region=region,
                operation=operation,
                resource=f"arn:aws:dynamodb:{region}:*:table/{self.table}",
            )
            for region, operation in ((self.write_to, "put_item"), (self.read_from, "query"))
        )

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Write the record with this attempt's number, once; good when it is acknowledged."""
        attempt.detail["write"] = "unknown"
        import asyncio

        written = round(asyncio.get_running_loop().time(), 6)
        self._written.setdefault(self._partition(attempt), {})[attempt.n] = written
        item = {
            self.partition_key: {"S": self._partition(attempt)},
            self.sort_key: {"S": f"{attempt.n:012d}"},
            "written": {"N": f"{written:.6f}"},
        }
        with attempt.phase("write"):
            await net.aws("dynamodb", self.write_to, "put_item", TableName=self.table, Item=item)
        attempt.detail["write"] = "acknowledged"

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that `read_from` has of this run, in rising order, read consistently.

        Raises ProbeFailed when it cannot read all of them: half a list would call the rest lost.
        """
        found: list[int] = []
        changed: list[int] = []
        more: dict[str, Any] = {}
        with attempt.phase("read"):
            for _ in range(MAX_PAGES):
                page = await self._page(net, attempt, more)
                for item in page["Items"]:
                    whole = self._whole(item, attempt)
                    (found if whole else changed).append(self._number(item))
                if not page.get("LastEvaluatedKey"):
                    attempt.detail[CONFLICTING] = sorted(changed)
                    return sorted(found)
                more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        raise ProbeFailed(f"the ledger has more than {MAX_PAGES} pages; it was not read to its end")

    async def _page(self, net: Net, attempt: Attempt, more: dict[str, Any]) -> dict[str, Any]:
        return await net.aws(
            "dynamodb",
            self.read_from,
            "query",
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="#partition = :partition",
            ProjectionExpression="#sort, #written",
            # Names such as `title` may be reserved words (DynamoDB, "Reserved words").
            ExpressionAttributeNames={
                "#partition": self.partition_key,
                "#sort": self.sort_key,
                "#written": "written",
            },
            ExpressionAttributeValues={":partition": {"S": self._partition(attempt)}},
            **more,
        )

    def _partition(self, attempt: Attempt) -> str:
        return f"ledger#{attempt.run}#{attempt.probe}"

    def _whole(self, item: dict[str, Any], attempt: Attempt) -> bool:
        """Whether it is what was written; one of unknown content is not known to be another."""
        sent = self._written.get(self._partition(attempt), {}).get(self._number(item))
        try:
            return sent is None or float(item["written"]["N"]) == sent
        except (KeyError, ValueError):
            return False

    def _number(self, item: dict[str, Any]) -> int:
        text = str(item.get(self.sort_key, {}).get("S"))
        if not text.isascii() or not text.isdigit():
            raise ProbeFailed(f"the ledger holds {text[:40]!r}, which it did not write")
        return int(text)

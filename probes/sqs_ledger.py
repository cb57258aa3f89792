"""The probe `sqs_ledger`: numbered messages sent to a queue, and which of them come out again.

    probe ──► queue ──► the consumer that is tested ──► read_queue ──► probe

A message is not lost while it waits: a read looks into both queues. What has been passed on is
taken out of `read_queue` and remembered; what waits in `queue` is looked at and given back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, StringConstraints

from probes.aws_api import NO_NAMES, ApiCall, Region
from probes.durations import Duration
from probes.probe import Attempt, Probe, ProbeFailed
from probes.sqs_queue import Messages, Queue

if TYPE_CHECKING:
    from probes.net import Net

# FIFO queues (NAME.fifo) hold a group back while one of its messages is looked at.
QueueName = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9_-]{1,80}|https?://\S{1,300}/[A-Za-z0-9_-]{1,80})$"),
]
# What it takes to go through a queue.
LOOKS = ("receive_message", "get_queue_attributes", "change_message_visibility_batch")
# The share of the timeout after which a read says itself what it is still waiting for.
PATIENCE = 0.8
# A message is missing when nothing was left in the queues so many times, one after the other.
QUIET = 2
PAUSE_S = 0.2  # of the loop

# The numbers that a series has had, by the message's id: the service may deliver one twice.
Received = dict[str, int]


class SqsLedger(Probe):
    """Sends numbered messages to a queue, and finds out which of them its consumer has passed on.

    Each attempt sends one message and is good when the service acknowledges it. While the fault is
    on, and at the end, the probe receives what is in `read_queue`, as its last consumer, and looks
    at what still waits in `queue`: such a message is late, not lost. Acknowledged ones that are in
    neither give the RPO; 0 s says that none may be lost. The same number in two messages counts
    as duplicated. A message that was refused or timed out may have been sent all the same: it
    counts neither as kept nor as lost.

    The body is JSON, {"ledger": "RUN/PROBE", "number": NUMBER, "written": SECONDS}, and has to be
    passed on with the first two of these; attributes are not used. The probe deletes its own
    messages from `read_queue`, and remembers them until the run ends. All others are given back
    at once. To look at a message that waits is to receive it, which counts for a redrive policy:
    `maxReceiveCount` should allow for two more. Without `read_queue` nobody else may consume.

    While acknowledged messages are missing, a read goes on until the queues say twice that nothing
    is waiting, delayed, or in the hands of another receiver. When the timeout comes first, it has
    failed, which proves nothing. On AWS these figures are approximate for up to a minute.

    FIFO queues are not supported. Measured phases: `write` and `read`.
    """

    summary: ClassVar[str] = "numbered messages sent to SQS, and which come out again (RPO)"
    example: ClassVar[str] = """
jobs:
  kind: sqs_ledger
  queue: jobs
  read_queue: done
  region: us-east-1
"""
    ledger: ClassVar[bool] = True
    repeats: ClassVar[bool] = True
    without: ClassVar[Mapping[str, str]] = NO_NAMES

    kind: Literal["sqs_ledger"]
    every: Duration = Field(default=0.5, ge=0.001, description="period of the grid")
    timeout: Duration = Field(
        default=10.0, gt=0, description="when an attempt, or one read of the ledger, is given up"
    )
    queue: QueueName = Field(description="name or URL of the queue that is sent to")
    read_queue: QueueName | None = Field(
        default=None,
        description="name or URL of the queue that the consumer passes messages on to;"
        " default: `queue`, which then has no other consumer",
    )
    region: Region = Field(description="the region of the queues")

    _urls: dict[str, str] = PrivateAttr(default_factory=dict)
    _sent: dict[str, set[int]] = PrivateAttr(default_factory=dict)
    _received: dict[str, Received] = PrivateAttr(default_factory=dict)

    def calls(self) -> tuple[ApiCall, ...]:
        last = self.read_queue or self.queue
        made = ((self.queue, ("send_message", *LOOKS)), (last, (*LOOKS, "delete_message_batch")))
        found = [_call(self.region, queue, name) for queue, names in made for name in names]
        asked = {queue for queue, _ in made if "/" not in queue}
        found += [_call(self.region, queue, "get_queue_url") for queue in sorted(asked)]
        return tuple(dict.fromkeys(found))

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Send the message with this attempt's number, once; good when it is acknowledged."""
        attempt.detail["write"] = "unknown"
        import asyncio

        written = round(asyncio.get_running_loop().time(), 6)
        body = {"ledger": _series(attempt), "number": attempt.n, "written": written}
        with attempt.phase("write"):
            queue = await self._open(net, self.queue)
            await queue.send(json.dumps(body))
        attempt.detail["write"] = "acknowledged"
        self._sent.setdefault(_series(attempt), set()).add(attempt.n)

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that were passed on, so far, and those that wait; in rising order.

        Raises ProbeFailed when it cannot read all of them: half a list would call the rest lost.
        """
        import asyncio

        series, waiting, quiet = _series(attempt), set[int](), 0
        sent = frozenset(self._sent.get(series, ()))  # what is sent from now on is not asked for
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE * self.timeout
        with attempt.phase("read"):
            while True:
                left = await self._look(net, series, waiting)
                found = self._found(series, waiting)
                missing = len(sent - {*found})
                quiet = 0 if left else quiet + 1
                if quiet == QUIET or (sent and not missing):
                    return found
                if loop.time() > deadline:
                    raise ProbeFailed(_unfinished(missing, left))
                await asyncio.sleep(PAUSE_S)

    async def _look(self, net: Net, series: str, waiting: set[int]) -> int:
        """Add the numbers that wait; returns how many messages are where nobody can look.

        First the queue that is sent to: what has left it, and is in nobody's hands, has been
        passed on when the other one is looked at.
        """
        left = 0
        if self.read_queue is not None:
            queue = await self._open(net, self.queue)
            left += await queue.go_through(lambda messages: _noted(waiting, messages, series))
        last = await self._open(net, self.read_queue or self.queue)
        left += await last.go_through(lambda messages: self._taken(messages, series))
        return left

    def _taken(self, messages: Messages, series: str) -> Messages:
        own = _own(messages, series)
        self._received.setdefault(series, {}).update(own)
        return [message for message in messages if message["MessageId"] in own]

    def _found(self, series: str, waiting: set[int]) -> list[int]:
        passed_on = self._received.get(series, {}).values()
        return sorted([*passed_on, *(waiting - {*passed_on})])

    async def _open(self, net: Net, queue: str) -> Queue:
        if "/" in queue:
            return Queue(net, self.region, queue)
        if queue not in self._urls:
            found = await net.aws("sqs", self.region, "get_queue_url", QueueName=queue)
            self._urls[queue] = found["QueueUrl"]
        return Queue(net, self.region, self._urls[queue])


def _call(region: str, queue: str, operation: str) -> ApiCall:
    *before, name = queue.split("/")
    account = before[-1] if before and before[-1].isdecimal() else "*"  # a URL names it
    arn = f"arn:aws:sqs:{region}:{account}:{name}"
    return ApiCall(service="sqs", region=region, operation=operation, resource=arn)


def _series(attempt: Attempt) -> str:
    return f"{attempt.run}/{attempt.probe}"


def _unfinished(missing: int, left: int) -> str:
    return (
        f"the queues were not read to their end: {left} messages are delayed or with another"
        f" receiver, and {missing} acknowledged ones were not found"
    )


def _noted(waiting: set[int], messages: Messages, series: str) -> Messages:
    """Remember the numbers; nothing of it is to be deleted."""
    waiting.update(_own(messages, series).values())
    return ()


def _own(messages: Messages, series: str) -> Received:
    """The numbers of those messages that belong to the series."""
    return {
        message["MessageId"]: number
        for message in messages
        if (number := _number(message["Body"], series)) is not None
    }


def _number(body: str, series: str) -> int | None:
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("ledger") != series:
        return None
    number = told.get("number")
    return number if isinstance(number, int) and not isinstance(number, bool) else None

"""One queue of SQS, gone through from its first message to its last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probes.net import Net

Message = dict[str, Any]
Messages = Sequence[Message]

BATCH = 10  # messages a call (the service's limit)
# How long a message that is looked at is kept from others, if it cannot be given back.
HELD_S = 30  # of the wall
# Where a message is that a receive cannot have: waiting still, in other hands, or delayed.
WAITING = "ApproximateNumberOfMessages"
IN_HANDS = "ApproximateNumberOfMessagesNotVisible"
DELAYED = "ApproximateNumberOfMessagesDelayed"


class Queue:
    """A queue, by its URL."""

    def __init__(self, net: Net, region: str, url: str) -> None:
        self._net = net
        self._region = region
        self._url = url

    async def send(self, body: str) -> None:
        """Return when the service has acknowledged the message."""
        await self._call("send_message", MessageBody=body)

    async def go_through(self, take: Callable[[Messages], Messages]) -> int:
        """Receive until nothing comes: what `take` returns is deleted, all else is given back.

        Returns how many messages are there that were not received, as the service counts them.
        Raises ProbeFailed when a call fails; what was received is hidden from others for a while
        then.
        """
        held: list[Message] = []
        while messages := await self._receive():
            done = take(messages)
            await self._settle("delete_message_batch", done)
            held += [message for message in messages if message not in done]
        left = await self._count() - len(held)
        await self._settle("change_message_visibility_batch", held, VisibilityTimeout=0)
        return max(left, 0)

    async def _receive(self) -> Messages:
        answer = await self._call(
            "receive_message", MaxNumberOfMessages=BATCH, VisibilityTimeout=HELD_S
        )
        messages: Messages = answer.get("Messages", ())
        return messages

    async def _count(self) -> int:
        names = [WAITING, IN_HANDS, DELAYED]
        answer = await self._call("get_queue_attributes", AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    async def _settle(self, operation: str, messages: Messages, **each: Any) -> None:
        for batch in _batches(messages):
            entries = [
                {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], **each}
                for n, message in enumerate(batch)
            ]
            await self._call(operation, Entries=entries)

    async def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._net.aws("sqs", self._region, operation, QueueUrl=self._url, **params)


def _batches(messages: Messages) -> Iterator[Messages]:
    for start in range(0, len(messages), BATCH):
        yield messages[start : start + BATCH]

"""What the apps `worker` and `encoder` have in common: they take messages from an SQS queue.

It is the workload, not the tool: how well it bears a queue that fails is what drills find out.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chaos.lab import sdk

if TYPE_CHECKING:
    from chaos.lab.instances import Instance

EVERY = 1.0  # seconds of the lab from the end of one look to the next
AT_ONCE = 10  # the API's limit of one ReceiveMessage

Message = dict[str, Any]  # as ReceiveMessage gives it
Handle = Callable[[list[Message]], list[Message]]


class Queue:
    """One queue, found by its name when it is first needed; calls raise `sdk.FAILURES`."""

    def __init__(self, instance: Instance, name: str) -> None:
        self._name = name
        self._url = ""
        self._client: Any = sdk.client(instance, "sqs", instance.queues[name])

    def receive(self) -> list[Message]:
        """What is there now, at most ten."""
        answer = self._client.receive_message(
            QueueUrl=self._found(),
            MaxNumberOfMessages=AT_ONCE,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return list(answer.get("Messages", []))

    def send(self, messages: list[Message]) -> list[Message]:
        """Put their bodies here; returns those for which that was acknowledged."""
        entries = [{"Id": str(n), "MessageBody": m["Body"]} for n, m in enumerate(messages)]
        answer = self._client.send_message_batch(QueueUrl=self._found(), Entries=entries)
        return [messages[int(done["Id"])] for done in answer.get("Successful", [])]

    def delete(self, messages: list[Message]) -> None:
        """Done with them."""
        entries = [
            {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)
        ]
        self._client.delete_message_batch(QueueUrl=self._found(), Entries=entries)

    def _found(self) -> str:
        self._url = self._url or self._client.get_queue_url(QueueName=self._name)["QueueUrl"]
        return self._url


class Poller:
    """Hands what comes to `handle`, for as long as the process lives, and deletes what it returns.

    `lag` is, in seconds of the lab, the age of what was handled last, or how long nobody could
    look, whichever is more.
    """

    def __init__(self, instance: Instance, handle: Handle) -> None:
        self._instance = instance
        self._handle = handle
        self._queue = Queue(instance, instance.service.queue or "")
        self._handled: set[str] = set()  # ids of messages, where each is to be handled once
        self._looked = time.monotonic()
        self._age_s = 0.0  # of the wall

    def start(self) -> None:
        """Take messages from now on, in a thread."""
        threading.Thread(target=self.poll, name="poller", daemon=True).start()

    @property
    def lag(self) -> float:
        """How late it is."""
        return max(self._age_s, time.monotonic() - self._looked) * self._instance.speed

    def look(self) -> None:
        """Take what is there now; raises `sdk.FAILURES`."""
        messages = self._queue.receive()
        if messages:
            self._take(messages)
            self._age_s = max(time.time() - _sent(message) for message in messages)
        else:
            self._age_s = 0.0
        self._looked = time.monotonic()

    def poll(self) -> None:
        """Look, again and again."""
        while True:
            try:
                self.look()
            except sdk.FAILURES as error:
                print(f"{self._instance.id}: no messages: {error}", file=sys.stderr)
                if not self._instance.service.retries:
                    return
            time.sleep(EVERY / self._instance.speed)

    def _take(self, messages: list[Message]) -> None:
        if self._instance.service.acknowledge == "first":
            self._queue.delete(messages)
            self._handle(messages)
        elif done := self._handled_now(messages):
            self._queue.delete(done)

    def _handled_now(self, messages: list[Message]) -> list[Message]:
        """Those that are done with: what was handled before is not handled again, if so asked."""
        before = [message for message in messages if message["MessageId"] in self._handled]
        new = [message for message in messages if message["MessageId"] not in self._handled]
        done = self._handle(new) if new else []
        if self._instance.service.once:
            self._handled.update(message["MessageId"] for message in done)
        return [*before, *done]


def _sent(message: Message) -> float:
    """When it was sent, as a time of the wall."""
    return int(message["Attributes"]["SentTimestamp"]) / 1000

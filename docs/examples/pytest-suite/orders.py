"""A small order service: an order is kept in S3 and announced in SQS."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "orders"
# A service that answers late or not at all must not hold an order up for a minute.
PATIENCE = Config(
    connect_timeout=1, read_timeout=10, retries={"mode": "standard", "max_attempts": 3}
)


class NotAnnounced(Exception):
    """The order is kept, and will have to be announced later."""


class Orders:
    """Where orders are taken. Nothing here knows of chaos, or of an emulator."""

    def __init__(self) -> None:
        self._s3: Any = boto3.client("s3", config=PATIENCE)
        self._sqs: Any = boto3.client("sqs", config=PATIENCE)
        self._s3.create_bucket(Bucket=BUCKET)
        self._queue = self._sqs.create_queue(QueueName="orders")["QueueUrl"]

    def take(self, number: str, items: list[str]) -> None:
        """Keep an order, then announce it; raises NotAnnounced when it is kept alone."""
        self._s3.put_object(Bucket=BUCKET, Key=number, Body=json.dumps(items).encode())
        try:
            self._sqs.send_message(QueueUrl=self._queue, MessageBody=number)
        except (BotoCoreError, ClientError) as error:
            raise NotAnnounced(number) from error

    def items(self, number: str) -> list[str]:
        """What was ordered."""
        items: list[str] = json.load(self._s3.get_object(Bucket=BUCKET, Key=number)["Body"])
        return items

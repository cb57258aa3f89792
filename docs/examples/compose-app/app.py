"""Sends ten messages and reads them back; ends with 1 unless all of them arrived."""

from __future__ import annotations

import sys
from typing import Any

import boto3
from botocore.config import Config

ATTEMPTS = Config(retries={"mode": "standard", "max_attempts": 5})


def main() -> int:
    sqs: Any = boto3.client("sqs", config=ATTEMPTS)
    queue = sqs.create_queue(QueueName="compose-app")["QueueUrl"]
    retries = 0
    for number in range(10):
        sent = sqs.send_message(QueueUrl=queue, MessageBody=str(number))
        retries += sent["ResponseMetadata"]["RetryAttempts"]
    arrived = set()
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        arrived |= {message["Body"] for message in messages}
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    print(f"{len(arrived)} of 10 messages arrived, after {retries} retries")
    return 0 if len(arrived) == 10 else 1


if __name__ == "__main__":
    sys.exit(main())

"""The app `encoder` of the lab `pipeline`: does the work of a Step Functions task.

A message of its queue is {"title": …, "token": …}. What it makes of the title it writes to its
bucket, and then it tells Step Functions that the task has succeeded, or failed and why.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chaos.lab import app_server, sdk
from chaos.lab.polling import Message, Poller
from chaos.lab.resources import bucket_in

if TYPE_CHECKING:
    from chaos.lab.instances import Instance


class Encoder:
    """Calls S3 and Step Functions in its own region."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._bucket = bucket_in(instance.region, instance.service.bucket or "")
        self._s3: Any = sdk.client(instance, "s3")
        self._tasks: Any = sdk.client(instance, "stepfunctions")

    def work(self, messages: list[Message]) -> list[Message]:
        """Those that are done with: also a task that has failed, which the pipeline tries anew."""
        return [message for message in messages if self._done(message)]

    def _done(self, message: Message) -> bool:
        try:
            job = json.loads(message["Body"])
            title, token = str(job["title"]), str(job["token"])
        except (ValueError, KeyError, TypeError) as error:
            print(f"{self._instance.id}: this is no job: {error!r}", file=sys.stderr)
            return True
        try:
            self._tell(token, self._encode(title))
        except sdk.FAILURES as error:
            print(f"{self._instance.id}: Step Functions was not told: {error}", file=sys.stderr)
            return sdk.over(error)
        return True

    def _encode(self, title: str) -> dict[str, str]:
        """What the task is to answer; {"error": …} when it could not be done."""
        key = f"encoded/{quote(title, safe='')}"
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=title.upper().encode())
        except sdk.FAILURES as error:
            return {"error": "Storage.Failed", "cause": str(error)[:1000]}
        return {"bucket": self._bucket, "key": key}

    def _tell(self, token: str, answer: dict[str, str]) -> None:
        if "error" in answer:
            self._tasks.send_task_failure(taskToken=token, **answer)
        else:
            self._tasks.send_task_success(taskToken=token, output=json.dumps(answer))


class Server(app_server.Server):
    """GET /health."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, app_server.Handler)
        Poller(instance, Encoder(instance).work).start()

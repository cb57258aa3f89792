"""Fills the control plane with what a lab keeps in AWS: buckets, queues, secrets and so on.

In an emulator that somebody else runs, what is there with the lab's tag is used and left, with the
settings that are declared now: a lab of another speed may have made it. What is there without it
is somebody's, and nothing is done to it.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pydantic import JsonValue

from chaos.errors import CallFailed, EnvironmentFailed
from chaos.lab.declaration import Lab
from chaos.lab.inventory import Call
from chaos.lab.made import LAB_TAG, Made
from chaos.lab.resource_checks import QUEUE_URL
from chaos.lab.resources import Alarm, Bucket, Pipeline, Queue, Secret, Stream, bucket_in
from chaos.loops import speed_of

# No emulator asks what the role may do.
ROLE = "arn:aws:iam::123456789012:role/chaos-lab"
# What a definition's timers are called in the Amazon States Language.
TIMERS = frozenset(
    {"HeartbeatSeconds", "IntervalSeconds", "MaxDelaySeconds", "Seconds", "TimeoutSeconds"}
)
US_EAST_1 = "us-east-1"
# How often it is looked whether a stream that was made takes records, and how long between two.
LOOKS, LOOK_EVERY_S = 300, 0.1  # of the wall


async def stock(lab: Lab, call: Call, made: Made) -> None:
    """Return when all of it is there; raises CallFailed, or EnvironmentFailed: it is not ours."""
    stocker = Stocker(lab, call, made)
    await asyncio.gather(
        *(
            stocker.bucket(name, bucket, region)
            for name, bucket in lab.buckets.items()
            for region in bucket.regions
        ),
        *(
            stocker.secret(name, secret, region)
            for name, secret in lab.secrets.items()
            for region in secret.regions
        ),
        *(stocker.stream(name, stream) for name, stream in lab.streams.items()),
        *(stocker.alarm(name, alarm) for name, alarm in lab.alarms.items()),
        stocker.queues(),
    )
    await asyncio.gather(*(stocker.pipeline(n, p) for n, p in lab.pipelines.items()))


class Stocker:
    """Makes one thing at a time, and remembers how to remove it."""

    def __init__(self, lab: Lab, call: Call, made: Made) -> None:
        self._lab = lab
        self._call = call
        self._made = made
        self._urls: dict[str, str] = {}  # of the queues
        self._arns: dict[str, str] = {}  # of the state machines that are there
        self._speed = speed_of(asyncio.get_running_loop())

    async def bucket(self, name: str, bucket: Bucket, region: str) -> None:
        """The replica in one region."""
        real = bucket_in(region, name)
        call = _at(self._call, "s3", region)
        if self._is_ours(f"bucket {real}", await self._tags_of_bucket(call, real)):
            return
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        await call("create_bucket", Bucket=real, **({} if region == US_EAST_1 else where))
        self._made.undo("s3", region, "delete_bucket", Bucket=real)
        await call("put_bucket_tagging", Bucket=real, Tagging={"TagSet": self._tag_list()})
        if bucket.versioned:
            status = {"Status": "Enabled"}
            await call("put_bucket_versioning", Bucket=real, VersioningConfiguration=status)
        for key, text in bucket.objects.items():
            await call("put_object", Bucket=real, Key=key, Body=text.encode())

    async def queues(self) -> None:
        """All of them, those for dead letters first."""
        dead = {queue.dead_letters for queue in self._lab.queues.values()}
        for names in (dead - {None}, self._lab.queues.keys() - dead):
            known = {name: self._lab.queues[name] for name in names if name}
            await asyncio.gather(*(self._queue(n, queue) for n, queue in known.items()))

    async def pipeline(self, name: str, pipeline: Pipeline) -> None:
        """A state machine."""
        call = _at(self._call, "stepfunctions", pipeline.region)
        definition = json.dumps(self._spelled_out(pipeline.definition))
        if self._is_ours(f"state machine {name}", await self._tags_of_pipeline(call, name)):
            ours = self._arns[name]
            await call("update_state_machine", stateMachineArn=ours, definition=definition)
            return
        made = await call(
            "create_state_machine",
            name=name,
            definition=definition,
            roleArn=ROLE,
            tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in self._tag_list()],
        )
        arn = made["stateMachineArn"]
        self._made.undo(
            "stepfunctions", pipeline.region, "delete_state_machine", stateMachineArn=arn
        )

    async def alarm(self, name: str, alarm: Alarm) -> None:
        """A CloudWatch alarm, in seconds of the lab: who evaluates it must know the speed."""
        call = _at(self._call, "cloudwatch", alarm.region)
        ours = self._is_ours(f"alarm {name}", await self._tags_of_alarm(call, name))
        await call("put_metric_alarm", **_settings(name, alarm), Tags=self._tag_list())
        if not ours:
            self._made.undo("cloudwatch", alarm.region, "delete_alarms", AlarmNames=[name])

    async def secret(self, name: str, secret: Secret, region: str) -> None:
        """The replica in one region, a secret of its own, as no emulator replicates them."""
        call = _at(self._call, "secretsmanager", region)
        if self._is_ours(f"secret {name}", await self._tags_of_secret(call, name)):
            await call("put_secret_value", SecretId=name, SecretString=secret.value)
            return
        await call("create_secret", Name=name, SecretString=secret.value, Tags=self._tag_list())
        self._made.undo(
            "secretsmanager",
            region,
            "delete_secret",
            SecretId=name,
            ForceDeleteWithoutRecovery=True,
        )

    async def stream(self, name: str, stream: Stream) -> None:
        """A stream, once it takes records."""
        call = _at(self._call, "kinesis", stream.region)
        ours = self._is_ours(f"stream {name}", await self._tags_of_stream(call, name))
        if not ours:
            await call("create_stream", StreamName=name, ShardCount=stream.shards)
            self._made.undo("kinesis", stream.region, "delete_stream", StreamName=name)
        await _active(call, name, self._speed)
        if not ours:
            await call("add_tags_to_stream", StreamName=name, Tags={LAB_TAG: self._lab.name})

    async def _queue(self, name: str, queue: Queue) -> None:
        call = _at(self._call, "sqs", queue.region)
        ours = self._is_ours(f"queue {name}", await self._tags_of_queue(call, name))
        attributes = {"VisibilityTimeout": str(self._whole(queue.visibility))}
        if queue.dead_letters is not None:
            attributes["RedrivePolicy"] = await self._redrive(call, queue)
        if ours:
            url = self._urls[name]
            await call("set_queue_attributes", QueueUrl=url, Attributes=attributes)
        else:
            made = await call(
                "create_queue",
                QueueName=name,
                Attributes=attributes,
                tags={LAB_TAG: self._lab.name},
            )
            self._urls[name] = made["QueueUrl"]
            self._made.undo("sqs", queue.region, "delete_queue", QueueUrl=made["QueueUrl"])

    async def _redrive(self, call: Call, queue: Queue) -> str:
        url = self._urls[queue.dead_letters or ""]
        asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
        arn = (await call("get_queue_attributes", **asked))["Attributes"]["QueueArn"]
        return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": queue.receives})

    def _spelled_out(self, part: JsonValue, key: str = "") -> JsonValue:
        """A definition with the URLs of queues in it, and its timers in seconds of the wall."""
        if isinstance(part, dict):
            return {name: self._spelled_out(inner, name) for name, inner in part.items()}
        if isinstance(part, list):
            return [self._spelled_out(inner) for inner in part]
        if isinstance(part, str) and part.startswith(QUEUE_URL):
            return self._urls[part.removeprefix(QUEUE_URL)]
        if key in TIMERS and isinstance(part, int | float):
            return self._whole(part)
        return part

    def _whole(self, seconds: float) -> int:
        """Of the wall, as far as AWS can take them: whole ones, and at least one."""
        return max(1, round(seconds / self._speed))

    def _tag_list(self) -> list[dict[str, str]]:
        return [{"Key": LAB_TAG, "Value": self._lab.name}]

    # --- what is there already: its tags, or None when there is no such thing ----------------

    def _is_ours(self, what: str, tags: dict[str, str] | None) -> bool:
        """Whether it is there, made by a lab of this name; raises EnvironmentFailed for others."""
        if tags is not None and tags.get(LAB_TAG) != self._lab.name:
            raise EnvironmentFailed(
                f"the {what} is there and not the lab's: it has no tag {LAB_TAG}={self._lab.name};"
                " remove or rename it"
            )
        return tags is not None

    async def _tags_of_bucket(self, call: Call, real: str) -> dict[str, str] | None:
        try:
            answer = await call("get_bucket_tagging", Bucket=real)
        except CallFailed as error:
            if error.code == "NoSuchTagSet":
                return {}
            _must_be(error, "NoSuchBucket")
            return None
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    async def _tags_of_queue(self, call: Call, name: str) -> dict[str, str] | None:
        try:
            self._urls[name] = (await call("get_queue_url", QueueName=name))["QueueUrl"]
        except CallFailed as error:
            _must_be(error, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
            return None
        answer = await call("list_queue_tags", QueueUrl=self._urls[name])
        return dict(answer.get("Tags", {}))

    async def _tags_of_pipeline(self, call: Call, name: str) -> dict[str, str] | None:
        machines = (await call("list_state_machines", maxResults=1000))["stateMachines"]
        arns = [machine["stateMachineArn"] for machine in machines if machine["name"] == name]
        if not arns:
            return None
        self._arns[name] = arns[0]
        answer = await call("list_tags_for_resource", resourceArn=arns[0])
        return {tag["key"]: tag["value"] for tag in answer.get("tags", [])}

    async def _tags_of_secret(self, call: Call, name: str) -> dict[str, str] | None:
        try:
            answer = await call("describe_secret", SecretId=name)
        except CallFailed as error:
            _must_be(error, "ResourceNotFoundException")
            return None
        return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}

    async def _tags_of_stream(self, call: Call, name: str) -> dict[str, str] | None:
        try:
            answer = await call("list_tags_for_stream", StreamName=name)
        except CallFailed as error:
            _must_be(error, "ResourceNotFoundException")
            return None
        return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}

    async def _tags_of_alarm(self, call: Call, name: str) -> dict[str, str] | None:
        found = (await call("describe_alarms", AlarmNames=[name]))["MetricAlarms"]
        if not found:
            return None
        answer = await call("list_tags_for_resource", ResourceARN=found[0]["AlarmArn"])
        return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}


def _at(call: Call, service: str, region: str) -> Call:
    """The operations of one service in one region."""

    async def there(operation: str, /, **params: Any) -> dict[str, Any]:
        return await call(service, region, operation, **params)

    return there


async def _active(call: Call, stream: str, speed: float) -> None:
    """Return when the stream takes records; raises EnvironmentFailed when it never does."""
    for _ in range(LOOKS):
        summary = await call("describe_stream_summary", StreamName=stream)
        if summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE":
            return
        await asyncio.sleep(LOOK_EVERY_S * speed)
    raise EnvironmentFailed(f"the stream {stream} does not become ACTIVE")


def _must_be(error: CallFailed, *codes: str) -> None:
    """Raise the error again, unless it says one of these."""
    if error.code not in codes:
        raise error


def _settings(name: str, alarm: Alarm) -> dict[str, Any]:
    """As PutMetricAlarm takes them."""
    return {
        "AlarmName": name,
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": dimensions(alarm),
        "Statistic": alarm.statistic,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "Period": int(alarm.period),
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.bad_periods or alarm.periods,
        "TreatMissingData": alarm.missing,
    }


def dimensions(alarm: Alarm) -> list[dict[str, str]]:
    """As CloudWatch takes them."""
    return [{"Name": name, "Value": value} for name, value in alarm.dimensions.items()]

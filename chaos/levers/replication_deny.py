"""The levers that pause replication: a Deny in a resource's policy, which ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.environments.regions import partition
from chaos.errors import CallFailed
from chaos.levers.denial import Denial, Found, parse
from chaos.levers.marked import tag_map
from chaos.levers.paging import Call as Calling
from chaos.levers.paging import every
from chaos.levers.policies import Statement
from chaos.levers.powers import Grant, Grants, Target

REPLICATOR = (
    "arn:{partition}:iam::{account}:role/aws-service-role/replication.dynamodb.amazonaws.com"
    "/AWSServiceRoleForDynamoDBReplication"
)
# What the replication of a table does to it and to its stream, by AWS's own pausing of it. Source:
# AWS FIS, aws:dynamodb:global-table-pause-replication, tables of eventual consistency.
BY_SERVICE = ("dynamodb:ReadDataForReplication", "dynamodb:WriteDataForReplication")
ON_TABLE = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:UpdateTable",
    "dynamodb:Scan",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:UpdateTimeToLive",
)
ON_STREAM = ("dynamodb:GetRecords", "dynamodb:DescribeStream", "dynamodb:GetShardIterator")
# A second change of a policy is blocked for 15 s after the first, and one of a revision that is no
# longer the newest is refused. Source: DynamoDB, resource-based policy considerations.
AGAIN_AFTER = (
    "LimitExceededException",
    "PolicyNotFoundException",
    "ResourceInUseException",
    "ThrottlingException",
)
TABLES = ("arn:aws:dynamodb:*:*:table/*",)
PUTS = Grant(actions=("dynamodb:PutResourcePolicy",), resources=TABLES)
BUCKETS = ("arn:aws:s3:::*",)
PUTS_S3 = Grant(actions=("s3:PutBucketPolicy",), resources=BUCKETS)
REPLICATES = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReplication(Denial):
    """Whether the policy of a DynamoDB table, or of its stream, denies its replication.

    What waits is replicated when it is over; AWS may need up to 5 minutes for either. Put back by
    taking our statements out of the policy; AWS itself lets go of them at the time in them.
    """

    kind: ClassVar[str] = "table_replication"
    service: ClassVar[str] = "dynamodb"
    puts: ClassVar[str] = "put_resource_policy"
    deletes: ClassVar[str] = "delete_resource_policy"
    again_after: ClassVar[tuple[str, ...]] = AGAIN_AFTER
    grants: ClassVar[Grants] = Grants(
        looks=(
            Grant(
                actions=(
                    "dynamodb:GetResourcePolicy",
                    "dynamodb:DescribeTable",
                    "dynamodb:ListTagsOfResource",
                ),
                resources=TABLES,
            ),
            Grant(actions=("dynamodb:ListTables",)),
        ),
        injects=(PUTS,),
        puts_back=(
            PUTS,
            Grant(actions=("dynamodb:DeleteResourcePolicy",), resources=TABLES),
        ),
    )

    region: str
    arn: str  # of the table or of its stream
    run: str = ""
    before: str | None = None

    @property
    def resource(self) -> str:
        return self.arn.partition(":table/")[2]

    def denials(self) -> list[Statement]:
        account = self.arn.split(":")[4]
        role = REPLICATOR.format(partition=partition(self.region), account=account)
        by_role = {"ArnEquals": {"aws:PrincipalArn": role}}
        if "/stream/" in self.arn:
            return [self._denial(ON_STREAM, by_role)]
        service = {"aws:PrincipalServiceName": "replication.dynamodb.amazonaws.com"}
        by_service = self._denial(BY_SERVICE, {"StringEquals": service})
        return [by_service, self._denial(ON_TABLE, by_role)]

    def _denial(self, actions: tuple[str, ...], condition: dict[str, Any]) -> Statement:
        return {"Action": list(actions), "Resource": self.arn, "Condition": condition}

    async def found(self, call: Calling) -> Found:
        try:
            answer = await call(
                "dynamodb", self.region, "get_resource_policy", ResourceArn=self.arn
            )
        except CallFailed as error:
            if error.code == "PolicyNotFoundException":
                return Found(policy=None, revision="NO_POLICY")
            raise
        return Found(policy=parse(answer["Policy"]), revision=answer["RevisionId"])

    async def put(self, environment: Environment, text: str, revision: str) -> None:
        await environment.call(
            "dynamodb",
            self.region,
            self.puts,
            ResourceArn=self.arn,
            Policy=text,
            ExpectedRevisionId=revision,
        )

    async def delete(self, environment: Environment, revision: str) -> None:
        await environment.call(
            "dynamodb",
            self.region,
            self.deletes,
            ResourceArn=self.arn,
            ExpectedRevisionId=revision,
        )

    async def targets(self, environment: Environment) -> list[Target]:
        """The table."""
        name = self.resource.partition("/")[0]
        table = await environment.call("dynamodb", self.region, "describe_table", TableName=name)
        arn = table["Table"]["TableArn"]
        if self.arn.partition("/stream/")[0] != arn:  # of that name, in another account
            return []
        tags = await every(
            environment.call,
            "dynamodb",
            self.region,
            "list_tags_of_resource",
            "Tags",
            ResourceArn=arn,
        )
        names = await every(environment.call, "dynamodb", self.region, "list_tables", "TableNames")
        return [
            Target(
                type="dynamodb:global-table",
                id=name,
                region=self.region,
                tags=tag_map(tags),
                among=len(names),
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketReplication(Denial):
    """Whether the policy of a bucket denies that objects are replicated into it.

    S3 does not try again: what is written to the source meanwhile stays unreplicated (`FAILED`)
    until somebody replicates it with S3 Batch Replication. Put back by taking our statement out of
    the policy; AWS itself lets go of it at the time in it.
    """

    kind: ClassVar[str] = "bucket_replication"
    service: ClassVar[str] = "s3"
    puts: ClassVar[str] = "put_bucket_policy"
    deletes: ClassVar[str] = "delete_bucket_policy"
    again_after: ClassVar[tuple[str, ...]] = ("OperationAborted",)  # another change is under way
    grants: ClassVar[Grants] = Grants(
        looks=(
            Grant(
                actions=("s3:GetBucketPolicy", "s3:GetBucketTagging"),
                resources=BUCKETS,
            ),
            Grant(actions=("s3:ListAllMyBuckets",)),
        ),
        injects=(PUTS_S3,),
        puts_back=(PUTS_S3, Grant(actions=("s3:DeleteBucketPolicy",), resources=BUCKETS)),
    )

    region: str
    bucket: str
    roles: str | None = None  # the ARNs of those that replicate, with commas between; None: all
    run: str = ""
    before: str | None = None

    @property
    def resource(self) -> str:
        return self.bucket

    def denials(self) -> list[Statement]:
        objects = f"arn:{partition(self.region)}:s3:::{self.bucket}/*"
        denial: Statement = {"Action": list(REPLICATES), "Resource": objects}
        if self.roles:
            denial["Condition"] = {"ArnEquals": {"aws:PrincipalArn": self.roles.split(",")}}
        return [denial]

    async def found(self, call: Calling) -> Found:
        try:
            answer = await call("s3", self.region, "get_bucket_policy", Bucket=self.bucket)
        except CallFailed as error:
            if error.code == "NoSuchBucketPolicy":
                return Found(policy=None)
            raise
        return Found(policy=parse(answer["Policy"]))

    async def put(self, environment: Environment, text: str, revision: str) -> None:
        await self._call(environment, self.puts, Policy=text)

    async def delete(self, environment: Environment, revision: str) -> None:
        await self._call(environment, self.deletes)

    async def targets(self, environment: Environment) -> list[Target]:
        """The bucket, if it is the account's own: names of buckets are for all accounts."""
        try:
            tags = tag_map((await self._call(environment, "get_bucket_tagging"))["TagSet"])
        except CallFailed as error:
            if error.code != "NoSuchTagSet":
                raise
            tags = {}
        found = await every(
            environment.call, "s3", self.region, "list_buckets", "Buckets", BucketRegion=self.region
        )
        return [
            Target(
                type="s3:bucket",
                id=self.bucket,
                region=self.region,
                tags=tags,
                among=len(found),
            )
            for bucket in found
            if bucket["Name"] == self.bucket
        ]

    async def _call(
        self, environment: Environment, operation: str, **params: Any
    ) -> dict[str, Any]:
        return await environment.call("s3", self.region, operation, Bucket=self.bucket, **params)

"""An account in moto that looks like a small streaming service, and all of its state as one value.

Two regions; in each a VPC with three subnets, of which two have a network ACL of their own, a
security group, interface and gateway endpoints, a table and a bucket with and without policies, and
groups of instances. What rotates by nature (ids of associations) is left out of the dump.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import boto3
from botocore.config import Config

REGIONS = ("us-east-1", "us-west-2")
REPLICATOR = "arn:aws:iam::123456789012:role/replicator"
TOLD = ("network-acl", "security-group", "vpc-endpoint")
CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
DRILLED = {"Key": "chaos", "Value": "allowed"}
STATEMENT = {
    "Sid": "Own",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
}


class Account:
    """The account at an endpoint, as its owner sees it: without faults, without the tool."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._client = functools.cache(self._make)

    def _make(self, service: str, region: str) -> Any:
        make: Any = boto3.client  # its stubs know each service by a literal
        return make(
            service,
            region,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # moto's
            config=Config(retries={"total_max_attempts": 2}, proxies={}),
        )

    def seed(self) -> None:
        """Make what the drills break."""
        for region in REGIONS:
            vpc = self._network(region)
            self._groups(region, vpc)
            self._data(region)
        self._replicate(*REGIONS)
        self._replicate(*reversed(REGIONS))
        self._custody("custody")

    def seed_network(self, region: str) -> None:
        """One more VPC."""
        self._network(region)

    def seed_table(self, region: str, name: str) -> str:
        """One more table; its ARN."""
        made = self._client("dynamodb", region).create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        arn: str = made["TableDescription"]["TableArn"]
        return arn

    def _custody(self, bucket: str) -> None:
        s3 = self._client("s3", REGIONS[0])
        s3.create_bucket(Bucket=bucket)
        s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(CLOSED, True)
        )

    def subnets(self, region: str) -> list[str]:
        """The ids of the subnets that drills may take."""
        tagged = [{"Name": f"tag:{DRILLED['Key']}", "Values": [DRILLED["Value"]]}]
        found = self._client("ec2", region).describe_subnets(Filters=tagged)["Subnets"]
        return sorted(subnet["SubnetId"] for subnet in found)

    def dump(self) -> str:
        """All of the state, as text that can be compared and shown."""
        regions = {region: self._region(region) for region in REGIONS}
        return json.dumps(regions, indent=1, sort_keys=True, default=str)

    def left_in_custody(self) -> list[str]:
        """What the bucket of the undo log still tells of drills: held locks, and their logs."""
        s3 = self._client("s3", REGIONS[0])
        found: list[str] = []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="custody"):
            for entry in page.get("Contents", []):
                body = s3.get_object(Bucket="custody", Key=entry["Key"])["Body"].read()
                held = "/locks/" in entry["Key"] and json.loads(body)["run"]
                if held or "/log/" in entry["Key"]:
                    found.append(f"{entry['Key']}: {body!r}")
        return found

    # --- making it -------------------------------------------------------------------------

    def _network(self, region: str) -> str:
        ec2 = self._client("ec2", region)
        vpc: str = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        ec2.create_tags(Resources=[vpc], Tags=[DRILLED])
        own = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        for egress in (False, True):
            ec2.create_network_acl_entry(
                NetworkAclId=own,
                RuleNumber=100,
                Protocol="6",
                RuleAction="allow",
                Egress=egress,
                CidrBlock="0.0.0.0/0",
                PortRange={"From": 443, "To": 443},
            )
        for n, zone in enumerate("aab"):
            subnet = ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=region + zone
            )["Subnet"]["SubnetId"]
            ec2.create_tags(Resources=[subnet], Tags=[DRILLED])
            if n:
                ec2.replace_network_acl_association(
                    AssociationId=self._association(region, subnet), NetworkAclId=own
                )
        self._endpoints(region, vpc)
        tagged = [{"ResourceType": "volume", "Tags": [DRILLED]}]
        ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, TagSpecifications=tagged)
        return vpc

    def _association(self, region: str, subnet: str) -> str:
        acls = self._client("ec2", region).describe_network_acls(
            Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
        )["NetworkAcls"]
        found = (a for acl in acls for a in acl["Associations"] if a["SubnetId"] == subnet)
        association: str = next(found)["NetworkAclAssociationId"]
        return association

    def _endpoints(self, region: str, vpc: str) -> None:
        ec2 = self._client("ec2", region)
        group = ec2.create_security_group(GroupName="api", Description="api", VpcId=vpc)["GroupId"]
        marked = [{"ResourceType": "vpc-endpoint", "Tags": [DRILLED]}]
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{region}.sqs",
            SecurityGroupIds=[group],
            SubnetIds=self.subnets(region)[:1],
            TagSpecifications=marked,
        )

    def _groups(self, region: str, vpc: str) -> None:
        scaling = self._client("autoscaling", region)
        scaling.create_launch_configuration(
            LaunchConfigurationName="playback", ImageId="ami-12345678", InstanceType="t3.micro"
        )
        for name, suspended in (("playback", []), ("encoder", ["AZRebalance"])):
            scaling.create_auto_scaling_group(
                AutoScalingGroupName=name,
                LaunchConfigurationName="playback",
                MinSize=0,
                MaxSize=4,
                DesiredCapacity=2,
                VPCZoneIdentifier=",".join(self.subnets(region)),
                Tags=[{**DRILLED, "PropagateAtLaunch": True, "ResourceId": name}],
            )
            if suspended:
                scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=suspended)

    def _data(self, region: str) -> None:
        s3 = self._client("s3", region)
        where = {} if region == "us-east-1" else {"LocationConstraint": region}
        for name in ("titles", "history"):
            arn = self.seed_table(region, name)
            bucket = f"{name}-{region}"
            s3.create_bucket(
                Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {})
            )
            if name == "history":
                self._policies(region, arn, bucket)

    def _replicate(self, region: str, to: str) -> None:
        dynamodb, s3 = self._client("dynamodb", region), self._client("s3", region)
        for name in ("titles", "history"):
            dynamodb.update_table(
                TableName=name,
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                ReplicaUpdates=[{"Create": {"RegionName": to}}],
            )
            for place in (region, to):
                self._client("s3", place).put_bucket_versioning(
                    Bucket=f"{name}-{place}", VersioningConfiguration={"Status": "Enabled"}
                )
            rule = {
                "ID": "all",
                "Status": "Enabled",
                "Priority": 1,
                "Filter": {},
                "DeleteMarkerReplication": {"Status": "Enabled"},
                "Destination": {"Bucket": f"arn:aws:s3:::{name}-{to}"},
            }
            s3.put_bucket_replication(
                Bucket=f"{name}-{region}",
                ReplicationConfiguration={"Role": REPLICATOR, "Rules": [rule]},
            )

    def _policies(self, region: str, table: str, bucket: str) -> None:
        of_table = {**STATEMENT, "Action": "dynamodb:GetItem", "Resource": table}
        of_bucket = {**STATEMENT, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        self._client("dynamodb", region).put_resource_policy(
            ResourceArn=table, Policy=_policy(of_table)
        )
        self._client("s3", region).put_bucket_policy(Bucket=bucket, Policy=_policy(of_bucket))

    # --- reading it ------------------------------------------------------------------------

    def _region(self, region: str) -> dict[str, Any]:
        ec2, scaling = self._client("ec2", region), self._client("autoscaling", region)
        return {
            "acls": sorted(map(_acl, ec2.describe_network_acls()["NetworkAcls"]), key=_text),
            "routes": sorted(map(_routes, ec2.describe_route_tables()["RouteTables"]), key=_text),
            "security groups": sorted(ec2.describe_security_groups()["SecurityGroups"], key=_text),
            "endpoints": sorted(
                map(_endpoint, ec2.describe_vpc_endpoints()["VpcEndpoints"]), key=_text
            ),
            # Of the others they are told above; moto keeps those of what is deleted.
            "tags": sorted(
                (t for t in ec2.describe_tags()["Tags"] if t["ResourceType"] not in TOLD), key=_text
            ),
            "instances": sorted(
                (i["InstanceId"], i["State"]["Name"])
                for reservation in ec2.describe_instances()["Reservations"]
                for i in reservation["Instances"]
            ),
            "groups": sorted(
                map(_group, scaling.describe_auto_scaling_groups()["AutoScalingGroups"]), key=_text
            ),
            "tables": self._tables(region),
            "buckets": self._buckets(region),
            "volumes": sorted(v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]),
            "firewall": self._firewall(region),
            "fis": self._client("fis", region).list_experiment_templates()["experimentTemplates"],
        }

    def _firewall(self, region: str) -> list[Any]:
        resolver = self._client("route53resolver", region)
        return [
            resolver.list_firewall_domain_lists()["FirewallDomainLists"],
            resolver.list_firewall_rule_groups()["FirewallRuleGroups"],
            resolver.list_firewall_rule_group_associations()["FirewallRuleGroupAssociations"],
        ]

    def _tables(self, region: str) -> dict[str, Any]:
        dynamodb = self._client("dynamodb", region)
        tables: dict[str, Any] = {}
        for name in dynamodb.list_tables()["TableNames"]:
            arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
            try:
                policy = dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]
            except dynamodb.exceptions.ClientError as error:
                policy = json.dumps(error.response["Error"]["Code"])
            tables[name] = json.loads(policy)
        return tables

    def _buckets(self, region: str) -> dict[str, Any]:
        s3 = self._client("s3", region)
        buckets: dict[str, Any] = {}
        for bucket in s3.list_buckets()["Buckets"]:
            try:
                policy = s3.get_bucket_policy(Bucket=bucket["Name"])["Policy"]
            except s3.exceptions.ClientError as error:
                policy = json.dumps(error.response["Error"]["Code"])
            buckets[bucket["Name"]] = json.loads(policy)
        return buckets


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _acl(acl: dict[str, Any]) -> dict[str, Any]:
    subnets = sorted(a["SubnetId"] for a in acl["Associations"])
    return {**acl, "Associations": subnets, "Entries": sorted(acl["Entries"], key=_text)}


def _routes(table: dict[str, Any]) -> dict[str, Any]:
    tied = sorted(a.get("SubnetId", "main") for a in table["Associations"])
    return {**table, "Associations": tied}


def _endpoint(endpoint: dict[str, Any]) -> dict[str, Any]:
    groups = sorted(group["GroupId"] for group in endpoint.get("Groups", []))
    return {**endpoint, "Groups": groups}


def _group(group: dict[str, Any]) -> dict[str, Any]:
    suspended = sorted(p["ProcessName"] for p in group["SuspendedProcesses"])
    return {**group, "SuspendedProcesses": suspended}

"""The moto that stands in for an account, with what it leaves out of global tables and ACLs.

moto takes `ReplicaUpdates` and forgets them, and knows no policies of streams. Here the replicas of
a table are told by DescribeTable (nothing is copied: a control plane), and streams have policies.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import moto_dns_firewall
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.ec2.exceptions import InvalidAssociationIdError
from moto.ec2.models.network_acls import NetworkAclBackend
from moto.ec2.responses.network_acls import NetworkACLs

from chaos.lab.moto import main

OF_ACLS = (
    "create_network_acl",
    "delete_network_acl",
    "describe_network_acls",
    "replace_network_acl_association",
)


class _StreamArn(str):
    """The ARN of a stream, in which moto finds the name of the table."""

    __slots__ = ()

    def split(self, *_: Any) -> list[str]:
        return [str(self).partition(":table/")[2].partition("/")[0]]


def _remember_replicas() -> None:
    describe, update = Table.describe, DynamoHandler.update_table

    def described(self: Any, base_key: str = "TableDescription") -> dict[str, Any]:
        found: dict[str, Any] = describe(self, base_key)
        if regions := getattr(self, "replicas", []):
            found[base_key]["Replicas"] = [
                {"RegionName": region, "ReplicaStatus": "ACTIVE"} for region in regions
            ]
        return found

    def updated(self: Any) -> Any:
        updates = self.body.get("ReplicaUpdates", [])
        table = self.dynamodb_backend.get_table(self.body["TableName"])
        table.replicas = [
            *getattr(table, "replicas", []),
            *(one["Create"]["RegionName"] for one in updates if "Create" in one),
        ]
        return update(self)

    Table.describe = described  # type: ignore[method-assign]
    DynamoHandler.update_table = updated  # type: ignore[method-assign]


def _let_streams_have_policies() -> None:
    def of_streams(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(self: Any, resource_arn: str, *rest: Any, **named: Any) -> Any:
            arn = _StreamArn(resource_arn) if "/stream/" in resource_arn else resource_arn
            return method(self, arn, *rest, **named)

        return called

    for name in ("put_resource_policy", "get_resource_policy", "delete_resource_policy"):
        setattr(DynamoDBBackend, name, of_streams(getattr(DynamoDBBackend, name)))


def _one_at_a_time() -> None:
    """moto answers calls in threads, and breaks when one goes through what another changes."""
    turn = threading.RLock()

    def locked(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            with turn:
                return method(*given, **named)

        return called

    for name in OF_ACLS:
        setattr(NetworkACLs, name, locked(getattr(NetworkACLs, name)))


def _refuse_old_associations() -> None:
    """As EC2 does; moto breaks, and takes the subnet's ACL away before it finds no other."""
    replace = NetworkAclBackend.replace_network_acl_association

    def replaced(self: Any, association_id: str, network_acl_id: str) -> Any:
        known = [key for acl in self.network_acls.values() for key in acl._associations]
        if association_id not in known:
            raise InvalidAssociationIdError(association_id)
        self.get_network_acl(network_acl_id)
        return replace(self, association_id, network_acl_id)

    NetworkAclBackend.replace_network_acl_association = replaced  # type: ignore[method-assign]


if __name__ == "__main__":
    _remember_replicas()
    _let_streams_have_policies()
    _refuse_old_associations()
    _one_at_a_time()
    moto_dns_firewall.add_to_moto()
    sys.exit(main(sys.argv[1]))

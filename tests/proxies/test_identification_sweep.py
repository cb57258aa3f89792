"""Every operation of every service in botocore's models is identified from its request alone.

The requests are botocore's own, with what is required and with everything, in every protocol that
the service accepts, at `localhost` under the host prefixes of their operations.
"""

from __future__ import annotations

import aws_requests as aws
import pytest
from botocore.model import OperationModel

from chaos.proxies.operations_models import operations, services, shapes
from chaos.proxies.request import ApiRequest, identify

# Two operations are one request; the one that is not deprecated is meant.
AMBIGUOUS = {
    "s3": {
        "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
        "GetBucketNotification": "GetBucketNotificationConfiguration",
        "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
        "PutBucketNotification": "PutBucketNotificationConfiguration",
    },
    "lex-models": {"StartImport": "ListImports"},  # of Lex V2
}
# The same request as ListBuckets, but real clients sign it with another name (see the next file).
SIGNED_OTHERWISE = {"s3": {"ListDirectoryBuckets": "ListBuckets"}}
# Ways to sign that name no region.
REGIONLESS = ("v2", "bearer")


def found(operation: OperationModel, protocol: str, *, all_members: bool) -> ApiRequest:
    return identify(*aws.on_the_wire(aws.serialized(operation, protocol, all_members=all_members)))


@pytest.mark.parametrize("service", aws.service_names())
def test_every_operation_is_identified(service: str) -> None:
    model = aws.model(service)
    unlike = AMBIGUOUS.get(service, {}) | SIGNED_OTHERWISE.get(service, {})
    regionless = model.metadata.get("signatureVersion") in REGIONLESS
    for operation in aws.operations(model):
        for protocol in aws.protocols(model):
            for all_members in (False, True) if protocol.startswith("rest") else (False,):
                seen = found(operation, protocol, all_members=all_members)
                region = None if regionless or aws.is_unsigned(operation) else aws.REGION
                assert (seen.region, seen.service, seen.operation) == (
                    region,
                    model.signing_name,
                    unlike.get(operation.name, operation.name),
                ), f"{operation.name} in {protocol}"


def test_the_sweep_is_of_everything_that_botocore_has() -> None:
    total = sum(len(aws.model(name).operation_names) for name in aws.service_names())
    assert total > 19_000
    assert sum(map(len, AMBIGUOUS.values())) == 5
    assert [service.name for service in services()] == aws.service_names()


@pytest.mark.parametrize("name", ["s3", "quicksight", "ec2", "drs", "macie2", "lambda"])
def test_a_part_of_a_model_is_what_botocore_reads(name: str) -> None:
    service = next(service for service in services() if service.name == name)
    model = aws.model(name)
    assert set(operations(service)) == set(model.operation_names)
    assert set(shapes(service)) == set(model.shape_names)
    assert service.signing == model.signing_name
    assert service.id == model.service_id

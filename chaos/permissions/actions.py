"""IAM's actions for operations as boto3 names them: mostly the same words, but not always.

Sources: the Service Authorization Reference, "Actions, resources, and condition keys for AWS
services", page by page for the services below, and botocore's models for all that is not here.
"""

from __future__ import annotations

from functools import cache

from chaos.errors import InvalidInput
from chaos.proxies.operations_models import operations, services

# Where the prefix of a service's actions is not the name that its calls are signed with. It is
# each page's "service prefix".
PREFIXES = {
    "cloudwatch": "cloudwatch",
    "iot-data": "iot",
    "iot-jobs-data": "iot",
    "resourcegroupstaggingapi": "tag",
}

# Where an operation takes actions of another name, or several, by boto3's service and operation.
OTHERWISE: dict[str, dict[str, tuple[str, ...]]] = {
    # "Actions defined by Amazon DynamoDB": transactions take those of their items.
    "dynamodb": {
        "transact_get_items": ("dynamodb:GetItem",),
        "transact_write_items": (
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ),
    },
    # "Actions defined by AWS Lambda".
    "lambda": {
        "invoke": ("lambda:InvokeFunction",),
        "invoke_with_response_stream": ("lambda:InvokeFunction",),
    },
    # "Required permissions for Amazon S3 API operations" in S3's guide.
    "s3": {
        "complete_multipart_upload": ("s3:PutObject",),
        "copy_object": ("s3:GetObject", "s3:PutObject"),
        "create_multipart_upload": ("s3:PutObject",),
        "delete_bucket_cors": ("s3:PutBucketCORS",),
        "delete_bucket_encryption": ("s3:PutEncryptionConfiguration",),
        "delete_bucket_lifecycle": ("s3:PutLifecycleConfiguration",),
        "delete_bucket_ownership_controls": ("s3:PutBucketOwnershipControls",),
        "delete_bucket_replication": ("s3:PutReplicationConfiguration",),
        "delete_bucket_tagging": ("s3:PutBucketTagging",),
        # With a version's id, and for a delete marker, it is another action.
        "delete_object": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        "delete_objects": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        "delete_public_access_block": ("s3:PutBucketPublicAccessBlock",),
        "get_bucket_accelerate_configuration": ("s3:GetAccelerateConfiguration",),
        "get_bucket_cors": ("s3:GetBucketCORS",),
        "get_bucket_encryption": ("s3:GetEncryptionConfiguration",),
        "get_bucket_lifecycle_configuration": ("s3:GetLifecycleConfiguration",),
        "get_bucket_notification_configuration": ("s3:GetBucketNotification",),
        "get_bucket_replication": ("s3:GetReplicationConfiguration",),
        "get_object_lock_configuration": ("s3:GetBucketObjectLockConfiguration",),
        "get_public_access_block": ("s3:GetBucketPublicAccessBlock",),
        "head_bucket": ("s3:ListBucket",),
        "head_object": ("s3:GetObject",),
        "list_buckets": ("s3:ListAllMyBuckets",),
        "list_multipart_uploads": ("s3:ListBucketMultipartUploads",),
        "list_object_versions": ("s3:ListBucketVersions",),
        "list_objects": ("s3:ListBucket",),
        "list_objects_v2": ("s3:ListBucket",),
        "list_parts": ("s3:ListMultipartUploadParts",),
        "put_bucket_accelerate_configuration": ("s3:PutAccelerateConfiguration",),
        "put_bucket_cors": ("s3:PutBucketCORS",),
        "put_bucket_encryption": ("s3:PutEncryptionConfiguration",),
        "put_bucket_lifecycle_configuration": ("s3:PutLifecycleConfiguration",),
        "put_bucket_notification_configuration": ("s3:PutBucketNotification",),
        "put_bucket_replication": ("s3:PutReplicationConfiguration",),
        "put_public_access_block": ("s3:PutBucketPublicAccessBlock",),
        "upload_part": ("s3:PutObject",),
        "upload_part_copy": ("s3:GetObject", "s3:PutObject"),
    },
    # "Actions defined by Amazon SNS".
    "sns": {"publish_batch": ("sns:Publish",)},
    # "Amazon SQS API permissions": a batch takes the action of one message.
    "sqs": {
        "change_message_visibility_batch": ("sqs:ChangeMessageVisibility",),
        "delete_message_batch": ("sqs:DeleteMessage",),
        "send_message_batch": ("sqs:SendMessage",),
    },
}
# "Actions defined by Amazon API Gateway": they are the methods of HTTP, whatever is done.
VERBS = {"delete": "DELETE", "get": "GET", "update": "PATCH"}


def actions(service: str, operation: str) -> tuple[str, ...]:
    """What it takes to call it, such as `("ec2:DescribeSubnets",)`.

    Raises InvalidInput for an operation that boto3 does not know.
    """
    name = _operations(service).get(_plain(operation))
    if name is None:
        raise InvalidInput(f"boto3 knows no operation {operation} of {service}")
    if service.startswith("apigateway") and "management" not in service:
        return (f"apigateway:{VERBS.get(operation.partition('_')[0], 'POST')}",)
    return OTHERWISE.get(service, {}).get(operation, (f"{prefix(service)}:{name}",))


@cache
def prefix(service: str) -> str:
    """What the service's actions begin with, by boto3's name for it."""
    return PREFIXES.get(service) or next(s.signing for s in services() if s.name == service)


@cache
def prefixes() -> frozenset[str]:
    """All that an action may begin with, as far as boto3 knows."""
    return frozenset(prefix(service.name) for service in services())


@cache
def _operations(service: str) -> dict[str, str]:
    """Their names in the model, by boto3's without its underscores, which follow no one rule."""
    model = next((s for s in services() if s.name == service), None)
    return {name.lower(): name for name in operations(model)} if model else {}


def _plain(operation: str) -> str:
    return operation.replace("_", "")

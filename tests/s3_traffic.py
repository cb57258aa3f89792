"""What SDKs send to S3 and its kin, to be passed on unharmed: on moto, and on LocalStack."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import urllib.request
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from proxied import client_of, names_at_home

MIB = 2**20
BIG = hashlib.shake_256(b"body").digest(6 * MIB)
SMALL = BIG[:100_000]


def virtual_host_style(port: int, bucket: str) -> None:
    """The bucket stands in the host's name, which is signed."""
    with names_at_home("amazonaws.com"):
        s3 = client_of("s3", f"http://s3.amazonaws.com:{port}", s3={"addressing_style": "virtual"})
        s3.put_object(Bucket=bucket, Key="virtual/host", Body=SMALL)
        asked = s3.get_object(Bucket=bucket, Key="virtual/host")
        assert asked["Body"].read() == SMALL
        keys = s3.list_objects_v2(Bucket=bucket, Prefix="virtual/")["Contents"]
        assert [key["Key"] for key in keys] == ["virtual/host"]


def checksums(s3: Any, bucket: str) -> None:
    """In the header, as over plain HTTP; judged by the other side and when it comes back."""
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        s3.put_object(Bucket=bucket, Key=algorithm, Body=SMALL, ChecksumAlgorithm=algorithm)
        asked = s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
        assert asked["Body"].read() == SMALL
        assert asked[f"Checksum{algorithm}"]


def aws_chunked(port: int, bucket: str) -> None:
    """As SDKs upload streams over TLS: chunks in chunks, and the checksum in a trailer."""
    crc = base64.b64encode(zlib.crc32(SMALL).to_bytes(4)).decode()
    inner = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (SMALL[:65536], SMALL[65536:]))
    inner += b"0\r\nx-amz-checksum-crc32:" + crc.encode() + b"\r\n\r\n"
    headers = {
        "Content-Encoding": "aws-chunked",
        "Transfer-Encoding": "chunked",
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": str(len(SMALL)),
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    pieces = (inner[at : at + 7001] for at in range(0, len(inner), 7001))
    connection.request("PUT", f"/{bucket}/streamed", pieces, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def streamed(port: int, s3: Any, bucket: str) -> None:
    """What came in chunks is whole."""
    aws_chunked(port, bucket)
    assert s3.get_object(Bucket=bucket, Key="streamed")["Body"].read() == SMALL


def multipart(s3: Any, bucket: str) -> None:
    """Parts at the same time on several connections."""
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(BIG), bucket, "parts", Config=parts)
    copy = io.BytesIO()
    s3.download_fileobj(bucket, "parts", copy, Config=parts)
    assert copy.getvalue() == BIG


def presigned(endpoint: str, bucket: str) -> None:
    """By both versions of the signature, up and down."""
    for version in ("s3", "s3v4"):
        signer = client_of("s3", endpoint, signature_version=version)
        where = {"Bucket": bucket, "Key": f"signed-{version}"}
        url = signer.generate_presigned_url("put_object", Params=where)
        kind = {"Content-Type": "video/mp4"}
        upload = urllib.request.Request(url, SMALL, kind, method="PUT")  # noqa: S310  # ours
        with urllib.request.urlopen(upload) as answer:  # noqa: S310  # ours
            assert answer.status == 200
        url = signer.generate_presigned_url("get_object", Params=where)
        with urllib.request.urlopen(url) as answer:  # noqa: S310  # ours
            assert answer.read() == SMALL


def answers_without_a_body(s3: Any, bucket: str) -> None:
    """HEAD, 304, 204, and errors that have one."""
    s3.put_object(Bucket=bucket, Key="one", Body=SMALL)
    head = s3.head_object(Bucket=bucket, Key="one")
    assert head["ContentLength"] == len(SMALL)
    with pytest.raises(ClientError, match="304"):
        s3.get_object(Bucket=bucket, Key="one", IfNoneMatch=head["ETag"])
    s3.delete_object(Bucket=bucket, Key="one")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=bucket, Key="one")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="one")


def sqs_batches(sqs: Any, name: str) -> None:
    """Ten at once, there and back."""
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        entries = [{"Id": str(n), "MessageBody": f"ä {n}" * 1000} for n in range(10)]
        assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]) == 10
        bodies: set[str] = set()
        for _ in range(20):
            asked = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            bodies |= {message["Body"] for message in asked.get("Messages", [])}
            if len(bodies) == 10:
                break
        assert bodies == {entry["MessageBody"] for entry in entries}
    finally:
        sqs.delete_queue(QueueUrl=queue)


def ec2_pages(ec2: Any) -> None:
    """Page after page on one connection."""
    pages = ec2.get_paginator("describe_instance_types").paginate(
        PaginationConfig={"PageSize": 100}
    )
    assert sum(len(page["InstanceTypes"]) for page in pages) > 100


# By what it is: the port of the proxy, its URL, and a bucket there.
TRAFFIC: dict[str, Callable[[int, str, str], None]] = {
    "virtual host": lambda port, _, bucket: virtual_host_style(port, bucket),
    "checksums": lambda _, url, bucket: checksums(client_of("s3", url), bucket),
    "chunks in chunks": lambda port, url, bucket: streamed(port, client_of("s3", url), bucket),
    "parts": lambda _, url, bucket: multipart(client_of("s3", url), bucket),
    "presigned": lambda _, url, bucket: presigned(url, bucket),
    "no body": lambda _, url, bucket: answers_without_a_body(client_of("s3", url), bucket),
    "batches": lambda _, url, bucket: sqs_batches(client_of("sqs", url), bucket),
    "pages": lambda _, url, __: ec2_pages(client_of("ec2", url)),
}

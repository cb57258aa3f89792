"""S3's two styles of addressing: the bucket first in the path, or first in the host's name."""

from __future__ import annotations

import re
from functools import lru_cache

from chaos.proxies.operations_index import S3

# What S3 has beside buckets; a host may begin with an account or a route there.
S3_CONTROL, OUTPOSTS, OBJECT_LAMBDA = b"/v20180820/", b"/S3Outposts/", b"/WriteGetObjectResponse"
# `bucket.s3.eu-west-1.amazonaws.com`, `bucket.s3express-use1-az4.…`, and what SDKs make of an
# endpoint `localhost`. Any other name is taken for the endpoint's own.
VIRTUAL = re.compile(rb"(.+)\.s3(?:express)?[.-].*|(.+?)\.localhost(?:\.localstack\.cloud)?")


def in_path_style(service: str, path: bytes, host: bytes) -> bytes:
    """The path of a request, with its bucket when S3 was asked with that in the host."""
    if service not in S3 or path.startswith((S3_CONTROL, OUTPOSTS, OBJECT_LAMBDA)):
        return path
    return bucket_of(host) + path


@lru_cache(maxsize=1024)
def bucket_of(host: bytes) -> bytes:
    """`/bucket` when the host begins with one, else nothing."""
    name = host.partition(b":")[0].lower()
    found = None if name.startswith((b"s3.", b"s3-")) else VIRTUAL.fullmatch(name)
    return b"/" + (found[1] or found[2]) if found else b""

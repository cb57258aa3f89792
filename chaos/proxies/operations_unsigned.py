"""Region and service of a request without a signature, from whatever else it says.

Nobody signs the first call of a sign-in, or an anonymous read of S3. Under an endpoint override
the host says nothing either; an SDK's user agent still does (`api/s3#3.1`), but boto3's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chaos.proxies.operations_index import index, plain
from chaos.proxies.operations_models import operations

# `bucket.s3.eu-west-1.amazonaws.com`, `sts.amazonaws.com`, `s3-us-west-2.amazonaws.com`,
# `sqs.us-east-1.localhost.localstack.cloud`: what leads, and the region.
HOST = re.compile(
    r"(?P<lead>[^:]+?)(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?"
    r"\.(?:amazonaws\.\w+(?:\.cn)?|api\.aws|localhost\.localstack\.cloud)(?::\d+)?"
)
VARIANT = re.compile(r"\.dualstack$|-fips$")
AGENT = re.compile(r"(?:^|\s)api/([\w-]+?)[#/]")


@lru_cache(maxsize=1024)
def of_host(host: str) -> tuple[str | None, str | None]:
    """Region and signing name that AWS's own names of hosts say."""
    said = HOST.fullmatch(host.lower())
    if said is None:
        return None, None
    labels = VARIANT.sub("", said["lead"]).split(".")
    for first in range(len(labels)):  # a bucket's or an account's name may lead
        if found := index().endpoint.get(".".join(labels[first:])):
            return said["region"], found[0].signing
    return said["region"], None


@lru_cache(maxsize=1024)
def of_agent(user_agent: str) -> str | None:
    """The signing name of the service that an SDK says it calls."""
    said = AGENT.search(user_agent)
    found = index().id.get(plain(said[1]), ()) if said else ()
    return found[0].signing if found else None


@lru_cache(maxsize=1024)
def of_target(prefix: str) -> str | None:
    """The signing name of the service that X-Amz-Target, or `/service/` in a path, names."""
    found = index().target.get(prefix, ())
    return found[0].signing if found else None


@lru_cache(maxsize=1024)
def of_version(version: str, operation: str) -> str | None:
    """The signing name of the service that has that operation in forms of that version."""
    found = index().version.get(version, ())
    if len({service.signing for service in found}) > 1:
        found = tuple(service for service in found if operation in operations(service))
    return found[0].signing if found else None

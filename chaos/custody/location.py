"""What the URL of a store says: which service, which region, which name, which key."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from chaos.errors import InvalidInput

DEFAULT_REGION = "us-east-1"
EXAMPLES = (
    "s3://bucket/prefix, ssm:/path?region=eu-west-1 or dynamodb:table?region=eu-west-1,"
    " each with &kms=KEY-ARN if a key of your own is to encrypt it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """What the URL of a store says."""

    url: str
    kind: str
    name: str  # the bucket, the table, or the path of the parameters
    prefix: str = ""
    region: str = DEFAULT_REGION
    kms: str | None = None


def locate(url: str) -> Location:
    """Read the URL of a store; raises InvalidInput."""
    kind, _, rest = url.partition(":")
    path, _, query = rest.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(asked) - {"region", "kms"})
    name, _, prefix = path.removeprefix("//").partition("/") if kind == "s3" else (path, "", "")
    begins = {"s3": "//", "ssm": "/", "dynamodb": ""}.get(kind)
    known = begins is not None and path.startswith(begins)
    if not known or not name.strip("/") or (kind != "ssm" and name.startswith("/")):
        raise InvalidInput(f"{url!r} names no undo log; write {EXAMPLES}")
    if unknown:
        raise InvalidInput(f"the undo log {url!r} has {unknown[0]!r}, which is not known; write"
                           f" {EXAMPLES}")  # fmt: skip
    if kind != "s3" and not asked.get("region"):
        raise InvalidInput(
            f"the undo log {url!r} does not say its region, and every machine must find it;"
            " add ?region=eu-west-1"
        )
    return Location(
        url=url,
        kind=kind,
        name=name.rstrip("/"),
        prefix=f"{prefix.strip('/')}/" if prefix.strip("/") else "",
        region=asked.get("region") or DEFAULT_REGION,
        kms=asked.get("kms") or None,
    )

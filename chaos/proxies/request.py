"""What a request to the AWS API asks for: region, service and operation, from its own bytes.

The credential scope of Signature Version 4 names the region and the service's signing name
(AWS General Reference, "Elements of an AWS API request signature").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from chaos.proxies.framing import RequestHead

FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call of the AWS API; what the request does not say is None.

    `service` is the signing name (`monitoring` for CloudWatch). A request that is not signed, or
    only by Signature Version 2, says no region. REST services say no operation.
    """

    region: str | None = None
    service: str | None = None
    operation: str | None = None
    access_key: str | None = None


def is_form(head: RequestHead) -> bool:
    """Whether the operation stands in the body: `Action=` in a form."""
    return b"x-amz-target" not in head.headers and (
        head.headers.get(b"content-type", b"").lower().startswith(FORM)
    )


def action_of(form: bytes) -> bytes | None:
    """The value of `Action` in a form or a query string."""
    return _parameter(form, b"Action")


def identify(head: RequestHead, body: bytes = b"") -> ApiRequest:
    """Read a request; `body` is the beginning of its body, which only forms need."""
    path, _, query = head.target.partition(b"?")
    access_key, region, service = _signer(head.headers, query)
    return ApiRequest(
        region=_text(region),
        service=_text(service),
        operation=_text(_operation(head, path, query, body)),
        access_key=_text(access_key),
    )


def _signer(
    headers: Mapping[bytes, bytes], query: bytes
) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Access key, region and service."""
    authorization = headers.get(b"authorization", b"")
    at = authorization.find(b"Credential=")
    if at >= 0:
        credential = authorization[at + 11 :].partition(b",")[0].strip()
        regions = headers.get(b"x-amz-region-set")
        return _scope(credential, asymmetric=b"AWS4-ECDSA" in authorization, regions=regions)
    if credential_in_query := _parameter(query, b"X-Amz-Credential"):
        asymmetric = b"X-Amz-Algorithm=AWS4-ECDSA" in query
        regions = _parameter(query, b"X-Amz-Region-Set")
        return _scope(credential_in_query, asymmetric=asymmetric, regions=regions)
    # Signature Version 2 lives on in S3 alone: botocore still presigns with it by default.
    if authorization.startswith(b"AWS "):
        return authorization[4:].partition(b":")[0], None, b"s3"
    if key := _parameter(query, b"AWSAccessKeyId"):
        return key, None, b"s3"
    return None, None, None


def _scope(
    credential: bytes, *, asymmetric: bool, regions: bytes | None
) -> tuple[bytes | None, bytes | None, bytes | None]:
    """`KEY/20260101/us-east-1/s3/aws4_request`; Version 4A has the regions elsewhere."""
    parts = credential.split(b"/")
    if asymmetric and len(parts) >= 4:
        return b"/".join(parts[:-3]), regions, parts[-2]
    if not asymmetric and len(parts) >= 5:
        return b"/".join(parts[:-4]), parts[-3], parts[-2]
    return None, None, None


def _operation(head: RequestHead, path: bytes, query: bytes, body: bytes) -> bytes | None:
    target = head.headers.get(b"x-amz-target")
    if target is not None:
        return target.rpartition(b".")[2]
    if is_form(head):
        return action_of(body) or action_of(query)
    if path.startswith(b"/service/"):  # Smithy RPC v2: /service/X/operation/Y
        service, found, operation = path[9:].partition(b"/operation/")
        return operation if found and service and b"/" not in service + operation else None
    return action_of(query)


def _parameter(form: bytes, name: bytes) -> bytes | None:
    at = (b"&" + form).find(b"&" + name + b"=")
    if at < 0:
        return None
    return unquote_to_bytes(form[at + len(name) + 1 :].partition(b"&")[0])


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value else None

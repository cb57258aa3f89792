"""What a request to the AWS API asks for: region, service and operation, from its own bytes.

The credential scope of Signature Version 4 names the region and the service's signing name
(AWS General Reference, "Elements of an AWS API request signature").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, unquote_to_bytes

from chaos.proxies import operations_unsigned as unsigned
from chaos.proxies.framing import RequestHead
from chaos.proxies.operations import rest_operation, rest_operation_unsigned
from chaos.proxies.s3_style import in_path_style

FORM = b"application/x-www-form-urlencoded"
# `POST /service/X/operation/Y` of Smithy RPC v2.
RPC, RPC_OPERATION = b"/service/", b"/operation/"

Signer = tuple[str | None, str | None, str | None]  # access key, region, signing name


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call of the AWS API; what the request does not say is None.

    `service` is the signing name (`monitoring` for CloudWatch), `operation` is as botocore's
    models write it, and `path` is decoded, without the query; of S3 it always begins with the
    bucket, in whichever style it was asked. Signature Version 2 says no region, and without a
    signature only AWS's own names of hosts do.
    """

    region: str | None = None
    service: str | None = None
    operation: str | None = None
    access_key: str | None = None
    method: str | None = None
    path: str = ""


def is_form(head: RequestHead) -> bool:
    """Whether the operation stands in the body: `Action=` in a form."""
    return (
        head.method == b"POST"
        and b"x-amz-target" not in head.headers
        and head.headers.get(b"content-type", b"").lower().startswith(FORM)
    )


def action_of(form: bytes) -> bytes | None:
    """The value of `Action` in a form or a query string."""
    return _parameter(form, b"Action")


def identify(head: RequestHead, body: bytes = b"") -> ApiRequest:
    """Read a request; `body` is the beginning of its body, which only forms need."""
    path, _, query = head.target.partition(b"?")
    form = body if is_form(head) else b""
    access_key, region, service = _signer(head.headers, query)
    prefix, operation = _named(head.headers, path, query, form)
    if service is None:
        region, service = _unsigned(head.headers, prefix, operation, form or query)
        access_key = access_key or _text(_parameter(form, b"AWSAccessKeyId"))
    if operation is None and service is None:
        service, operation = rest_operation_unsigned(head.method, path, query, head.headers)
    elif operation is None and service is not None:
        path = in_path_style(service, path, head.headers.get(b"host", b""))
        operation = rest_operation(service, head.method, path, query, head.headers)
        if operation is None and form:  # CloudSearch's documented way around long queries
            operation = rest_operation(service, b"GET", path, form, head.headers)
    return ApiRequest(
        region=region,
        service=service,
        operation=operation,
        access_key=access_key,
        method=head.method.decode("latin-1"),
        path=_decoded(path),
    )


def _signer(headers: Mapping[bytes, bytes], query: bytes) -> Signer:
    authorization = headers.get(b"authorization", b"")
    at = authorization.find(b"Credential=")
    if at >= 0:
        credential = authorization[at + 11 :].partition(b",")[0]
        regions = headers.get(b"x-amz-region-set")
        return _scope(credential, b"AWS4-ECDSA" in authorization, regions)
    if credential_in_query := _parameter(query, b"X-Amz-Credential"):
        asymmetric = b"X-Amz-Algorithm=AWS4-ECDSA" in query
        return _scope(credential_in_query, asymmetric, _parameter(query, b"X-Amz-Region-Set"))
    return _version_2(authorization, query)


def _version_2(authorization: bytes, query: bytes) -> Signer:
    """Signature Version 2: botocore still presigns S3's URLs with it by default."""
    if authorization.startswith(b"AWS "):
        return _text(authorization[4:].partition(b":")[0]), None, "s3"
    if key := _parameter(query, b"AWSAccessKeyId"):
        other = b"SignatureVersion=" in query  # of SimpleDB and its like
        return _text(key), None, None if other else "s3"
    return None, None, None


@lru_cache(maxsize=1024)
def _scope(credential: bytes, asymmetric: bool, regions: bytes | None) -> Signer:
    """`KEY/20260101/us-east-1/s3/aws4_request`; Version 4A has the regions elsewhere."""
    parts = credential.strip().split(b"/")
    if asymmetric and len(parts) >= 4:
        return _text(b"/".join(parts[:-3])), _text(regions), _text(parts[-2])
    if not asymmetric and len(parts) >= 5:
        return _text(b"/".join(parts[:-4])), _text(parts[-3]), _text(parts[-2])
    return None, None, None


def _named(
    headers: Mapping[bytes, bytes], path: bytes, query: bytes, form: bytes
) -> tuple[bytes, str | None]:
    """The operation that the request itself names, and what stands before the name."""
    if target := headers.get(b"x-amz-target"):
        prefix, _, operation = target.rpartition(b".")
        return prefix, _text(operation)
    if path.startswith(RPC):
        prefix, found, operation = path[len(RPC) :].partition(RPC_OPERATION)
        if found and prefix and b"/" not in prefix + operation:
            return prefix, _text(operation)
    return b"", _text(action_of(form) or action_of(query))


def _unsigned(
    headers: Mapping[bytes, bytes], prefix: bytes, operation: str | None, form: bytes
) -> tuple[str | None, str | None]:
    """Region and signing name of a request that has no scope, as far as it says."""
    region, service = unsigned.of_host(_str(headers.get(b"host", b"")))
    if operation and not service:
        version = _str(_parameter(form, b"Version") or b"")
        service = unsigned.of_target(_str(prefix)) or unsigned.of_version(version, operation)
    return region, service or unsigned.of_agent(_str(headers.get(b"user-agent", b"")))


def _parameter(form: bytes, name: bytes) -> bytes | None:
    if name not in form:
        return None
    at = (b"&" + form).find(b"&" + name + b"=")
    if at < 0:
        return None
    return unquote_to_bytes(form[at + len(name) + 1 :].partition(b"&")[0])


def _decoded(path: bytes) -> str:
    text = path.decode("latin-1")
    return unquote(text, errors="replace") if "%" in text else text


def _str(value: bytes) -> str:
    return value.decode("latin-1")


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value else None

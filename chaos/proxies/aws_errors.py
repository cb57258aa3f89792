"""Error responses in the protocol of the very request, so that every SDK raises the right code.

A JSON body sent to a client that reads XML makes it raise a parser's error instead, and its code
for throttling or failing over is never tried. Formats: Smithy's AWS protocols; Amazon S3 API
Reference, "Error responses"; Amazon EC2 API Reference, "Error codes".
"""

from __future__ import annotations

import json
import uuid
from typing import Literal
from xml.sax.saxutils import escape

from chaos.proxies.framing import RequestHead, response
from chaos.proxies.operations_index import S3, spoken_by
from chaos.proxies.request import ApiRequest, action_of, is_form
from chaos.proxies.s3_style import OUTPOSTS, S3_CONTROL

Protocol = Literal["query", "ec2", "s3", "rest-xml", "rest-json", "json", "cbor"]

REST = {"rest-json", "rest-xml"}

# SQS, which once spoke forms: codes of that time that are no names of today's exceptions.
# (Amazon SQS API Reference, "Common errors"; the `awsQueryError` traits of its Smithy model.)
SQS_CODE = "AWS.SimpleQueueService."
SQS_EXCEPTIONS = {
    "NonExistentQueue": "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
    "KMS.AccessDeniedException": "KmsAccessDenied",
    "KMS.DisabledException": "KmsDisabled",
    "KMS.InvalidKeyUsageException": "KmsInvalidKeyUsage",
    "KMS.InvalidStateException": "KmsInvalidState",
    "KMS.NotFoundException": "KmsNotFound",
    "KMS.OptInRequired": "KmsOptInRequired",
    "KMS.ThrottlingException": "KmsThrottled",
}

WRAPPED = (
    "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>{id}</RequestId></ErrorResponse>"
)
XML: dict[Protocol, str] = {
    "query": WRAPPED,
    "rest-xml": WRAPPED,
    "ec2": (
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        "<RequestID>{id}</RequestID></Response>"
    ),
    "s3": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        "<Message>{message}</Message><RequestId>{id}</RequestId></Error>"
    ),
}


def protocol_of(head: RequestHead, request: ApiRequest) -> Protocol:
    """The protocol that the request speaks: some services accept several."""
    kind = head.headers.get(b"content-type", b"")
    if b"smithy-protocol" in head.headers or b"cbor" in kind:
        return "cbor"
    if b"x-amz-target" in head.headers or b"x-amz-json" in kind:
        return "json"
    path, _, query = head.target.partition(b"?")
    if request.service in S3:
        return _of_s3(path)
    spoken = spoken_by(request.service or "")
    # Who is REST too speaks forms at the root alone.
    if (is_form(head) or action_of(query)) and (path == b"/" or not spoken & REST):
        return "ec2" if request.service == "ec2" else "query"
    return "rest-xml" if "rest-xml" in spoken else "rest-json"


def _of_s3(path: bytes) -> Protocol:
    """S3 Control wraps its errors as Route 53 does."""
    if path.startswith(OUTPOSTS):
        return "rest-json"
    return "rest-xml" if path.startswith(S3_CONTROL) else "s3"


def error_response(
    head: RequestHead,
    request: ApiRequest,
    *,
    status: int,
    code: str,
    message: str,
    keep_alive: bool = True,
) -> bytes:
    """A whole HTTP response that says `code` and `message`; its request id begins with `chaos-`."""
    request_id = f"chaos-{uuid.uuid4()}"
    protocol = protocol_of(head, request)
    fault = "Sender" if status < 500 else "Receiver"
    exception = _exception(code) if request.service == "sqs" and protocol == "json" else code
    body = _body(protocol, code=exception, message=message, id=request_id, fault=fault)
    headers = {"Content-Type": _content_type(protocol, head)}
    headers["x-amz-request-id" if protocol == "s3" else "x-amzn-requestid"] = request_id
    if protocol == "rest-json":
        headers["x-amzn-errortype"] = code
    if protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
    if b"x-amzn-query-mode" in head.headers:  # the code that forms had, for those who knew it
        headers["x-amzn-query-error"] = f"{code};{fault}"
    return response(status, headers, body, keep_alive=keep_alive, method=head.method)


def _exception(code: str) -> str:
    """The name of SQS's exception for a code of its older protocol."""
    short = code.removeprefix(SQS_CODE)
    return SQS_EXCEPTIONS.get(short, short)


def _content_type(protocol: Protocol, head: RequestHead) -> str:
    asked = head.headers.get(b"content-type", b"").decode("latin-1")
    if protocol == "json":
        return asked if "x-amz-json" in asked else "application/x-amz-json-1.0"
    if protocol == "cbor":
        return asked if "cbor" in asked else "application/cbor"
    return {"rest-json": "application/json", "s3": "application/xml"}.get(protocol, "text/xml")


def _body(protocol: Protocol, **said: str) -> bytes:
    if protocol == "cbor":
        return b"\xa2" + _cbor("__type", said["code"]) + _cbor("message", said["message"])
    if protocol == "json":
        return json.dumps({"__type": said["code"], "message": said["message"]}).encode()
    if protocol == "rest-json":
        return json.dumps({"code": said["code"], "message": said["message"]}).encode()
    return XML[protocol].format(**{name: escape(text) for name, text in said.items()}).encode()


def _cbor(*texts: str) -> bytes:
    """Text strings: major type 3, each with its length in two bytes (RFC 8949 §3.1)."""
    data = [text.encode() for text in texts]
    return b"".join(b"\x79" + len(text).to_bytes(2, "big") + text for text in data)

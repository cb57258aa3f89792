"""Requests as botocore writes them, for any operation of any service, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.auth import SigV2Auth, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, create_request_object, prepare_request_dict
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.serialize import create_serializer

from chaos.proxies.framing import RequestHead, parse_request

CREDENTIALS = Credentials("AKIDSWEEP", "secret")
REGION = "eu-central-1"
HOST = "localhost:4566"
# What labels may need to be: a host prefix checks its own.
LABELS = {
    "AccountId": "123456789012",
    "KvsARN": "arn:aws:cloudfront::123456789012:key-value-store/name",
}


@cache
def _loader() -> Loader:
    return Loader()


def service_names() -> list[str]:
    names: list[str] = _loader().list_available_services("service-2")
    return names


def model(service: str) -> ServiceModel:
    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


def protocols(service: ServiceModel) -> list[str]:
    """All that the service accepts."""
    return list(service.metadata.get("protocols") or [service.metadata["protocol"]])


def arguments(shape: Shape | None, *, all_members: bool, depth: int = 0) -> Any:
    """A value for a shape: with what is required, or with everything two levels deep."""
    if isinstance(shape, StructureShape):
        wanted = shape.members if all_members and depth < 2 else shape.required_members
        if getattr(shape, "is_tagged_union", False) and shape.members:
            wanted = list(shape.members)[:1] if depth < 4 else []
        return {
            name: arguments(shape.members[name], all_members=all_members, depth=depth + 1)
            for name in wanted
            if depth < 6
        }
    if isinstance(shape, ListShape):
        return [arguments(shape.member, all_members=all_members, depth=depth + 1)]
    if isinstance(shape, MapShape):
        return {"key": arguments(shape.value, all_members=all_members, depth=depth + 1)}
    return {} if shape is None else _scalar(shape)


def _scalar(shape: Shape) -> Any:
    if shape.type_name in ("integer", "long", "float", "double"):
        return 7
    simple: dict[str, Any] = {"boolean": True, "timestamp": 1_767_225_600, "blob": b"blob"}
    if shape.type_name in simple:
        return simple[shape.type_name]
    enum = getattr(shape, "enum", None)
    text = enum[0] if enum else LABELS.get(shape.name, "name")
    return text.ljust(shape.metadata.get("min", 0), "x")


def serialized(
    operation: OperationModel, protocol: str, *, all_members: bool = False, host: str = HOST
) -> AWSPreparedRequest:
    """The request that botocore would send, signed as the operation wants it."""
    arguments_ = arguments(operation.input_shape, all_members=all_members)
    serializer = create_serializer(protocol, include_validation=False)
    said = serializer.serialize_to_request(arguments_, operation)
    prefix = _host_prefix(operation, arguments_)
    prepare_request_dict(said, f"http://{prefix}{host}", {"is_presign_request": False})
    said["headers"].setdefault("User-Agent", "Boto3/1.44")
    request = create_request_object(said)
    _sign(request, operation)
    prepared: AWSPreparedRequest = request.prepare()
    return prepared


def _host_prefix(operation: OperationModel, given: dict[str, Any]) -> str:
    endpoint: Any = operation.endpoint or {}
    return str(
        endpoint.get("hostPrefix", "").format(**{name: given.get(name) or "name" for name in given})
    )


def is_unsigned(operation: OperationModel) -> bool:
    return operation.auth_type == "none" or "smithy.api#noAuth" in (operation.auth or ())


def _sign(request: Any, operation: OperationModel) -> None:
    service = operation.service_model
    version = service.metadata.get("signatureVersion")
    if is_unsigned(operation):
        return
    if version == "bearer":
        request.headers["Authorization"] = "Bearer token"
    elif version == "v2":
        SigV2Auth(CREDENTIALS).add_auth(request)
    else:
        SigV4Auth(CREDENTIALS, service.signing_name, REGION).add_auth(request)


def on_the_wire(request: AWSPreparedRequest) -> tuple[RequestHead, bytes]:
    """The head of a request, and its body if that is a form."""
    start = request.url.partition("://")[2].partition("/")
    fields = [(name, _text(value)) for name, value in request.headers.items()]
    if not any(name.lower() == "host" for name, _ in fields):
        fields.append(("Host", start[0]))
    lines = [f"{request.method} /{start[2]} HTTP/1.1", *(f"{n}: {v}" for n, v in fields), "", ""]
    body = request.body or b""
    form = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    return parse_request("\r\n".join(lines).encode()), form


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def operations(service: ServiceModel) -> Iterator[OperationModel]:
    for name in service.operation_names:
        yield service.operation_model(name)

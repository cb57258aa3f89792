"""Injected errors are read under their own code by botocore's parser of every protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aws_requests as aws
import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel
from botocore.parsers import create_parser

from chaos.proxies.aws_errors import error_response
from chaos.proxies.request import identify

CODES = ["ThrottlingException", "AWS.SimpleQueueService.NonExistentQueue", "InvalidID.NotFound"]


def spread(service: str) -> Iterator[OperationModel]:
    """The first operation of each method that a service has."""
    model = aws.model(service)
    first: dict[str, OperationModel] = {}
    for operation in aws.operations(model):
        first.setdefault(operation.http["method"], operation)
    yield from (operation for method, operation in first.items() if method != "HEAD")


@pytest.mark.parametrize("service", aws.service_names())
def test_every_protocol_of_every_service_says_the_code(service: str) -> None:
    for operation in spread(service):
        for protocol in aws.protocols(operation.service_model):
            head, form = aws.on_the_wire(aws.serialized(operation, protocol))
            for code in CODES:
                said = error_response(
                    head, identify(head, form), status=400, code=code, message="é"
                )
                start, _, body = said.partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in start.decode().split("\r\n")[1:])
                answer = {"headers": HeadersDict(fields), "status_code": 400, "body": body}
                parser: Any = create_parser(protocol)
                read = parser.parse(answer, operation.output_shape)
                assert read["Error"]["Code"] == code, f"{operation.name} in {protocol}"
                assert read["Error"]["Message"] == "é", f"{operation.name} in {protocol}"

from __future__ import annotations

import uuid

import pytest
from conftest import Fault
from orders import NotAnnounced, Orders


def test_an_order_can_be_taken_and_read() -> None:
    orders, number = Orders(), str(uuid.uuid4())
    orders.take(number, ["tea", "milk"])
    assert orders.items(number) == ["tea", "milk"]


def test_an_order_is_kept_when_the_queue_is_down(aws_fault: Fault) -> None:
    orders, number = Orders(), str(uuid.uuid4())
    queue_down = aws_fault(service="sqs", operation="SendMessage", error={"statusCode": 503})
    with queue_down, pytest.raises(NotAnnounced):
        orders.take(number, ["tea"])
    assert orders.items(number) == ["tea"]

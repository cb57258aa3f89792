"""The AWS SDK for JavaScript stays inside a proxy before LocalStack, as localstack/start has it."""

from __future__ import annotations

from urllib.parse import urlsplit

from sdk_js import calls, installed, needs_node
from through import Put, through


@needs_node
def test_sqs_of_javascript_stays_inside_the_proxy(localstack: str) -> None:
    """It calls the host of the QueueUrl: LocalStack's default names LocalStack's own there."""
    installed()
    at = urlsplit(localstack)
    assert at.hostname
    assert at.port

    def use(endpoint: str, _put: Put) -> None:
        (made,) = calls(endpoint, ("sqs", "CreateQueue", {"QueueName": "javascript"}))
        queue = {"QueueUrl": made["output"]["QueueUrl"]}
        assert queue["QueueUrl"].startswith(f"{endpoint}/")
        sent, gone = calls(
            endpoint,
            ("sqs", "SendMessage", queue | {"MessageBody": "encode 1"}),
            ("sqs", "DeleteQueue", queue),
        )
        assert "output" in sent
        assert "output" in gone

    seen = through((at.hostname, at.port), use)
    assert [request.operation for request in seen] == ["CreateQueue", "SendMessage", "DeleteQueue"]

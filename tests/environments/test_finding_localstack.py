"""Finding a LocalStack: who is asked, what is believed, and what is said when it is not there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from emulators import HEALTH, PAGES, answering
from upstreams import moto_server

from chaos.environments import localstack
from chaos.environments.localstack import find
from chaos.environments.offered import missing, refuse_missing
from chaos.errors import EnvironmentFailed, InvalidInput

HOW = r"localstack/start.*compose\.yaml.*--endpoint URL, or LOCALSTACK_ENDPOINT"


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed() -> Iterator[str]:
    """A port that is taken and where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_it_tells_its_version_its_session_and_the_services_that_can_be_used() -> None:
    with answering(PAGES) as url:
        found = find(url)
    assert (found.endpoint, found.url, found.version) == (url, url, "2026.3.0")
    assert (found.session, found.licensed) == ("first", False)
    assert found.services == {"ec2", "route53"}
    assert found.name == f"LocalStack 2026.3.0 at {url}"


def test_the_endpoint_given_comes_before_those_configured(
    monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    with answering(PAGES) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url + "/")
        assert find().endpoint == url
        monkeypatch.setenv("LOCALSTACK_ENDPOINT", closed)
        with pytest.raises(EnvironmentFailed, match=closed):
            find()
        assert find(url).endpoint == url


def test_without_any_it_is_looked_for_at_its_usual_port(
    monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    monkeypatch.setattr(localstack, "DEFAULT", closed)
    with pytest.raises(EnvironmentFailed, match=f"no LocalStack answers at {closed}; .*{HOW}"):
        find()


def test_a_name_is_resolved_once() -> None:
    with answering(PAGES) as url:
        named = url.replace("127.0.0.1", "localhost")
        found = find(named)
    assert (found.endpoint, found.url) == (named, url)


def test_an_emulator_that_only_speaks_the_aws_api_will_do() -> None:
    with moto_server() as (host, port):
        found = find(f"http://{host}:{port}")
        assert (found.version, found.services) == ("", frozenset())
        assert asyncio.run(missing(found, ["ec2", "sqs", "timestream-query"])) == {
            "timestream-query": "it does not list it"
        }


@pytest.mark.parametrize("pages", [{}, {"/_localstack/health": "<html>"}])
def test_a_server_of_something_else_is_none(pages: dict[str, str]) -> None:
    with answering(pages) as url, pytest.raises(EnvironmentFailed, match="neither LocalStack nor"):
        find(url)


def test_one_that_refuses_us_wants_a_token() -> None:
    refused = pytest.raises(EnvironmentFailed, match=r"HTTP 403.*LOCALSTACK_AUTH_TOKEN")
    with answering(PAGES, status=403) as url, refused:
        find(url)


def test_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(localstack, "ANSWER_WITHIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(EnvironmentFailed, match=r"does not answer within 0\.5 s"):
            find(url)


def test_what_is_no_http_is_no_localstack() -> None:
    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()

    async def ssh() -> None:
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(EnvironmentFailed, match="no LocalStack answers"):
                await localstack.look(f"http://127.0.0.1:{port}")

    asyncio.run(ssh())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://ec2.us-east-1.amazonaws.com", "names AWS itself"),
        ("http://s3.us-east-1.api.aws", "names AWS itself"),
        ("http://amazonaws.com", "names AWS itself"),
        ("http://S3.AmazonAWS.com.", "names AWS itself"),
        ("", "no endpoint: ''"),
        ("http://me:secret@127.0.0.1:4566", "has a name or a password in it"),
        ("https://127.0.0.1:4566", r"plain HTTP.*http://127\.0\.0\.1:4566"),
        ("127.0.0.1:4566", "no endpoint: '127.0.0.1:4566'; write it as http://127.0.0.1:4566"),
        ("http://127.0.0.1:4566/aws", "no endpoint"),
        ("http://[::1", "no URL"),
        ("http://127.0.0.1:99999", "no URL"),
    ],
)
def test_an_endpoint_that_cannot_be_one_is_refused_unasked(url: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=f"--endpoint.*{says}"):
        find(url)


def test_another_machine_is_broken_into_only_when_it_is_named_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1:4566")
    with pytest.raises(
        EnvironmentFailed, match=r"another machine .*--endpoint http://192\.0\.2\.1"
    ):
        find()


def test_a_host_that_is_not_there() -> None:
    with pytest.raises(EnvironmentFailed, match=f"nowhere.invalid cannot be found; .*{HOW}"):
        find("http://nowhere.invalid:4566")


def test_what_is_not_offered_is_named_all_at_once() -> None:
    with answering(PAGES) as url:
        found = find(url)
        refused = refuse_missing(found, {"ec2", "autoscaling", "cloudwatch", "rds"}, {"rds"})
        with pytest.raises(InvalidInput) as caught:
            asyncio.run(refused)
    assert f"LocalStack 2026.3.0 at {url} does not offer" in str(caught.value)
    assert (
        "Auto Scaling (it is not in this edition); CloudWatch (it is not in this edition);"
        " rds (it does not list it)"
    ) in str(caught.value)
    assert "nothing was touched" in str(caught.value)


def test_a_stand_in_must_be_one_that_the_lab_has() -> None:
    with answering(PAGES) as url:
        found = find(url)
        given = {"autoscaling", "dynamodb"}
        by_lab = asyncio.run(refuse_missing(found, {"ec2", "autoscaling"}, given))
        assert by_lab == {"autoscaling"}
        with pytest.raises(InvalidInput, match="DynamoDB"):
            asyncio.run(refuse_missing(found, {"dynamodb"}, given))


def test_that_it_lists_dynamodb_is_not_believed() -> None:
    health = {**HEALTH, "services": {"dynamodb": "available"}}
    with answering({**PAGES, "/_localstack/health": health}) as url:
        assert "dynamodb" in asyncio.run(missing(find(url), ["dynamodb"]))

"""The doctor and the AWS account: who is asked, who is not, and what is told."""

from __future__ import annotations

import email.utils
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from patients import asked, nothing_configured, only
from upstreams import moto_server

from chaos.doctor import account
from chaos.environments import calls

__all__ = ["nothing_configured"]  # a fixture for all tests here


def with_key(patch: pytest.MonkeyPatch, key: str = "AKIDEXAMPLE", secret: str = "s") -> None:  # noqa: S107  # nobody's
    patch.setenv("AWS_ACCESS_KEY_ID", key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", secret)


@contextmanager
def answering(pages: dict[str, str] | None = None, **headers: str) -> Iterator[str]:
    """A server on loopback that gives these pages and headers, and no others; its URL."""
    texts = pages or {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200 if self.path in texts or not texts else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(texts.get(self.path, "").encode())

        do_PUT = do_GET  # noqa: N815  # the base class's spelling

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def closed_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_without_credentials_and_endpoint_nobody_is_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacted: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: contacted.append(address))
    here = asked(tmp_path)
    checks = (account.credentials, account.endpoint, account.identity)
    found = [finding for check in checks for finding in check(here)]
    assert [(f.check, f.level) for f in found] == [("credentials", "ok"), ("endpoint", "ok")]
    assert not contacted


def test_the_metadata_service_is_asked_on_ec2_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "/latest/meta-data/iam/security-credentials/"
    key = {"AccessKeyId": "AKID", "SecretAccessKey": "secret", "Token": "token", "Code": "Success"}
    key["Expiration"] = "2999-01-01T00:00:00Z"
    pages = {"/latest/api/token": "token", role: "drills", f"{role}drills": json.dumps(key)}
    vendor = tmp_path / "sys_vendor"
    monkeypatch.setattr("chaos.environments.account.VENDOR", vendor)
    with answering(pages) as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        elsewhere = only(account.credentials(asked(tmp_path)))
        vendor.write_text("Amazon EC2\n")
        on_ec2 = only(account.credentials(asked(tmp_path)))
    assert elsewhere.says.startswith("none are configured")
    assert on_ec2.says == "boto3 finds them in the instance's role"


def test_where_credentials_come_from_is_told_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text(
        "[drills]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = hush-hush\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "drills")
    says = only(account.credentials(asked(tmp_path))).says
    assert says == "boto3 finds them in the shared credentials file, profile drills"
    with_key(monkeypatch)
    assert only(account.credentials(asked(tmp_path))).says == (
        "boto3 finds them in environment variables"
    )


def test_a_profile_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    finding = only(account.credentials(asked(tmp_path)))
    assert (finding.level, "nope" in finding.says) == ("warning", True)
    assert not [*account.endpoint(asked(tmp_path))]
    assert not [*account.identity(asked(tmp_path))]


@pytest.mark.parametrize("named", [True, False])
def test_an_endpoint_behind_a_closed_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    url = closed_port()
    if not named:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    finding = only(account.endpoint(asked(tmp_path, url if named else None)))
    assert finding.level == ("missing" if named else "warning")
    assert finding.says == f"{url} does not answer: Connection refused"


def test_an_endpoint_that_is_no_url(tmp_path: Path) -> None:
    finding = only(account.endpoint(asked(tmp_path, "file:///etc/passwd")))
    assert finding.says == "file:///etc/passwd is no http or https URL"


@pytest.mark.parametrize(
    ("ahead", "level", "says"),
    [
        (400.0, "missing", "behind the endpoint's; AWS refuses more than 5 min"),
        (-400.0, "missing", "ahead of the endpoint's; AWS refuses more than 5 min"),
        (100.0, "warning", "behind the endpoint's"),
        (0.0, "ok", "this clock agrees with the endpoint's"),
    ],
)
def test_a_clock_that_is_wrong(tmp_path: Path, ahead: float, level: str, says: str) -> None:
    date = email.utils.formatdate(time.time() + ahead, usegmt=True)
    with answering(Date=date) as url:
        reach, clock = account.endpoint(asked(tmp_path, url))
    assert (reach.level, clock.level) == ("ok", level)
    assert clock.says.endswith(says)


def test_an_endpoint_that_tells_no_time(tmp_path: Path) -> None:
    with answering() as url:
        _, clock = account.endpoint(asked(tmp_path, url))
    assert clock.level == "warning"


def a_user(url: str) -> dict[str, str]:
    make: Any = boto3.client
    key = {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
    iam = make("iam", endpoint_url=url, region_name="us-east-1", **key)
    iam.create_user(UserName="drill")
    user: dict[str, str] = iam.create_access_key(UserName="drill")["AccessKey"]
    return user


def test_who_we_are_and_what_we_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server() as (host, port):
        url = f"http://{host}:{port}"
        user = a_user(url)
        with_key(monkeypatch, user["AccessKeyId"], user["SecretAccessKey"])
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        endpoint = [*account.endpoint(asked(tmp_path))]
        who, may = account.identity(asked(tmp_path))
        # From here on moto heeds policies, and this user has none.
        monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
        _, may_not = account.identity(asked(tmp_path))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN")
        calls._session.cache_clear()
        nobody = only(account.identity(asked(tmp_path, url)))
    assert [(f.check, f.level) for f in endpoint] == [("endpoint", "ok"), ("clock", "ok")]
    assert who.says == "account 123456789012 as arn:aws:iam::123456789012:user/drill"
    assert (may.level, may.says) == ("ok", "ec2:DescribeInstances is allowed in us-east-1")
    assert may_not.says == "ec2:DescribeInstances is denied, so faults cannot choose instances"
    assert (nobody.level, "InvalidClientTokenId" in nobody.says) == ("missing", True)


def test_only_reads_are_asked_of_an_account() -> None:
    for action, (_, _, operation, params) in account.READS.items():
        assert operation.startswith(("describe_", "get_", "list_"))
        assert params.get("DryRun") is True or not action.startswith("ec2:")

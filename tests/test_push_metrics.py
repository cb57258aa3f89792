"""Metrics pushed to a real Pushgateway: they replace those of the experiment, or it is told why."""

from __future__ import annotations

import base64
import math
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_servers import WITHIN_S, started
from report import journals

from chaos import metrics
from chaos.errors import InvalidInput, NotSent
from chaos.history import fold
from chaos.journal import read
from chaos.metrics import pushing
from chaos.metrics.families import FAMILIES
from chaos.verdict import judge

GROUP = {"experiment": "region-outage", "environment": "embedded"}


def run(*args: str) -> tuple[int, str, str]:
    """The command as a user calls it: its exit code, and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "chaos", *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with started("prometheus-pushgateway", "--persistence.file=") as url:
        yield url


def push(url: str, directory: Path, group: dict[str, str] = GROUP, **variant: Any) -> None:
    events = read(journals.region_outage(directory, **variant))
    pushing.push(url, metrics.of(events, judge(fold(events))).registry, group)


def there(gateway: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What a Prometheus would scrape of ours, by name and labels."""
    with urllib.request.urlopen(f"{gateway}/metrics", timeout=20) as answer:  # noqa: S310  # our own
        exposed = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
        if sample.name.startswith("chaos_")
    }


def labels(**more: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({"job": "chaos", "instance": "", **GROUP, **more}.items()))


def test_a_push_replaces_what_the_experiment_had_there(gateway: str, tmp_path: Path) -> None:
    push(gateway, tmp_path / "broken", failover=None)
    assert there(gateway)["chaos_verdict", labels(verdict="broken")] == 1
    push(gateway, tmp_path / "held")
    found = there(gateway)
    assert found["chaos_verdict", labels(verdict="held")] == 1
    assert found["chaos_verdict", labels(verdict="broken")] == 0
    assert math.isnan(found["chaos_run_back_after_seconds", labels()])
    names = {name.removesuffix(end) for name, _ in found for end in ("_bucket", "_sum", "_count")}
    assert names >= FAMILIES.keys()
    push(gateway, tmp_path / "other", GROUP | {"experiment": "a/b c"})
    assert {dict(of)["experiment"] for _, of in there(gateway)} == {"region-outage", "a/b c"}


def test_the_command_pushes_and_says_nothing_of_it(gateway: str, tmp_path: Path) -> None:
    journal = journals.region_outage(tmp_path)
    quiet = run("report", str(journal))
    code, out, err = run("report", str(journal), "--push-metrics", gateway)
    assert (code, out, err) == quiet
    assert there(gateway)["chaos_exit_code", labels()] == 0


def test_a_push_that_fails_is_told_and_changes_no_verdict(tmp_path: Path) -> None:
    journal = journals.region_outage(tmp_path)
    code, out, err = run(
        "report", str(journal), "--push-metrics", "http://me:s3cret-word@127.0.0.1:9"
    )
    assert code == 0
    assert "held" in out.lower()
    assert err == (
        "--push-metrics: the metrics were not pushed to http://127.0.0.1:9: Connection refused\n"
    )


@pytest.mark.parametrize("url", ["http://a..b:9091", f"http://{'a' * 64}.test", "http://ho st"])
def test_a_name_that_no_host_can_have_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(NotSent, match="the metrics were not pushed to http://"):
        push(pushing.checked(url), tmp_path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "gateway:9091",
            "gateway:9091 is no URL of a Pushgateway; write http://host:9091, or with USER:",
        ),
        ("ftp://gateway", "is no URL of a Pushgateway"),
        ("http://", "is no URL of a Pushgateway"),
        ("http://gateway:99999", "is no URL of a Pushgateway"),
        ("http://me:s3cret-word@gateway?x=1", "http://me:***@gateway?x=1 is no URL of"),
    ],
)
def test_what_is_no_gateway_is_told(url: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        pushing.checked(url)
    assert said in str(error.value)


def test_it_is_told_before_anything_is_touched_and_without_the_password() -> None:
    url = "http://me:s3cret-word@gateway?x=1"
    code, out, err = run("run", "region-outage", "--push-metrics", url)
    assert (code, out) == (2, "")
    assert "http://me:***@gateway?x=1 is no URL of a Pushgateway" in err
    assert "Traceback" not in err


class Answers:
    """A gateway of ours that answers as it is told, and keeps what it was shown."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        self.shown: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:  # the base class's
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.shown.append(self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_user_and_password_go_into_a_header_and_nowhere_else(tmp_path: Path) -> None:
    with Answers(401, b"go away\nfor good") as refusing:
        url = f"http://me:p%40ss-word-9@127.0.0.1:{refusing.port}/"
        with pytest.raises(NotSent) as error:
            push(pushing.checked(url), tmp_path)
    assert str(error.value) == (
        f"the metrics were not pushed to http://127.0.0.1:{refusing.port}/: status 401: go away"
    )
    assert refusing.shown == ["Basic " + base64.b64encode(b"me:p@ss-word-9").decode()]


def test_a_gateway_that_keeps_silent_is_waited_for_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NotSent, match=r"no answer within 0.2 s"):
            push(url, tmp_path)


def test_what_is_no_http_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        # Else, where no connection comes, as when the machine has no port left, it waits for ever.
        server.settimeout(WITHIN_S)
        port = server.getsockname()[1]

        def answer() -> None:
            taken, _ = server.accept()
            with taken:
                taken.settimeout(WITHIN_S)
                taken.sendall(b"220 mail.test ESMTP\r\n\r\n")
                while taken.recv(65536):  # to its end, or the answer is lost with the connection
                    pass

        with ThreadPoolExecutor(1) as threads:
            answered = threads.submit(answer)
            with pytest.raises(NotSent, match=r"were not pushed to .*: 220 mail.test ESMTP"):
                push(f"http://127.0.0.1:{port}", tmp_path)
            answered.result()

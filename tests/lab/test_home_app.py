"""The app `home` against a dependency that is told what to do: breaker, fallback, workers."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from chaos.lab import home
from chaos.lab.instances import Instance
from chaos.lab.recommendations import SHOWN, titles_for
from chaos.lab.resolver import NoAddress
from chaos.lab.services import Service

DEADLINE_S = 30
NAME = "recommendations.internal.stream.example"
DEPENDENCY = {"name": NAME, "timeout": 20, "fallback": True}


class Recommendations:
    """What is called; it holds every answer back while `goes` is not set."""

    def __init__(self) -> None:
        self.status = HTTPStatus.OK
        self.body = b'{"titles": ["Two Tides"]}'
        self.goes, self.asked = threading.Event(), threading.Semaphore(0)
        self.goes.set()
        self.calls: list[tuple[str, str, str | None]] = []  # from where, for what, which host
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.calls.append((self.client_address[0], self.path, self.headers["Host"]))
                outer.asked.release()
                outer.goes.wait(DEADLINE_S)
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class Names:
    """A resolver that knows one address, or none."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.known = address

    def address(self, name: str) -> str:
        if not self.known:
            raise NoAddress(f"{name}: SERVFAIL")
        return self.known


class Page:
    """The app, started, and what it depends on."""

    def __init__(self, server: home.Server, behind: Recommendations) -> None:
        self.server = server
        self.behind = behind

    def get(self, path: str = "/home?profile=sam%20b") -> tuple[int, dict[str, Any]]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(DEADLINE_S)
            sock.connect(str(self.server.server_address))
            sock.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)


@contextmanager
def serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def a_page(*, names: Names | None = None, workers: int = 4, **changes: Any) -> Iterator[Page]:
    directory = Path(tempfile.mkdtemp(prefix="t"))
    behind = Recommendations()
    service = Service.model_validate(
        {
            "app": "home",
            "workers": workers,
            "depends_on": {"recommendations": {**DEPENDENCY, **changes}},
        }
    )
    instance = Instance(
        id="i-1",
        region="us-east-1",
        zone="us-east-1a",
        service=service,
        table=None,
        address="127.1.1.10",
        socket=str(directory / "i-1"),
        port=behind.server.server_address[1],
        dns=("127.0.0.1", 1),
        endpoint="http://127.0.0.1:1",
        key=("lab-playback", "lab"),
        speed=10,
    )
    server = home.Server(instance)
    resolver: Any = names or Names()
    server.client._resolver = resolver
    try:
        with serving(behind.server), serving(server):
            yield Page(server, behind)
            behind.goes.set()
    finally:
        shutil.rmtree(directory)


def test_a_page_is_put_together_from_what_the_dependency_answers() -> None:
    with a_page() as page:
        assert page.get() == (
            200,
            {
                "region": "us-east-1",
                "zone": "us-east-1a",
                "instance": "i-1",
                "recommendations": "fresh",
                "titles": ["Two Tides"],
            },
        )
        assert page.behind.calls == [("127.1.1.10", "/recommendations?profile=sam%20b", NAME)]


def failing(page: Page, how: str) -> None:
    match how:
        case "status":
            page.behind.status = HTTPStatus.BAD_GATEWAY
        case "garbage":
            page.behind.body = b"<html>"
        case "other json":
            page.behind.body = b"{}"


@pytest.mark.parametrize(
    ("how", "why"),
    [("status", "status 502"), ("garbage", "Expecting value"), ("other json", "'titles'")],
)
def test_a_dependency_that_fails_is_fallen_back_from(how: str, why: str) -> None:
    with a_page() as page:
        failing(page, how)
        status, answer = page.get()
        assert (status, answer["recommendations"]) == (200, "fallback")
        assert answer["titles"] == [*home.STATIC]
        assert why in answer["why"]


def test_without_a_fallback_the_page_fails_too() -> None:
    with a_page(fallback=False) as page:
        failing(page, "status")
        status, answer = page.get()
        assert (status, answer["error"]) == (503, "no recommendations: status 502")


def test_a_name_that_cannot_be_resolved_is_a_failure() -> None:
    with a_page(names=Names("")) as page:
        assert page.get()[1]["why"].endswith(f"{NAME}: SERVFAIL")
        assert page.behind.calls == []


def test_a_dependency_that_hangs_is_given_up_after_the_timeout() -> None:
    with a_page(timeout=1) as page:
        page.behind.goes.clear()
        assert page.get()[1]["why"].endswith("timed out")


def test_an_open_breaker_makes_no_call_and_a_closed_one_does_again() -> None:
    with a_page(breaker={"failures": 2, "open_for": 3600}) as page:
        failing(page, "status")
        said = [page.get()[1]["why"].rpartition(": ")[2] for _ in range(4)]
        assert said == ["status 502", "status 502", *["the circuit breaker is open"] * 2]
        assert len(page.behind.calls) == 2
    with a_page(breaker={"failures": 2, "open_for": 0.001}) as page:
        failing(page, "status")
        page.get(), page.get()
        page.behind.status = HTTPStatus.OK
        assert page.get()[1]["recommendations"] == "fresh"


def test_workers_that_wait_for_a_dependency_are_not_there_for_others() -> None:
    with a_page(workers=2, timeout=None) as page, ThreadPoolExecutor(3) as clients:
        page.behind.goes.clear()
        pages = [clients.submit(page.get) for _ in range(3)]
        for _ in range(2):
            assert page.behind.asked.acquire(timeout=DEADLINE_S)
        assert page.get("/health")[0] == 200  # which needs no worker
        assert page.server.workers is not None
        assert not page.server.workers.acquire(blocking=False)
        assert len(page.behind.calls) == 2
        page.behind.goes.set()
        answers = [page.result(DEADLINE_S)[1] for page in pages]
        assert [answer["recommendations"] for answer in answers] == ["fresh"] * 3


def test_there_is_nothing_else() -> None:
    with a_page() as page:
        assert page.get("/nothing") == (
            404,
            {
                "region": "us-east-1",
                "zone": "us-east-1a",
                "instance": "i-1",
                "error": "nothing at /nothing",
            },
        )


def test_what_is_recommended_is_the_same_each_time_and_differs_between_profiles() -> None:
    assert titles_for("kim") == titles_for("kim")
    assert len(set(titles_for("kim"))) == SHOWN
    assert len({tuple(titles_for(f"p{n}")) for n in range(20)}) > 5

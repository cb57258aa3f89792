from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import grpc
import pytest
from contract.certificate import write
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from pydantic import ValidationError
from upstreams import run

from chaos.testing import one_sample
from probes.grpc_health import GrpcHealth
from probes.names import Names
from probes.net import Net
from probes.probe import Sample

STATUS = health_pb2.HealthCheckResponse.ServingStatus


class Server:
    """A gRPC server with the health service, which keeps what it was asked, and by which name."""

    def __init__(self, address: str, pem: bytes | None) -> None:
        self.health = health.HealthServicer()
        self.asked: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(2), interceptors=[self._Seen(self.asked)])
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        where = f"{address}:0"
        if pem is None:
            self.port = self._server.add_insecure_port(where)
        else:
            shown = grpc.ssl_server_credentials([(pem, pem)])
            self.port = self._server.add_secure_port(where, shown)
        self._server.start()

    class _Seen(grpc.ServerInterceptor):  # type: ignore[misc]  # it ships no types
        def __init__(self, asked: list[str]) -> None:
            self._asked = asked

        def intercept_service(self, go_on: Any, details: Any) -> Any:
            self._asked.append(details.method)
            return go_on(details)

    def stop(self) -> None:
        self._server.stop(None).wait(10)


@contextmanager
def serving(address: str = "127.0.0.1", pem: bytes | None = None) -> Iterator[Server]:
    server = Server(address, pem)
    try:
        yield server
    finally:
        server.stop()


def probe(port: int, **settings: Any) -> GrpcHealth:
    usual = {"kind": "grpc_health", "host": "127.0.0.1", "port": port, "timeout": 20}
    return GrpcHealth.model_validate(usual | settings)


def attempted(server: Server, speed: float = 1, **settings: Any) -> Sample:
    return run(one_sample(probe(server.port, **settings), Net()), speed=speed)


@pytest.mark.parametrize("speed", [1, 8])
def test_a_server_that_serves_is_good(speed: float) -> None:
    with serving() as server:
        sample = attempted(server, speed, timeout=100)
    assert sample.ok, sample.error
    assert list(sample.phases) == ["check"]
    assert sample.detail == {"address": "127.0.0.1", "status": "SERVING"}
    assert server.asked == ["/grpc.health.v1.Health/Check"]


def test_each_service_has_a_health_of_its_own() -> None:
    with serving() as server:
        server.health.set("titles", STATUS.SERVING)
        server.health.set("history", STATUS.NOT_SERVING)
        assert attempted(server, service="titles").ok
        sample = attempted(server, service="history")
        assert (sample.ok, sample.error) == (False, "NOT_SERVING, not SERVING")
        sample = attempted(server, service="nobody")
        assert (sample.crashed, sample.error) == (False, "NOT_FOUND")
    assert len(server.asked) == 3


def test_a_port_where_nobody_listens_is_bad() -> None:
    with serving() as server:
        pass
    sample = attempted(server)
    assert not sample.crashed
    assert sample.error.startswith("UNAVAILABLE: ")
    assert "onnection refused" in sample.error


def test_a_server_that_says_nothing_is_timed_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        sample = run(one_sample(probe(port, timeout=0.3), Net()))
    assert sample.error == "timed out after 300 ms (check)"


def test_each_attempt_has_a_connection_of_its_own() -> None:
    with serving() as server:
        assert attempted(server).ok
    assert not attempted(server).ok, "the server has gone, and so has its connection"


# --- where it goes -------------------------------------------------------------------------


def test_names_and_ports_are_the_lab_s(monkeypatch: pytest.MonkeyPatch) -> None:
    async def query(_: object, name: str, rdtype: str) -> dns.message.Message:
        answer = dns.message.make_response(dns.message.make_query(name, rdtype))
        answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", rdtype, "127.9.1.10"))
        return dns.message.from_wire(answer.to_wire())

    monkeypatch.setattr("probes.names.query", query)
    with serving("127.9.1.10") as server:
        net = Net(names=Names(("127.0.0.1", 1)), ports={443: server.port})
        sample = run(one_sample(probe(443, host="titles.stream.example"), net))
    assert sample.ok, sample.error
    assert sample.detail["address"] == "127.9.1.10"
    assert list(sample.phases) == ["name", "check"]


def test_an_ipv6_address() -> None:
    with serving("[::1]") as server:
        sample = attempted(server, host="::1", family="ipv6")
    assert sample.ok, sample.error


# --- TLS -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tls") / "server.pem")


def test_a_certificate_that_is_trusted_is_good(pem: Path) -> None:
    with serving(pem=pem.read_bytes()) as server:
        for tls in ({"ca": str(pem)}, {"ca": str(pem), "server_name": "api.test"}):
            sample = attempted(server, tls=tls)
            assert sample.ok, sample.error


def test_a_certificate_that_is_not_is_bad(pem: Path) -> None:
    with serving(pem=pem.read_bytes()) as server:
        for tls in ({}, {"ca": str(pem), "server_name": "other.test"}):
            sample = attempted(server, tls=tls)
            assert not sample.crashed
            assert sample.error.startswith("UNAVAILABLE: ")
        assert not attempted(server).ok
    assert server.asked == []


# --- the extra -----------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["grpc.aio", "grpc_health.v1.health_pb2"])
def test_without_its_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    load = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name == missing:
            raise ModuleNotFoundError(name)
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(
        ValidationError, match=r"needs the extra grpc; in the clone: pip install '.\[grpc\]'"
    ):
        probe(443)

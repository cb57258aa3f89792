"""For each kind of probe: a target that does well, one that does badly, and one that hangs."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import grpc
from contract import certificate
from grpc_health.v1 import health_pb2, health_pb2_grpc
from http_servers import OK, answer_of, saying, serving
from postgresql_server import server

from chaos.errors import CallFailed
from chaos.testing import Aim
from probes.aws import Aws
from probes.cloudwatch import Cloudwatch
from probes.cloudwatch_alarm import CloudwatchAlarm
from probes.command import Command
from probes.dns import Dns
from probes.dynamodb_ledger import DynamodbLedger
from probes.grpc_health import GrpcHealth
from probes.http import Http
from probes.http_ledger import HttpLedger
from probes.kinesis_ledger import KinesisLedger
from probes.names import Names
from probes.net import Net
from probes.probe import Probe
from probes.prometheus import Prometheus
from probes.promql import PART
from probes.s3_ledger import S3Ledger
from probes.sql_ledger import SqlLedger
from probes.sqs_ledger import SqsLedger
from probes.step_functions import StepFunctions
from probes.tcp import Tcp
from probes.tls import TlsProbe

TIMEOUT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """A probe aimed at each of the three."""

    good: Aim
    bad: Aim
    hanging: Aim


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing, until the client goes."""
    with suppress(OSError):
        while await reader.read(4096):
            pass
    writer.close()


@asynccontextmanager
async def http() -> AsyncIterator[Targets]:
    asked: list[bytes] = []
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

    def at(port: int) -> Http:
        return Http(kind="http", url=f"http://127.0.0.1:{port}/", timeout=TIMEOUT)

    async with (
        serving(saying(OK)) as good,
        serving(saying(busy, asked=asked)) as bad,
        serving(silent) as hanging,
    ):
        yield Targets(
            good=Aim(probe=at(good)),
            bad=Aim(probe=at(bad), asked=lambda: len(asked)),
            hanging=Aim(probe=at(hanging)),
        )


class _NameServer(asyncio.DatagramProtocol):
    """Answers every question in the same way, or not at all."""

    def __init__(self, rcode: dns.rcode.Rcode | None) -> None:
        self.asked = 0
        self._rcode = rcode

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        if self._rcode is None:
            return
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        answer.set_rcode(self._rcode)
        if self._rcode == dns.rcode.NOERROR:
            name = question.question[0].name
            answer.answer.append(dns.rrset.from_text(name, 30, "IN", "A", "192.0.2.1"))
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def _name_server(rcode: dns.rcode.Rcode | None) -> AsyncIterator[tuple[_NameServer, Net]]:
    server = _NameServer(rcode)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, ("127.0.0.1", 0))
    try:
        yield server, Net(names=Names(transport.get_extra_info("sockname")))
    finally:
        transport.close()


@asynccontextmanager
async def name() -> AsyncIterator[Targets]:
    probe = Dns(kind="dns", name="api.stream.example", timeout=TIMEOUT)
    async with (
        _name_server(dns.rcode.NOERROR) as (_, good),
        _name_server(dns.rcode.SERVFAIL) as (failing, bad),
        _name_server(None) as (_, hanging),
    ):
        yield Targets(
            good=Aim(probe=probe, net=good),
            bad=Aim(probe=probe, net=bad, asked=lambda: failing.asked),
            hanging=Aim(probe=probe, net=hanging),
        )


@asynccontextmanager
async def ledger() -> AsyncIterator[Targets]:
    given = {"table": "history", "write_to": "us-east-1", "read_from": "us-west-2"}
    with _aws({"kind": "dynamodb_ledger", "timeout": TIMEOUT} | given, DynamodbLedger) as targets:
        yield targets


@asynccontextmanager
async def aws() -> AsyncIterator[Targets]:
    given = {"service": "dynamodb", "region": "us-east-1", "operation": "list_tables"}
    with _aws({"kind": "aws", "timeout": TIMEOUT} | given, Aws) as targets:
        yield targets


@asynccontextmanager
async def s3_ledger() -> AsyncIterator[Targets]:
    given = {"bucket": "history", "write_to": "us-east-1", "read_from": "us-east-1"}
    with _aws({"kind": "s3_ledger", "timeout": TIMEOUT} | given, S3Ledger) as targets:
        yield targets


@asynccontextmanager
async def kinesis_ledger() -> AsyncIterator[Targets]:
    given = {"stream": "clicks", "region": "us-east-1"}
    answer = {"ShardId": "shardId-0", "SequenceNumber": "1"}
    named = {"kind": "kinesis_ledger", "timeout": TIMEOUT}
    with _aws(named | given, KinesisLedger, answer) as targets:
        yield targets


@asynccontextmanager
async def sql_ledger() -> AsyncIterator[Targets]:
    """A server that commits, one that refuses who asks, and one that says nothing."""
    found = server()
    url = found.url(found.database())

    def at(url: str, timeout: float) -> SqlLedger:
        given = {"kind": "sql_ledger", "url": url, "create": True, "timeout": timeout}
        return SqlLedger.model_validate(given)

    async with serving(silent) as hanging:
        yield Targets(
            good=Aim(probe=at(url, 10.0)),
            bad=Aim(probe=at(found.url("absent"), 10.0)),
            hanging=Aim(probe=at(url.replace(f":{found.port}/", f":{hanging}/"), TIMEOUT)),
        )


@asynccontextmanager
async def http_ledger() -> AsyncIterator[Targets]:
    asked: list[bytes] = []

    def at(port: int) -> HttpLedger:
        door = f"http://127.0.0.1:{port}/{{series}}"
        given = {"write": {"url": f"{door}/{{number}}"}, "read": {"url": door, "numbers": "[]"}}
        return HttpLedger.model_validate({"kind": "http_ledger", "timeout": TIMEOUT} | given)

    async with (
        serving(saying(OK)) as good,
        serving(saying(answer_of("no", status=503), asked=asked)) as bad,
        serving(silent) as hanging,
    ):
        yield Targets(
            good=Aim(probe=at(good)),
            bad=Aim(probe=at(bad), asked=lambda: len(asked)),
            hanging=Aim(probe=at(hanging)),
        )


@asynccontextmanager
async def sqs_ledger() -> AsyncIterator[Targets]:
    given = {"queue": "http://127.0.0.1:4566/000000000000/jobs", "region": "us-east-1"}
    with _aws({"kind": "sqs_ledger", "timeout": TIMEOUT} | given, SqsLedger) as targets:
        yield targets


@asynccontextmanager
async def step_functions() -> AsyncIterator[Targets]:
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:encode"
    given = {"state_machine": machine, "region": "us-east-1", "timeout": TIMEOUT}
    answer = {"executionArn": "arn", "status": "SUCCEEDED"}
    with _aws({"kind": "step_functions"} | given, StepFunctions, answer) as targets:
        yield targets


@asynccontextmanager
async def cloudwatch_alarm() -> AsyncIterator[Targets]:
    given = {"kind": "cloudwatch_alarm", "alarm": "errors", "region": "us-east-1"}
    answer = {"MetricAlarms": [{"AlarmName": "errors", "StateValue": "OK"}]}
    with _aws(given | {"timeout": TIMEOUT}, CloudwatchAlarm, answer) as targets:
        yield targets


@asynccontextmanager
async def cloudwatch() -> AsyncIterator[Targets]:
    given = {"namespace": "x", "metric": "m", "stat": "Sum", "region": "us-east-1"}
    given |= {"kind": "cloudwatch", "missing": "good"}
    answer = {"MetricDataResults": [{"Id": "asked", "Timestamps": [], "Values": []}]}
    more = {"timeout": TIMEOUT, "expect": {"above": 0}}
    with _aws(given | more, Cloudwatch, answer) as targets:
        yield targets


@contextmanager
def _aws(
    given: dict[str, Any], kind: type[Probe], answer: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Targets]:
    """The API as it accepts, as it throttles, and as it hangs."""
    probe = kind.model_validate(given)
    refused: list[str] = []

    async def accept(*_: str, **__: Any) -> dict[str, Any]:
        return dict(answer)

    async def refuse(service: str, region: str, operation: str, /, **_: Any) -> dict[str, Any]:
        refused.append(operation)
        raise CallFailed(f"{service} {operation} in {region}", "Throttling", "slow down")

    async def hang(*_: str, **__: Any) -> dict[str, Any]:
        return await asyncio.Future()

    yield Targets(
        good=Aim(probe=probe, net=Net(aws=accept)),
        bad=Aim(probe=probe, net=Net(aws=refuse), asked=lambda: len(refused)),
        hanging=Aim(probe=probe, net=Net(aws=hang)),
    )


@asynccontextmanager
async def prometheus() -> AsyncIterator[Targets]:
    asked: list[bytes] = []

    def at(port: int) -> Prometheus:
        given = {"url": f"http://127.0.0.1:{port}", "query": "up", "timeout": TIMEOUT}
        return Prometheus.model_validate({"kind": "prometheus", "expect": {"equals": 1}} | given)

    def vector(value: str) -> bytes:
        parts = [({PART: "value"}, value), ({PART: "age"}, "0.5")]
        result = [{"metric": metric, "value": [0, number]} for metric, number in parts]
        data = {"resultType": "vector", "result": result}
        return answer_of(json.dumps({"status": "success", "data": data}))

    async with (
        serving(saying(vector("1"))) as good,
        serving(saying(vector("0"), asked=asked)) as bad,
        serving(silent) as hanging,
    ):
        yield Targets(
            good=Aim(probe=at(good)),
            bad=Aim(probe=at(bad), asked=lambda: len(asked)),
            hanging=Aim(probe=at(hanging)),
        )


@asynccontextmanager
async def tcp() -> AsyncIterator[Targets]:
    asked: list[bytes] = []

    def at(port: int) -> Tcp:
        expect = {"text": "200 OK"}
        given = {"host": "127.0.0.1", "port": port, "send": "GET /\r\n\r\n", "expect": expect}
        return Tcp.model_validate({"kind": "tcp", "timeout": TIMEOUT} | given)

    async with (
        serving(saying(OK)) as good,
        serving(saying(b"go away", asked=asked)) as bad,
        serving(silent) as hanging,
    ):
        yield Targets(
            good=Aim(probe=at(good)),
            bad=Aim(probe=at(bad), asked=lambda: len(asked)),
            hanging=Aim(probe=at(hanging)),
        )


@asynccontextmanager
async def command() -> AsyncIterator[Targets]:
    def running(script: str) -> Command:
        return Command(kind="command", command=("sh", "-c", script), timeout=2 * TIMEOUT)

    with tempfile.TemporaryDirectory() as directory:
        ran = Path(directory) / "ran"
        yield Targets(
            good=Aim(probe=running("exit 0")),
            bad=Aim(
                probe=running(f"echo >> {ran}; exit 3"),
                asked=lambda: len(ran.read_text().splitlines()) if ran.exists() else 0,
            ),
            hanging=Aim(probe=running("sleep 600")),
        )


@asynccontextmanager
async def tls() -> AsyncIterator[Targets]:
    with tempfile.TemporaryDirectory() as directory:
        ours = certificate.write(Path(directory) / "ours.pem")
        others = certificate.write(Path(directory) / "others.pem")

        def at(port: int) -> TlsProbe:
            given = {"host": "127.0.0.1", "port": port, "ca": str(ours)}
            return TlsProbe.model_validate({"kind": "tls", "timeout": TIMEOUT} | given)

        async with (
            serving(silent, tls=_showing(ours)) as good,
            serving(silent, tls=_showing(others)) as bad,
            serving(silent) as hanging,
        ):
            yield Targets(
                good=Aim(probe=at(good)), bad=Aim(probe=at(bad)), hanging=Aim(probe=at(hanging))
            )


def _showing(pem: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


class _Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # it ships no types
    """Always of the same health."""

    def __init__(self, status: int) -> None:
        self.asked = 0
        self._answer = health_pb2.HealthCheckResponse(status=status)

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        self.asked += 1
        return self._answer


@asynccontextmanager
async def _health(status: int) -> AsyncIterator[tuple[_Health, int]]:
    server, health = grpc.aio.server(), _Health(status)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield health, port
    finally:
        await server.stop(None)


@asynccontextmanager
async def grpc_health() -> AsyncIterator[Targets]:
    def at(port: int) -> GrpcHealth:
        given = {"host": "127.0.0.1", "port": port, "timeout": 3 * TIMEOUT}
        return GrpcHealth.model_validate({"kind": "grpc_health"} | given)

    answers = health_pb2.HealthCheckResponse
    async with (
        _health(answers.SERVING) as (_, good),
        _health(answers.NOT_SERVING) as (sick, bad),
        serving(silent) as hanging,
    ):
        yield Targets(
            good=Aim(probe=at(good)),
            bad=Aim(probe=at(bad), asked=lambda: sick.asked),
            hanging=Aim(probe=at(hanging)),
        )


TARGETS: dict[str, Callable[[], AbstractAsyncContextManager[Targets]]] = {
    "aws": aws,
    "cloudwatch": cloudwatch,
    "cloudwatch_alarm": cloudwatch_alarm,
    "command": command,
    "dns": name,
    "dynamodb_ledger": ledger,
    "grpc_health": grpc_health,
    "http": http,
    "http_ledger": http_ledger,
    "kinesis_ledger": kinesis_ledger,
    "prometheus": prometheus,
    "s3_ledger": s3_ledger,
    "sql_ledger": sql_ledger,
    "sqs_ledger": sqs_ledger,
    "step_functions": step_functions,
    "tcp": tcp,
    "tls": tls,
}

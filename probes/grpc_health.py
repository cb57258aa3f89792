"""The probe `grpc_health`: one call of grpc.health.v1.Health/Check; needs the extra `grpc`."""

from __future__ import annotations

import importlib
import os
import ssl
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from probes.endpoint import Endpoint
from probes.probe import Attempt, ProbeFailed
from probes.tls_context import Trust, context

if TYPE_CHECKING:
    from probes.net import Net

CHECK = "/grpc.health.v1.Health/Check"
OPTIONS: dict[str, Any] = {
    "grpc.enable_http_proxy": 0,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    # Otherwise attempts to the same address would share a connection.
    "grpc.use_local_subchannel_pool": 1,
}


class GrpcHealth(Endpoint):
    """Asks a gRPC server once whether a service is healthy (grpc.health.v1.Health/Check).

    An attempt is good when the answer is SERVING. Each has a connection of its own, is sent once
    and not again, and uses no proxy. The name is resolved by the probe, as that of every other,
    and the server is told it as the authority.

    Without `tls` the connection is not encrypted; `tls: {}` trusts whom this machine trusts. There
    is no way not to verify the certificate: the library has none.

    It needs the extra `grpc`; in the clone: `pip install '.[grpc]'`.

    Measured phases: `name`, and `check`, which has all from the connection to the answer.
    """

    summary: ClassVar[str] = "one gRPC health check of a service (extra: grpc)"
    example: ClassVar[str] = """
catalogue:
  kind: grpc_health
  host: catalogue.stream.example
  port: 50051
  service: stream.v1.Catalogue
"""

    kind: Literal["grpc_health"]
    service: str = Field(default="", description="name of the service; empty: the whole server")
    tls: Trust | None = Field(
        default=None,
        description="how to check the certificate; not given: a connection without TLS",
    )

    @model_validator(mode="after")
    def _has_its_extra(self) -> Self:
        try:
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # errors are told by the samples
            # Loading it takes a moment; no attempt should wait for that.
            for module in ("grpc.aio", "grpc_health.v1.health_pb2"):
                importlib.import_module(module)
        except ImportError as error:
            raise ValueError(
                "grpc_health needs the extra grpc; in the clone: pip install '.[grpc]'"
            ) from error
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Ask once; good when the answer is SERVING."""
        from grpc.aio import AioRpcError
        from grpc_health.v1 import health_pb2

        address, port = net.route(await net.address(self.host, attempt), self.port)
        async with self._channel(address, port) as channel:
            ask = channel.unary_unary(
                CHECK,
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                with attempt.phase("check"):
                    answer = await ask(health_pb2.HealthCheckRequest(service=self.service))
            except AioRpcError as error:
                raise ProbeFailed(_told(error)) from error
        status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        attempt.detail["status"] = status
        if status != "SERVING":
            raise ProbeFailed(f"{status}, not SERVING")

    def _channel(self, address: str, port: int) -> Any:
        import grpc

        host = f"[{self.host}]" if ":" in self.host else self.host.rstrip(".")
        options = OPTIONS | {
            "grpc.default_authority": f"{host}:{self.port}",
            # By its own count it would hold a connection that stands still for 20 s more.
            "grpc.min_reconnect_backoff_ms": round(self.timeout * 1000),
        }
        target = f"ipv6:[{address}]:{port}" if ":" in address else f"ipv4:{address}:{port}"
        if self.tls is None:
            return grpc.aio.insecure_channel(target, options=[*options.items()])
        name = self.tls.server_name or self.host.rstrip(".")
        options["grpc.ssl_target_name_override"] = name
        trusted = grpc.ssl_channel_credentials(_roots(self.tls.ca))
        return grpc.aio.secure_channel(target, trusted, options=[*options.items()])


def _told(error: Any) -> str:
    """The code, and the innermost of what is said about it."""
    details = (error.details() or "").rpartition("last error: ")[2]
    return f"{error.code().name}: {details}" if details else str(error.code().name)


def _roots(ca: str | None) -> bytes | None:
    """The CA certificates that all probes trust, as PEM; None when this machine has none."""
    known = context(True, ca).get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, known)).encode() or None

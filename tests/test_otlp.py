"""A run as a collector of OpenTelemetry gets it: decoded by the protocol's own messages."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from report import journals

from chaos import telemetry
from chaos.errors import InvalidInput, NotSent
from chaos.history import fold
from chaos.journal import Event, read
from chaos.metrics import BUCKETS
from chaos.metrics.families import FAMILIES
from chaos.verdict import judge

SPEED = 8.0  # of the journals here
WALL = datetime.fromisoformat("2026-11-21T09:43:12.480+00:00").timestamp()


class Collector:
    """A receiver of OTLP over HTTP, that keeps what came, decoded."""

    def __init__(self) -> None:
        self.status = 200
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the base class's
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.take(self.path, dict(self.headers.items()), body)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.headers.append(headers)
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))


@pytest.fixture(scope="module")
def server() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


@pytest.fixture
def collector(server: Collector, monkeypatch: pytest.MonkeyPatch) -> Collector:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_EXPORTER_OTLP_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    server.status = 200
    for kept in (server.traces, server.metrics, server.headers):
        kept.clear()
    return server


def send(url: str, directory: Path, **variant: Any) -> list[Event]:
    events = read(journals.region_outage(directory, **variant))
    history = fold(events)
    telemetry.send(url, events, history, judge(history))
    return events


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


def spans(collector: Collector) -> dict[str, Any]:
    """All spans by name; of several with one name the first."""
    found: dict[str, Any] = {}
    for resource in collector.traces[-1].resource_spans:
        for scope in resource.scope_spans:
            assert scope.scope.name == "chaos"
            for span in scope.spans:
                found.setdefault(span.name, span)
    return found


def at(nanoseconds: int) -> float:
    """Seconds of the lab since the run's start."""
    return (nanoseconds / 1e9 - WALL) * SPEED


# --- the trace ------------------------------------------------------------------------------


def test_a_run_is_one_trace_with_its_phases_faults_pulls_and_outages(
    collector: Collector, tmp_path: Path
) -> None:
    events = send(collector.url, tmp_path)
    found = spans(collector)
    root = found["drill region-outage"]
    assert not root.parent_span_id
    assert at(root.start_time_unix_nano) == pytest.approx(0, abs=1e-3)
    assert at(root.end_time_unix_nano) == pytest.approx(events[-1]["t"], abs=1e-3)
    about = attributes(root)
    assert (about["chaos.run"], about["chaos.verdict"]) == (events[0]["run"], "held")
    assert {span.trace_id for span in found.values()} == {root.trace_id}
    phases = [e["phase"] for e in events if e["event"] == "phase"]
    for phase in phases:
        assert found[f"phase {phase}"].parent_span_id == root.span_id
    fault = found["fault region_outage"]
    assert at(fault.start_time_unix_nano) == pytest.approx(
        next(e["t"] for e in events if e["event"] == "fault"), abs=1e-3
    )
    assert found["pull reachability"].parent_span_id == fault.span_id
    assert attributes(found["pull reachability"])["chaos.pull.outcome"] == "restored"
    outage = attributes(found["outage playback"])
    assert outage["chaos.outage.began.low"] <= outage["chaos.outage.began.high"]
    assert at(found["outage playback"].start_time_unix_nano) == pytest.approx(
        outage["chaos.outage.began.low"], abs=1e-3
    )
    for span in found.values():
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano


def test_each_span_has_an_id_of_its_own_and_the_same_one_again(
    collector: Collector, tmp_path: Path
) -> None:
    for directory in ("one", "two"):
        send(collector.url, tmp_path / directory)
    first, second = collector.traces
    assert first == second
    ids = [s.span_id for r in first.resource_spans for c in r.scope_spans for s in c.spans]
    assert len(set(ids)) == len(ids) > 10


def test_what_went_wrong_is_an_error(collector: Collector, tmp_path: Path) -> None:
    send(
        collector.url, tmp_path, failover=None, outcomes=("failed", "restored", "restored", "open")
    )
    found = spans(collector)
    root, pull = found["drill region-outage"], found["pull replication"]
    assert root.status.code == 2
    assert root.status.message.startswith("rollback incomplete")
    assert pull.status.code == 2
    assert "no answer within 20 s" in pull.status.message
    assert pull.end_time_unix_nano <= root.end_time_unix_nano
    assert found["phase hold"].status.code == 0


def test_a_run_cut_off_anywhere_is_a_trace(collector: Collector, tmp_path: Path) -> None:
    events = read(journals.region_outage(tmp_path))
    for size in (1, 30, 120):
        history = fold(events[:size])
        telemetry.send(collector.url, events[:size], history, judge(history))
        assert attributes(spans(collector)["drill region-outage"])["chaos.verdict"] == "unknown"


# --- metrics --------------------------------------------------------------------------------


def test_every_metric_is_there_under_its_name(collector: Collector, tmp_path: Path) -> None:
    events = send(collector.url, tmp_path)
    (resource,) = collector.metrics[-1].resource_metrics
    found = {m.name: m for m in resource.scope_metrics[0].metrics}
    assert found.keys() == FAMILIES.keys()
    for name, (kind, _, told) in FAMILIES.items():
        wanted = {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}[kind]
        assert found[name].WhichOneof("data") == wanted
        assert found[name].description == told
    attempts = found["chaos_probe_attempts_total"].sum
    assert attempts.is_monotonic
    assert attempts.aggregation_temporality == 2  # cumulative
    rto = list(found["chaos_objective_limit_seconds"].gauge.data_points)
    assert {attributes(p)["objective"]: p.as_double for p in rto}["rto"] == 120
    assert found["chaos_objective_limit_seconds"].unit == "s"
    assert at(rto[0].time_unix_nano) == pytest.approx(events[-1]["t"], abs=1e-3)


def test_the_histogram_has_its_buckets(collector: Collector, tmp_path: Path) -> None:
    events = send(collector.url, tmp_path)
    (resource,) = collector.metrics[-1].resource_metrics
    found = {m.name: m for m in resource.scope_metrics[0].metrics}
    points = found["chaos_probe_latency_seconds"].histogram.data_points
    (playback,) = [p for p in points if attributes(p)["probe"] == "playback"]
    good = [e for e in events if e["event"] == "sample" and e["probe"] == "playback" and e["ok"]]
    took = [e["end"] - e["start"] for e in good]
    assert tuple(playback.explicit_bounds) == BUCKETS
    assert playback.count == sum(playback.bucket_counts) == len(took)
    assert playback.sum == pytest.approx(sum(took))
    assert playback.bucket_counts[-1] == sum(t > BUCKETS[-1] for t in took)
    assert not playback.HasField("min")


# --- who is told, and how -------------------------------------------------------------------


def test_the_resource_says_who_speaks(collector: Collector, tmp_path: Path) -> None:
    events = send(collector.url, tmp_path)
    for sent in (collector.traces[-1].resource_spans, collector.metrics[-1].resource_metrics):
        about = attributes(sent[0].resource)
        assert about["service.name"] == "chaos"
        assert about["service.version"] == events[0]["tool"]
        assert about["service.instance.id"] == events[0]["run"]
        assert about["telemetry.sdk.name"] == "opentelemetry"


def test_opentelemetrys_own_variables_hold(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "drills")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=stream,service.version=9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    send(collector.url, tmp_path)
    about = attributes(collector.traces[-1].resource_spans[0].resource)
    assert (about["service.name"], about["team"], about["service.version"]) == (
        "drills",
        "stream",
        "9",
    )
    for headers in collector.headers:
        sent = {name.lower(): value for name, value in headers.items()}
        assert sent["authorization"] == "Bearer s3cret"
        assert sent["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, "did not take the trace: Failed to export spans batch code: 400, reason: Bad Request")],
)
def test_a_collector_that_refuses_is_told(
    collector: Collector, tmp_path: Path, status: int, said: str
) -> None:
    collector.status = status
    with pytest.raises(NotSent) as error:
        send(collector.url, tmp_path)
    assert said in str(error.value)
    assert collector.metrics == []


def test_one_that_is_not_there_is_waited_for_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    with pytest.raises(NotSent, match=r"http://me:\*\*\*@127.0.0.1:9 did not take the trace: "):
        send("http://me:s3cret-word@127.0.0.1:9", tmp_path)


def chaos(*args: str, before: str = "pass") -> subprocess.CompletedProcess[str]:
    code = f"import sys; {before}; from chaos.__main__ import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_sends_and_says_nothing_of_it(collector: Collector, tmp_path: Path) -> None:
    journal = journals.region_outage(tmp_path)
    done = chaos("report", str(journal), "--otlp", collector.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(collector.traces) == len(collector.metrics) == 1
    collector.status = 403
    refused = chaos("report", str(journal), "--otlp", collector.url)
    assert refused.returncode == 0
    assert refused.stdout == done.stdout
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"--otlp: OTLP: {collector.url} did not take the trace: ")


@pytest.mark.parametrize("headers", ["api-key s3cret-word", "api-key=ok,x-token s3cret-word"])
def test_headers_that_are_none_are_told_without_what_is_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: str
) -> None:
    """OpenTelemetry's own warning repeats them."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    done = chaos("report", str(journals.region_outage(tmp_path)), "--otlp", "http://127.0.0.1:9")
    assert done.returncode == 0
    assert "Header format invalid!" in done.stderr
    assert "s3cret-word" not in done.stderr


def test_a_token_in_place_of_a_user_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    journal = str(journals.region_outage(tmp_path))
    done = chaos("report", journal, "--otlp", "http://s3cret-token@127.0.0.1:9")
    assert "did not take the trace" in done.stderr
    assert "s3cret-token" not in done.stderr


def test_without_the_extra_it_is_said_what_to_install() -> None:
    done = chaos(
        "run",
        "region-outage",
        "--otlp",
        "http://127.0.0.1:9",
        before="sys.modules['opentelemetry'] = None",
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "OTLP needs OpenTelemetry's exporter; install it: pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_collector_is_told() -> None:
    for url in ("collector:4318", "http://collector:4318/?a=b"):
        with pytest.raises(InvalidInput, match="is no URL of a collector; write http://host:4318"):
            telemetry.checked(url)

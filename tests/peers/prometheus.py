"""Prometheus with the blackbox exporter, set up as their guides have it.

https://prometheus.io/docs/guides/multi-target-exporter/: a job that asks the exporter to probe each
target, for each scrape interval one; an alert that fires when a target was down for the RTO.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from peers.looks import Look, Seen

INTERVALS_S = (1, 5, 15)
TIMEOUT_S = 2
READY_WITHIN_S = 60
MODULES = {"modules": {"http_2xx": {"prober": "http", "timeout": f"{TIMEOUT_S}s"}}}
SERVER, EXPORTER = "prometheus", "prometheus-blackbox-exporter"


def job(interval: int, targets: Sequence[str], exporter: int) -> dict[str, Any]:
    """The scrape job for one interval, as the guide has it."""
    return {
        "job_name": f"every-{interval}s",
        "metrics_path": "/probe",
        "params": {"module": ["http_2xx"]},
        "scrape_interval": f"{interval}s",
        "scrape_timeout": f"{min(interval, TIMEOUT_S + 1)}s",
        "static_configs": [{"targets": list(targets)}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"},
        ],
    }


def alert(interval: int, rto: int) -> dict[str, Any]:
    """The rule that fires once a target has been down for the RTO."""
    down = f'probe_success{{job="every-{interval}s"}} == 0'
    return {
        "name": f"every-{interval}s",
        "interval": f"{interval}s",
        "rules": [{"alert": "Down", "expr": down, "for": f"{rto}s"}],
    }


@asynccontextmanager
async def watching(directory: Path, targets: Sequence[str], rto: int) -> AsyncIterator[int]:
    """Both servers, probing the targets: the port where PromQL is answered."""
    port, exporter = _free(), _free()
    jobs = [job(interval, targets, exporter) for interval in INTERVALS_S]
    config = {"scrape_configs": jobs, "rule_files": ["rules.yml"]}
    rules = {"groups": [alert(interval, rto) for interval in INTERVALS_S]}
    for name, what in (("prometheus", config), ("rules", rules), ("blackbox", MODULES)):
        (directory / f"{name}.yml").write_text(yaml.safe_dump(what))
    exports = [f"--web.listen-address=127.0.0.1:{exporter}", "--config.file=blackbox.yml"]
    serves = [f"--web.listen-address=127.0.0.1:{port}", "--config.file=prometheus.yml"]
    serves.append("--storage.tsdb.path=data")
    async with _running(directory, EXPORTER, exports), _running(directory, SERVER, serves):
        async with asyncio.timeout(READY_WITHIN_S):
            while not await asyncio.to_thread(_ready, port):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.2)
        yield port


@asynccontextmanager
async def _running(directory: Path, command: str, arguments: list[str]) -> AsyncIterator[None]:
    with (directory / f"{command}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            command, *arguments, cwd=directory, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def seen(port: int, target: str, interval: int, wall_zero: float) -> Seen:
    """What it has stored of a target, at each scrape, and whether the alert has ever fired."""
    labels = f'job="every-{interval}s",instance="{target}"'
    ok = _stored(port, f"probe_success{{{labels}}}")
    took = dict(_stored(port, f"probe_duration_seconds{{{labels}}}"))
    looks = [Look(at - wall_zero, at - wall_zero + took[at], value == 1) for at, value in ok]
    fired = _stored(port, f'ALERTS{{alertname="Down",alertstate="firing",{labels}}}')
    return Seen(looks=tuple(looks), said="broken" if fired else "held")


def _stored(port: int, selector: str) -> list[tuple[float, float]]:
    """The samples of one series, as they are stored: at which second of the wall, and what."""
    query = urllib.parse.urlencode({"query": f"{selector}[1h]", "time": f"{time.time():.3f}"})
    url = f"http://127.0.0.1:{port}/api/v1/query?{query}"
    with urllib.request.urlopen(url, timeout=READY_WITHIN_S) as answer:
        found = json.load(answer)["data"]["result"]
    return [(at, float(value)) for series in found for at, value in series["values"]]


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])

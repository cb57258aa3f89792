"""What tracing systems get of a run that has ended: one trace, and the metrics, by OTLP."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from chaos import urls
from chaos.errors import InvalidInput
from chaos.history import History
from chaos.journal import Event
from chaos.secrets import SECRETS
from chaos.verdict import Verdict

EXTRA = "OTLP needs OpenTelemetry's exporter; install it: pip install 'chaos-drill[otlp]'"

HEADERS = tuple(f"OTEL_EXPORTER_OTLP_{signal}HEADERS" for signal in ("", "TRACES_", "METRICS_"))


def checked(url: str) -> str:
    """The URL of a collector.

    Raises InvalidInput for what is none, and when what sends is not installed.
    """
    _exporter()
    _keep_headers_secret()
    return urls.checked(url, "a collector", "http://host:4318, without /v1/traces")


def send(url: str, events: Iterable[Event], history: History, verdict: Verdict) -> None:
    """Send the trace and the metrics of a run; raises NotSent."""
    _exporter().send(url, events, history, verdict)


def _keep_headers_secret() -> None:
    """OpenTelemetry repeats headers that it cannot read, and they are there to show keys."""
    for name in HEADERS:
        for part in re.split(r"[\s,=]+", os.environ.get(name, "")):
            SECRETS.add(part, unquote(part))


def _exporter() -> Any:
    try:
        from chaos.telemetry import otlp  # for those alone who ask for it
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise InvalidInput(EXTRA) from error
    return otlp

"""What tracing systems get of a run that has ended: one trace, and the metrics, by OTLP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chaos import urls
from chaos.errors import InvalidInput
from chaos.history import History
from chaos.journal import Event
from chaos.verdict import Verdict

EXTRA = "OTLP needs OpenTelemetry's exporter; install it: pip install 'chaos-drill[otlp]'"


def checked(url: str) -> str:
    """The URL of a collector.

    Raises InvalidInput for what is none, and when what sends is not installed.
    """
    _exporter()
    return urls.checked(url, "a collector", "http://host:4318, without /v1/traces")


def send(url: str, events: Iterable[Event], history: History, verdict: Verdict) -> None:
    """Send the trace and the metrics of a run; raises NotSent."""
    _exporter().send(url, events, history, verdict)


def _exporter() -> Any:
    try:
        from chaos.telemetry import otlp  # for those alone who ask for it
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise InvalidInput(EXTRA) from error
    return otlp

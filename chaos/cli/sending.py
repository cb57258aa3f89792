"""Where else a run that has ended is told: a Pushgateway, a collector of OTLP."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from chaos.errors import ChaosError
from chaos.history import History
from chaos.journal import Event, read
from chaos.packing import unpacked
from chaos.secrets import SECRETS
from chaos.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """URLs that the figures of a run go to; None: nowhere. Each was checked."""

    push_metrics: str | None = None
    otlp: str | None = None

    def send(self, journal: Path, history: History, verdict: Verdict) -> None:
        """Send what is wanted; what is not taken is told in a sentence, and changes nothing."""
        with _told("--push-metrics"):
            if self.push_metrics is not None:
                _push(self.push_metrics, _events(journal), history, verdict)
        with _told("--otlp"):
            if self.otlp is not None:
                _trace(self.otlp, _events(journal), history, verdict)


def _events(journal: Path) -> list[Event]:
    return [*unpacked(read(journal))]


def _push(url: str, events: list[Event], history: History, verdict: Verdict) -> None:
    from chaos import metrics  # only for those who want them: prometheus_client takes its time
    from chaos.metrics import pushing

    environment = history.header["environment"]["kind"]
    group = {"experiment": history.experiment["name"], "environment": environment}
    pushing.push(url, metrics.of(events, verdict).registry, group)


def _trace(url: str, events: list[Event], history: History, verdict: Verdict) -> None:
    from chaos import telemetry

    telemetry.send(url, events, history, verdict)


@contextmanager
def _told(option: str) -> Iterator[None]:
    """The run has ended and its verdict is given: nothing that goes wrong now may change it."""
    try:
        yield
    except ChaosError as error:
        click.echo(SECRETS.mask(f"{option}: {error}"), err=True)
    except KeyboardInterrupt:
        click.echo(f"{option}: interrupted; not all was sent", err=True)
    except Exception:  # noqa: BLE001  # a defect of ours, or of a library
        traceback.print_exc()

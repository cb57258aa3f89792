"""The counters of an AWS API proxy in Prometheus' text format.

Written here and not by prometheus_client: proxies are usable without it. Format: "Exposition
formats", Prometheus documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaos.proxies.armed import Armed

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[dict[str, str], int]


def text(rules: Iterable[Armed], requests: int, leases_ended: int = 0) -> str:
    """All counters: of the proxy, and of each rule."""
    rules = list(rules)
    ended: list[Sample] = [({}, leases_ended)]
    matched = [(_labels(armed), armed.matched) for armed in rules]
    affected = [
        ({**_labels(armed), **kind._asdict()}, count)
        for armed in rules
        for kind, count in armed.met.items()
    ]
    return "".join(
        line + "\n"
        for lines in (
            _family("chaos_proxy_requests_total", "Calls that have come.", [({}, requests)]),
            _family("chaos_proxy_matched_total", "Calls that a rule means.", matched),
            _family("chaos_proxy_affected_total", "Calls to which a rule did something.", affected),
            _family("chaos_proxy_leases_ended_total", "Leases that were not renewed.", ended),
        )
        for line in lines
    )


def _labels(armed: Armed) -> dict[str, str]:
    return {"rule": armed.id, "action": armed.rule.action}


def _family(name: str, told: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} counter"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

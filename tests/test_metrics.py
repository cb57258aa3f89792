"""Metrics of a run: what they say, how they are served and written, and what promtool says."""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from promtool import PROMTOOL, complaints, needs_promtool, rejects
from report import journals

from chaos import metrics
from chaos.errors import InvalidInput
from chaos.history import fold
from chaos.journal import Event, read
from chaos.metrics import Metrics, text, write
from chaos.metrics.families import COMMON, FAMILIES
from chaos.metrics.serving import served
from chaos.verdict import judge

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"


def counted(events: list[Event], until: float = math.inf) -> Metrics:
    numbers = Metrics()
    for event in events:
        if event["t"] <= until:
            numbers(event)
    return numbers


def of_run(tmp_path: Path, **variant: Any) -> list[Event]:
    return read(journals.region_outage(tmp_path, **variant))


def written(tmp_path: Path, **variant: Any) -> str:
    """The textfile of a finished run."""
    events = of_run(tmp_path / "run", **variant)
    path = tmp_path / "run.prom"
    write(path, events, judge(fold(events)))
    return path.read_text()


def value(exposed: str, name: str, **labels: str) -> float:
    """The one sample of that name with exactly these labels, besides the common one."""
    labels = labels | {COMMON: "region-outage"}
    found = [
        sample.value
        for family in families(exposed)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    assert len(found) == 1, f"{name} {labels}: {found}"
    return found[0]


def families(exposed: str) -> list[Metric]:
    return list(text_string_to_metric_families(exposed))


def test_who_was_stopped_and_how_long_it_took_to_be_back_is_told(tmp_path: Path) -> None:
    events = of_run(tmp_path / "run")
    usual = written(tmp_path / "usual")
    assert value(usual, "chaos_run_stopped") == 0
    assert math.isnan(value(usual, "chaos_run_back_after_seconds"))
    stop = {"n": 0, "t": 100.0, "event": "stop", "why": "stopped by SIGINT", "asked": 100.0}
    verdict = judge(fold([*events, stop]))
    write(tmp_path / "stopped.prom", events, verdict)
    stopped = (tmp_path / "stopped.prom").read_text()
    assert value(stopped, "chaos_run_stopped") == 1
    told = verdict.to_json()["stopped"]["back_after"]
    assert told > 0
    assert value(stopped, "chaos_run_back_after_seconds") == told


# --- what they say ------------------------------------------------------------------------


def test_attempts_are_counted_by_result(tmp_path: Path) -> None:
    events = of_run(tmp_path)
    samples = [e for e in events if e["event"] == "sample" and e["probe"] == "playback"]
    exposed = text(counted(events))
    for result, wanted in (
        ("good", sum(e["ok"] for e in samples)),
        ("bad", sum(not e["ok"] for e in samples)),
        ("crashed", 0),
    ):
        labels = {"probe": "playback", "result": result}
        assert value(exposed, "chaos_probe_attempts_total", **labels) == wanted


def test_a_crashed_attempt_says_nothing_of_the_system(tmp_path: Path) -> None:
    events = of_run(tmp_path)
    numbers = counted(events)
    crashed = {**events[-2], "event": "sample", "probe": "playback", "ok": False, "crashed": True}
    numbers({**crashed, "start": 1.0, "end": 2.0})
    exposed = text(numbers)
    assert value(exposed, "chaos_probe_up", probe="playback") == 1
    labels = {"probe": "playback", "result": "crashed"}
    assert value(exposed, "chaos_probe_attempts_total", **labels) == 1


def test_the_latency_of_good_attempts_is_a_histogram(tmp_path: Path) -> None:
    events = of_run(tmp_path)
    took = [
        e["end"] - e["start"]
        for e in events
        if e["event"] == "sample" and e["probe"] == "playback" and e["ok"]
    ]
    exposed = text(counted(events))
    name, probe = "chaos_probe_latency_seconds", "playback"
    assert value(exposed, f"{name}_count", probe=probe) == len(took)
    assert value(exposed, f"{name}_sum", probe=probe) == pytest.approx(sum(took))
    for bound in (*metrics.BUCKETS, math.inf):
        le = "+Inf" if bound == math.inf else str(bound)
        within = sum(t <= bound for t in took)
        assert value(exposed, f"{name}_bucket", probe=probe, le=le) == within


@pytest.mark.parametrize(
    ("t", "phase", "active", "up", "still_open"),
    [(4.0, "steady", 0, 1, 0), (60.0, "hold", 1, 1, 4), (40.0, "hold", 1, 0, 4)],
)
def test_they_follow_the_run(
    tmp_path: Path, t: float, phase: str, active: int, up: int, still_open: int
) -> None:
    exposed = text(counted(of_run(tmp_path), until=t))
    for name in metrics.PHASES:
        assert value(exposed, "chaos_run_phase", phase=name) == (name == phase)
    assert value(exposed, "chaos_fault_active", fault="0", kind="region_outage") == active
    assert value(exposed, "chaos_probe_up", probe="playback") == up
    assert value(exposed, "chaos_levers_open") == still_open
    assert value(exposed, "chaos_pulls", outcome="open") == still_open


def test_levers_are_told_by_what_became_of_them(tmp_path: Path) -> None:
    exposed = written(tmp_path, outcomes=("failed", "restored", "conflict", "restored"))
    wanted = {"failed": 1, "restored": 2, "conflict": 1}
    for outcome in metrics.OUTCOMES:
        assert value(exposed, "chaos_pulls", outcome=outcome) == wanted.get(outcome, 0)
    assert value(exposed, "chaos_levers_open") == 2
    assert value(exposed, "chaos_fault_active", fault="0", kind="region_outage") == 1
    assert value(exposed, "chaos_exit_code") == 4


def test_the_file_has_what_the_verdict_measured(tmp_path: Path) -> None:
    exposed = written(tmp_path)
    rto = {"probe": "playback", "objective": "rto"}
    assert value(exposed, "chaos_objective_limit_seconds", **rto) == 120
    assert value(exposed, "chaos_objective_low_seconds", **rto) == pytest.approx(74.1, abs=0.1)
    assert value(exposed, "chaos_objective_high_seconds", **rto) == pytest.approx(74.6, abs=0.1)
    assert value(exposed, "chaos_objective_result", **rto, result="held") == 1
    assert value(exposed, "chaos_objective_result", **rto, result="broken") == 0
    assert value(exposed, "chaos_availability_ratio", probe="playback") == pytest.approx(
        0.72, abs=0.01
    )
    assert value(exposed, "chaos_availability_limit_ratio", probe="playback") == 0.4
    for verdict in metrics.VALUES:
        assert value(exposed, "chaos_verdict", verdict=verdict) == (verdict == "held")
    recovery = {"probe": "history", "objective": "recover_within"}
    assert value(exposed, "chaos_objective_limit_seconds", **recovery) == 120
    began = value(exposed, "chaos_run_start_timestamp_seconds")
    ended = value(exposed, "chaos_run_end_timestamp_seconds")
    elapsed = value(exposed, "chaos_run_elapsed_seconds")
    assert ended - began == pytest.approx(elapsed / 8)


def test_what_nothing_bounds_is_infinite(tmp_path: Path) -> None:
    events = of_run(tmp_path, failover=None)
    cut = [e for e in events if e["t"] < 180.0]
    numbers = counted(cut)
    numbers.judged(judge(fold(cut)))
    exposed = text(numbers)
    rto = {"probe": "playback", "objective": "rto"}
    assert value(exposed, "chaos_objective_high_seconds", **rto) == math.inf


def test_a_run_cut_off_anywhere_has_metrics(tmp_path: Path) -> None:
    events = of_run(tmp_path, steady=False)
    for size in range(1, len(events), 40):
        numbers = counted(events[:size])
        numbers.judged(judge(fold(events[:size])))
        assert value(text(numbers), "chaos_verdict", verdict="unknown") == 1


def test_events_that_are_not_known_yet_are_passed_over(tmp_path: Path) -> None:
    numbers = counted(of_run(tmp_path))
    numbers({"n": 9, "t": 900.0, "event": "weather", "sky": "blue"})
    assert value(text(numbers), "chaos_run_elapsed_seconds") == 900


# --- conventions and docs -----------------------------------------------------------------


@needs_promtool
def test_promtool_has_nothing_to_complain_of(tmp_path: Path) -> None:
    assert complaints(written(tmp_path)) == ""
    assert complaints(text(counted(of_run(tmp_path / "again"), until=60.0))) == ""
    assert complaints(text(Metrics())) == ""


@needs_promtool
def test_promtool_would_complain_of_bad_ones() -> None:
    assert "counter metrics should have" in complaints("# HELP a b\n# TYPE a counter\na 1\n")


@needs_promtool
def test_promtool_takes_the_rules_of_the_page(tmp_path: Path) -> None:
    (rules,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path / "rules.yaml"
    path.write_text(rules)
    assert rejects(path) == ""
    path.write_text(rules.replace("== 0", "=== 0"))
    assert "parse error" in rejects(path)


def test_in_ci_promtool_is_there() -> None:
    assert PROMTOOL or not os.environ.get("CI"), "see .ci/run for how to get promtool"


def test_every_family_is_written_and_no_other(tmp_path: Path) -> None:
    exposed = {family.name: family for family in families(written(tmp_path))}
    assert {name.removesuffix("_total") for name in FAMILIES} == exposed.keys()
    for name, (kind, labels, told) in FAMILIES.items():
        family = exposed[name.removesuffix("_total")]
        assert (family.type, family.documentation) == (kind, told)
        assert family.samples, f"nothing is ever told by {name}"
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == {COMMON, *labels}


def test_the_page_has_every_metric_with_its_type_labels_and_help() -> None:
    rows = re.findall(
        r"^\| `(chaos_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE
    )
    documented = {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)), told)
        for name, kind, labels, told in rows
    }
    assert documented == FAMILIES


def test_the_page_names_no_metric_and_no_word_that_is_not_there() -> None:
    page = PAGE.read_text()
    assert set(re.findall(r"\bchaos_(?:\w+)", page)) <= FAMILIES.keys()
    for word in (*metrics.PHASES, *metrics.RESULTS):
        assert f"`{word}`" in page


def test_labels_do_not_grow_with_the_run(tmp_path: Path) -> None:
    events = of_run(tmp_path)
    for n, event in enumerate(events):
        if event["event"] == "sample" and not event["ok"]:
            event["error"] = f"a different error each time: {n}"
    half = text(counted(events, until=120.0)).count("\n")
    assert text(counted(events)).count("\n") == half


# --- the file -----------------------------------------------------------------------------


def test_the_file_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = of_run(tmp_path / "run")
    path = tmp_path / "out" / "run.prom"
    path.parent.mkdir()
    write(path, events, judge(fold(events)))
    before = path.read_text()
    monkeypatch.setattr("os.rename", _full)
    with pytest.raises(OSError, match="no space"):
        write(path, events, judge(fold(events)))
    assert path.read_text() == before
    assert list(path.parent.iterdir()) == [path]


def _full(*_: object) -> None:
    raise OSError("no space left on device")


# --- served -------------------------------------------------------------------------------


def scrape(port: int) -> tuple[str, str]:
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/metrics", timeout=20
    ) as answer:  # our own
        return answer.headers["Content-Type"], answer.read().decode()


def test_they_are_served_on_loopback_while_the_run_goes_on(tmp_path: Path) -> None:
    numbers = Metrics()
    with served(numbers.registry, 0) as port:
        assert families(scrape(port)[1])
        for event in of_run(tmp_path):
            numbers(event)
        kind, exposed = scrape(port)
        assert kind.startswith("text/plain; version=")
        assert exposed == text(numbers)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_they_can_be_scraped_while_events_come_in(tmp_path: Path) -> None:
    events = of_run(tmp_path)
    numbers = counted(events)
    with served(numbers.registry, 0) as port:
        for _ in range(5):
            for event in events[1:200]:
                numbers(event)
            exposed = scrape(port)[1]
            count = value(exposed, "chaos_probe_latency_seconds_count", probe="playback")
            assert count == value(
                exposed, "chaos_probe_attempts_total", probe="playback", result="good"
            )


def test_a_reader_that_sends_nothing_does_not_hold_the_end() -> None:
    with served(Metrics().registry, 0) as port:
        idle = socket.create_connection(("127.0.0.1", port), timeout=5)
        assert scrape(port)
    idle.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ("--metrics-file", "run.txt"),
            "run.txt must end in .prom, or node_exporter leaves it out",
        ),
        (("--metrics-file", "none/run.prom"), "none is no directory; make it first"),
        (("--metrics-port", "70000"), "70000 is not in the range 0<=x<=65535"),
        (("--metrics-port", "TAKEN"), "choose another --metrics-port, or 0 for any that is free"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_is_touched(
    tmp_path: Path, options: tuple[str, str], says: str
) -> None:
    with served(Metrics().registry, 0) as port:
        options = options[0], options[1].replace("TAKEN", str(port))
        done = subprocess.run(
            [sys.executable, "-m", "chaos", "run", "region-outage", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with (
        served(Metrics().registry, 0) as port,
        pytest.raises(InvalidInput, match=f"127.0.0.1:{port}: Address already in use; choose"),
        served(Metrics().registry, port),
    ):
        raise AssertionError("unreachable")

"""The lab `homepage` as a process: one service calls another, over a link that fails."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_socket import ask

from chaos import schema
from chaos.lab.declaration import Lab as Declaration

SPEED = 20.0
DEADLINE_S = 30.0
SYSTEM = Path(__file__).parents[2] / "chaos" / "lab" / "systems" / "homepage.yaml"
HOME, RECOMMENDATIONS = "127.1.0.10", "127.1.0.11"  # their balancers
LINK = {"from": "home", "to": "recommendations"}


class Lab:
    """The lab, started and asked as a run does it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        declared = schema.load(SYSTEM, Declaration).model_dump(mode="json")
        process.stdin.write(json.dumps({"lab": declared, "speed": SPEED}).encode() + b"\n")
        process.stdin.flush()
        self.described: dict[str, Any] = json.loads(process.stdout.readline())

    def ask(self, op: str, **params: Any) -> dict[str, Any]:
        return ask(self.described["control"], op, **params)

    def put(self, rule: dict[str, Any] | None) -> dict[str, Any]:
        return self.ask("put_link_rule", id="t", rule=rule)

    def get(self, address: str, path: str) -> tuple[int, dict[str, Any]]:
        port = self.described["ports"]["80"]
        connection = http.client.HTTPConnection(address, port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def page(self) -> str:
        """Why the page has no fresh recommendations; `fresh` when it has."""
        status, page = self.get(HOME, "/home")
        assert status == 200
        return str(page.get("why", page["recommendations"]))


@pytest.fixture(scope="module")
def process() -> Iterator[Lab]:
    directory = tempfile.mkdtemp(prefix="t")
    with subprocess.Popen(
        [sys.executable, "-m", "chaos.lab"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TMPDIR": directory, "PATH": ""},
    ) as process:
        yield Lab(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(DEADLINE_S) == 0
    shutil.rmtree(directory)


@pytest.fixture
def lab(process: Lab) -> Iterator[Lab]:
    """The one lab, left as it was found."""
    # Of each of the two instances, whose circuit breakers may have to close first.
    wait_until(lambda: all(process.page() == "fresh" for _ in range(4)))
    yield process
    process.put(None)


def wait_until(happened: Callable[[], bool]) -> None:
    """Poll, with a deadline."""
    until = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def test_it_says_who_calls_whom(lab: Lab) -> None:
    assert lab.ask("describe_lab")["services"] == {
        "home": {"depends_on": ["recommendations"], "caller": "lab-home"},
        "recommendations": {"depends_on": [], "caller": "lab-recommendations"},
    }
    assert len(lab.described["instances"]) == 4


def test_recommendations_differ_by_profile(lab: Lab) -> None:
    kim, sam = (lab.get(RECOMMENDATIONS, f"/recommendations?profile={p}") for p in ("kim", "sam"))
    assert (kim[0], sam[0]) == (200, 200)
    assert kim[1]["titles"] != sam[1]["titles"]
    assert lab.get(RECOMMENDATIONS, "/health")[1]["status"] == "ok"
    assert lab.get(RECOMMENDATIONS, "/x")[0] == 404


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"action": "refuse"}, "Connection reset by peer"),
        ({"action": "error", "status": 502}, "status 502"),
        ({"action": "hang"}, "timed out"),
        ({"action": "delay", "seconds": 60.0}, "timed out"),
    ],
)
def test_a_link_that_fails_is_noticed_by_its_consumer_alone(
    lab: Lab, rule: dict[str, Any], why: str
) -> None:
    assert lab.put({**rule, **LINK}) == {}
    # Health checks are traffic too, so that it may have met some already.
    assert lab.ask("describe_link_rule", id="t")["rule"] == {**rule, **LINK}
    wait_until(lambda: lab.page().endswith(why))
    wait_until(lambda: lab.page().endswith("the circuit breaker is open"))
    assert lab.get(RECOMMENDATIONS, "/recommendations")[0] == 200
    assert lab.ask("describe_link_rule", id="t")["hits"] >= 3
    lab.put(None)
    wait_until(lambda: lab.page() == "fresh")
    assert lab.ask("describe_link_rule", id="t")["rule"] is None


def test_clients_are_a_consumer_too(lab: Lab) -> None:
    lab.put({"action": "error", "status": 503, "from": "clients", "to": "recommendations"})
    assert lab.get(RECOMMENDATIONS, "/recommendations")[0] == 503
    wait_until(lambda: lab.page() == "fresh")
    assert lab.ask("describe_link_rule", id="t")["hits"] == 1


def test_what_is_no_rule_is_refused_in_one_sentence(lab: Lab) -> None:
    assert lab.put({"action": "hang", "to": "recomendations"}) == {
        "error": "no service 'recomendations' here; there is home, recommendations;"
        " did you mean 'recommendations'?",
        "code": "InvalidParameter",
    }
    assert lab.ask("describe_link_rule", id="never") == {"rule": None, "hits": 0}

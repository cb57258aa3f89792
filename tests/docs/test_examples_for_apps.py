"""The examples for one's own app do what they say: their files, run as their readers would."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from exec_command import WITHIN_S, chaos_exec, environment
from upstreams import moto_server

EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"
SUITE = EXAMPLES / "pytest-suite"
COMPOSE = EXAMPLES / "compose-app"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_the_suite_passes_under_a_rule_and_sets_a_fault_of_its_own() -> None:
    done = chaos_exec("--rule", "s3: delay 5ms", "--", *PYTEST, directory=SUITE)
    assert done.code == 0, done.out + done.err
    assert "2 passed" in done.out


def test_the_suite_fails_where_the_service_does_not_stand_the_fault() -> None:
    done = chaos_exec("--rule", "s3.PutObject: error 503", "--", *PYTEST, directory=SUITE)
    assert done.code == 1
    assert "2 failed" in done.out


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    return found


def test_the_apps_endpoint_is_the_proxys_address_which_is_not_published() -> None:
    proxy, app = services()["chaos"], services()["app"]
    words = dict(word.split("=", 1) for word in proxy["command"] if word.startswith("--"))
    address = proxy["networks"]["inside"]["ipv4_address"]
    assert app["environment"]["AWS_ENDPOINT_URL"] == f"http://{address}:{words['--port']}"
    assert words["--upstream"] == "http://localstack:4566"
    assert words["--listen"] == "0.0.0.0"  # noqa: S104  # in its container
    assert not any("ports" in service for service in services().values())
    for service in services().values():
        assert "inside" in service["networks"]


@contextlib.contextmanager
def proxy_of_the_file(upstream: str) -> Iterator[str]:
    """The URL of the proxy as the file starts it, but here."""
    here = {"--upstream": upstream, "--listen": "127.0.0.1", "--port": "0"}
    words = [word.split("=", 1) for word in services()["chaos"]["command"][2:]]
    options = [f"{name}={here.get(name, value)}" for name, value in words]
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos", "proxy", "--json", *options],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["endpoint"]
    finally:
        process.terminate()
        process.communicate(timeout=WITHIN_S)


def test_the_compose_app_stands_the_fault_of_its_file() -> None:
    app = services()["app"]
    with moto_server() as (host, port), proxy_of_the_file(f"http://{host}:{port}") as url:
        done = subprocess.run(
            [sys.executable, str(COMPOSE / "app.py")],
            env=environment(**{**app["environment"], "AWS_ENDPOINT_URL": url}),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "10 of 10 messages arrived, after 2 retries\n")

"""`chaos proxy` and `chaos dns`: where others could ask them, and when their owners die."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request

import dns.exception
import dns.message
import dns.query
import pytest
from upstreams import moto_server

CHAOS = [sys.executable, "-m", "chaos"]
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what is shown is that a token is asked for then
TOKEN = "a-token-of-24-characters"  # noqa: S105  # of a test
WITHIN_S = 60.0


def started(*args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CHAOS, *args],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def status(url: str, **headers: str) -> int:
    try:
        asked = urllib.request.Request(url, headers=headers)  # noqa: S310  # ours
        with urllib.request.urlopen(asked, timeout=WITHIN_S) as answer:  # noqa: S310  # ours
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_proxy_that_others_reach_wants_the_token_that_it_shows_once() -> None:
    with moto_server() as (_, moto):
        upstream = f"http://127.0.0.1:{moto}"
        args = ["--port", "0", "--upstream", upstream, "--listen", EVERYWHERE]
        with started("proxy", *args) as proxy:
            assert proxy.stdout
            said = ""
            for line in proxy.stdout:
                said += line
                if line.startswith("token:"):
                    break
            port = said.split()[2].rstrip(",").rpartition(":")[2]
            token, url = line.split()[1], f"http://127.0.0.1:{port}"
            assert len(token) >= 32
            for path in ("/_chaos/rules", "/_chaos/metrics", "/_localstack/chaos/faults"):
                assert status(url + path) == 401
                assert status(url + path, Authorization="Bearer guessed-it") == 401
                assert status(url + path, Authorization=f"Bearer {token}") == 200
            assert status(f"{url}/moto-api/data.json") == 200  # the emulator's: it passes
            proxy.send_signal(signal.SIGINT)
            told, complaints = proxy.communicate(timeout=WITHIN_S)
    assert proxy.returncode == 0
    assert token not in told + complaints


def test_the_rules_of_a_resolver_end_with_whoever_holds_its_lifeline() -> None:
    rule = ["--rule", "nxdomain gone.example"]
    # The upstream is nowhere: what is passed on is not answered with NXDOMAIN.
    args = ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9", "--lifeline", *rule]
    with started("dns", *args) as resolver:
        assert resolver.stdout
        assert resolver.stdin
        assert resolver.stderr
        port = int(resolver.stdout.readline().split()[2].rstrip(",").rpartition(":")[2])
        question = dns.message.make_query("gone.example", "A")
        answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=WITHIN_S)
        assert answer.rcode() == 3
        resolver.stdin.close()
        assert "all rules are lifted" in resolver.stderr.readline()
        answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=WITHIN_S)
        assert answer.rcode() != 3
        resolver.send_signal(signal.SIGINT)
        assert resolver.wait(WITHIN_S) == 0


def test_a_resolver_does_not_answer_those_who_are_not_allowed() -> None:
    args = ["--listen", f"{EVERYWHERE}:0", "--expose", "--allow", "192.0.2.0/24"]
    with started("dns", *args, "--upstream", "127.0.0.1:9", "--rule", "refused") as resolver:
        assert resolver.stdout
        port = int(resolver.stdout.readline().split()[2].rstrip(",").rpartition(":")[2])
        question = dns.message.make_query("a.example", "A")
        with pytest.raises((EOFError, ConnectionError)):
            dns.query.tcp(question, "127.0.0.1", port=port, timeout=WITHIN_S)
        with pytest.raises(dns.exception.Timeout):
            dns.query.udp(question, "127.0.0.1", port=port, timeout=0.3)
        resolver.send_signal(signal.SIGINT)
        told, _ = resolver.communicate(timeout=WITHIN_S)
    assert "0 questions met: refused" in told

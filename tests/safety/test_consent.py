"""Nobody's account is touched without somebody's word: its alias, typed, or --yes."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from guarded import instance, kill, pull, subnet
from moto_account import KEYS, moto_account, on_account

from chaos.cli.consent import consent
from chaos.environments import terminal
from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed, InvalidInput
from chaos.experiment import load
from chaos.safety.consent import Asked, Wish, ask, wish

EXPERIMENT = """\
name: kill
accounts: {main: {id: "123456789012", regions: [us-east-1]}}
probes: {p: {kind: tcp, host: 127.0.0.1, port: 9}}
faults: [{kind: instance_termination, region: us-east-1, tags: {chaos: allowed}}]
objectives: {p: {unaffected: true}}
allow_irreversible: [instance_termination]
"""
AT_A_TERMINAL = """
import os, sys
os.login_tty(int(sys.argv.pop(1)))
from chaos.__main__ import main
main()
"""
ACCOUNT = Asked(name="main", id="123456789012", alias="acme-test", regions=("us-east-1",))
WISH = Wish(accounts=(ACCOUNT,), targets=2, for_good=(), by_itself="nothing has to be put back")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_account() as url:
        yield url


@pytest.fixture(scope="module")
def alone(endpoint: str) -> str:
    """The id of an instance of that account, which has an alias."""
    calls = AwsCalls(endpoint, key=("test", "test"), timeout_s=30)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "chaos", "Value": "allowed"}]}]
    ran = [
        calls.call_now(
            "ec2",
            "us-east-1",
            "run_instances",
            ImageId="ami-12c6146b",
            MinCount=2,
            MaxCount=2,
            TagSpecifications=tags if first else [],
        )
        for first in (True, False)
    ]
    calls.call_now("iam", "us-east-1", "create_account_alias", AccountAlias="acme-test")
    calls.close()
    (two, _) = ran[0]["Instances"], ran[1]
    return ", ".join(i["InstanceId"] for i in two)


@pytest.fixture
def experiment(tmp_path: Path, alone: str) -> Path:
    path = tmp_path / "kill.yaml"
    path.write_text(f"{EXPERIMENT}safety: {{alone: [{alone}]}}\n")
    (tmp_path / ".git").mkdir()
    return path


def typed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_question: str, _without: str) -> str:
        return text

    monkeypatch.setattr(terminal, "ask", answer)


def agreed(wanted: Wish, *, yes: bool = False) -> list[str]:
    told: list[str] = []
    asyncio.run(_agree(wanted, told, yes))
    return told


async def _agree(wanted: Wish, told: list[str], yes: bool) -> None:
    await consent(told.append, yes=yes)(wanted)


def test_what_there_is_to_agree_to(monkeypatch: pytest.MonkeyPatch) -> None:
    typed("acme-test", monkeypatch)
    assert agreed(WISH) == [
        "  account main: 123456789012 (acme-test), us-east-1",
        "  resources that are touched: 2",
        "  cannot be put back: nothing",
        "  if this machine dies: nothing has to be put back",
    ]
    assert agreed(WISH) == agreed(WISH, yes=True)


@pytest.mark.parametrize("text", ["", "123456789012", "ACME-TEST", "yes"])
def test_something_else_is_no_consent(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(text, monkeypatch)
    with pytest.raises(InvalidInput, match="not the alias of the account main; nothing was touch"):
        agreed(WISH)


def test_each_account_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    typed("acme-test", monkeypatch)
    other = Asked(name="other", id="210987654321", alias=None, regions=("us-east-1",))
    with pytest.raises(InvalidInput, match="not the id of the account other"):
        agreed(Wish(accounts=(ACCOUNT, other), targets=2, for_good=(), by_itself=""))


def test_without_a_word_there_is_no_run(experiment: Path, endpoint: str) -> None:
    async def go() -> None:
        with pytest.raises(InvalidInput, match="only if somebody agrees: add --yes"):
            await ask(load(experiment), [], on_account(endpoint), None)

    asyncio.run(go())


def test_what_is_told_of_a_plan(
    experiment: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    at = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
    planned = [kill(instance()), pull(subnet(), expires=at), pull(subnet(), subnet("subnet-2"))]

    async def told(environment: Any) -> Wish:
        return await wish(load(experiment), planned, environment)

    found = asyncio.run(told(on_account(endpoint)))
    assert found.accounts == (ACCOUNT,)
    assert found.targets == 3
    assert found.for_good == ("what faults[0], instance_termination, draws when it comes",)
    assert found.by_itself == (
        "1 of 2 levers end by themselves by 12:30 UTC, 1 stay until chaos rollback --orphans, from"
        " any machine, puts them back"
    )


def test_an_account_without_an_alias_is_known_by_its_id(experiment: Path) -> None:
    """As is one whose alias may not be read."""

    async def go(environment: Any) -> str:
        return (await wish(load(experiment), [], environment)).accounts[0].word

    none: dict[str, Any] = {"AccountAliases": []}
    for answer in (CallFailed("iam", "AccessDenied", "no"), none):
        assert asyncio.run(go(Answering(answer))) == "123456789012"


class Answering:
    """An environment that answers everything the same."""

    def __init__(self, answer: dict[str, Any] | CallFailed) -> None:
        self._answer = answer

    def at(self, _account: str | None) -> Answering:
        return self

    async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        if isinstance(self._answer, CallFailed):
            raise self._answer
        return self._answer


def run(
    experiment: Path, endpoint: str, *more: str, stdin: int
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chaos", "run", str(experiment), "--environment", "aws"]
    return subprocess.run(
        [*command, "--endpoint", endpoint, "--undo-log", "none", "--plain", *more],
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=experiment.parent,
        env={**os.environ, **KEYS, "CHAOS_STALE_SECONDS": "0"},
    )


def running(endpoint: str) -> int:
    calls = AwsCalls(endpoint, key=("test", "test"), timeout_s=30)
    found = calls.call_now("ec2", "us-east-1", "describe_instances")["Reservations"]
    calls.close()
    return sum(i["State"]["Name"] == "running" for r in found for i in r["Instances"])


def test_without_a_terminal_it_is_refused(experiment: Path, endpoint: str) -> None:
    done = run(experiment, endpoint, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "account main: 123456789012 (acme-test), us-east-1" in done.stdout
    assert "only if somebody agrees" in done.stderr
    assert "there is no terminal to ask at" in done.stderr
    assert running(endpoint) == 4
    assert not (experiment.parent / "chaos-runs").exists()


def test_a_word_does_not_open_what_a_guard_has_closed(experiment: Path, endpoint: str) -> None:
    policy = experiment.with_name("strict.toml")
    policy.write_text('accounts = ["210987654321"]\nhours = [{from="00:00",to="24:00",zone="UTC"}]')
    done = run(experiment, endpoint, "--yes", "--policy", str(policy), stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert f"accounts: main is account 123456789012, and {policy} allows 210987654321" in (
        done.stderr
    )
    assert running(endpoint) == 4


def test_the_wrong_word_at_a_terminal(experiment: Path, endpoint: str) -> None:
    """The id is typed where the alias is asked for."""
    terminal_fd, theirs = pty.openpty()
    options = ["run", str(experiment), "--environment", "aws", "--endpoint", endpoint, "--plain"]
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, str(theirs), *options, "--undo-log", "none"],
        pass_fds=[theirs],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=experiment.parent,
        env={**os.environ, **KEYS},
    ) as person:
        os.close(theirs)
        _shown(terminal_fd, b"type the alias of the account main")
        os.write(terminal_fd, b"123456789012\n")
        told = _shown(terminal_fd, None)
    os.close(terminal_fd)
    assert person.returncode == 2
    assert b"that is not the alias of the account main; nothing was touched" in told
    assert running(endpoint) == 4


def _shown(fd: int, until: bytes | None) -> bytes:
    """What the terminal shows, up to that text or to the end of all."""
    shown = b""
    while until is None or until not in shown:
        try:
            shown += os.read(fd, 4096)
        except OSError:  # how Linux tells that nobody has the other side open
            assert until is None, shown
            break
    return shown

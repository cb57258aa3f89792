"""What stands between the app `playback` and its history: a secret, a cache, a buffer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.lab import sdk
from chaos.lab.instances import Instance
from chaos.lab.layers import Cached, Later, Locked, layered
from chaos.lab.services import Service

EAST, WEST = "us-east-1", "us-west-2"
DEADLINE_S = 30


class Kept:
    """A history in memory, which can be told to fail; `stored` says that something was."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self.fails = False
        self.stored = threading.Semaphore(0)

    def read(self, profile: str) -> dict[str, str]:
        return {"profile": profile, "title": self.known[-1] if self.known else ""}

    def titles(self, profile: str) -> list[str]:
        return [f"{profile}: {title}" for title in self.known]

    def write(self, profile: str, title: str, position: str) -> None:
        fails = self.fails
        try:
            if fails:
                raise sdk.Lacking(f"{profile} cannot be written at {position}")
            self.known.append(title)
        finally:
            self.stored.release()


class Clock:
    """Monotonic time as a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("chaos.lab.layers.time.monotonic", lambda: self.now)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def an_instance(endpoint: str = "", *, region: str = WEST, **service: Any) -> Instance:
    return Instance(
        id="i-1",
        region=region,
        zone=f"{region}a",
        service=Service.model_validate({"app": "playback", "aws_timeout": 20, **service}),
        table=None,
        address="127.2.1.10",
        socket="",
        port=80,
        dns=("127.0.0.1", 53),
        endpoint=endpoint,
        key=("lab-playback", "lab"),
        speed=2,
    )


def test_without_anything_declared_there_is_nothing_in_between(kept: Kept) -> None:
    assert layered(kept, an_instance()) is kept


def test_a_cache_answers_what_it_has_read_once_until_its_time_is_over(
    kept: Kept, clock: Clock
) -> None:
    cached = layered(kept, an_instance(cache="60s"))
    assert isinstance(cached, Cached)
    cached.write("kim", "one", "0")
    assert cached.titles("kim") == ["kim: one"]
    cached.write("kim", "two", "0")
    clock.now += 29.9  # at twice the wall's speed
    assert cached.titles("kim") == ["kim: one"]
    assert cached.titles("sam") == ["sam: one", "sam: two"]
    assert cached.read("kim")["title"] == "two"  # another question
    clock.now += 0.2
    assert cached.titles("kim") == ["kim: one", "kim: two"]


def test_a_cache_keeps_no_failure(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(profile: str) -> list[str]:
        raise sdk.Lacking(profile)

    cached = Cached(kept, 60)
    with monkeypatch.context() as patch:
        patch.setattr(kept, "titles", fail)
        with pytest.raises(sdk.Lacking):
            cached.titles("kim")
    assert cached.titles("kim") == []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_who_acknowledges_first_stores_later_and_in_order(kept: Kept) -> None:
    later = layered(kept, an_instance(acknowledge="first", flush="200ms"))
    began = time.monotonic()
    for number in range(5):
        later.write("kim", str(number), "0")
    for _ in range(5):
        assert kept.stored.acquire(timeout=DEADLINE_S)
    assert time.monotonic() - began > 0.099  # 200 ms at twice the wall's speed
    assert kept.known == ["0", "1", "2", "3", "4"]
    assert (later.read("kim")["title"], len(later.titles("kim"))) == ("4", 5)


def test_what_cannot_be_stored_later_is_lost_and_the_rest_is_not(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.fails = True
    later = Later(kept, 0, "i-1")
    later.write("kim", "lost", "0")
    assert kept.stored.acquire(timeout=DEADLINE_S)
    kept.fails = False
    later.write("kim", "kept", "0")
    assert kept.stored.acquire(timeout=DEADLINE_S)
    until(lambda: kept.known == ["kept"])
    assert "i-1: a write is lost: kim cannot be written" in capsys.readouterr().err


@pytest.fixture
def aws() -> Iterator[AwsCalls]:
    """moto, with one secret in one region."""
    with moto_server() as (_, port):
        calls = AwsCalls(f"http://127.0.0.1:{port}", key=("lab", "lab"), timeout_s=30)
        made = {"Name": "password", "SecretString": "s3same"}
        calls.call_now("secretsmanager", EAST, "create_secret", **made)
        yield calls
        calls.close()


def test_a_secret_is_read_once_until_it_is_too_old(aws: AwsCalls, kept: Kept, clock: Clock) -> None:
    needed = {"name": "password", "region": EAST, "refresh": "10s"}
    locked = layered(kept, an_instance(aws.endpoint("sts", EAST), secret=needed))
    assert isinstance(locked, Locked)
    locked.write("kim", "one", "0")
    gone = {"SecretId": "password", "ForceDeleteWithoutRecovery": True}
    aws.call_now("secretsmanager", EAST, "delete_secret", **gone)
    clock.now += 4.9  # at twice the wall's speed
    assert (locked.titles("kim"), locked.read("kim")["title"]) == (["kim: one"], "one")
    clock.now += 0.2
    for use in (locked.titles, locked.read):
        with pytest.raises(sdk.Lacking, match="the secret password in us-east-1 cannot be read"):
            use("kim")
    with pytest.raises(sdk.Lacking):
        locked.write("kim", "two", "0")
    assert kept.known == ["one"]


def test_without_a_region_the_secret_is_that_of_the_instances_own(
    aws: AwsCalls, kept: Kept
) -> None:
    def at(region: str) -> Any:
        endpoint = aws.endpoint("sts", EAST)
        return layered(kept, an_instance(endpoint, region=region, secret={"name": "password"}))

    assert at(EAST).titles("kim") == []
    with pytest.raises(sdk.Lacking, match="the secret password in us-west-2 cannot be read"):
        at(WEST).titles("kim")

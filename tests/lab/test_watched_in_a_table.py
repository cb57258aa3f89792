"""What profiles have watched, kept in a table: an item for each write, or one for all of them."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from upstreams import moto_server

from chaos.environments.calls import AwsCalls
from chaos.lab import playback, sdk, watched
from chaos.lab.instances import Instance
from chaos.lab.resources import Table
from chaos.lab.services import Service
from chaos.lab.watched import InOneItem, history

EAST = "us-east-1"
DEADLINE_S = 30
TABLE = Table(key="profile", sort_key="at", regions=(EAST,))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as (_, port):
        url = f"http://127.0.0.1:{port}"
        aws = AwsCalls(url, key=("lab", "lab"), timeout_s=30)
        keys = {"HASH": TABLE.key, "RANGE": TABLE.sort_key}
        aws.call_now(
            "dynamodb",
            EAST,
            "create_table",
            TableName="history",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for kind, name in keys.items()],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in keys.values()
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        aws.close()
        yield url


def instance(endpoint: str, directory: Path = Path(), **service: Any) -> Instance:
    given = {"app": "playback", "table": "history", "aws_timeout": 20, **service}
    return Instance(
        id="i-1",
        region=EAST,
        zone=f"{EAST}a",
        service=Service.model_validate(given),
        table=TABLE,
        address="127.1.1.10",
        socket=str(directory / "i-1"),
        port=80,
        dns=("127.0.0.1", 53),
        endpoint=endpoint,
        key=("lab-playback", "lab"),
        speed=1,
    )


@pytest.mark.parametrize("record", ["each", "whole"])
def test_all_titles_come_out_in_the_order_in_which_they_went_in(endpoint: str, record: str) -> None:
    kept = history(instance(endpoint, record=record))
    assert (kept.titles(f"ada-{record}"), kept.read(f"ada-{record}")["title"]) == ([], "")
    for title in ("b", "a", "c"):
        kept.write(f"ada-{record}", title, "0")
    assert kept.titles(f"ada-{record}") == ["b", "a", "c"]
    assert kept.read(f"ada-{record}") == {"title": "c", "position": "0"}


def test_an_item_for_each_write_is_the_default(endpoint: str) -> None:
    assert not isinstance(history(instance(endpoint)), InOneItem)


def test_within_a_region_writers_of_one_item_lose_nothing(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "TRIES", 100)
    kept = history(instance(endpoint, record="whole"))
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(kept.write, "bob", str(n), "0") for n in range(12)]:
            done.result(DEADLINE_S)
    assert sorted(map(int, kept.titles("bob"))) == [*range(12)]


def test_a_write_that_another_one_always_comes_before_is_not_acknowledged(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, other = (InOneItem(instance(endpoint), TABLE) for _ in range(2))
    found = kept._found

    def overtaken(profile: str) -> dict[str, Any]:
        before = found(profile)
        other.write(profile, "other", "0")
        return before

    monkeypatch.setattr(kept, "_found", overtaken)
    with pytest.raises(sdk.FAILURES) as refused:
        kept.write("cem", "mine", "0")
    assert sdk.overtaken(refused.value)
    assert other.titles("cem") == ["other"] * watched.TRIES


def asked(server: playback.Server, method: str, path: str, body: str | None = None) -> Any:
    connection = http.client.HTTPConnection("localhost", timeout=DEADLINE_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(DEADLINE_S)
    connection.sock.connect(str(server.server_address))
    connection.request(method, path, body, {"Connection": "close"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_what_goes_in_at_the_apps_door_comes_out_there(endpoint: str) -> None:
    directory = Path(tempfile.mkdtemp(prefix="t"))
    server = playback.Server(instance(endpoint, directory))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        for title in ("1", "2"):
            body = json.dumps({"profile": "run/1", "title": title, "position": "0"})
            assert asked(server, "POST", "/history", body)[0] == 200
        status, answer = asked(server, "GET", "/history?profile=run%2F1")
        assert (status, answer["titles"], answer["region"]) == (200, ["1", "2"], EAST)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        shutil.rmtree(directory)

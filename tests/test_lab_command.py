"""`chaos lab`: a lab that stays, is all there, and leaves nothing however it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import dns.message
import dns.query
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chaos.cli import lab_sheet
from chaos.environments import traces
from chaos.lab.services import Service

DEADLINE_S = 60.0  # of the wall, for whatever is waited for
SPEED = "10"

AS_THE_LAB: Any = {
    "region_name": "us-east-1",
    "aws_access_key_id": "lab",
    "aws_secret_access_key": "lab",
}


class Place:
    """A user with a home and a directory for temporary files of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.tmp = home / "t"
        self.tmp.mkdir()
        self.env = {**os.environ, "XDG_STATE_HOME": str(home), "TMPDIR": str(self.tmp)}

    def lab(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*args),
            cwd=self.home,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "chaos", "lab", *args]

    def up(self, *args: str) -> dict[str, Any]:
        done = self.lab("up", "--speed", SPEED, "--json", *args)
        assert done.returncode == 0, done.stderr
        up: dict[str, Any] = json.loads(done.stdout)
        return up

    def status(self) -> list[dict[str, Any]]:
        labs: list[dict[str, Any]] = json.loads(self.lab("status", "--json").stdout)["labs"]
        return labs

    def entries(self) -> list[Path]:
        return [path for path in self.home.glob("chaos/labs/*/*") if path.is_file()]

    def nothing_left(self, up: dict[str, Any]) -> bool:
        pids = [up["keeper"], *traces.session(up["lab"]["pid"])]
        return not (any(map(traces.born, pids)) or [*self.tmp.iterdir()])


@pytest.fixture(scope="module")
def shared() -> Iterator[Place]:
    """A place with one lab, for the tests that leave it as they found it."""
    with a_place() as place:
        place.up()
        yield place


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as place:
        yield place


@contextlib.contextmanager
def a_place() -> Iterator[Place]:
    home = Path(tempfile.mkdtemp(prefix="h"))  # with a short path, as unix sockets want it
    place = Place(home)
    try:
        yield place
        assert place.lab("down", "--all").returncode == 0
        assert (place.entries(), [*place.tmp.iterdir()]) == ([], [])
    finally:
        shutil.rmtree(home)


def wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def get(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=DEADLINE_S)
    with contextlib.closing(connection):
        connection.request("GET", f"{parts.path}?{parts.query}")
        page: dict[str, Any] = json.loads(connection.getresponse().read())
        return page


# --- what there is to play with -----------------------------------------------------------


def test_every_page_answers_and_says_where_it_is_from(shared: Place) -> None:
    (lab,) = shared.status()
    assert lab["state"] == "up"
    assert len(lab["pages"]) == 6  # two balancers and four instances
    for page in lab["pages"]:
        assert get(page["url"])["region"] == page["region"]


def test_the_dns_server_answers(shared: Place) -> None:
    (lab,) = shared.status()
    server, port = lab["lab"]["dns"]
    query = dns.message.make_query("api.stream.example", "A")
    answer = dns.query.udp(query, server, timeout=DEADLINE_S, port=port)
    assert [str(item) for rrset in answer.answer for item in rrset] == ["127.1.0.10"]


def test_boto3_works_with_the_environment_that_is_told(
    shared: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab,) = shared.status()
    for name, value in lab["env"].items():
        monkeypatch.setenv(name, value)
    make: Any = boto3.Session().client
    found = make("ec2").describe_instances()["Reservations"]
    ids = {instance["InstanceId"] for r in found for instance in r["Instances"]}
    assert ids == {i["id"] for i in lab["lab"]["instances"] if i["region"] == "us-east-1"}


def test_people_are_told_what_to_paste(shared: Place) -> None:
    (lab,) = shared.status()
    http, dns_port = lab["lab"]["ports"]["80"], lab["lab"]["dns"][1]
    keys = " ".join(f"{name}={value}" for name, value in lab["env"].items())
    assert f"AWS_ENDPOINT_URL={lab['lab']['api']} AWS_ACCESS_KEY_ID=lab " in keys
    shown = shared.lab("status").stdout
    for line in (
        "  127.1.0.10    balancer of playback: 2 of 2 targets healthy",
        "  api.stream.example (primary): healthy",
        f"  curl 'http://127.1.0.10:{http}/playback?profile=kim'  # playback in us-east-1",
        f"  dig @127.0.0.1 -p {dns_port} api.stream.example",
        f"  export {keys}",
        "to end it: chaos lab down streaming",
    ):
        assert line in shown.splitlines()


def test_the_fault_that_is_told_can_be_set(place: Place) -> None:
    up = place.up()
    told = next(line for line in place.lab("status").stdout.splitlines() if "chaos/faults" in line)
    subprocess.run(shlex.split(told), check=True, capture_output=True, timeout=DEADLINE_S)
    retries = Config(retries={"total_max_attempts": 1})
    dynamodb: Any = boto3.client(
        "dynamodb", config=retries, **AS_THE_LAB, endpoint_url=up["lab"]["api"]
    )
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.list_tables()


def test_status_is_live(place: Place) -> None:
    up = place.up()
    ec2: Any = boto3.client("ec2", **AS_THE_LAB, endpoint_url=up["lab"]["api"])
    ec2.terminate_instances(InstanceIds=[up["lab"]["instances"][0]["id"]])
    wait_until(lambda: "terminated" in {i["state"] for i in place.status()[0]["lab"]["instances"]})


def test_there_is_a_page_for_every_app() -> None:
    assert set(lab_sheet.PAGES) == set(Service.model_fields["app"].annotation.__args__)  # type: ignore[union-attr]


# --- how it ends --------------------------------------------------------------------------


def test_nothing_is_left_after_down(place: Place) -> None:
    up = place.up("--name", "mine")
    assert len([*traces.session(up["lab"]["pid"])]) == 8  # as in the lab of a run
    done = place.lab("down", "mine")
    assert (done.returncode, done.stdout) == (0, "the lab mine is down; nothing is left of it\n")
    assert place.nothing_left(up)
    assert place.status() == []


def test_a_keeper_that_is_killed_takes_its_lab_with_it(place: Place) -> None:
    up = place.up()
    os.kill(up["keeper"], signal.SIGKILL)
    wait_until(lambda: place.nothing_left(up))
    told = place.lab("status").stdout
    assert told == "lab streaming: has ended: its keeper was killed; it is cleared away now\n"
    assert place.lab("status").stdout == "no lab is up; to have one: chaos lab up\n"
    assert place.entries() == []


def test_a_lab_that_ends_by_itself_is_told(place: Place) -> None:
    up = place.up()
    os.kill(up["lab"]["pid"], signal.SIGKILL)
    wait_until(lambda: place.nothing_left(up))
    (ended,) = place.status()
    assert (ended["state"], ended["lab"]) == ("ended", None)
    assert ended["ended"] == "the lab ended by itself, with exit code -9"
    assert place.entries() == []


def test_a_forgotten_lab_ends_by_itself(place: Place) -> None:
    up = place.up("--ttl", "100ms")
    wait_until(lambda: place.nothing_left(up))
    assert place.status()[0]["ended"] == "its time was over after 100 ms"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_while_it_starts_leaves_nothing(place: Place, number: signal.Signals) -> None:
    up = subprocess.Popen(
        place.command("up"),
        cwd=place.home,
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: bool([*place.tmp.glob("chaos-lab-*")]))
    (entry,) = [json.loads(p.read_text()) for p in place.entries() if p.suffix == ".json"]
    up.send_signal(number)
    up.communicate(timeout=DEADLINE_S)
    assert up.returncode != 0
    wait_until(lambda: not (traces.born(entry["keeper"]) or [*place.tmp.iterdir()]))
    assert place.status() == []


# --- several, and what is refused ---------------------------------------------------------


def test_a_second_lab_needs_another_name(shared: Place) -> None:
    done = shared.lab("up")
    assert done.returncode == 2
    assert "a lab 'streaming' is up already" in done.stderr
    other = shared.up("--name", "other")
    assert [lab["name"] for lab in shared.status()] == ["other", "streaming"]
    unclear = shared.lab("down")
    assert (unclear.returncode, unclear.stderr) == (
        2,
        "2 labs are up: name one (other, streaming), or --all\n",
    )
    assert shared.lab("down", "other").returncode == 0
    assert not traces.born(other["keeper"])
    assert [lab["name"] for lab in shared.status()] == ["streaming"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["up", "--lab", "streming"], "--lab: there is no lab 'streming'; did you mean"),
        (["up", "--lab", "none.yaml"], "none.yaml: cannot be read: No such file"),
        (["up", "--name", "../x"], "'../x' is no name"),
        (["up", "--ttl", "8"], "'8' is no duration; write 250ms, 5s, 2m or 1h"),
        (["up", "--ttl", "0s"], "a lab that ends at once is of no use"),
        (["down", "nope"], "no lab 'nope' is up; none is"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(place: Place, args: list[str], says: str) -> None:
    done = place.lab(*args)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_state_directory_that_cannot_be_used(place: Place) -> None:
    place.env["XDG_STATE_HOME"] = "/proc/nowhere"
    done = place.lab("up")
    place.env["XDG_STATE_HOME"] = str(place.home)
    assert done.returncode == 2
    assert "labs cannot be kept there" in done.stderr
    assert "Traceback" not in done.stderr


def test_down_without_a_lab(place: Place) -> None:
    assert place.lab("down").stdout == "no lab is up\n"
    assert json.loads(place.lab("down", "--json").stdout) == {"ended": [], "problems": []}

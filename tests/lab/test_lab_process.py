"""The lab as a process: real HTTP, DNS and API calls, and nothing left of it however it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import dns.message
import dns.query
import pytest
from control_socket import ask

from chaos import schema
from chaos.lab.declaration import Lab as Declaration

SPEED = 20.0
DEADLINE_S = 30.0  # of the wall, for whatever is waited for
SYSTEMS = Path(__file__).parents[2] / "chaos" / "lab" / "systems"
STREAMING = schema.load(SYSTEMS / "streaming.yaml", Declaration).model_dump(mode="json")
TABLE = "viewing-history"


def wait_until(happened: Callable[[], bool]) -> None:
    """Poll, with a deadline."""
    until = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether there is such a process; a zombie is one too."""
    return Path(f"/proc/{pid}").exists()


def children(pid: int) -> list[int]:
    """All descendants."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *children(child)]
    return found


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def listening(ports: set[int]) -> set[int]:
    """Those of the ports on which a TCP socket listens."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A"} & ports


class Lab:
    """A lab process, started and spoken to as a run does it."""

    def __init__(self, directory: Path, declaration: dict[str, Any], **environment: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chaos.lab"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(directory), **environment},
        )
        assert self.process.stdin is not None
        asked = {"lab": declaration, "speed": SPEED}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        self.described: dict[str, Any] = {}

    def ready(self) -> dict[str, Any]:
        """The one line that it prints."""
        assert self.process.stdout is not None
        described: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.described = described
        return described

    def end(self) -> int:
        """Close the lifeline; the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(DEADLINE_S)

    def ask(self, op: str, **params: Any) -> dict[str, Any]:
        """One operation on the control socket: its result, or the whole answer when it failed."""
        return ask(self.described["control"], op, **params)

    def get(
        self, address: str, path: str, body: dict[str, str] | None = None, timeout: float = 10
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a page; OSError when there is no answer."""
        port = self.described["ports"]["80"]
        connection = http.client.HTTPConnection(address, port, timeout=timeout)
        with contextlib.closing(connection):
            data = json.dumps(body) if body is not None else None
            connection.request("GET" if body is None else "POST", path, data)
            response = connection.getresponse()
            page = json.loads(response.read())
            assert response.getheader("X-Region") == page["region"]
            return response.status, page

    def silent(self, address: str) -> bool:
        """Whether a connect hangs."""
        try:
            self.get(address, "/health", timeout=0.3)
        except TimeoutError:
            return True
        except OSError:
            return False
        return False

    def resolve(self, name: str) -> list[str]:
        """The A records of a name."""
        server, port = self.described["dns"]
        query = dns.message.make_query(name, "A")
        answer = dns.query.udp(query, server, timeout=DEADLINE_S, port=port)
        return sorted(str(item) for rrset in answer.answer for item in rrset)

    def client(self, service: str, region: str, door: str = "operator") -> Any:
        """boto3, at one of the doors."""
        make: Any = boto3.client
        return make(
            service,
            region_name=region,
            endpoint_url=self.described[door],
            aws_access_key_id="lab",
            aws_secret_access_key="lab",  # noqa: S106  # every lab's
        )

    def instances(self) -> dict[str, dict[str, str]]:
        return {one["id"]: one for one in self.ask("describe_lab")["instances"]}

    def traces(self) -> Callable[[], bool]:
        """Remember what the lab is made of; says later whether nothing of it is left."""
        pids = [self.process.pid, *children(self.process.pid)]
        urls = (self.described["api"], self.described["operator"])
        ports = {int(url.rpartition(":")[2]) for url in urls}
        ports |= {self.described["ports"]["80"], self.described["dns"][1]}
        # The lab, moto, the fork server, its resource tracker, and four instances.
        assert len(pids) == 8
        assert listening(ports) == ports

        def gone() -> bool:
            files = [*self.directory.iterdir()]
            return not (any(map(alive, pids)) or listening(ports) or files)

        return gone


@contextlib.contextmanager
def a_short_directory() -> Iterator[Path]:
    """A temporary directory with a short path, as unix sockets want it."""
    path = Path(tempfile.mkdtemp(prefix="t"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def short() -> Iterator[Path]:
    with a_short_directory() as path:
        yield path


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One lab for the tests that leave it as they found it; it must end without a trace."""
    with a_short_directory() as path:
        lab = Lab(path, STREAMING)
        lab.ready()
        gone = lab.traces()
        yield lab
        assert lab.end() == 0
        wait_until(gone)


@pytest.fixture
def own(short: Path) -> Iterator[Lab]:
    """A lab to be killed."""
    lab = Lab(short, STREAMING)
    yield lab
    lab.process.kill()
    lab.end()


@pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="a kernel that knows no autogroups"
)
def test_it_yields_the_processor_as_it_was_told() -> None:
    """A session of its own would have a share of its own, however nice its processes are."""
    command = ["nice", "-n", "7", sys.executable, "-m", "chaos.lab"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        group = Path(f"/proc/{process.pid}/autogroup")
        try:
            wait_until(lambda: group.read_text().endswith(f" nice {os.nice(0) + 7}\n"))
        finally:
            process.communicate(timeout=DEADLINE_S)  # nothing asked: it ends
    assert process.returncode == 0


def test_its_pulse_is_as_late_as_what_answers_the_aws_api(own: Lab) -> None:
    own.ready()
    (moto,) = (pid for pid in children(own.process.pid) if b"chaos.lab.moto" in command(pid))
    assert own.ask("pulse") == {}
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(own.ask("pulse")))
    os.kill(moto, signal.SIGSTOP)
    try:
        asking.start()
        asking.join(0.3)
        assert not answers
    finally:
        os.kill(moto, signal.SIGCONT)
    asking.join(DEADLINE_S)
    assert answers == [{}]


def test_it_is_what_was_declared(lab: Lab) -> None:
    described = lab.ask("describe_lab")
    assert described["lab"] == "streaming"
    assert described["speed"] == SPEED
    assert described["zones"]["us-west-2"] == ["us-west-2a", "us-west-2b"]
    assert described["services"] == {
        "playback": {"depends_on": ["dynamodb"], "caller": "lab-playback"}
    }
    assert {one["state"] for one in described["instances"]} == {"running"}
    assert [balancer["address"] for balancer in described["balancers"]] == [
        "127.1.0.10",
        "127.2.0.10",
    ]
    assert all(all(balancer["targets"].values()) for balancer in described["balancers"])
    assert sorted(check["name"] for check in described["health_checks"]) == [
        "api.stream.example (primary)",
        "api.stream.example (secondary)",
    ]
    assert lab.resolve("api.stream.example") == ["127.1.0.10"]
    assert lab.resolve("us-west-2.api.stream.example") == ["127.2.0.10"]


def test_its_app_reads_the_table_of_its_region_through_the_workloads_door(lab: Lab) -> None:
    status, page = lab.get("127.2.0.10", "/playback?profile=sam")
    assert (status, page["region"], page["title"]) == (200, "us-west-2", "Night Shift")
    lab.ask("put_api_rule", id="t", rule={"action": "error", "regions": ["us-west-2"]})
    status, page = lab.get("127.2.0.10", "/playback?profile=sam")
    assert status == 503
    assert page["error"].startswith("no history: ")
    assert lab.ask("describe_api_rule", id="t")["hits"] == 1
    assert lab.get("127.1.0.10", "/playback?profile=sam")[0] == 200
    lab.ask("put_api_rule", id="t", rule={"action": "hang", "regions": ["us-west-2"]})
    assert lab.get("127.2.0.10", "/playback?profile=sam")[0] == 503
    lab.ask("put_api_rule", id="t", rule=None)
    assert lab.get("127.2.0.10", "/playback?profile=sam")[0] == 200


def test_a_dns_rule_decides_what_its_names_are_answered(lab: Lab) -> None:
    assert "us-west-2.api.stream.example" in lab.ask("describe_lab")["names"]
    wrong = {"action": "wrong", "names": ["us-west-2.*"], "answers": ["127.9.9.9"]}
    assert lab.ask("put_dns_rule", id="t", rule=wrong)["error"].startswith("names: 'us-west-2.*'")
    wrong["names"] = ["us-west-2.api.stream.example"]
    for _ in range(2):
        lab.ask("put_dns_rule", id="t", rule=wrong)
    assert lab.ask("describe_dns_rule", id="t") == {"rule": wrong, "hits": 0}
    assert lab.resolve("us-west-2.api.stream.example") == ["127.9.9.9"]
    assert lab.resolve("api.stream.example") == ["127.1.0.10"]
    assert lab.ask("describe_dns_rule", id="t")["hits"] == 1
    lab.ask("put_dns_rule", id="t", rule=None)
    assert lab.resolve("us-west-2.api.stream.example") == ["127.2.0.10"]
    assert lab.ask("describe_dns_rule", id="t") == {"rule": None, "hits": 1}


def test_what_one_region_writes_the_other_has_soon_but_not_while_paused(lab: Lab) -> None:
    def title() -> str:
        return str(lab.get("127.2.0.10", "/playback?profile=new")[1]["title"])

    lab.ask("put_replication", region="us-east-1", state="off")
    assert lab.ask("describe_replication", region="us-east-1") == {"state": "off", "pending": 0}
    written = {"profile": "new", "title": "First", "position": "0"}
    assert lab.get("127.1.0.10", "/history", written)[0] == 200
    assert lab.ask("describe_replication", region="us-east-1")["pending"] == 1
    assert title() == ""
    lab.ask("put_replication", region="us-east-1", state="on")
    wait_until(lambda: title() == "First")


def test_a_region_that_is_cut_fails_over_and_back(lab: Lab) -> None:
    lab.ask("put_reachability", scope="us-east-1", state="drop")
    assert lab.silent("127.1.0.10")
    assert lab.silent("127.1.2.10")
    wait_until(lambda: lab.resolve("api.stream.example") == ["127.2.0.10"])
    described = lab.ask("describe_reachability", scope="us-east-1")
    assert described["state"] == "drop"
    assert described["hits"] >= 2
    lab.ask("put_reachability", scope="us-east-1", state="open")
    assert lab.get("127.1.0.10", "/playback")[0] == 200
    wait_until(lambda: lab.resolve("api.stream.example") == ["127.1.0.10"])


def test_a_record_that_changes_is_answered_soon(lab: Lab) -> None:
    route53 = lab.client("route53", "us-east-1")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    record = {
        "Name": "new.stream.example",
        "Type": "A",
        "TTL": 30,
        "ResourceRecords": [{"Value": "192.0.2.7"}],
    }

    def change(action: str) -> None:
        changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)

    change("CREATE")
    wait_until(lambda: lab.resolve("new.stream.example") == ["192.0.2.7"])
    change("DELETE")
    wait_until(lambda: lab.resolve("new.stream.example") == [])


def test_a_terminated_instance_stops_answering_and_is_replaced(lab: Lab) -> None:
    before = lab.instances()
    victim = next(one for one in before.values() if one["zone"] == "us-west-2b")
    lab.client("ec2", "us-west-2").terminate_instances(InstanceIds=[victim["id"]])
    wait_until(lambda: lab.instances()[victim["id"]]["state"] == "terminated")
    assert lab.silent(victim["address"])

    def replacements() -> list[dict[str, str]]:
        new = [one for name, one in lab.instances().items() if name not in before]
        return [one for one in new if one["state"] == "running"]

    wait_until(lambda: bool(replacements()))
    (new,) = replacements()
    assert (new["zone"], new["address"]) == ("us-west-2b", "127.2.2.11")
    assert lab.get(new["address"], "/playback")[1]["instance"] == new["id"]
    wait_until(
        lambda: (
            lab.ask("describe_lab")["balancers"][1]["targets"]
            == {"127.2.1.10": True, "127.2.2.11": True}
        )
    )


@pytest.mark.parametrize(
    ("op", "params", "sentence"),
    [
        ("reboot", {}, "the lab has no operation 'reboot'"),
        ("describe_api_rule", {"name": "x"}, "describe_api_rule:"),
        ("put_api_rule", {"id": "x", "rule": {"action": "burn"}}, "action: must be one of"),
        ("describe_reachability", {"scope": "mars"}, "no region or zone 'mars'"),
        ("put_reachability", {"scope": "us-east-1", "state": "shut"}, "a gate cannot be 'shut'"),
        ("put_replication", {"region": "mars", "state": "off"}, "no region 'mars'"),
        ("put_replication", {"region": "us-east-1", "state": "slow"}, "cannot be 'slow'"),
    ],
)
def test_a_wrong_question_is_answered_with_one_sentence(
    lab: Lab, op: str, params: dict[str, Any], sentence: str
) -> None:
    answer = lab.ask(op, **params)
    assert sentence in answer["error"]
    assert answer["code"] in ("UnknownOperation", "InvalidParameter")


def test_the_control_socket_is_for_this_user_only(lab: Lab) -> None:
    assert Path(lab.described["control"]).stat().st_mode & 0o777 == 0o600
    assert Path(lab.described["directory"]).stat().st_mode & 0o777 == 0o700


def test_ctrl_c_is_not_for_the_lab(lab: Lab) -> None:
    os.killpg(os.getpgid(lab.process.pid), signal.SIGINT)
    assert os.getpgid(lab.process.pid) != os.getpgid(0)
    assert lab.get("127.1.0.10", "/playback")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_lab_that_is_killed(own: Lab, number: signal.Signals) -> None:
    own.ready()
    gone = own.traces()
    own.process.send_signal(number)
    own.process.wait(DEADLINE_S)
    wait_until(gone)


def test_a_lab_ends_with_its_control_plane(own: Lab) -> None:
    own.ready()
    gone = own.traces()
    (moto,) = [pid for pid in children(own.process.pid) if b"chaos.lab.moto" in command(pid)]
    os.kill(moto, signal.SIGKILL)
    assert own.process.wait(DEADLINE_S) == 1
    wait_until(gone)


def test_nothing_is_left_when_who_started_it_is_killed(short: Path) -> None:
    """The parent holds the other end of the lifeline, so its death is enough."""
    program = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parents[n]) for n in (0, 1)]!r}
from pathlib import Path
import test_lab_process as t
lab = t.Lab(Path({str(short)!r}), t.STREAMING)
lab.ready()
print(lab.process.pid, flush=True)
lab.process.wait()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        pids = [pid, *children(pid)]
        assert len(pids) == 8
        parent.kill()
    wait_until(lambda: not any(map(alive, pids)) and not [*short.iterdir()])


def test_a_lab_that_is_given_up_while_it_starts_leaves_nothing(own: Lab) -> None:
    wait_until(lambda: any(own.directory.glob("chaos-lab-*")) and bool(children(own.process.pid)))
    pids = [own.process.pid, *children(own.process.pid)]
    assert own.end() == 0
    wait_until(lambda: not any(map(alive, pids)) and not [*own.directory.iterdir()])


@pytest.mark.parametrize("name", ["http", "api", "dns"])
def test_a_port_that_is_taken_is_one_sentence(short: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        lab = Lab(short, {**STREAMING, "ports": {name: port}})
        error = lab.ready()["error"]
        assert str(port) in error
        assert "\n" not in error
        assert lab.process.wait(DEADLINE_S) == 1
        lab.end()
    wait_until(lambda: not [*short.iterdir()])


def test_a_lab_without_moto_says_what_to_install(short: Path, tmp_path: Path) -> None:
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'moto'\", name='moto')"
    )
    lab = Lab(short, STREAMING, PYTHONPATH=str(tmp_path))
    assert lab.ready() == {
        "error": "the embedded lab needs moto, which is not installed;"
        " in the clone: pip install '.[lab]'"
    }
    assert lab.end() == 1
    wait_until(lambda: not [*short.iterdir()])


def test_a_declaration_that_is_wrong_is_one_sentence(short: Path) -> None:
    lab = Lab(short, {**STREAMING, "tables": {}})
    assert lab.ready() == {
        "error": "the lab's declaration is wrong: services.playback.table:"
        " no table 'viewing-history' in this lab; there is none"
    }
    assert lab.end() == 1


def test_a_temporary_directory_that_is_too_long_is_one_sentence(short: Path) -> None:
    deep = short / ("d" * 80)
    deep.mkdir()
    lab = Lab(deep, STREAMING)
    assert "set TMPDIR to a shorter path" in lab.ready()["error"]
    assert lab.end() == 1
    deep.rmdir()

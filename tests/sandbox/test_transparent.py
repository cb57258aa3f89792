"""`chaos exec --transparent`: an unmodified program meets the faults; the rest is as it was.

As root, and without any of root's rights.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from exec_command import chaos_exec, environment, python
from namespaces import needs_namespaces

pytestmark = needs_namespaces

# What a program that was never told of a proxy does.
LIST_TABLES = """
import boto3
client = boto3.client("dynamodb", region_name="us-east-1")
print(client.meta.endpoint_url, client.list_tables()["TableNames"])
"""
# By HTTP alone, without an SDK.
PLAIN = """
import urllib.request
urllib.request.urlopen("http://sqs.us-east-1.amazonaws.com/?Action=ListQueues").read()
"""
# As a user has it. Root without capabilities is one, but to map its id takes CAP_SETFCAP
# (user_namespaces(7)), which is of no other use here.
UNPRIVILEGED = ("setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all")
AS = {"itself": (), **({"unprivileged": UNPRIVILEGED} if os.geteuid() == 0 else {})}


@pytest.fixture(params=AS)
def before(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What starts chaos: nothing, or what takes all rights away."""
    return AS[request.param]


@pytest.fixture
def greeter() -> Iterator[int]:
    """The port of a server on the host's loopback that speaks first, as databases do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _greet(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.sendall(b"hello, ")
                client.sendall(client.recv(100))


def test_an_unmodified_program_reaches_the_emulator_by_https(before: tuple[str, ...]) -> None:
    done = chaos_exec("--transparent", *python(LIST_TABLES), before=before)
    assert (done.code, done.out) == (0, "https://dynamodb.us-east-1.amazonaws.com []\n"), done.err


def test_and_by_http(before: tuple[str, ...]) -> None:
    done = chaos_exec("--transparent", *python(PLAIN), before=before)
    assert done.code == 0, done.err
    assert "1 request  seen by the proxy" in done.err


def test_it_meets_the_rules() -> None:
    rule = ("--rule", "dynamodb in us-east-1: error 400 Wanted")
    program = """
import boto3, botocore.exceptions
try:
    boto3.client("dynamodb").list_tables()
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"""
    done = chaos_exec("--transparent", *rule, *python(program))
    assert (done.code, done.out) == (0, "Wanted\n")
    assert "1 request  met: dynamodb in us-east-1: error 400 Wanted" in done.err


def test_a_server_on_the_hosts_loopback_is_reached_and_a_closed_port_stays_closed(
    greeter: int, before: tuple[str, ...]
) -> None:
    program = f"""
import socket
with socket.create_connection(("127.0.0.1", {greeter})) as sock:
    sock.sendall(b"world")
    sock.shutdown(socket.SHUT_WR)
    print(sock.makefile().read())
with socket.socket() as sock:
    sock.bind(("127.0.0.1", 0))
    print(socket.socket().connect_ex(sock.getsockname()))
"""
    done = chaos_exec("--transparent", *python(program), before=before)
    assert done.out == "hello, world\n111\n", done.err


def test_a_server_of_the_commands_own_is_its_own_though_the_host_has_one_there(
    greeter: int,
) -> None:
    program = f"""
import socket
with socket.create_server(("127.0.0.1", {greeter})) as server:
    client = socket.create_connection(("127.0.0.1", {greeter}))
    peer, _ = server.accept()
    peer.sendall(b"mine")
    print(client.recv(100))
"""
    assert chaos_exec("--transparent", *python(program)).out == "b'mine'\n"


def test_a_port_of_aws_that_speaks_no_http_is_closed() -> None:
    program = """
import socket
with socket.create_connection(("db.us-east-1.rds.amazonaws.com", 5432)) as sock:
    try:
        print(sock.recv(1))
    except ConnectionResetError:
        print("reset")
"""
    assert chaos_exec("--transparent", *python(program)).out == "reset\n"


def test_udp_to_elsewhere_is_refused() -> None:
    program = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("192.0.2.1", 443))
try:
    sock.send(b"x")
    sock.send(b"x")
except OSError as error:
    print(error.strerror)
"""
    assert chaos_exec("--transparent", *python(program)).out == "Operation not permitted\n"


def test_what_trusts_only_its_own_authorities_is_told_as_the_reason() -> None:
    program = """
import socket, ssl, certifi
context = ssl.create_default_context(cafile=certifi.where())
sock = socket.create_connection(("s3.us-east-1.amazonaws.com", 443))
try:
    context.wrap_socket(sock, server_hostname="s3.us-east-1.amazonaws.com")
except ssl.SSLCertVerificationError:
    print("not trusted")
"""
    done = chaos_exec("--transparent", *python(program))
    assert (done.code, done.out) == (3, "not trusted\n")
    assert "the command's TLS does not trust the certificates of this run" in done.err


def test_the_command_is_who_it_was_and_has_no_right_more(
    tmp_path: Path, before: tuple[str, ...]
) -> None:
    file = tmp_path / "made"
    shell = f"id -u; touch {file}; grep CapAmb /proc/self/status; nproc > /dev/null"
    done = chaos_exec("--transparent", "--", "sh", "-c", shell, before=before)
    uid, ambient = done.out.splitlines()
    assert int(uid) == os.geteuid()
    assert ambient.split() == ["CapAmb:", "0" * 16]
    assert file.stat().st_uid == os.geteuid()


def test_the_commands_code_and_children_are_its_own() -> None:
    program = """
import os, sys
try:
    os.wait()
except ChildProcessError:
    sys.exit(9)
"""
    assert chaos_exec("--transparent", *python(program)).code == 9


def test_nothing_stays_behind() -> None:
    done = chaos_exec(
        "--transparent", "--", "sh", "-c", "echo $SSL_CERT_FILE; readlink /proc/self/ns/net"
    )
    bundle, net = done.out.splitlines()
    assert not Path(bundle).parent.exists()
    assert net not in networks()


def networks() -> set[str]:
    """The network namespaces of all processes that we may look at."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        with contextlib.suppress(OSError):
            found.add(str(link.readlink()))
    return found


@pytest.mark.parametrize("kind", ["user", "net"])
def test_where_the_system_forbids_it_one_sentence_says_so(kind: str) -> None:
    # In a user namespace of its own the limit can be set without touching the machine's.
    limit = f"/proc/sys/user/max_{kind}_namespaces"
    drop = f"exec {' '.join(UNPRIVILEGED)}"
    before = (
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        f'echo 0 > {limit}; {drop} "$@"',
        "-",
    )
    done = chaos_exec("--transparent", "--", "true", before=before)
    assert (done.code, done.out) == (2, "")
    assert "--transparent cannot be here: " in done.err
    assert f"sysctl user.max_{kind}_namespaces=10000" in done.err


def test_the_proxies_of_the_environment_are_not_asked_for_aws() -> None:
    env = environment(HTTPS_PROXY="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    done = chaos_exec("--transparent", *python(LIST_TABLES), env=env)
    assert done.code == 0, done.err

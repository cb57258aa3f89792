"""A Linux machine to be, with the SSM agent of a stand-in: scripts run in it for real, as root.

It is a user, network, mount and process namespace with a /run of its own. Behind its default route,
in another network namespace, there is a DNS server.
"""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.sandbox.namespace import SBIN

HERE = Path(__file__).parent
PATH = f"{SBIN}:/usr/bin:/bin"
ALONE = ("--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child")
SETUP = textwrap.dedent("""\
    set -e
    mount -t proc proc /proc
    mount -t tmpfs tmpfs /run
    ip link set lo up
    unshare --net sleep 1000000 &
    net=$!
    until [ "$(readlink /proc/$net/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
    ip link add eth0 type veth peer name eth1 netns $net
    nsenter -t $net -n ip address add 10.77.0.1/24 dev eth1
    nsenter -t $net -n ip link set eth1 up
    ip address add 10.77.0.2/24 dev eth0
    ip link set eth0 up
    ip route add default via 10.77.0.1
    nsenter -t $net -n "$@" &
    wait
""")
ASK = textwrap.dedent("""\
    import sys, time, dns.exception, dns.message, dns.query
    how, port, within = getattr(dns.query, sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    for _ in range(int(sys.argv[4])):
        began = time.monotonic()
        how(dns.message.make_query("a.example", "A"), "10.77.0.1", within, port)
        print(time.monotonic() - began)
""")
# prio and netem are in every kernel that EC2 runs, and not in each one that tests run on. Where
# they are not, htb and tbf stand in, by which packets are really late, though not by a constant.
STAND_IN = textwrap.dedent("""\
    #!/bin/sh
    real=/run/real/tc
    case "$*" in
      *" root handle "*" prio bands 4")
        "$real" qdisc add dev "$4" root handle "$7" htb default 1 &&
          "$real" class add dev "$4" parent "$7" classid "${7}1" htb rate 1gbit quantum 1500 &&
          exec "$real" class add dev "$4" parent "$7" classid "${7}4" htb rate 1gbit quantum 1500 ;;
      *" netem delay "*)
        shift 8
        printf 'limit 10000 delay %s  %s' "${3%ms}.0ms" "${4%ms}.0ms" >/run/real/late
        exec "$real" qdisc add dev eth0 parent c0a5:4 handle c0a6: \
          tbf rate 400bit burst 128 limit 10000 ;;
      *"qdisc show dev"*)
        late=$(cat /run/real/late 2>/dev/null)
        "$real" "$@" | sed "s/^qdisc htb c0a5: root/qdisc prio c0a5: root/
          s/^qdisc tbf c0a6: .*/qdisc netem c0a6: parent c0a5:4 $late/" ;;
      *) exec "$real" "$@" ;;
    esac
""")


class Instance:
    """The machine; `agent` answers for SSM in its name."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.done: dict[str, subprocess.CompletedProcess[str]] = {}
        self.sent: list[dict[str, Any]] = []

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command of root's in it."""
        enter = ("nsenter", f"-t{self.pid}", "-U", "-n", "-m", "-p", "--preserve-credentials")
        return subprocess.run(
            [*enter, *command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": PATH},
        )

    def sh(self, script: str) -> str:
        """What a script says, which must go well."""
        done = self.run("sh", "-ec", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(
        self, how: str = "udp", *, port: int = 53, within: float = 30.0, times: int = 1
    ) -> list[float]:
        """The seconds that each question took, one after the other; those without answer last."""
        given = (how, str(port), str(within), str(times))
        done = self.run(sys.executable, "-c", ASK, *given)
        assert done.returncode == 0 or "Timeout" in done.stderr, done.stderr
        answered = [float(line) for line in done.stdout.split()]
        return [*answered, *[math.inf] * (times - len(answered))]

    def stand_in(self, path: str, script: str) -> None:
        """Another program in the place of one; the real one is in /run/real."""
        name = path.rpartition("/")[2]
        self.sh(f"mkdir -p /run/real /run/other; [ ! -e {path} ] || cp {path} /run/real/{name}")
        self.run("tee", f"/run/other/{name}", stdin=script)
        self.sh(f"chmod +x /run/other/{name}; mount --bind /run/other/{name} {path}")

    def has_netem(self) -> bool:
        """Whether its kernel knows what packets are made late with."""
        well = self.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
        if well.returncode == 0:
            self.sh("tc qdisc del dev lo root")
        return well.returncode == 0

    # --- SSM, as its API has it ---------------------------------------------------------------

    def send_command(self, params: dict[str, Any]) -> dict[str, Any]:
        """Runs it at once; that SSM says so only later is for GetCommandInvocation."""
        self.sent.append(params)
        assert params["DocumentName"] == "AWS-RunShellScript"
        assert params["TimeoutSeconds"] >= 30
        assert int(params["Parameters"]["executionTimeout"][0]) > 0
        command = str(uuid.uuid4())
        script = "\n".join(params["Parameters"]["commands"])
        self.sh("mkdir -p /run/ssm")
        self.run("tee", "/run/ssm/_script.sh", stdin=script)
        self.done[command] = self.run("sh", "-c", "sh /run/ssm/_script.sh")
        return {"Command": {"CommandId": command, "Status": "Pending"}}

    def get_command_invocation(self, params: dict[str, Any]) -> dict[str, Any]:
        done = self.done[params["CommandId"]]
        return {
            "Status": "Failed" if done.returncode else "Success",
            "ResponseCode": done.returncode,
            "StandardOutputContent": done.stdout[:24000],
            "StandardErrorContent": done.stderr[:8000],
        }

    def answers(self) -> dict[tuple[str, str], Any]:
        """For a place in moto, which sends commands to nobody and calls it a success."""
        return {
            ("ssm", "send_command"): self.send_command,
            ("ssm", "get_command_invocation"): self.get_command_invocation,
        }


@contextmanager
def instance() -> Iterator[Instance]:
    """One that runs, until the end of the `with`."""
    server = [sys.executable, str(HERE / "instance_dns_server.py")]
    process = subprocess.Popen(
        ["unshare", *ALONE, "sh", "-c", SETUP, "setup", *server],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": PATH},
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        yield Instance(int(children.split()[0]))
    finally:
        process.kill()
        process.communicate(timeout=30)

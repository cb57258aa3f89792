"""Runs inside: makes the namespace, opens the listeners, hands them out, becomes the command.

    python -IS inside.py CONTROL_FD NFT COMMAND…

A program of its own, with the standard library alone: whatever lies in the command's directory or
PYTHONPATH is not imported. It keeps the user's id; what it may do beyond the user's rights ends
before the command begins. As root the network alone is new, otherwise the user namespace too.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess  # runs nft, by its full path
import sys
from pathlib import Path

NEW_USER, NEW_NET = 0x10000000, 0x40000000  # sched.h
SET_FLAGS, SET_ADDRESS, SET_MASK, ADD_ROUTE = 0x8914, 0x8916, 0x891C, 0x890B  # sockios.h
UP_AND_RUNNING = 0x41
ROUTE_UP = 1
NET_ADMIN = 12
CAPABILITY_VERSION = 0x20080522
AMBIENT, AMBIENT_RAISE, AMBIENT_CLEAR = 47, 2, 4  # prctl.h
MARK_OPTION = 36  # SO_MARK

LOOPBACK = "127.0.0.1"
# Of RFC 2544's range, which no network uses: what a packet to the outside comes from.
ADDRESS = "198.18.0.2"
# On sockets of ours that dial inside: they are not redirected.
MARK = 0xC4A0
WITHIN_S = 10
LARGEST = 1 << 20

RULES = """
table ip chaos {{
  set host {{ type inet_service; }}
  chain redirected {{
    type nat hook output priority -100;
    meta mark {mark} return
    udp dport 53 redirect to :{dns}
    tcp dport 53 redirect to :{dns}
    ip daddr 127.0.0.0/8 tcp dport @host redirect to :{tcp}
    ip daddr {{ 127.0.0.0/8, {address} }} return
    meta l4proto tcp redirect to :{tcp}
  }}
  chain refused {{
    type filter hook output priority 0;
    ip daddr != {{ 127.0.0.0/8, {address} }} meta l4proto udp reject
  }}
}}
"""

libc = ctypes.CDLL(None, use_errno=True)


def main(control_fd: str, nft: str, *command: str) -> int:
    """Returns only when there was no way to become the command."""
    control = socket.socket(fileno=int(control_fd))
    control.set_inheritable(False)
    problem = prepare(control, nft)
    if problem:
        control.send(json.dumps(problem).encode())
        return 1
    if not help_out(control, nft, until=b"begin"):
        return 1  # who started it has gone
    leave_a_helper(control, nft)
    libc.prctl(AMBIENT, AMBIENT_CLEAR, 0, 0, 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores both
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell is wanted
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 126


def prepare(control: socket.socket, nft: str) -> dict[str, object] | None:
    """Make the namespace and hand out its listeners, or say what failed."""
    try:
        isolate()
        keep_net_admin()
        bring_up()
    except OSError as error:
        return {"failed": "namespace", "errno": error.errno, "why": error.strerror}
    doors = listeners()
    tcp, dns = (door.getsockname()[1] for door in doors[:2])
    rules = RULES.format(mark=MARK, address=ADDRESS, tcp=tcp, dns=dns)
    if why := run_nft(nft, rules.encode()):
        return {"failed": "nft", "why": why}
    socket.send_fds(control, [b"{}"], [door.fileno() for door in doors])
    for door in doors:
        door.close()
    return None


def isolate() -> None:
    """A network namespace; who may not make it alone gets a user namespace with the same id too."""
    if libc.unshare(NEW_NET) == 0:
        return
    user, group = os.getuid(), os.getgid()
    checked(libc.unshare(NEW_USER | NEW_NET))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def keep_net_admin() -> None:
    """Let programs that this one runs change the network too: a user's would lose the right."""
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(24)
    checked(libc.capget(header, sets))
    words = list(struct.unpack("6I", sets.raw))
    words[2] |= 1 << NET_ADMIN  # inheritable
    checked(libc.capset(header, struct.pack("6I", *words)))
    checked(libc.prctl(AMBIENT, AMBIENT_RAISE, NET_ADMIN, 0, 0))


def bring_up() -> None:
    """The loopback device, and by it a way to anywhere: without one nothing could be redirected."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        change(sock, SET_FLAGS, b"lo", struct.pack("h", UP_AND_RUNNING))
        change(sock, SET_ADDRESS, b"lo:0", address(ADDRESS))
        change(sock, SET_MASK, b"lo:0", address("255.255.255.255"))
        anywhere, device = address("0.0.0.0"), ctypes.create_string_buffer(b"lo")  # noqa: S104  # a route
        where = (anywhere, anywhere, anywhere, ROUTE_UP, ctypes.addressof(device))
        fcntl.ioctl(sock, ADD_ROUTE, struct.pack("@8x16s16s16sH2x24xP24x", *where))


def change(sock: socket.socket, request: int, device: bytes, value: bytes) -> None:
    fcntl.ioctl(sock, request, struct.pack("16s24s", device, value))


def address(text: str) -> bytes:
    """As a struct sockaddr_in."""
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))


def listeners() -> list[socket.socket]:
    """TCP for all connections, then TCP and UDP of one port for DNS."""
    tcp = socket.create_server((LOOPBACK, 0), backlog=1024)
    dns = socket.create_server((LOOPBACK, 0), backlog=128)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(dns.getsockname())  # nothing else is here that could have taken it
    return [tcp, dns, udp]


def leave_a_helper(control: socket.socket, nft: str) -> None:
    """Leave a process behind that does inside what is asked of it, until nobody can ask any more.

    It is no child of the command's, which may wait for all of its own.
    """
    if (middle := os.fork()) > 0:
        os.waitpid(middle, 0)
        return
    os.setsid()
    if os.fork() == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):  # or who reads the command's output would wait for this one too
            os.dup2(nothing, stream)
        help_out(control, nft)
    os._exit(0)


def help_out(control: socket.socket, nft: str, until: bytes = b"") -> bool:
    """Do what is asked until that is said, or nobody can ask any more: then it is False.

    `socket` is answered with a socket of this network, anything else is given to nft.
    """
    while asked := control.recv(LARGEST):
        if asked == until:
            return True
        if asked == b"socket":
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, MARK_OPTION, MARK)
                socket.send_fds(control, [b"{}"], [sock.fileno()])
        else:
            why = run_nft(nft, asked)
            control.send(json.dumps({"failed": "nft", "why": why} if why else {}).encode())
    return False


def run_nft(nft: str, rules: bytes) -> str:
    """Why it failed, or nothing."""
    try:
        done = subprocess.run(  # noqa: S603  # a path that we have found
            [nft, "-f", "-"], input=rules, capture_output=True, timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return (said or ["it failed without a word"])[0] if done.returncode else ""


def checked(result: int) -> None:
    """Raises OSError for what the C library says has failed."""
    if result:
        number = ctypes.get_errno() or errno.EPERM
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

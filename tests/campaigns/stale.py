"""An AWS API whose reads lag behind its writes, as EC2's do: in front of moto, over real sockets.

    python -m campaigns.stale UPSTREAM-PORT SECONDS SHARE

It prints its port. A question that was asked before is answered, in that share of all cases, with
an answer of the last SECONDS, whatever has been written since. It ends with its standard input.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

READS = re.compile(r"(Describe|Get|List)")
# In these the caller's own identity and its locks are asked for, which AWS never answers late.
PROMPT = re.compile(r"/(sts|s3)/")


@dataclass(frozen=True, slots=True)
class Answer:
    """What upstream said, and when."""

    at: float
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(slots=True)
class Memory:
    """The answers of the last seconds, by question."""

    seconds: float
    share: float
    _known: dict[tuple[str, str, bytes], list[Answer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def recall(self, question: tuple[str, str, bytes]) -> Answer | None:
        """One of them, or None when the truth is to be told."""
        with self._lock:
            now = time.monotonic()
            recent = [a for a in self._known.get(question, []) if now - a.at < self.seconds]
            self._known[question] = recent
            if not recent or random.random() >= self.share:
                return None
            return random.choice(recent)

    def keep(self, question: tuple[str, str, bytes], answer: Answer) -> None:
        """Remember it."""
        with self._lock:
            self._known.setdefault(question, []).append(answer)


def reads(path: str, headers: Message, body: bytes, method: str) -> bool:
    """Whether the call only reads, of a service whose reads may be late."""
    scope = headers.get("Authorization", "")
    if PROMPT.search(scope) and "X-Amz-Target" not in headers:
        return False
    if target := headers.get("X-Amz-Target"):
        return bool(READS.match(target.partition(".")[2]))
    action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    return bool(READS.match(action)) if action else method == "GET"


class Proxy(ThreadingHTTPServer):
    """Listens on any free port of the loopback."""

    daemon_threads = True

    def __init__(self, upstream: int, memory: Memory) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.memory = upstream, memory

    def handle_error(self, *_: object) -> None:
        """Whoever asked was killed, or does not wait any longer."""

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """What upstream says now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            connection.request(method, path, body, headers)
            said = connection.getresponse()
            return Answer(time.monotonic(), said.status, said.getheaders(), said.read())
        finally:
            connection.close()


class Handler(BaseHTTPRequestHandler):
    """The proxy's half of one connection."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        lookup = reads(self.path, self.headers, body, self.command)
        scope = self.headers.get("Authorization", "").partition("Credential=")[2]
        place = "/".join(scope.partition(",")[0].split("/")[2:4])  # region and service
        question = (place, self.path + (self.headers.get("X-Amz-Target") or ""), body)
        answer = self.server.memory.recall(question) if lookup else None
        if answer is None:
            answer = self.server.ask(self.command, self.path, body, dict(self.headers))
            if lookup and answer.status == 200:
                self.server.memory.keep(question, answer)
        self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        has_body = self.command != "HEAD"
        if has_body:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if has_body:
            self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815  # its names

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main(upstream: str, seconds: str, share: str) -> None:
    """Serve until standard input ends."""
    memory = Memory(float(seconds), float(share))
    server = Proxy(int(upstream), memory)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

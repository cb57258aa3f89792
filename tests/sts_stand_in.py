"""A small STS on loopback that gives what a test says, and remembers who asked for what."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

KEYS = (
    "<Credentials><AccessKeyId>ASIA{n:016}</AccessKeyId><SecretAccessKey>{n:040}</SecretAccessKey>"
    "<SessionToken>token-of-a-session-{n}</SessionToken><Expiration>{ends}</Expiration>"
    "</Credentials>"
)
WHO = "<Account>{account}</Account><Arn>{arn}</Arn><UserId>U</UserId>"
REFUSED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{code} it is</Message>"
    "</Error><RequestId>r</RequestId></ErrorResponse>"
)


@dataclass
class Sts:
    """`lasts_s` is how long what it gives is good; `refuse` is the code of an error, by action."""

    url: str = ""
    account: str = "123456789012"
    arn: str = "arn:aws:iam::123456789012:user/drill"
    lasts_s: float = 3600.0
    refuse: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)  # parameters, and `key` of the signer
    given: int = 0

    def of(self, action: str) -> list[dict[str, str]]:
        """What was asked of that action."""
        return [one for one in self.asked if one["Action"] == action]

    def answer(self, params: dict[str, str]) -> tuple[int, str]:
        """Status and body."""
        action = params["Action"]
        self.asked.append(params)
        if code := self.refuse.get(action):
            return 403, REFUSED.format(code=code)
        if action == "GetCallerIdentity":
            inner = WHO.format(account=self.account, arn=self.arn)
        else:
            self.given += 1
            ends = datetime.now(UTC) + timedelta(seconds=self.lasts_s)
            inner = KEYS.format(n=self.given, ends=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return 200, f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"


@contextmanager
def sts_stand_in() -> Iterator[Sts]:
    """One that listens."""
    sts = Sts()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            params = {name: values[0] for name, values in parse_qs(body).items()}
            signed = self.headers["Authorization"]
            params["key"] = signed.partition("Credential=")[2].partition("/")[0]
            status, text = sts.answer(params)
            self.send_response_only(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        sts.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield sts
        server.shutdown()
        thread.join()

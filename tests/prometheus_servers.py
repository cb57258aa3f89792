"""Prometheus, its blackbox exporter and its Pushgateway: Debian's, on ports of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WITHIN_S = 30
LOOPBACK = "127.0.0.1:0"


@contextmanager
def started(program: str, *options: str, ready: str = "Listening on") -> Iterator[str]:
    """While it is entered, the program runs; gives its URL once it has said that it is ready."""
    path = shutil.which(program)
    assert path, f"needs {program}: see .ci/run for how to get it"
    process = subprocess.Popen(
        [path, f"--web.listen-address={LOOPBACK}", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    end = threading.Timer(WITHIN_S, process.kill)  # it says nothing more then
    end.daemon = True
    end.start()
    assert process.stderr is not None
    try:
        url = f"http://{_address(process.stderr, ready, program)}"
        end.cancel()  # tests may use it for longer than it may take to start
        yield url
    finally:
        end.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


def _address(said: Iterator[str], ready: str, program: str) -> str:
    lines = []
    for line in said:
        lines.append(line)
        # Either may come first: they are told by different threads of it.
        listens = re.search(r'"Listening on" address=(\S+)', "".join(lines))
        if listens and any(ready in each for each in lines):
            # What it says from now on is nobody's business, and must not fill the pipe.
            threading.Thread(target=_drain, args=(said,), daemon=True).start()
            return listens[1]
    raise AssertionError(f"{program} did not start:\n{''.join(lines)}")


def _drain(said: Iterator[str]) -> None:
    try:
        for _ in said:
            pass
    except ValueError:
        pass  # closed in the end


def prometheus(directory: Path, config: str, *options: str) -> AbstractContextManager[str]:
    """A context manager that gives the URL of a Prometheus with that configuration."""
    (directory / "prometheus.yml").write_text(config)
    return started(
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        *options,
        ready="Server is ready",
    )


class Origin:
    """A server of ours that is watched: its health and its metrics are what a test sets."""

    def __init__(self) -> None:
        self.status = 200
        self.metrics = ""
        self.scraped = threading.Event()
        origin = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the base class's
                exposed = self.path == "/metrics"
                body = origin.metrics.encode() if exposed else b"ok"
                self.send_response(200 if exposed else origin.status)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if exposed:
                    origin.scraped.set()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[Origin]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

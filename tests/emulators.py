"""Something that answers as LocalStack does when it is asked how it is, and no more."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEALTH = {
    "version": "2026.3.0",
    "services": {"ec2": "running", "route53": "available", "s3": "disabled", "sqs": "error"},
}
INFO = {"session_id": "first", "is_license_activated": False}
PAGES = {"/_localstack/health": HEALTH, "/_localstack/info": INFO}


@contextmanager
def answering(pages: dict[str, Any], status: int = 200) -> Iterator[str]:
    """Its URL; each page is JSON, or text; any other is 404. Calls of the AWS API get 501."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status if self.path in pages else 404)
            self.end_headers()
            page = pages.get(self.path, "")
            self.wfile.write((page if isinstance(page, str) else json.dumps(page)).encode())

        def do_POST(self) -> None:
            body = b"<Response><Errors><Error><Code>InternalFailure</Code><Message>not included in"
            body += b" your current license plan</Message></Error></Errors></Response>"
            self.send_response_only(501)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

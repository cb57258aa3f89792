"""moto's server as a process of its own: the control plane of the lab, and its last light.

    python -m chaos.lab.moto DIRECTORY

It prints `{"port": …}`, or `{"error": …}`, as one JSON line. When its standard input closes, the
lab was killed: then it ends, and removes the lab's directory, which nobody else is left to do.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

MISSING = "the embedded lab needs moto, which is not installed; in the clone: pip install '.[lab]'"
# Each backend is imported at its first call, EC2's in a second: better while the lab comes up.
BACKENDS = ("ec2", "autoscaling", "dynamodb", "route53")


def main(directory: str) -> int:
    """Serve until standard input closes; 1 when moto is not installed."""
    try:
        server = _server()
    except ModuleNotFoundError:
        print(json.dumps({"error": MISSING}), flush=True)
        return 1
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # killed already, which standard input will tell
        print(json.dumps({"port": server.server_port}), flush=True)
    for backend in BACKENDS:
        importlib.import_module(f"moto.{backend}.urls")
    # What has been imported stays: to look through it for garbage stops every call for 80 ms.
    gc.collect()
    gc.freeze()
    sys.stdin.buffer.read()
    shutil.rmtree(directory, ignore_errors=True)
    # Not sys.exit: a request under way must not keep the process.
    os._exit(0)


def _server() -> BaseWSGIServer:
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # thousands, and the lab needs none
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # a task that fails is no defect of moto's
    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # connections stay open between calls
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    _execute_state_machines(server.server_port)
    return server


def _execute_state_machines(port: int) -> None:
    """Otherwise moto stores them alone; their tasks call what listens on MOTO_PORT."""
    from moto.core.config import default_user_config

    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    os.environ["MOTO_PORT"] = str(port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

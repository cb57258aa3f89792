"""moto standing in for an AWS account: a process of its own that outlives what is done to it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.environments.on_aws import OnAws
from chaos.experiment.accounts import Account

ACCOUNT = "123456789012"  # moto's, for whoever has assumed no role
REGION = "us-east-1"
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def moto_account() -> Iterator[str]:
    """Its endpoint; the account is empty but for the default VPC of each region."""
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("moto_server.py")), directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert server.stdin
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}"
        finally:
            server.stdin.close()
            server.stdout.close()
            server.wait(10)


def on_account(endpoint: str, *, stale_s: float = 0.0) -> OnAws:
    """The environment in the account at that endpoint, which is called `main`."""
    regions = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"]
    account = Account(id=ACCOUNT, regions=regions).model_dump(mode="json")
    return OnAws(endpoint, {"main": account}, stale_s=stale_s)

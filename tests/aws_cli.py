"""The AWS CLI: the one on the PATH, or the one beside LocalStack in its virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BESIDE_LOCALSTACK = Path(__file__).parent.parent / "localstack" / ".venv" / "bin"
# Seconds that one command may take.
COMMAND = 60


AWS = shutil.which("aws") or shutil.which("aws", path=str(BESIDE_LOCALSTACK))

needs_aws_cli = pytest.mark.skipif(
    AWS is None and not os.environ.get("CI"), reason="needs the AWS CLI: localstack/start"
)


def aws(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    """What a command of the CLI says."""
    assert AWS is not None, "no `aws` on the PATH or in localstack/.venv: run localstack/start"
    return subprocess.run(
        [AWS, *args],
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND,
        check=False,
    )

"""What `chaos exec --transparent` needs of a machine: nft, and user namespaces for anybody."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from chaos.sandbox.namespace import SBIN

# As the sandbox makes them: Ubuntu and Docker forbid it as a rule.
NAMESPACES = ("unshare", "--user", "--map-root-user", "--net", "true")


def lacking() -> str:
    """What is not there; empty when all is, and in CI, where the tests fail instead."""
    if os.environ.get("CI"):
        return ""
    if shutil.which("nft", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}") is None:
        return "needs nft"
    if shutil.which("unshare") is None:
        return "needs unshare"
    done = subprocess.run(NAMESPACES, capture_output=True, timeout=30, check=False)
    return "" if done.returncode == 0 else "needs user namespaces"


LACKING = lacking()
needs_namespaces = pytest.mark.skipif(bool(LACKING), reason=LACKING)

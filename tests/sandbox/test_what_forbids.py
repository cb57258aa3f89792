"""Where namespaces are forbidden, one sentence tells what forbids them and what to do."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from chaos.errors import EnvironmentFailed
from chaos.sandbox.forbidden import CONTAINERS, LIMITS, why_forbidden
from chaos.sandbox.host_ports import listening
from chaos.sandbox.namespace import Namespace


@pytest.mark.parametrize(("file", "forbidding", "sentence"), LIMITS)
def test_each_limit_is_found_and_told(
    tmp_path: Path, file: str, forbidding: str, sentence: str
) -> None:
    (tmp_path / "proc" / file).parent.mkdir(parents=True)
    (tmp_path / "proc" / file).write_text(f"{forbidding}\n")
    told = why_forbidden(errno.EPERM, "Operation not permitted", tmp_path)
    assert sentence in told
    assert "AWS_ENDPOINT_URL" in told


@pytest.mark.parametrize("file", CONTAINERS)
def test_a_containers_runtime_is_suspected(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    assert "--security-opt seccomp=unconfined" in why_forbidden(errno.EPERM, "no", tmp_path)


def test_otherwise_it_says_what_the_system_says(tmp_path: Path) -> None:
    told = why_forbidden(errno.EPERM, "Operation not permitted", tmp_path)
    assert "Operation not permitted, error 1" in told


def test_without_nft_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name, **_: None)
    with pytest.raises(EnvironmentFailed, match="apt-get install nftables"):
        Namespace(os.defpath)


def test_on_another_system_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(EnvironmentFailed, match="needs Linux"):
        Namespace(os.defpath)


def test_listening_ports_are_read_from_the_kernels_table() -> None:
    table = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000
   1: 0100007F:0016 0200007F:8000 01 00000000:00000000 00:00000000 00000000
   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0
"""
    assert list(listening(table)) == [5432, 80]

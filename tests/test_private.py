"""Files for this user alone; what is no file is not ours to change."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from chaos import private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_for_this_user_alone_and_so_is_one_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    os.close(private.create(path, os.O_WRONLY | os.O_CREAT))
    assert mode(path) == 0o600
    path.chmod(0o644)
    os.close(private.create(path, os.O_WRONLY))
    assert mode(path) == 0o600


def test_a_device_or_a_pipe_keeps_its_mode(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    os.close(private.create(pipe, os.O_RDWR | os.O_CREAT | os.O_APPEND))
    assert mode(pipe) == 0o666

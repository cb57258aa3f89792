"""The journal keeps whole lines, in order, whatever happens to the process or the disk."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos import journal
from chaos.errors import JournalFailed
from chaos.journal import Journal, in_use, read


def clock() -> float:
    return 1.5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.jsonl"


def test_events_come_back_as_they_were_written(path: Path) -> None:
    book = Journal.create(path, clock)
    book.write("phase", phase="steady")
    asyncio.run(book.write_durably("pull", lever={"kind": "x"}, prior=None))
    assert in_use(path)
    book.close()
    assert not in_use(path)
    assert read(path) == [
        {"n": 0, "t": 1.5, "event": "phase", "phase": "steady"},
        {"n": 1, "t": 1.5, "event": "pull", "lever": {"kind": "x"}, "prior": None},
    ]


def test_only_the_owner_may_read_it(path: Path) -> None:
    Journal.create(path, clock).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_watchers_are_told_of_each_event(path: Path) -> None:
    seen: list[journal.Event] = []
    book = Journal.create(path, clock)
    book.watchers.append(seen.append)
    book.write("end")
    book.close()
    assert seen == read(path)


def test_a_run_that_is_there_already_is_not_overwritten(path: Path) -> None:
    book = Journal.create(path, clock)
    book.write("end")
    book.close()
    with pytest.raises(JournalFailed, match="cannot write the journal: File exists"):
        Journal.create(path, clock)
    assert len(read(path)) == 1


def test_no_permission_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalFailed, match=r"journal.jsonl: cannot write the journal: "):
        Journal.create(tmp_path / "file" / "journal.jsonl", clock)


@given(cut=st.integers(min_value=1, max_value=40))
def test_a_torn_last_line_is_ignored_and_cut_off(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal.jsonl"
    book = Journal.create(path, clock)
    book.write("phase", phase="inject")
    whole = path.stat().st_size
    book.write("pull", lever="l" * 50)
    book.close()
    os.truncate(path, path.stat().st_size - cut)
    assert [e["event"] for e in read(path)] == ["phase"]
    again = Journal.reopen(path, clock)
    assert path.stat().st_size == whole
    again.write("restored")
    again.close()
    assert [(e["n"], e["event"], e["t"]) for e in read(path)] == [
        (0, "phase", 1.5),
        (1, "restored", 3.0),  # the clock goes on from the last event
    ]


def test_an_empty_journal_can_be_reopened(path: Path) -> None:
    Journal.create(path, clock).close()
    again = Journal.reopen(path, clock)
    again.write("end")
    again.close()
    assert read(path)[0]["t"] == 1.5


@pytest.mark.parametrize("broken", ["what?", "7", "[]", '{"n": 1, "t": 0}', ""])
def test_a_broken_line_in_the_middle_is_told_with_its_number(path: Path, broken: str) -> None:
    path.parent.mkdir()
    whole = '{"n": 0, "t": 0, "event": "run"}'
    path.write_text(f"{whole}\n{broken}\n{whole}\n")
    with pytest.raises(JournalFailed, match=r"journal.jsonl:2: not a line of a journal"):
        read(path)


def test_a_journal_that_is_not_there(path: Path) -> None:
    with pytest.raises(JournalFailed, match="cannot read the journal: No such file"):
        in_use(path)
    with pytest.raises(JournalFailed, match="cannot read the journal: No such file"):
        read(path)
    with pytest.raises(JournalFailed, match="cannot write the journal: No such file"):
        Journal.reopen(path, clock)


def test_a_journal_that_may_only_be_read_is_not_continued(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal.create(path, clock).close()
    real = os.open

    def refuse(name: Any, flags: int, *rest: Any) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(name, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(JournalFailed, match="cannot write the journal: Permission denied"):
        Journal.reopen(path, clock)


def test_two_processes_cannot_write_at_once(path: Path) -> None:
    book = Journal.create(path, clock)
    with pytest.raises(JournalFailed, match="the run still goes on in another process"):
        Journal.reopen(path, clock)
    book.close()
    Journal.reopen(path, clock).close()


class Disk:
    """`os.write` onto a disk with so many bytes left; the reserve's bytes count once it is gone."""

    def __init__(self, left: int, reserve: Path) -> None:
        self.left = left
        self.reserve = reserve
        self.real = os.write

    def write(self, fd: int, data: bytes) -> int:
        left = self.left + (0 if self.reserve.exists() else journal.RESERVE)
        if left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = data[: max(left, 0)]
        self.left -= len(taken)
        return self.real(fd, taken)


def test_a_full_disk_keeps_whole_lines_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Journal.create(path, clock)
    book.write("phase", phase="steady")
    disk = Disk(10, path.with_suffix(".reserve"))
    monkeypatch.setattr(os, "write", disk.write)
    with pytest.raises(JournalFailed, match="cannot write the journal: No space left on device"):
        book.write("sample", probe="playback")
    assert [e["event"] for e in read(path)] == ["phase"]
    disk.left = 10_000
    book.write("sample", probe="playback")
    book.close()
    assert [(e["n"], e["event"]) for e in read(path)] == [(0, "phase"), (1, "sample")]


def test_the_reserve_takes_what_must_not_be_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Journal.create(path, clock)
    reserve = path.with_suffix(".reserve")
    assert reserve.stat().st_size == journal.RESERVE
    disk = Disk(0, reserve)
    monkeypatch.setattr(os, "write", disk.write)
    asyncio.run(book.write_durably("restored", pull=0))
    assert not reserve.exists()
    disk.left = -journal.RESERVE
    with pytest.raises(JournalFailed, match="No space left"):
        asyncio.run(book.write_durably("restored", pull=1))
    book.close()
    assert [e["event"] for e in read(path)] == ["restored"]


def test_a_disk_that_does_not_keep_its_promise_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Journal.create(path, clock)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(JournalFailed, match="Input/output error"):
        asyncio.run(book.write_durably("pull"))
    book.close()


def test_closing_takes_the_reserve_away(path: Path) -> None:
    Journal.create(path, clock).close()
    assert [p.name for p in path.parent.iterdir()] == ["journal.jsonl"]


def test_a_rollback_takes_what_a_power_cut_has_left(path: Path) -> None:
    path.parent.mkdir()
    whole = '{"n": 0, "t": 2.5, "event": "run"}\n'
    path.write_bytes(whole.encode() + bytes(64) + b"\n" + whole.encode() + b'{"n": 3')
    assert len(read(path, salvage=True)) == 2
    again = Journal.reopen(path, clock)
    again.write("restored")
    again.close()
    assert [e["t"] for e in read(path, salvage=True)] == [2.5, 2.5, 4.0]


def test_nothing_is_cut_from_a_journal_that_another_process_still_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Journal.create(path, clock)
    book.write("run")
    real = journal._claim

    def claim(name: Path, fd: int) -> None:
        book.write("end")  # at the last moment
        book.close()
        real(name, fd)

    monkeypatch.setattr(journal, "_claim", claim)
    Journal.reopen(path, clock).close()
    assert [e["event"] for e in read(path)] == ["run", "end"]


def test_no_room_for_the_reserve_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(JournalFailed, match="No space left on device"):
        Journal.create(path, clock)
    assert list(path.parent.iterdir()) == []


def test_a_reserve_that_cannot_be_given_up_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    book = Journal.create(path, clock)
    monkeypatch.setattr(book, "_append", read_only)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", read_only)
        with pytest.raises(JournalFailed, match="Read-only file system"):
            asyncio.run(book.write_durably("restored"))
    book.close()


def test_a_journal_that_cannot_be_cut_is_not_continued(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal.create(path, clock).close()

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "ftruncate", fail)
    with pytest.raises(JournalFailed, match="Input/output error"):
        Journal.reopen(path, clock)

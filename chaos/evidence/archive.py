"""The archive: a zip file whose bytes follow from the files in it alone, and nothing else.

Nothing is compressed, dated or commented, so there is one way to write it and no second one to
read it: whatever differs by a byte is not what was written. (`zipfile` would write other bytes with
another version of Python, and reads a lot that it would not write.) The format is PKWARE's
APPNOTE 6.3: local headers (4.3.7), central directory (4.3.12), its end (4.3.16).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
SIGN, CENTRAL_SIGN, END_SIGN = b"PK\3\4", b"PK\1\2", b"PK\5\6"
# Version 1.0 is needed to read it; no flags, stored, 1 January 1980 at midnight.
COMMON = (10, 0, 0, 0, 0x21)
BY_UNIX = 3 << 8 | 20
REGULAR = 0o100644 << 16
LARGEST = 2**30  # bytes of an archive; a journal of a day has a fifth of that
MOST = 64  # files in it

Files = Mapping[str, bytes]


class Damaged(Exception):
    """It is no archive of ours; what is wrong is the text."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    content: bytes
    at: int

    @property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """CRC-32, size twice, length of the name, no extra field."""
        size = len(self.content)
        return zlib.crc32(self.content), size, size, len(self.name), 0


def pieces(files: Files) -> Iterator[bytes]:
    """The archive's bytes; names are ASCII, and stand in the order given."""
    entries, at = [], 0
    for name, content in files.items():
        entry = _Entry(name.encode("ascii"), content, at)
        yield LOCAL.pack(SIGN, *COMMON, *entry.sizes) + entry.name
        yield content
        entries.append(entry)
        at += LOCAL.size + len(entry.name) + len(content)
    central = b"".join(map(_central, entries))
    count = len(entries)
    yield central + END.pack(END_SIGN, 0, 0, count, count, len(central), at, 0)


def _central(entry: _Entry) -> bytes:
    head = CENTRAL.pack(CENTRAL_SIGN, BY_UNIX, *COMMON, *entry.sizes, 0, 0, 0, REGULAR, entry.at)
    return head + entry.name


def read(data: bytes) -> dict[str, bytes]:
    """The files; raises Damaged when not each single byte is as `pieces` writes it."""
    files: dict[str, bytes] = {}
    at = 0
    while data.startswith(SIGN, at):
        name, content, at = _local(data, at)
        if name in files or len(files) == MOST:
            raise Damaged(f"has {name} twice" if name in files else f"has more than {MOST} files")
        files[name] = content
    if not files:
        raise Damaged("does not begin with a file")
    if (wrong := _differs(data, files)) is not None:
        raise Damaged(f"its byte {wrong} is not as it was written: a header, or what lies between")
    return files


def _local(data: bytes, at: int) -> tuple[str, bytes, int]:
    """The file whose header begins there, and where the next one would."""
    try:
        _, *common, checksum, size, _, length, _ = LOCAL.unpack_from(data, at)
        name = data[at + LOCAL.size : at + LOCAL.size + length].decode("ascii")
    except (struct.error, UnicodeDecodeError) as error:
        raise Damaged(f"the header at byte {at} cannot be read") from error
    begin = at + LOCAL.size + length
    if begin + size > len(data):
        raise Damaged(f"ends within {name[:60]!r}")
    content = data[begin : begin + size]
    if tuple(common) == COMMON and zlib.crc32(content) != checksum:
        raise Damaged(f"{name[:60]} does not fit its checksum")
    return name, content, begin + size


def _differs(data: bytes, files: Files) -> int | None:
    """The number of the first byte that is not as it would be written; None when all are."""
    view, at = memoryview(data), 0
    for piece in pieces(files):
        found = view[at : at + len(piece)]
        if found != piece:
            pairs = enumerate(zip(found, piece, strict=False))
            return at + next((n for n, (is_, was) in pairs if is_ != was), len(found))
        at += len(piece)
    return None if at == len(data) else at

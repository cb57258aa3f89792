"""The archive has one form: any other byte, any less, any more, is found."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.evidence import archive, manifest
from chaos.evidence.archive import Damaged
from chaos.evidence.manifest import Manifest
from chaos.evidence.verifying import Changed, opened

FILES = {"a.txt": b"abc", "b.json": b"{}\n", "empty": b""}


def small() -> bytes:
    """A bundle of three small files, without what makes them evidence."""
    sealed = Manifest(run="r", tool="1", code="c", signed=False, files=manifest.of(FILES))
    return b"".join(archive.pieces({manifest.NAME: sealed.to_bytes(), **FILES}))


SMALL = small()


def changed(data: bytes) -> bool:
    try:
        opened(data)
    except Changed as error:
        return bool(error.problems)
    return False


def test_it_is_what_was_put_in() -> None:
    sealed, files, signature = opened(SMALL)
    assert (sealed.run, files, signature) == ("r", FILES, None)


def test_every_flipped_bit_is_found() -> None:
    for at in range(len(SMALL)):
        for bit in range(8):
            data = bytearray(SMALL)
            data[at] ^= 1 << bit
            assert changed(bytes(data)), f"bit {bit} of byte {at}"


def test_every_truncation_and_every_byte_too_much_is_found() -> None:
    for at in range(len(SMALL)):
        assert changed(SMALL[:at])
        assert changed(SMALL[:at] + SMALL[at + 1 :])
        for more in (b"\0", SMALL[at : at + 1], b"PK"):
            assert changed(SMALL[:at] + more + SMALL[at:])
    assert changed(SMALL + b"\0")


@given(st.data())
def test_whatever_else_is_done_to_it_is_found(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(SMALL)))
    end = data.draw(st.integers(begin, len(SMALL)))
    other = SMALL[:begin] + data.draw(st.binary(max_size=40)) + SMALL[end:]
    assert changed(other) == (other != SMALL)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}\.json", fullmatch=True), st.binary(), min_size=1))
def test_others_read_it_as_it_was_written(files: dict[str, bytes]) -> None:
    data = b"".join(archive.pieces(files))
    assert archive.read(data) == files
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        assert theirs.testzip() is None
        assert {name: theirs.read(name) for name in theirs.namelist()} == files


def remade(*entries: tuple[str, bytes], comment: bytes = b"", compress: bool = False) -> bytes:
    """An archive of the usual kind, in which entries may be there twice."""
    file = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", how) as made:
        made.comment = comment
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            made.writestr(info, content)
    return file.getvalue()


def entries() -> list[tuple[str, bytes]]:
    return list(archive.read(SMALL).items())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_duplicate_name_is_found() -> None:
    assert changed(remade(*entries(), ("a.txt", b"xyz")))
    with pytest.raises(Damaged, match=r"has a\.txt twice"):
        archive.read(b"".join([*archive.pieces(FILES)][:2]) * 2)


def test_other_ways_of_writing_the_same_files_are_found() -> None:
    assert changed(remade(*entries(), comment=b"all is well"))
    assert changed(remade(*entries(), compress=True))


def test_a_link_is_found() -> None:
    link = struct.pack("<I", 0o120777 << 16)
    usual = struct.pack("<I", archive.REGULAR)
    assert SMALL.count(usual) == 4
    assert changed(SMALL.replace(usual, link, 1))


@pytest.mark.parametrize("name", ["../a.txt", "/etc/passwd", "more.txt"])
def test_a_file_more_is_found_wherever_it_would_go(name: str) -> None:
    data = b"".join(archive.pieces(dict([*entries(), (name, b"x")])))
    with pytest.raises(Changed, match="was added"):
        opened(data)


def test_a_file_less_or_under_another_name_is_found() -> None:
    less = dict(entries())
    del less["b.json"]
    with pytest.raises(Changed, match=r"b\.json is missing"):
        opened(b"".join(archive.pieces(less)))
    renamed = {"c.json" if name == "b.json" else name: data for name, data in entries()}
    with pytest.raises(Changed) as error:
        opened(b"".join(archive.pieces(renamed)))
    assert error.value.problems == ("b.json is missing", "c.json was added")


def test_the_file_that_was_changed_is_named() -> None:
    with pytest.raises(Damaged, match=r"a\.txt does not fit its checksum"):
        archive.read(SMALL.replace(b"abc", b"abd"))


def test_what_claims_to_be_larger_than_the_file_is_not_read() -> None:
    data = bytearray(SMALL)
    data[18:26] = struct.pack("<2I", 2**32 - 1, 2**32 - 1)
    with pytest.raises(Changed, match="ends within"):
        opened(bytes(data))


def test_as_many_files_as_one_likes_are_not_read() -> None:
    many = {f"{n}.txt": b"" for n in range(archive.MOST + 1)}
    with pytest.raises(Damaged, match="has more than 64 files"):
        archive.read(b"".join(archive.pieces(many)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"run": "r"', b'"run": "s", "x": 1'),
        (b'"run": "r"', b'"run":  "r"'),
        (b'"signed": false', b'"signed": true'),
        (b'"version": 1', b'"version": true'),
        (b'"format"', b'"former"'),
        (b'"size": 3', b'"size": [3]'),
        (b"{", b"[" * 5000),
    ],
)
def test_an_edited_manifest_is_found(old: bytes, new: bytes) -> None:
    files = dict(entries())
    files[manifest.NAME] = files[manifest.NAME].replace(old, new, 1)
    assert changed(b"".join(archive.pieces(files)))

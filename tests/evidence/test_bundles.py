"""A bundle as an auditor meets it: made, sealed, tampered with, verified."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import called, document, printed
from hypothesis import given, settings
from hypothesis import strategies as st
from report import journals

from chaos import versions
from chaos.errors import ChaosError
from chaos.evidence import archive, manifest
from chaos.evidence.bundle import of_run, sealed
from chaos.evidence.manifest import Manifest
from chaos.evidence.verifying import Changed, opened, verify
from chaos.runs import Runs

NAMES = [
    "README.md",
    "evidence.json",
    "experiment.yaml",
    "journal.jsonl",
    "junit.xml",
    "report.html",
    "report.md",
    "verdict.json",
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Path) -> Path:
    """The journal of a run, where `chaos` looks for runs."""
    return journals.region_outage(here / "chaos-runs")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two keys of SSH, and a file that says whose the first one is."""
    directory = tmp_path_factory.mktemp("keys")
    for name in ("kim", "other"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(make, check=True, timeout=60)
    public = (directory / "kim.pub").read_text()
    (directory / "signers").write_text(f'kim@example.org namespaces="chaos-evidence" {public}')
    return directory


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole bundle."""
    journal = journals.region_outage(tmp_path_factory.mktemp("real"))
    return b"".join(archive.pieces(sealed(of_run(journal, None, signed=False))))


def bundle(files: dict[str, bytes]) -> Path:
    path = Path("changed.zip")
    path.write_bytes(b"".join(archive.pieces(files)))
    return path


def with_other(path: Path, **contents: bytes) -> Path:
    """The same, sealed anew by somebody who knows how, with other contents of these files."""
    files = archive.read(path.read_bytes())
    was = manifest.read(files.pop(manifest.NAME))
    files |= {name.replace("_", "."): content for name, content in contents.items()}
    anew = Manifest(
        run=was.run, tool=was.tool, code=was.code, signed=False, files=manifest.of(files)
    )
    return bundle({manifest.NAME: anew.to_bytes(), **files})


def told(*args: str) -> tuple[int, str]:
    done = called("verify", *args)
    return done.exit_code, done.stdout


def test_the_same_run_gives_the_same_bytes(run: Path) -> None:
    assert "8 files, run 20261121-094312-region-outage-4f2a, held" in printed("evidence", "latest")
    first = run.with_name("evidence.zip").read_bytes()
    printed("evidence", "latest", "-o", "again.zip")
    assert Path("again.zip").read_bytes() == first
    assert list(archive.read(first)) == [manifest.NAME, *NAMES]
    assert run.with_name("evidence.zip").stat().st_mode & 0o777 == 0o600


def test_an_intact_one_says_plainly_what_it_does_not_prove(run: Path) -> None:
    printed("evidence", "latest", "-o", "e.zip")
    code, said = told("e.zip")
    assert code == 0
    intact, follows, plainly = said.splitlines()
    assert intact == "intact: 8 files of the run 20261121-094312-region-outage-4f2a"
    assert follows == "the verdict follows from the journal: held"
    assert plainly.startswith("NOT SIGNED: nothing was damaged by accident, and more this does not")
    assert document("verify", "e.zip")["intact"] is True


def test_a_byte_of_a_report_is_named(run: Path) -> None:
    printed("evidence", "latest", "-o", "e.zip")
    files = archive.read(Path("e.zip").read_bytes())
    files["report.md"] = files["report.md"].replace(b"HELD", b"Held")
    code, said = told(str(bundle(files)))
    assert (code, said.splitlines()[1:]) == (
        1,
        ["  report.md was changed: it is not what the manifest has the hash of"],
    )
    told_json = called("verify", "changed.zip", "--json")
    assert (told_json.exit_code, json.loads(told_json.stdout)["intact"]) == (1, False)


@settings(max_examples=60)
@given(st.data())
def test_no_change_of_a_real_one_goes_unnoticed(real: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(real) - 1))
    how = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    other = bytearray(real)
    if how == "flip":
        other[at] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del other[at:]
    else:
        other[at:at] = bytes([data.draw(st.integers(0, 255))])
    with pytest.raises(Changed):
        opened(bytes(other))


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("verdict.json", b'"held"', b'"broken"', "verdict.json does not follow from the journal"),
        ("report.html", b"held", b"kept", "report.html does not follow from the journal"),
        ("experiment.yaml", b"120s", b"240s", "experiment.yaml does not follow"),
        ("journal.jsonl", b'"v":1', b'"v":9', "no verdict follows from its journal"),
        ("journal.jsonl", b'"speed":8.0', b'"speed":0', "no verdict follows from its journal"),
        ("journal.jsonl", b"120s", b"240s", "experiment.yaml is not what was run"),
    ],
)
def test_what_does_not_follow_from_the_journal_is_told_even_if_sealed_anew(
    run: Path, name: str, old: bytes, new: bytes, says: str
) -> None:
    printed("evidence", "latest", "-o", "e.zip")
    files = archive.read(Path("e.zip").read_bytes())
    assert old in files[name]
    path = with_other(Path("e.zip"), **{name.replace(".", "_"): files[name].replace(old, new)})
    code, said = told(str(path))
    assert code == 1
    assert says in said


def test_another_version_is_told_and_compares_the_verdict_alone(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed("evidence", "latest", "-o", "e.zip")
    monkeypatch.setattr(versions, "code", lambda: "another")
    code, said = told("e.zip")
    assert code == 0
    assert "other code has made it" in said
    files = archive.read(Path("e.zip").read_bytes())
    verdict = files["verdict.json"].replace(b'"value": "held"', b'"value": "broken"', 1)
    code, said = told(str(with_other(Path("e.zip"), verdict_json=verdict)))
    assert code == 1
    assert "verdict.json does not follow from the journal" in said


def test_the_experiment_is_compared_whoever_has_made_it(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text is in the journal as it is: for that the code does not matter."""
    printed("evidence", "latest", "-o", "e.zip")
    monkeypatch.setattr(versions, "code", lambda: "another")
    text = archive.read(Path("e.zip").read_bytes())["experiment.yaml"].replace(b"120s", b"240s")
    code, said = told(str(with_other(Path("e.zip"), experiment_yaml=text)))
    assert code == 1
    assert "experiment.yaml does not follow from the journal" in said


def remade(journal: Path, lines: list[bytes]) -> Path:
    """A bundle of that journal, changed before anybody sealed it."""
    journal.write_bytes(b"".join(lines))
    return bundle(sealed(of_run(journal, None, signed=False)))


def test_a_journal_that_lacks_a_line_is_told(run: Path) -> None:
    """All else follows from it: one bad attempt less, and an objective is kept."""
    lines = run.read_bytes().splitlines(keepends=True)
    bad = next(n for n, line in enumerate(lines) if b'"ok":false' in line)
    without, twice = lines[:bad] + lines[bad + 1 :], [*lines[: bad + 1], *lines[bad:]]
    for other, first in ((without, bad), (twice, bad + 1)):
        code, said = told(str(remade(run, other)))
        assert code == 1
        assert f"journal.jsonl: its line {first + 1} does not have the number {first}" in said


def test_where_a_secret_was_masked_the_hash_cannot_be_checked_and_that_is_told(run: Path) -> None:
    secret = run.read_bytes().replace(b"http://api.stream", b"http://u:***@api.stream")
    code, said = told(str(remade(run, secret.splitlines(keepends=True))))
    assert code == 0
    assert "so whether experiment.yaml has the hash that it ran with cannot be checked" in said


def test_what_is_no_bundle_is_invalid_input(here: Path) -> None:
    Path("x.zip").write_bytes(b"PK\5\6" + bytes(18))
    for name, says in [
        ("x.zip", "is no bundle of evidence"),
        ("none.zip", "cannot be read: No such file"),
        ("/dev/null", "is no file"),
    ]:
        error = called("verify", name).exception
        assert isinstance(error, ChaosError)
        assert says in str(error)
        assert error.exit_code == 2


def test_a_bundle_that_is_there_is_not_written_over(run: Path) -> None:
    Path("e.zip").write_bytes(b"signed by somebody")
    error = called("evidence", "latest", "-o", "e.zip").exception
    assert "is there already, with other bytes" in str(error)
    assert Path("e.zip").read_bytes() == b"signed by somebody"


def test_who_has_signed_is_told(run: Path, keys: Path) -> None:
    printed("evidence", "latest", "-o", "s.zip", "--sign", str(keys / "kim"))
    assert (
        told("s.zip", "--signers", str(keys / "signers"))[1]
        .splitlines()[-1]
        .startswith("signed by kim@example.org, ED25519 key SHA256:")
    )
    assert "signed by the key in" in told("s.zip", "--key", str(keys / "kim.pub"))[1]
    assert "whose that is, nobody has said" in told("s.zip")[1]
    code, said = told("s.zip", "--key", str(keys / "other.pub"))
    assert code == 1
    assert "signed by a key that" in said
    again = printed("evidence", "latest", "-o", "s.zip", "--sign", str(keys / "kim"))
    assert "8 files" in again  # the same key gives the same bytes


def test_a_signature_that_was_to_be_there_is_missed(run: Path, keys: Path) -> None:
    printed("evidence", "latest", "-o", "e.zip")
    code, said = told("e.zip", "--signers", str(keys / "signers"))
    assert code == 1
    assert "it is not signed, and was to be by" in said
    printed("evidence", "latest", "-o", "s.zip", "--sign", str(keys / "kim"))
    files = archive.read(Path("s.zip").read_bytes())
    del files[manifest.SIGNATURE]
    assert "the signature is missing" in told(str(bundle(files)))[1]


def signatures(signature: bytes) -> Iterator[bytes]:
    """Others that look like it."""
    for at in range(40, len(signature) - 40, 23):
        other = b"A" if signature[at : at + 1] != b"A" else b"B"
        yield signature[:at] + other + signature[at + 1 :]
    yield signature + b"\n"
    yield signature.replace(b"\n", b"\r\n")


def test_a_changed_signature_is_found_also_where_the_archive_was_made_anew(
    run: Path, keys: Path
) -> None:
    printed("evidence", "latest", "-o", "s.zip", "--sign", str(keys / "kim"))
    files = archive.read(Path("s.zip").read_bytes())
    for other in signatures(files[manifest.SIGNATURE]):
        assert verify(bundle({**files, manifest.SIGNATURE: other})).problems
    files[manifest.NAME] = files[manifest.NAME].replace(b'"tool": "', b'"tool": "9')
    assert verify(bundle(files)).problems


def test_a_signature_for_another_use_does_not_count(run: Path, keys: Path) -> None:
    def for_git(data: bytes) -> bytes:
        ask = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(keys / "kim"), "-n", "git"]
        done = subprocess.run(ask, input=data, capture_output=True, check=True, timeout=60)
        return done.stdout

    files = sealed(of_run(run, None, signed=True), for_git)
    assert verify(bundle(files)).problems


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--sign", "none"], "none: there is no such key; make one with ssh-keygen"),
        (["--sign", "text"], "text: ssh-keygen does not sign with it"),
        (["--findings", "none"], "none: cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(run: Path, args: list[str], says: str) -> None:
    Path("text").write_text("no key")
    error = called("evidence", "latest", "-o", "e.zip", *args).exception
    assert isinstance(error, ChaosError)
    assert says in str(error)
    assert not Path("e.zip").exists()


def test_without_ssh_keygen_a_signature_is_not_taken_for_good(
    run: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed("evidence", "latest", "-o", "s.zip", "--sign", str(keys / "kim"))
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "signatures need ssh-keygen" in str(called("verify", "s.zip").exception)


def test_the_record_has_what_auditors_ask_for(run: Path) -> None:
    files = of_run(run, None, signed=False).files
    record: dict[str, Any] = json.loads(files["evidence.json"])
    assert record["who"] is None  # the journal is older than that, and nothing is made up
    assert record["calls_complete"] is True
    assert {call["request_id"] for call in record["calls"]} == {"id-0", "id-1", "id-2", "id-3"}
    assert [each["outcome"] for each in record["state"]] == ["restored"] * 4
    (target,) = record["targets"]
    assert [each["name"] for each in target["levers"]][-1] == "reachability us-east-1"
    assert files["experiment.yaml"].decode() == journals.TEXT
    assert record["experiment"]["masked"] is False


def test_a_run_that_goes_on_has_no_evidence_yet(here: Path) -> None:
    from chaos.journal import Journal

    journal = Journal.create(Runs(Path("chaos-runs")).journal("r"), lambda: 0.0)
    try:
        assert "the run still goes on" in str(called("evidence", "r").exception)
    finally:
        journal.close()

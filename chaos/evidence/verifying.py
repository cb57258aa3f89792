"""Whether a bundle is as it was sealed, by whom, and whether its verdict follows from its journal.

Nothing of a bundle is unpacked to disk, and nothing in it is obeyed: it is compared, byte by byte,
with the only archive that its files can make.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import __version__, versions
from chaos.errors import InvalidInput
from chaos.evidence import archive, manifest, signing
from chaos.evidence.bundle import EXPERIMENT, JOURNAL, VERDICT, Contents, contents
from chaos.evidence.manifest import Manifest
from chaos.evidence.signing import BadSignature, Signed
from chaos.journal import parse
from chaos.report import answers
from chaos.secrets import MASK

MASKED = (
    "a secret was masked in the experiment, so whether experiment.yaml has the hash that it ran"
    " with cannot be checked"
)
# Two signs by which a bundle is known even when it is damaged: where its first file begins, and its
# name. What has neither is something else.
FIRST = archive.LOCAL.size, manifest.NAME.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`problems` are sentences, none when it is intact; `notes` are what is to be known besides.

    `signed` is who has signed it; None where nobody has, or where that was not looked at because
    of a problem.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    run: str = ""
    value: str = ""
    files: int = 0
    signed: Signed | None = None


class Changed(Exception):
    """The bundle is not as it was sealed; `problems` are sentences."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


def verify(path: Path, *, signers: Path | None = None, key: Path | None = None) -> Verified:
    """What there is to say of the bundle; raises InvalidInput for what is none.

    With `signers` or `key`, a bundle that is signed by nobody of those has a problem too.
    """
    data = _read(path)
    try:
        sealed, files, signature = opened(data)
        who = _who(sealed.to_bytes(), signature, signers, key)
    except Changed as error:
        return Verified(problems=error.problems)
    except BadSignature as error:
        return Verified(problems=(str(error),), run=sealed.run, files=len(files))
    return _followed(sealed, files, who)


def opened(data: bytes) -> tuple[Manifest, dict[str, bytes], bytes | None]:
    """The manifest, the files that it seals, and its signature if there is one; raises Changed."""
    try:
        files = archive.read(data)
        sealed = manifest.read(files.pop(manifest.NAME, b""))
    except archive.Damaged as error:
        raise Changed(f"the archive was changed: {error}") from error
    except ValueError as error:
        raise Changed(f"{manifest.NAME} was changed: it {error}") from error
    signature = files.pop(manifest.SIGNATURE, None)
    problems = list(manifest.differences(sealed, files))
    if sealed.signed != (signature is not None):
        problems.append("the signature is missing" if sealed.signed else "a signature was added")
    if problems:
        raise Changed(*problems)
    return sealed, files, signature


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"{path}: is no file")
            data = file.read(archive.LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from error
    at, name = FIRST
    if not (data.startswith(archive.SIGN) or data.startswith(name, at)):
        raise InvalidInput(f"{path}: is no bundle of evidence; chaos evidence RUN makes one")
    if len(data) > archive.LARGEST:
        raise InvalidInput(f"{path}: is larger than {archive.LARGEST // 2**20} MiB")
    return data


def _who(
    of: bytes, signature: bytes | None, signers: Path | None, key: Path | None
) -> Signed | None:
    if signature is not None:
        return signing.check(of, signature, signers=signers, key=key)
    if signers or key:
        raise BadSignature(f"it is not signed, and was to be by {signers or key}")
    return None


def _followed(sealed: Manifest, files: dict[str, bytes], who: Signed | None) -> Verified:
    """The bundle is as it was sealed: now whether what is in it follows from the journal."""
    problems: list[str] = []
    notes: list[str] = []
    try:
        journal, given = files[JOURNAL], files.get(answers.FILE)
        made = contents(journal, given, signed=sealed.signed, name=answers.FILE)
        if sealed.code == versions.code():
            problems += _unlike(files, made, files.keys() | made.files.keys())
        else:
            notes.append(
                f"other code has made it (chaos {sealed.tool}) than this (chaos {__version__}), so"
                " the verdict alone is compared, and not the reports"
            )
            problems += _other_verdict(files.get(VERDICT, b""), made)
            # Its text is in the journal as it is, whichever code has made the bundle.
            problems += _unlike(files, made, {EXPERIMENT})
        value = str(made.verdict.value)
        problems += _other_lines(journal)
        masked = _is_masked(made)
        notes += [MASKED] if masked else []
        problems += [] if masked else _other_text(made)
    # A journal that was made up may hold anything; one that cannot be judged proves nothing.
    except Exception as error:  # noqa: BLE001
        problems.append(f"no verdict follows from its journal: {type(error).__name__}: {error}")
        value = ""
    return Verified(
        problems=tuple(problems),
        notes=tuple(notes),
        run=sealed.run,
        value=value,
        files=len(files),
        signed=who,
    )


def _other_lines(journal: bytes) -> Iterator[str]:
    """Each line has the number of those before it: one that was taken out leaves a gap."""
    for n, event in enumerate(parse(journal, Path(JOURNAL))):
        if event["n"] != n:
            yield f"{JOURNAL}: its line {n + 1} does not have the number {n}: it has {event['n']!r}"
            return


def _is_masked(made: Contents) -> bool:
    """What was secret in the experiment is masked, and then nobody can compute its hash."""
    return MASK.encode() in made.files[EXPERIMENT] and any(_other_text(made))


def _other_text(made: Contents) -> Iterator[str]:
    text = made.files[EXPERIMENT]
    if hashlib.sha256(text).hexdigest() != made.history.experiment["sha256"]:
        yield f"{EXPERIMENT} is not what was run: it has another hash than the journal tells"


def _unlike(files: dict[str, bytes], made: Contents, of: Iterable[str]) -> Iterator[str]:
    """The same code makes the same bytes: a file that differs was made of something else."""
    for name in sorted(of):
        if files.get(name) != made.files.get(name):
            yield f"{name} does not follow from the journal"


def _other_verdict(data: bytes, made: Contents) -> Iterator[str]:
    """Another version may tell more, or in other words; it may not come to another verdict."""
    told, follows = json.loads(data), made.verdict.to_json()
    if _essence(told) != _essence(follows):
        yield (
            f"{VERDICT} does not follow from the journal: it says {told['value']}, and this chaos"
            f" finds {follows['value']}"
        )


def _essence(verdict: dict[str, Any]) -> tuple[Any, ...]:
    results = [(r["probe"], r["objective"], r["value"]) for r in verdict["results"]]
    return verdict["run"], verdict["sha256"], verdict["value"], verdict["exit_code"], results

"""Signatures by SSH keys, made and checked by OpenSSH's `ssh-keygen -Y`.

A key in a file, in an agent or in a security key will do. Whom a key belongs to is said by a file
of allowed signers (ssh-keygen(1), ALLOWED SIGNERS), and by nothing in the bundle.
"""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import InvalidInput

NAMESPACE = "chaos-evidence"  # a signature for another use does not count here
BEGIN, END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
LINE = 70  # characters of the armour's lines: OpenSSH's PROTOCOL.sshsig
# Seconds of the wall; a person may have to type a passphrase or to touch a key.
WITHIN_S = 120.0
SAID = re.compile(rf'Good "{NAMESPACE}" signature(?: for (?P<by>.+))? with (?P<key>\S+ key \S+)')
GIVEN = "the-key-given"  # as whom a single key signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who has signed: `by` is empty where nobody says whose the key is, or GIVEN."""

    by: str
    key: str


class BadSignature(Exception):
    """The signature is not one of these bytes by whom it should be; the text says why."""


def sign(data: bytes, key: Path) -> bytes:
    """The signature of the data, armoured. `key` is a private key, or a public one in an agent.

    Raises InvalidInput.
    """
    if not key.is_file():
        raise InvalidInput(f"{key}: there is no such key; make one with ssh-keygen -t ed25519")
    done = _ask("sign", "-q", "-f", str(key), "-n", NAMESPACE, data=data)
    if done.returncode or not done.stdout.startswith(BEGIN):
        raise InvalidInput(f"{key}: ssh-keygen does not sign with it: {_last(done.stderr)}")
    return done.stdout


def check(
    data: bytes, signature: bytes, *, signers: Path | None = None, key: Path | None = None
) -> Signed:
    """Who has signed the data; raises BadSignature, and InvalidInput for what cannot be used.

    With `signers`, a file of allowed signers, or `key`, a public key, it must be one of those.
    """
    if not _is_armour(signature):
        raise BadSignature("the signature is not as ssh-keygen writes one")
    with tempfile.TemporaryDirectory(prefix="chaos-verify-") as directory:
        file = Path(directory, "sig")
        file.write_bytes(signature)
        sealed = "-s", str(file), "-n", NAMESPACE
        allowed = _allowed(signers, key, Path(directory))
        if allowed is None:
            return _signed(_ask("check-novalidate", *sealed, data=data), "")
        found = _ask("find-principals", *sealed, "-f", str(allowed), data=b"")
        names = found.stdout.decode(errors="replace").splitlines()
        if found.returncode or not names:
            raise BadSignature(f"signed by a key that {signers or key} does not have")
        who = "-I", names[0], "-f", str(allowed)
        return _signed(_ask("verify", *who, *sealed, data=data), names[0])


def _signed(done: subprocess.CompletedProcess[bytes], by: str) -> Signed:
    told = SAID.search(done.stdout.decode(errors="replace"))
    if done.returncode or told is None:
        raise BadSignature(f"the signature does not fit: {_last(done.stderr or done.stdout)}")
    return Signed(by=by, key=told["key"])


def _allowed(signers: Path | None, key: Path | None, directory: Path) -> Path | None:
    """A file of allowed signers, made of a single key if need be."""
    given = signers or key
    if given is None:
        return None
    try:
        text = given.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{given}: cannot be read: {error}") from error
    if signers is not None:
        return signers
    found = re.fullmatch(r"((?:sk-)?(?:ssh|ecdsa)-\S+) ([A-Za-z0-9+/=]+)(?: .*)?\n?", text)
    if not found:
        raise InvalidInput(f"{key}: is no public key of SSH; it is in the file that ends in .pub")
    made = directory / "allowed"
    made.write_text(f"{GIVEN} {found[1]} {found[2]}\n")
    return made


def _ask(verb: str, *args: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise InvalidInput(
            "signatures need ssh-keygen, which is not here; install OpenSSH's client"
        )
    asked = [program, "-Y", verb, *args]
    try:
        return subprocess.run(  # noqa: S603  # the program found above, and no shell
            asked, input=data, capture_output=True, timeout=WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(f"ssh-keygen -Y {verb} took more than {WITHIN_S:g} s") from error


def _is_armour(signature: bytes) -> bool:
    """Whether it is written in the one way, so that no byte of it can be another one."""
    inner = signature.removeprefix(BEGIN).removesuffix(END)
    try:
        text = base64.b64encode(base64.b64decode(inner.replace(b"\n", b""), validate=True))
    except binascii.Error:
        return False
    lines = [text[at : at + LINE] + b"\n" for at in range(0, len(text), LINE)]
    return signature == b"".join([BEGIN, *lines, END])


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it does not say why")

"""Where the secrets of an experiment come from: variables that are marked, and what names one."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from chaos import schema
from chaos.errors import InvalidInput
from chaos.secrets import SHORTEST

LARGEST = 16 * 1024  # bytes of one secret
# Keys, such as names of headers, whose values are secret: `Authorization`, `x-api-key`, `db_token`.
SECRET_KEY = re.compile(
    r"(?i)(^|[-_])(authorization|cookie|password|passwd|secret|token|api[-_]?key|external[-_]id)$"
)
PASSWORD = re.compile(r"://[^\s/?#:@]{0,256}:([^\s/?#@]{1,1024})@")  # in a URL


def given(name: str, text: str) -> str:
    """The secret that `--var NAME=…` means: `@FILE`, `env:NAME`, or itself; raises InvalidInput."""
    if text.startswith("@"):
        value = _of_file(name, Path(text[1:]))
    elif text.startswith("env:"):
        value = os.environ.get(text[4:], "")
        if not value:
            raise InvalidInput(f"--var {name}: the environment has no variable {text[4:60]!r}")
    else:
        value = text
    if len(value) < SHORTEST:
        raise InvalidInput(
            f"--var {name}: a secret of less than {SHORTEST} characters cannot be kept out of what"
            " is written, as half of all words have it; use a longer one"
        )
    return value


def secrets_of(value: Any, key: str = "") -> Iterator[str]:
    """What is secret in an experiment as JSON: below the keys that say so, and in URLs."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from secrets_of(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_of(inner, key)
    elif isinstance(value, str) and SECRET_KEY.search(key):
        yield from _credentials(value)
    elif isinstance(value, str):
        for password in PASSWORD.findall(value):
            yield from (password, unquote(password))


def _credentials(value: str) -> Iterator[str]:
    """A value, and what follows the scheme in one such as `Bearer …` or `Basic …`."""
    yield value
    scheme, _, rest = value.partition(" ")
    yield rest
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(rest).decode().partition(":")
        except ValueError:
            return
        yield from (f"{user}:{password}", password)


def _of_file(name: str, path: Path) -> str:
    data = schema.read(path)
    if len(data) > LARGEST:
        raise InvalidInput(f"--var {name}: {path} is larger than {LARGEST // 1024} KiB")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"--var {name}: {path} is not UTF-8 text") from error

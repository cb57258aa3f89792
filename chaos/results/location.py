"""Where a history is kept: a file of SQLite's, or a database of PostgreSQL."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

from chaos.errors import InvalidInput
from chaos.secrets import SECRETS

NONE = "none"
POSTGRESQL = ("postgresql", "postgres")
WAYS = "a file, sqlite:FILE, postgresql://USER@HOST/DATABASE or none"


@dataclass(frozen=True, slots=True)
class Location:
    """As text it has no password; `path` is None for a server's."""

    name: str
    url: str = ""
    path: Path | None = None

    def __str__(self) -> str:
        return self.name


def located(given: str | Path) -> Location | None:
    """Where that is, None for `none`; raises InvalidInput when it is no such place.

    Nothing is opened. A password in it is masked from now on, wherever it would be shown.
    """
    text = str(given)
    if text == NONE:
        return None
    scheme, colon, rest = text.partition(":")
    if colon and scheme in POSTGRESQL:
        return _server(text)
    if "://" in text.removeprefix("sqlite://"):
        raise InvalidInput(f"--history: {_scheme(text)}:// is no place for a history; give {WAYS}")
    path = Path(re.sub("^//(?=/)", "", rest) if scheme == "sqlite" and colon else text)
    if not path.name:
        raise InvalidInput(f"--history: {text!r} names no file; give {WAYS}")
    return Location(str(path), path=path)


def _server(url: str) -> Location:
    """What is wrong with it is not quoted: where a password ends is just what is not known then."""
    try:
        parts = urlsplit(url)
        secret = parts.password
        _ = parts.port
    except ValueError as error:
        raise InvalidInput(f"--history: no URL of PostgreSQL; give {WAYS}") from error
    SECRETS.add(secret, os.environ.get("PGPASSWORD"))
    if "password=" in parts.query:
        raise InvalidInput(
            "--history: a password stands in the URL's query, where it would be shown; give it with"
            " PGPASSWORD, in ~/.pgpass, or before the @"
        )
    if not parts.path.strip("/"):
        raise InvalidInput(f"--history: {_shown(parts)} names no database; give {WAYS}")
    if find_spec("psycopg") is None:
        raise InvalidInput("--history: PostgreSQL needs psycopg: pip install 'psycopg[binary]'")
    return Location(_shown(parts), url=url)


def _shown(parts: SplitResult) -> str:
    """Without password and query."""
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, user.partition(":")[0] + at + host, parts.path, "", ""))


def _scheme(text: str) -> str:
    return text.partition("://")[0][:40]

"""URLs of services that a run's figures go to, which may have a user and a password in them."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from chaos.errors import InvalidInput
from chaos.secrets import SECRETS


def checked(url: str, what: str, instead: str) -> str:
    """The URL, whose password, or a user without one, is secret from now on.

    Raises InvalidInput for one that is none of `what`; `instead` says what to write.
    """
    try:
        parts = urlsplit(url)
        # Where there is no password, the user may be a token.
        secret = parts.password or parts.username or ""
        SECRETS.add(secret, unquote(secret))
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        fits = False
    if not fits or parts.query or parts.fragment:
        raise InvalidInput(f"{SECRETS.mask(url)} is no URL of {what}; write {instead}")
    return url

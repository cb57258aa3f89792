"""Which endpoint the calls to an account go to: AWS itself, or the one given, and no other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from chaos.environments.account import is_aws
from chaos.errors import InvalidInput

STALE_S = 10.0  # EC2's reads agree with its writes after a few seconds
STALE = "CHAOS_STALE_SECONDS"
LONGEST_STALE_S = 600.0
IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"


def is_real(endpoint: str | None) -> bool:
    """Whether calls to it reach AWS itself."""
    return endpoint is None or is_aws(urlsplit(endpoint).hostname or "")


def checked(given: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The endpoint as it is to be used, None for AWS itself; raises InvalidInput.

    What the surroundings name counts for nothing: a drill that is meant for an emulator must not
    reach AWS because a variable is missing, nor the other way round.
    """
    if given is None:
        named = [n for n in environ if n.startswith("AWS_ENDPOINT_URL") and environ[n]]
        if named and environ.get(IGNORED, "").lower() != "true":
            refuse_elsewhere(" and ".join(sorted(named)))
        return None
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput(f"--endpoint is no URL: {given!r}: {error}") from error
    if "@" in parts.netloc:
        raise InvalidInput("--endpoint has a name or a password in it, which nobody asks for")
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query:
        raise InvalidInput(f"--endpoint is no URL: {given!r}; write it as http://127.0.0.1:5000")
    if is_aws(host) and parts.scheme == "http":
        raise InvalidInput(f"--endpoint {given}: AWS is called with https alone")
    return given.rstrip("/")


def refuse_elsewhere(who: str) -> NoReturn:
    """Raises InvalidInput."""
    raise InvalidInput(
        f"{who} would lead calls away from AWS: unset it, or say that this is meant with --endpoint"
        f" URL, or set {IGNORED}=true; nothing was touched"
    )


def stale_s(endpoint: str | None, environ: Mapping[str, str] = os.environ) -> float:
    """Seconds of the wall for which a read may be stale; an emulator's may be set."""
    given = environ.get(STALE)
    if not given:
        return STALE_S
    if is_real(endpoint):
        raise InvalidInput(f"{STALE} is for emulators, and this is AWS: unset it")
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_STALE_S:
        raise InvalidInput(f"{STALE} is a number of seconds from 0 to 600, not {given[:40]!r}")
    return seconds

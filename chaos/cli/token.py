"""The token that who asks a door of ours has to show, where others in the network could ask it."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

import click

from chaos.errors import InvalidInput

VARIABLE = "CHAOS_TOKEN"
# RFC 6750, 2.1; shorter ones can be guessed.
FORM = re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*")

option = click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"The token that has to be shown, else {VARIABLE}; a new one where others could ask.",
)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches that address."""
    return ipaddress.ip_address(address).is_loopback


def token_of(file: Path | None, address: str) -> tuple[str | None, bool]:
    """The token for what listens at that address, and whether it is new and has to be told.

    None on loopback, unless one is given. Raises InvalidInput.
    """
    given = _of_file(file) if file else os.environ.get(VARIABLE)
    if given is not None:
        if not FORM.fullmatch(given):
            said = f"--token-file {file}" if file else VARIABLE
            raise InvalidInput(
                f"{said}: a token is 16 letters and digits or more; make one: openssl rand -hex 32"
            )
        return given, False
    if is_loopback(address):
        return None, False
    from secrets import token_urlsafe  # few commands need one

    return token_urlsafe(32), True


def told(token: str) -> str:
    """How a new token is shown, once."""
    return f"token:   {token}  (shown once; goes into the header Authorization, behind 'Bearer ')"


def _of_file(file: Path) -> str:
    from chaos import schema

    return schema.read(file).decode("utf-8", "replace").strip()

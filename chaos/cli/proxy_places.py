"""The emulator that a proxy of the AWS API stands in front of."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from chaos.cli.dns_places import Place, shown
from chaos.errors import ChaosError, InvalidInput

EXAMPLE = "http://127.0.0.1:4566"


def upstream_of(url: str | None) -> Place:
    """Host and port of that URL, or of the LocalStack that is found; raises ChaosError."""
    from chaos.environments.account import is_aws

    if url is None:
        return _found()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError as error:
        raise InvalidInput(f"--upstream {url}: {error}; write it as {EXAMPLE}") from error
    if is_aws(host):
        raise InvalidInput(
            f"--upstream {url}: is AWS itself, where no call would get through: its signature is"
            " for another host; name an emulator"
        )
    if parts.scheme != "http" or not host or parts.path.strip("/") or parts.query:
        raise InvalidInput(f"--upstream {url}: is no endpoint of plain HTTP; write it as {EXAMPLE}")
    return host, port


def _found() -> Place:
    """Not where AWS_ENDPOINT_URL says: that is for the app, and may be this very proxy."""
    from chaos.environments.localstack import DEFAULT, find

    try:
        return find(os.environ.get("LOCALSTACK_ENDPOINT") or DEFAULT).address
    except ChaosError as error:
        raise type(error)(str(error).replace("--endpoint", "--upstream")) from error


def refuse_circle(at: Place, upstream: Place) -> None:
    """Raises InvalidInput when the emulator is where we are to listen, or `at` is no address."""
    try:
        address = ipaddress.ip_address(at[0])
    except ValueError as error:
        raise InvalidInput(f"--listen {at[0]}: is no IP address such as 127.0.0.1") from error
    ours = upstream[0] in (at[0], "localhost") or address.is_unspecified
    if at[1] and at[1] == upstream[1] and ours:
        raise InvalidInput(
            f"the emulator answers at {shown(upstream)}, where this proxy is to listen; choose"
            " another --port"
        )

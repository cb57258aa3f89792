from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from contract.certificate import write
from http_servers import OK, Handler, endless, first_sample, made, resetting, run, saying, serving
from pydantic import ValidationError

from probes.http import Http
from probes.probe import Sample


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and its own certificate, for 127.0.0.1 and api.test."""
    return write(tmp_path_factory.mktemp("tls") / "test.pem")


def over_tls(certificate: Path, handler: Handler | None = None, **fields: Any) -> Sample:
    async def main() -> Sample:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        async with serving(handler or saying(OK), tls=context) as port:
            return await first_sample(made(port, scheme="https", timeout="20s", **fields))

    sample: Sample = run(main())
    return sample


@pytest.mark.parametrize("tls", [{}, {"server_name": "api.test"}])
def test_a_certificate_that_is_trusted_is_good(certificate: Path, tls: dict[str, str]) -> None:
    sample = over_tls(certificate, tls={"ca": str(certificate), **tls})
    assert sample.ok, sample.error
    assert list(sample.phases) == ["connect", "tls", "first_byte", "body"]


def test_a_certificate_that_is_not_trusted_is_bad(certificate: Path) -> None:
    sample = over_tls(certificate)
    assert not sample.crashed
    assert sample.error.startswith("certificate not accepted: self")
    assert sample.error.endswith(" (tls)")


def test_a_certificate_for_another_name_is_bad(certificate: Path) -> None:
    sample = over_tls(certificate, tls={"ca": str(certificate), "server_name": "other.test"})
    assert sample.error.startswith("certificate not accepted: Hostname mismatch")


def test_any_certificate_will_do_when_it_is_not_verified(certificate: Path) -> None:
    assert over_tls(certificate, tls={"verify": False}).ok


def test_trusting_everybody_and_somebody_is_refused(certificate: Path) -> None:
    with pytest.raises(ValidationError, match="ca says whom to trust"):
        Http(kind="http", url="https://x/", tls={"verify": False, "ca": str(certificate)})


def test_a_server_without_tls_is_bad() -> None:
    async def main() -> Sample:
        async with serving(endless(b"", b"hello\r\n")) as port:
            return await first_sample(made(port, scheme="https", timeout="20s"))

    sample = run(main())
    assert not sample.crashed
    assert sample.error.startswith("TLS failed: ")
    assert sample.error.endswith(" (tls)")


def test_a_tls_connection_that_is_reset_is_bad(certificate: Path) -> None:
    sample = over_tls(certificate, resetting, tls={"verify": False})
    assert (sample.ok, sample.crashed) == (False, False)

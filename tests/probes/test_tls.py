from __future__ import annotations

import asyncio
import datetime as dt
import re
import ssl
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from contract.certificate import write
from http_servers import run, serving
from pydantic import ValidationError

from chaos.testing import one_sample
from probes.net import Net
from probes.probe import Sample
from probes.tls import TlsProbe


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files with a key and its own certificate, by how long that is valid."""
    place = tmp_path_factory.mktemp("tls")
    days = {"expired": -0.5, "day": 1, "month": 30}
    return {name: write(place / f"{name}.pem", days=n) for name, n in days.items()}


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError), closing(writer):
        await reader.read()


def serving_with(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def attempted(certificate: Path, context: ssl.SSLContext | None = None, **settings: Any) -> Sample:
    """One attempt at a server with that certificate, trusting it unless told otherwise."""

    async def main() -> Sample:
        async with serving(silent, tls=context or serving_with(certificate)) as port:
            usual = {"ca": str(certificate), "host": "127.0.0.1", "port": port, "timeout": 20}
            probe = TlsProbe.model_validate({"kind": "tls"} | usual | settings)
            return await one_sample(probe, Net())

    sample: Sample = run(main())
    return sample


def test_a_good_certificate_is_told(certificates: dict[str, Path]) -> None:
    sample = attempted(certificates["month"], valid_for="29d")
    assert sample.ok, sample.error
    assert list(sample.phases) == ["connect", "tls"]
    assert sample.detail["version"] == "TLSv1.3"
    assert sample.detail["issuer"] == "test"
    left = dt.datetime.fromisoformat(sample.detail["not_after"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=29) < left < dt.timedelta(days=31)


def test_a_certificate_that_ends_soon_is_bad(certificates: dict[str, Path]) -> None:
    sample = attempted(certificates["day"], valid_for="14d")
    assert (sample.ok, sample.crashed) == (False, False)
    assert re.fullmatch(
        r"the certificate ends in (24 h|23 h \d+ min) \(20\S+\), before 14 d", sample.error
    )


def test_a_certificate_that_has_ended_is_bad(certificates: dict[str, Path]) -> None:
    sample = attempted(certificates["expired"])
    assert sample.error == "certificate not accepted: certificate has expired (tls)"


def test_a_certificate_of_somebody_else_is_bad(certificates: dict[str, Path]) -> None:
    sample = attempted(certificates["day"], ca=str(certificates["month"]))
    assert sample.error.startswith("certificate not accepted: self")
    sample = attempted(certificates["day"], server_name="other.test")
    assert sample.error.startswith("certificate not accepted: Hostname mismatch")
    assert attempted(certificates["day"], server_name="api.test").ok


def test_nothing_is_read_in_a_certificate_that_is_not_verified(
    certificates: dict[str, Path],
) -> None:
    sample = attempted(certificates["expired"], verify=False, ca=None)
    assert sample.ok, sample.error
    assert sample.detail == {"address": "127.0.0.1", "version": "TLSv1.3"}


def test_an_old_version_is_bad(certificates: dict[str, Path]) -> None:
    old = serving_with(certificates["day"])
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert attempted(certificates["day"], old).detail["version"] == "TLSv1.2"
    sample = attempted(certificates["day"], old, min_version="1.3")
    assert sample.error == "the server agreed to TLSv1.2, not TLSv1.3"
    assert attempted(certificates["day"], min_version="1.3").ok


def test_the_server_must_choose_a_protocol_that_was_offered(
    certificates: dict[str, Path],
) -> None:
    modern = serving_with(certificates["day"])
    modern.set_alpn_protocols(["h2", "http/1.1"])
    sample = attempted(certificates["day"], modern, alpn=["h3", "h2"])
    assert (sample.ok, sample.detail["alpn"]) == (True, "h2")
    sample = attempted(certificates["day"], alpn=["h3", "h2"])
    assert sample.error == "the server chose no protocol of h3, h2"


def test_a_server_without_tls_is_bad() -> None:
    async def main() -> Sample:
        async with serving(hello) as port:
            probe = TlsProbe(kind="tls", host="127.0.0.1", port=port, timeout=20)
            return await one_sample(probe, Net())

    sample = run(main())
    assert not sample.crashed
    assert sample.error.startswith("TLS failed: ")


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError), closing(writer):
        writer.write(b"220 hello\r\n")
        await reader.read()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"verify": False, "valid_for": "14d"}, "verify: false does not read it"),
        ({"verify": False, "ca": __file__}, "cannot be used as CA certificates"),
        ({"ca": "/no/such"}, "/no/such: cannot be used as CA certificates: No such file"),
        ({"min_version": "1.1"}, "'1.2' or '1.3'"),
        ({"alpn": [""]}, "'' is no name of a protocol"),
        ({"alpn": ["ü"]}, "'ü' is no name of a protocol"),
        ({"server_name": ""}, "at least 1 character"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        TlsProbe.model_validate({"kind": "tls", "host": "a.test"} | settings)
    assert said in str(error.value)

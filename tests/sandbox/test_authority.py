"""The run's own authority: who trusts its bundle may speak to AWS's names, and only so."""

from __future__ import annotations

import ssl
import stat
import sys
from pathlib import Path

import pytest

from chaos.errors import EnvironmentFailed
from chaos.sandbox.authority import VARIABLES, Authority

NAME = "my.bucket.s3.us-east-1.amazonaws.com"


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """The client's end, once both agree; raises what either raises."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(down, up, server_hostname=name)
    far = server.wrap_bio(up, down, server_side=True)
    waiting = [near, far]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    assert not waiting
    return near


def strict(bundle: str) -> ssl.SSLContext:
    """As Python 3.13 checks by default."""
    context = ssl.create_default_context(cafile=bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def test_a_client_with_the_bundle_trusts_any_name_it_asks_for() -> None:
    with Authority() as authority:
        bundle = authority.trusted({})["AWS_CA_BUNDLE"]
        for name in (NAME, "x" * 60 + ".dynamodb.us-east-1.amazonaws.com"):
            done = shake_hands(authority.context(name), strict(bundle), name)
            assert done.getpeercert()["subjectAltName"] == (("DNS", name),)  # type: ignore[index]


def test_a_client_without_it_does_not() -> None:
    with Authority() as authority, pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority.context(NAME), ssl.create_default_context(), NAME)


def test_a_certificate_is_good_for_its_name_alone() -> None:
    with Authority() as authority:
        bundle = authority.trusted({})["SSL_CERT_FILE"]
        with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
            shake_hands(authority.context(NAME), strict(bundle), "sqs.us-east-1.amazonaws.com")


def test_http_1_is_agreed_upon_with_who_would_speak_2() -> None:
    with Authority() as authority:
        client = strict(authority.trusted({})["SSL_CERT_FILE"])
        client.set_alpn_protocols(["h2", "http/1.1"])
        done = shake_hands(authority.context(NAME), client, NAME)
        assert done.selected_alpn_protocol() == "http/1.1"


def test_what_the_command_trusted_before_it_trusts_still(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_text("-- my company's --\n")
    with Authority() as authority:
        variables = authority.trusted({"REQUESTS_CA_BUNDLE": str(own)})
        assert set(variables) == set(VARIABLES)
        assert b"my company's" in Path(variables["AWS_CA_BUNDLE"]).read_bytes()


def test_no_key_stays_on_disk_and_the_bundle_goes_with_the_run() -> None:
    with Authority() as authority:
        authority.context(NAME)
        bundle = Path(authority.trusted({})["SSL_CERT_FILE"])
        assert list(bundle.parent.iterdir()) == [bundle]
        assert "PRIVATE" not in bundle.read_text()
        assert stat.S_IMODE(bundle.parent.stat().st_mode) == 0o711
    assert not bundle.parent.exists()


def test_authorities_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with Authority() as authority, pytest.raises(EnvironmentFailed, match=r"missing\.pem"):
        authority.trusted({"SSL_CERT_FILE": str(tmp_path / "missing.pem")})


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(EnvironmentFailed, match="pip install"):
        Authority()

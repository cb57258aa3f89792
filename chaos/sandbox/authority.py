"""A certificate authority for one run: it lets the command's HTTPS be read, and ends with the run.

Its key is never on disk. The command trusts it by variables that name a bundle: the authorities it
would have trusted anyway, and this one.
"""

from __future__ import annotations

import datetime as dt
import functools
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from chaos.errors import EnvironmentFailed

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# Read by the AWS SDKs; OpenSSL, Go, .NET and Rust's native store; Python's requests; Node; curl.
VARIABLES = (
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CURL_CA_BUNDLE",
)
# Debian and Alpine; Fedora; SUSE; others.
SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
VALID_FOR = dt.timedelta(days=30)
SKEW = dt.timedelta(days=1)
NAMES_MOST = 1000
MISSING = (
    "--transparent needs the package cryptography, which is not installed;"
    " in the clone: pip install '.[transparent]'"
)


class Authority:
    """Makes certificates by name; as a context it has a directory with the bundle in it."""

    def __init__(self) -> None:
        """Raises EnvironmentFailed when cryptography is not installed."""
        try:
            from cryptography.hazmat.primitives.asymmetric import ec
        except ModuleNotFoundError as error:
            raise EnvironmentFailed(MISSING) from error
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._site_key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("chaos exec, this run only", self._key, None)
        self.context = functools.lru_cache(NAMES_MOST)(self._context)

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="chaos-exec-")
        # A command that changes its user still finds the bundle, whose name it knows.
        Path(self._directory.name).chmod(0o711)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._directory.cleanup()

    def trusted(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables by which a command trusts it, besides what it trusts by those it has."""
        own = [environment[name] for name in VARIABLES if environment.get(name)]
        system = next((path for path in SYSTEM if Path(path).is_file()), None)
        parts = [_read(path) for path in dict.fromkeys([*own, *([system] if system else [])])]
        bundle = Path(self._directory.name) / "authorities.pem"
        bundle.write_bytes(b"\n".join([*parts, _pem(self.certificate)]))
        bundle.chmod(0o644)
        return dict.fromkeys(VARIABLES, str(bundle))

    def _context(self, name: str) -> ssl.SSLContext:
        """How a server of that name is to speak TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        file = Path(self._directory.name) / "site.pem"
        file.touch(0o600, exist_ok=False)
        try:
            with file.open("wb") as out:
                out.write(_key_pem(self._site_key) + _pem(self._sign("AWS", self._site_key, name)))
            context.load_cert_chain(file)
        finally:
            file.unlink()
        return context

    def _sign(self, subject: str, key: Any, host: str | None) -> Certificate:
        """A certificate for a host; without one, the authority's own."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import NameOID

        now = dt.datetime.now(dt.UTC)
        issuer = "chaos exec, this run only"
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + VALID_FOR)
        )
        for extension, critical in _extensions(key, self._key, host):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())


def _extensions(key: Any, issuer: Any, host: str | None) -> list[tuple[Any, bool]]:
    """What RFC 5280 wants, which Python 3.13 insists upon."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    common = [(own, False), (by, False), (_usage(signs=host is None), True)]
    if host is None:
        return [*common, (x509.BasicConstraints(ca=True, path_length=0), True)]
    return [
        *common,
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ]


def _usage(*, signs: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise EnvironmentFailed(f"the authorities in {path} cannot be read: {error}") from error

"""How a server's certificate is checked: the same for every probe that speaks TLS."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import ssl  # most experiments load without it


@lru_cache(maxsize=64)
def context(verify: bool, ca: str | None, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """The client's context, made once: reading certificates takes tens of milliseconds.

    Raises OSError (ssl.SSLError is one) when the CA certificates cannot be read.
    """
    import ssl

    made = ssl.create_default_context(cafile=ca)
    # Python 3.13 began to refuse certificates that other clients, and so the users', accept.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


def _checked_ca(path: str) -> str:
    try:
        context(True, path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be used as CA certificates: {error.strerror}") from error
    return path


class Trust(BaseModel):
    """How the server's certificate is checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: Annotated[str, AfterValidator(_checked_ca)] | None = Field(
        default=None,
        description="file of CA certificates (PEM) to trust, from the directory where chaos is"
        " started; default: the system's",
    )
    server_name: str | None = Field(
        default=None,
        min_length=1,
        description="name to ask for (SNI) and to verify; default: the host",
    )


class Tls(Trust):
    """How the server's certificate is checked, if it is."""

    verify: bool = Field(default=True, description="whether the certificate must be valid")

    @model_validator(mode="after")
    def _trusts_somebody(self) -> Self:
        if self.ca and not self.verify:
            raise ValueError("ca says whom to trust, and verify: false trusts everybody")
        return self

    def prepared(self, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """The context for these settings."""
        return context(self.verify, self.ca, alpn)

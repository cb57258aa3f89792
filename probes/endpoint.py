"""What the probes of a host and its port have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from probes.hosts import checked_host, fits
from probes.probe import Probe

Host = Annotated[str, AfterValidator(checked_host)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Endpoint(Probe):
    """A probe that connects to one port of one host."""

    host: Host = Field(description="name or address to connect to")
    port: Port = Field(description="port to connect to")

    @field_validator("host")
    @classmethod
    def _has_the_family(cls, host: str, info: ValidationInfo) -> str:
        return fits(host, info.data.get("family", "any"))

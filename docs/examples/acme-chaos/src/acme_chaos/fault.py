"""Somebody changes a feature flag."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from acme_chaos.lever import Flag
from chaos.faults.fault import Fault, Fidelity, Look, Pull


class FlagChange(Fault):
    """A feature flag is switched, for everybody, as a wrong click in the console does it.

    The flag has its former value again when the fault is lifted; one that was not there is
    removed. It is the flag service itself that is changed, whatever the environment is.
    """

    summary: ClassVar[str] = "a feature flag is switched for everybody"
    example: ClassVar[str] = """\
- kind: acme_flag_change
  service: http://127.0.0.1:8350
  flag: checkout
  to: false
  lasts: 60s
"""
    fidelity: ClassVar[dict[str, Fidelity]] = {
        "embedded": "real",
        "localstack": "real",
        "aws": "real",
    }

    kind: Literal["acme_flag_change"]
    service: str = Field(pattern=r"^http://", description="URL of the flag service")
    flag: str = Field(min_length=1, description="name of the flag")
    to: bool = Field(description="what it is switched to")

    async def inject(self, look: Look, pull: Pull) -> None:
        await pull(Flag(service=self.service, flag=self.flag), self.to)

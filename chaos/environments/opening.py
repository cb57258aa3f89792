"""Which environment it is to be: by its name, with what that kind of environment needs to know."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.environments import embedded, on_aws, on_localstack
from chaos.environments.environment import Environment
from chaos.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A kind of environment, and where it is to be found, for kinds that are found.

    `needed` are the services of AWS that the experiment uses, by boto3's names; `stand_ins` those
    of them that something else stands in for.
    """

    kind: str = "embedded"
    endpoint: str | None = None
    needed: frozenset[str] = frozenset()
    stand_ins: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.endpoint is not None and self.kind == "embedded":
            raise InvalidInput(
                "--endpoint names an emulator that is there, and the embedded environment brings"
                " its own; add --environment localstack"
            )

    def start(
        self, lab: dict[str, Any], *, speed: float, log: Path
    ) -> AbstractAsyncContextManager[Environment]:
        """The environment with that lab; raises EnvironmentFailed or InvalidInput when entered."""
        if self.kind == on_localstack.OnLocalStack.kind:
            return on_localstack.start(
                lab,
                endpoint=self.endpoint,
                needed=self.needed,
                stand_ins=self.stand_ins,
                speed=speed,
                log=log,
            )
        if self.kind == on_aws.OnAws.kind:
            return on_aws.start(self.endpoint)
        return embedded.start(lab, speed=speed, log=log)

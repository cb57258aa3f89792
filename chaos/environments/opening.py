"""Which environment it is to be: by its name, with what that kind of environment needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.environments import embedded, on_aws, on_localstack
from chaos.environments.environment import Environment
from chaos.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A kind of environment, and where it is to be found, for kinds that are found.

    `needed` are the services of AWS that the experiment uses, by boto3's names; `stand_ins` those
    of them that something else stands in for. `accounts` are those of the experiment, as JSON, and
    `profile` is the one of the AWS config for those that name none: both for real accounts alone.
    """

    kind: str = "embedded"
    endpoint: str | None = None
    needed: frozenset[str] = frozenset()
    stand_ins: frozenset[str] = frozenset()
    accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    profile: str | None = None

    def __post_init__(self) -> None:
        if self.profile is not None and self.kind != on_aws.OnAws.kind:
            raise InvalidInput(
                "--profile names credentials for real accounts, and a lab needs none; leave it out"
                " or add --environment aws"
            )
        if self.endpoint is not None and self.kind == "embedded":
            raise InvalidInput(
                "--endpoint names an emulator that is there, and the embedded environment brings"
                " its own; add --environment localstack"
                " (or aws, when it stands in for an account)"
            )

    def start(
        self,
        lab: dict[str, Any],
        *,
        speed: float,
        log: Path,
        run: str = "plan",
        seed: str | None = None,
    ) -> AbstractAsyncContextManager[Environment]:
        """The environment with that lab; raises EnvironmentFailed or InvalidInput when entered.

        `run` is what sessions in an account are named after, `seed` what a lab's chance is drawn
        from (there is none of ours in an account). Raises InvalidInput for a speed at
        which it cannot go.
        """
        if self.kind == on_localstack.OnLocalStack.kind:
            return on_localstack.start(
                lab,
                endpoint=self.endpoint,
                needed=self.needed,
                stand_ins=self.stand_ins,
                speed=speed,
                log=log,
                seed=seed,
            )
        if self.kind == on_aws.OnAws.kind:
            if speed != 1:
                raise InvalidInput(
                    "a real account goes by the clock of the wall, at speed 1: leave out --speed"
                )
            return on_aws.start(self.endpoint, self.accounts, profile=self.profile, run=run)
        return embedded.start(lab, speed=speed, log=log, seed=seed)

"""What a fault is: a recipe that says which levers to pull to which values.

A fault has no rollback code. It can change nothing but by `pull`, and `look` lets it call only
operations that read; whoever runs it puts every lever back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from chaos.levers import Lever, Value
from chaos.levers.powers import Grants
from probes.durations import Duration

Fidelity = Literal["real", "lab", "unsupported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a fault really cuts in a real account, and what goes on although it would not."""

    cut: tuple[str, ...]
    goes_on: tuple[str, ...]


class Look(Protocol):
    """`Environment.call` for operations that only read."""

    @property
    def kind(self) -> str:
        """The kind of environment that is looked at, such as `aws`."""

    async def __call__(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]: ...


class Pull(Protocol):
    """Move one lever: read it, record it durably, set it, read it again."""

    async def __call__(self, lever: Lever, value: Value, /) -> None: ...


class Fault(BaseModel):
    """The parameters that every fault has; a kind adds its own and the verb `inject`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    summary: ClassVar[str] = ""
    # As it stands in an experiment, below `faults:`.
    example: ClassVar[str] = ""
    # How real the fault is in each environment; an environment not named is unsupported.
    fidelity: ClassVar[dict[str, Fidelity]] = {}
    # The kinds of levers that it pulls in a real account; there they are imported when needed.
    account_levers: ClassVar[tuple[str, ...]] = ()
    # A fault that nothing lifts: it has no `lasts`, and ends when the observation does.
    one_way: ClassVar[bool] = False
    # A fault that somebody else brings about: that it took effect is known from probes alone.
    by_hand: ClassVar[bool] = False

    kind: str = Field(description="which fault")
    account: str | None = Field(
        default=None, description="the account of the experiment it happens in; not used in a lab"
    )
    at: Duration = Field(default=0.0, description="when, counted from the first injection")
    lasts: Duration | None = Field(
        default=None,
        gt=0,
        description="how long until it is lifted; one that nothing lifts has none",
    )

    @property
    def draws(self) -> bool:
        """Whether its targets are drawn at random, so that each run may have others."""
        return False

    def everyone(self) -> Self | None:
        """The same fault on all that it could draw from; None when it cannot tell.

        Guards look at every one of them. Of a fault that draws nothing, that is itself.
        """
        return None if self.draws else self

    def grants(self) -> Grants:
        """The permissions that it takes in a real account, its levers' included."""
        return Grants()

    def coverage(self) -> Coverage | None:
        """What it cuts in a real account and what not; None where that goes without saying."""
        return None

    def services(self) -> frozenset[str]:
        """The AWS services, as boto3 names them, that must be there for it to have an effect."""
        return frozenset()

    async def inject(self, look: Look, pull: Pull) -> None:
        """Find the targets with `look`, break them with `pull`; raises InjectionFailed."""
        raise NotImplementedError

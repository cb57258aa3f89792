"""Whatever AWS FIS can break, broken by FIS itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from chaos.errors import InvalidInput
from chaos.faults.fault import Coverage, Fault, Fidelity, Look, Pull
from chaos.faults.fis_sound import problems_of
from chaos.faults.fis_template import AlarmArn, FisAccount, FisAction, FisTarget, Name, RoleArn
from chaos.levers.fis_actions import ACTIONS, lasts, one_way_actions
from chaos.levers.powers import Grants
from chaos.schema import problem, problems
from probes.durations import show

INLINE = ("role", "actions", "targets", "empty_targets", "stop_conditions", "target_accounts")
UNKNOWN = (
    "what a template contains is told by `chaos plan`, which reads it; what it means for traffic"
    " is in the FIS actions reference"
)


class Fis(Fault):
    """AWS Fault Injection Service does it: a template of yours, or actions and targets given here.

    Either `template` names an experiment template that is in the account, or `role`, `actions` and
    `targets` are given, with the keys and values of FIS's own CreateExperimentTemplate; then a
    template is created for the run and deleted after it. The experiment is started, watched, and
    stopped when the fault is lifted: FIS puts back what its actions did, and the lifting waits for
    that. When FIS ends it earlier (a stop condition of its own, the safety lever, a failure), the
    fault did not last, and the verdict is `unknown` with FIS's reason.

    If this machine dies, FIS ends the actions itself after their own durations; `lasts` must be
    shorter than the last of them takes, or FIS would lift the fault first. Actions that FIS never
    puts back, such as aws:ec2:terminate-instances, must be named in `allow_irreversible` here.

    FIS finds its targets when it starts. The plan tells what they would be now; of `COUNT` and
    `PERCENT` it tells all among which FIS will draw, and limits hold for all of them.

    FIS costs 0.10 $ for each minute of each action (2026; 0.12 $ in GovCloud). Emulators accept
    experiments and do nothing, so that a run through one is always `unknown`.
    """

    summary: ClassVar[str] = "whatever AWS FIS can break: any of its actions, or a template"
    example: ClassVar[str] = """\
- kind: fis
  region: us-east-1
  role: arn:aws:iam::123456789012:role/fis
  actions:
    stall:
      actionId: aws:ebs:pause-volume-io
      parameters: {duration: PT5M}
      targets: {Volumes: data}
  targets:
    data:
      resourceType: aws:ec2:ebs-volume
      resourceTags: {chaos: allowed}
  lasts: 240s
"""
    account_levers: ClassVar[tuple[str, ...]] = ("fis_experiment",)
    fidelity: ClassVar[dict[str, Fidelity]] = {"aws": "real"}

    kind: Literal["fis"]
    region: str = Field(description="the region in which FIS works")
    template: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9]{3,64}$",
        description="the id of an experiment template that is there, such as EXT1a2b3c4d5e6f7;"
        " instead of all below",
    )
    role: RoleArn | None = Field(default=None, description="the role that FIS acts with")
    actions: dict[Name, FisAction] = Field(
        default_factory=dict, max_length=20, description="by name, as FIS's own model has them"
    )
    targets: dict[Name, FisTarget] = Field(
        default_factory=dict, description="by name, as FIS's own model has them"
    )
    empty_targets: Literal["fail", "skip"] = Field(
        default="fail", description="what FIS does with an action whose target means nothing"
    )
    stop_conditions: list[AlarmArn] = Field(
        default_factory=list, max_length=5, description="alarms at which FIS itself stops"
    )
    target_accounts: list[FisAccount] = Field(
        default_factory=list,
        max_length=40,
        description="the accounts in which FIS seeks the targets, by a role in each; none: its own",
    )
    allow_irreversible: list[str] = Field(
        default_factory=list, description="ids of actions that nothing puts back"
    )

    def grants(self) -> Grants:
        from chaos.levers.fis_api import grants

        return grants(self.role)

    def services(self) -> frozenset[str]:
        return frozenset({"fis"})

    def coverage(self) -> Coverage | None:
        if self.template:
            return Coverage(cut=(f"what the template {self.template} says",), goes_on=(UNKNOWN,))
        definition = self._definition()
        one_way = one_way_actions(definition["actions"])
        stays = (f"nothing puts back what {', '.join(one_way)} does",) if one_way else ()
        return Coverage(
            cut=tuple(self._said(action) for action in self.actions.values()),
            goes_on=("all that these actions do not name", *stays),
        )

    async def inject(self, look: Look, pull: Pull) -> None:
        from chaos.levers.fis import RUNNING, FisExperiment

        definition = await self._found(look) if self.template else self._definition()
        if wrong := problems_of(definition, self.lasts, self.allow_irreversible):
            said = (
                f"fis: {self.template or 'here'}: {'.'.join(map(str, at))}: {what}"
                for at, what in wrong
            )
            raise InvalidInput(*said)
        lever = FisExperiment(
            region=self.region,
            template=self.template or "",
            definition=definition,
            accounts=[account.model_dump() for account in self.target_accounts],
        )
        await pull(lever, RUNNING)

    def _said(self, action: FisAction) -> str:
        on = [self.targets[name].resourceType for name in action.targets.values()]
        seconds = lasts(action.to_aws())
        for_so_long = f", up to {show(seconds)}" if seconds else ""
        return f"{action.actionId}{''.join(f' on {kind}' for kind in on)}{for_so_long}"

    def _definition(self) -> dict[str, Any]:
        alarms = [{"source": "aws:cloudwatch:alarm", "value": arn} for arn in self.stop_conditions]
        several = "multi-account" if self.target_accounts else "single-account"
        return {
            "actions": {name: action.to_aws() for name, action in self.actions.items()},
            "targets": {name: target.to_aws() for name, target in self.targets.items()},
            "roleArn": self.role,
            "stopConditions": alarms or [{"source": "none"}],
            "experimentOptions": {
                "accountTargeting": several,
                "emptyTargetResolutionMode": self.empty_targets,
            },
        }

    async def _found(self, look: Look) -> dict[str, Any]:
        """What the template that is there says; raises InvalidInput for what is not known here."""
        from chaos.levers.fis_api import content

        answer = await look("fis", self.region, "get_experiment_template", id=self.template)
        found = content(answer["experimentTemplate"])
        if new := {a["actionId"] for a in found["actions"].values()} - set(ACTIONS):
            raise InvalidInput(f"fis: {self.template} has actions not known here: {sorted(new)}")
        if found.get("experimentOptions", {}).get("accountTargeting") == "multi-account":
            raise InvalidInput(
                f"fis: {self.template} is for several accounts; which it would hit cannot be told:"
                " write its actions, targets and target_accounts here instead"
            )
        return found

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        found = list(self._which())
        if not found and not self.template:
            found = problems_of(self._definition(), self.lasts, self.allow_irreversible)
        if found:
            raise problems("fis", [problem(*at, what=what) for at, what in found])
        return self

    def _which(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """A template of theirs, or one to be made."""
        given = [key for key in INLINE if key in self.model_fields_set]
        if self.template:
            yield from (((key,), "is said by the template") for key in given)
            return
        if not self.actions:
            yield ("actions",), "is missing; give actions, or the id of a template"
        if not self.role:
            yield ("role",), "is missing; FIS acts with it"

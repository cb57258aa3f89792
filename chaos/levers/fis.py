"""The lever that makes AWS FIS break something: an experiment of it, which runs or does not."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from chaos.environments.environment import Environment
from chaos.errors import InjectionFailed, InvalidInput, RestoreFailed
from chaos.levers import expiry
from chaos.levers.fis_actions import AUTOMATION, ends_after, lasts, tells_whom
from chaos.levers.fis_api import ALIVE, GRANTS, content, listed, refuse_another, status, told, until
from chaos.levers.fis_targets import of_account, refuse_missing, resolved
from chaos.levers.lever import Value
from chaos.levers.marked import FOR, TAG, refuse_others
from chaos.levers.powers import Call, Grants, Target
from chaos.levers.settled import settled

SETTLED = "chaos:settled"  # the mark of people on a failed experiment: its targets are seen to
RUNNING, ABSENT = "running", "absent"
# What FIS answers while it does not know yet what it was told before.
NOT_YET = ("ConflictException", "ResourceNotFoundException")
# To resolve the targets and begin; to stop, which ends the actions and undoes what they did first.
START_WITHIN_S, STOP_WITHIN_S = 300.0, 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FisExperiment:
    """Whether an experiment of AWS FIS is `running` or `absent`.

    Of a template that is there already, or of one that is created for the run and deleted after it.
    Put back by stopping it and waiting until FIS has put back what its actions did. What FIS does
    not put back, such as a terminated instance, stays so.
    """

    kind: ClassVar[str] = "fis_experiment"
    irreversible: ClassVar[bool] = False
    budget_s: ClassVar[float] = STOP_WITHIN_S + 60
    grants: ClassVar[Grants] = GRANTS

    region: str
    template: str = ""  # the id of one that is there; empty: it is created from `definition`
    # As CreateExperimentTemplate takes it. Of a template that is there, what was found in it.
    definition: dict[str, Any] = field(default_factory=dict)
    accounts: list[dict[str, str]] = field(
        default_factory=list
    )  # where its targets are: id, role, account
    run: str = ""

    @property
    def name(self) -> str:
        """What tells it from other experiments of the same run."""
        whole = json.dumps([self.template, self.definition, self.accounts], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    async def read(self, environment: Environment) -> Value:
        found = await self._experiments(environment)
        alive = [e for e in found if status(e) in ALIVE]
        alive += await self._left(environment, found)
        templates = await self._templates(environment)
        complete = len(alive) == 1 and status(alive[0]) == RUNNING
        if complete and (self.template or len(templates) == 1):
            return RUNNING
        if not alive and not templates:
            return ABSENT
        return {"experiments": sorted(map(status, alive)), "templates": len(templates)}

    async def set(self, environment: Environment, value: Value) -> None:
        step = partial(self._start if value == RUNNING else self._stop, environment)
        await settled(self, environment, value, step, *NOT_YET)

    async def targets(self, environment: Environment) -> list[Target]:
        """What the template's targets mean now, in each account; raises InvalidInput."""
        if not tells_whom(self.definition["actions"]):
            raise InvalidInput(
                f"fis: {AUTOMATION} may touch anything, so that no guard can look at it; leave the"
                " action out"
            )
        wanted = self.definition.get("targets", {})
        found: list[Target] = []
        if not self.accounts:
            found = await resolved(environment, self.region, wanted)
        for other in self.accounts:
            place = environment.at(other["account"])
            await refuse_another(place, self.region, other)
            there = await resolved(place, self.region, wanted)
            found += [of_account(target, other["id"]) for target in there]
        refuse_missing(wanted, found)
        return found

    def calls(self, prior: Value, value: Value) -> list[Call]:
        """Create the template and start it; or stop it and delete the template."""
        what = self.template or f"template chaos {self.name}"
        if value == RUNNING:
            made = ["create_experiment_template"] if not self.template else []
            made += ["create_target_account_configuration"] * len(self.accounts)
            made += ["start_experiment"]
        else:
            made = ["stop_experiment"]
            made += ["delete_experiment_template"] if not self.template else []
        return [
            Call(service="fis", region=self.region, operation=operation, to=what)
            for operation in made
        ]

    def expires(self, value: Value) -> datetime | None:
        """The end of the last action, when it begins now: FIS undoes its actions by itself."""
        if value != RUNNING:
            return None
        ends = timedelta(seconds=ends_after(self.definition["actions"]))
        return expiry.now() + ends + timedelta(seconds=expiry.MARGIN_S)

    async def action_minutes(self, environment: Environment, value: Value) -> float | None:
        """All actions to their ends, each in begun minutes; more accounts cost nobody knows what.

        Source: AWS FIS pricing, by the action-minute.
        """
        if value != RUNNING or self.accounts:
            return None if self.accounts else 0.0
        actions = self.definition["actions"].values()
        return float(sum(max(1, math.ceil(lasts(action) / 60)) for action in actions))

    def halfway(self, found: Value, prior: Value, value: Value) -> bool:
        """It begins or ends, has ended by itself, or there is a template that nothing runs from."""
        return isinstance(found, dict) and found.keys() == {"experiments", "templates"}

    async def ended_because(self, environment: Environment) -> str:
        """Why FIS has ended it before it was stopped, in FIS's own words; empty: it has not."""
        found = await self._experiments(environment)
        if not found or any(status(e) in ALIVE for e in found):
            return ""
        return told(max(found, key=lambda e: e["creationTime"]))

    async def _start(self, environment: Environment) -> None:
        template = self.template or await self._template(environment)
        found = await self._experiments(environment)
        alive = [e for e in found if status(e) in ALIVE]
        if not alive:
            await self._unchanged(environment, template)
            # The same token as long as none has ended: a start whose answer was lost is not
            # repeated, and a second one in the same run is another.
            answer = await self._call(
                environment,
                "start_experiment",
                clientToken=f"{self.run}-{self.name}-{len(found)}",
                experimentTemplateId=template,
                tags=self._tags(),
            )
            alive = [answer["experiment"]]
        one = alive[0]
        if status(one) != RUNNING:
            one = await until(environment, self.region, one["id"], _begun, START_WITHIN_S)
        if status(one) != RUNNING:
            raise InjectionFailed(f"FIS did not bring it about: {told(one)}")

    async def _stop(self, environment: Environment) -> None:
        for one in await self._experiments(environment):
            if status(one) not in ALIVE:
                continue
            if status(one) != "stopping":
                await self._call(environment, "stop_experiment", id=one["id"])
            await until(environment, self.region, one["id"], _ended, STOP_WITHIN_S)
        for template in await self._templates(environment):
            await self._call(environment, "delete_experiment_template", id=template["id"])
        for one in await self._left(environment, await self._experiments(environment)):
            raise RestoreFailed(
                f"{told(one)}; what its failed actions did may not be put back: see to their"
                f" targets, then say so with: aws fis tag-resource --region {self.region}"
                f" --resource-arn {one['arn']} --tags {SETTLED}=yes"
            )

    async def _left(
        self, environment: Environment, found: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Those that have failed at something that was done, and nobody has seen to it."""
        failed = [e for e in found if status(e) == "failed" and SETTLED not in e["tags"]]
        whole = [
            (await self._call(environment, "get_experiment", id=one["id"]))["experiment"]
            for one in failed
        ]
        return [one for one in whole if any(map(_did_harm, one.get("actions", {}).values()))]

    async def _template(self, environment: Environment) -> str:
        """The id of ours, created and complete."""
        for left in (found := await self._templates(environment))[1:]:
            await self._call(environment, "delete_experiment_template", id=left["id"])
        template = str(found[0]["id"]) if found else await self._create(environment)
        if self.accounts:
            answer = await self._call(
                environment,
                "list_target_account_configurations",
                experimentTemplateId=template,
            )
            there = {c["accountId"] for c in answer["targetAccountConfigurations"]}
            for other in self.accounts:
                if other["id"] not in there:
                    await self._add_account(environment, template, other)
        return template

    async def _create(self, environment: Environment) -> str:
        answer = await self._call(
            environment,
            "create_experiment_template",
            # A template of that token may have been deleted since: an earlier fault of this run.
            clientToken=f"{self.run}-{self.name}-{len(await self._experiments(environment))}",
            description=f"created by chaos for the run {self.run}; deleted after it",
            tags=self._tags(),
            **self.definition,
        )
        return str(answer["experimentTemplate"]["id"])

    async def _add_account(
        self, environment: Environment, template: str, other: Mapping[str, str]
    ) -> None:
        await self._call(
            environment,
            "create_target_account_configuration",
            clientToken=f"{self.run}-{self.name}-{other['id']}",
            experimentTemplateId=template,
            accountId=other["id"],
            roleArn=other["role"],
        )

    async def _unchanged(self, environment: Environment, template: str) -> None:
        """What was planned is what is started; raises InjectionFailed."""
        if self.template:
            answer = await self._call(environment, "get_experiment_template", id=template)
            if content(answer["experimentTemplate"]) != self.definition:
                raise InjectionFailed(f"{template} was changed since the run was planned")

    async def _experiments(self, environment: Environment) -> list[dict[str, Any]]:
        """Those of this lever and run; raises InvalidInput when another run's is going on."""
        only = {"experimentTemplateId": self.template} if self.template else {}
        found = await self._listed(environment, "list_experiments", "experiments", **only)
        for one in found:
            if status(one) in ALIVE:
                refuse_others(f"the FIS experiment {one['id']}", one["tags"].get(TAG), self.run)
        return [one for one in found if one["tags"].get(TAG) == self.run]

    async def _templates(self, environment: Environment) -> list[dict[str, Any]]:
        """Those that were created for this lever and run, the oldest first."""
        if self.template:
            return []
        found = await self._listed(environment, "list_experiment_templates", "experimentTemplates")
        ours = [one for one in found if one["tags"].get(TAG) == self.run]
        return sorted(ours, key=lambda one: (str(one.get("creationTime")), one["id"]))

    async def _listed(
        self, environment: Environment, operation: str, key: str, **params: Any
    ) -> list[dict[str, Any]]:
        """All that are marked as this lever's, whichever run's."""
        found = await listed(environment, self.region, operation, key, **params)
        return [one for one in found if one["tags"].get(FOR) == self.name]

    def _tags(self) -> dict[str, str]:
        return {TAG: self.run, FOR: self.name}

    def _call(
        self, environment: Environment, operation: str, **params: Any
    ) -> Awaitable[dict[str, Any]]:
        return environment.call("fis", self.region, operation, **params)


def _begun(status: str) -> bool:
    return status not in ("pending", "initiating")


def _ended(status: str) -> bool:
    return status not in ALIVE


def _did_harm(action: Mapping[str, Any]) -> bool:
    """Whether an action has failed after it had begun, and was done to something."""
    failed = action["state"]["status"] == "failed" and "startTime" in action
    return failed and bool(action.get("targets"))

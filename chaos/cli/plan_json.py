"""A plan for scripts: everything that is known, and nothing folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chaos.experiment import Experiment
from chaos.faults import Fault
from chaos.plan import Checked, Plan, Planned
from chaos.plan.time import ends_after
from chaos.plan.undo import undone


def document(experiment: Experiment, place: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """The plan as JSON; docs/plan-json.md tells each field."""
    about = experiment.to_json()
    faults = [
        _fault(fault, settings, place["kind"], [p for p in plan.pulls if p.fault == number], plan)
        for number, (fault, settings) in enumerate(
            zip(experiment.faults, about["faults"], strict=True)
        )
    ]
    return {
        **{key: about[key] for key in ("name", "title", "file", "sha256", "variables")},
        "environment": place["kind"],
        "endpoint": place.get("endpoint"),
        "environment_version": place.get("version") or None,
        "stand_ins": about["stand_ins"],
        "faults": faults,
        "problems": list(plan.problems),
        "guards": [asdict(guard) for guard in plan.guards],
        "permissions": [_checked(checked) for checked in plan.permissions],
        "cost": asdict(plan.cost),
        "takes_at_most": {**asdict(plan.times), "total": plan.times.total},
        "observed_for": experiment.observed_until,
        "undo_log": plan.undo_log,
        "refused": plan.refused,
    }


def _fault(
    fault: Fault, settings: dict[str, Any], kind: str, pulls: Sequence[Planned], plan: Plan
) -> dict[str, Any]:
    coverage, back = fault.coverage() if kind == "aws" else None, undone(pulls)
    return {
        **settings,
        "fidelity": fault.fidelity[kind],
        "drawn": fault.draws,
        "coverage": asdict(coverage) if coverage else None,
        "pulls": [_pull(pull, plan.drawn_up) for pull in pulls],
        "undo": None if back is None else [asdict(call) for call in back],
    }


def _pull(pull: Planned, now: datetime) -> dict[str, Any]:
    expires = pull.expires.isoformat() if pull.expires else None
    return {**asdict(pull), "expires": expires, "ends_by_itself_after": ends_after(pull, now)}


def _checked(checked: Checked) -> dict[str, Any]:
    return {**asdict(checked), "missing": len(checked.those("missing"))}

"""What every fault must keep to: it does what it planned, by pulling alone, and all goes back."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from pathlib import Path
from typing import Any, get_args

from chaos.environments.environment import Environment
from chaos.faults import Fault
from chaos.faults.fault import Fidelity
from chaos.history import Pull, load
from chaos.injection import Looker, Puller
from chaos.journal import VERSION, Journal
from chaos.levers import Lever, Value, from_json, to_json
from chaos.levers.marked import bound
from chaos.loops import Stopwatch, speed_of
from chaos.rollback import put_back
from chaos.testing.models import check_words, example_fault
from chaos.testing.promise import must

RUN = "check"
ENVIRONMENTS = ("embedded", "localstack", "aws")


def check_fault_kind(kind: type[Fault]) -> None:
    """What the kind says of itself; raises AssertionError for a promise that is not kept."""
    check_words(kind, Fault)
    example = example_fault(kind)
    name = kind.__name__
    must(bool(kind.fidelity), f"{name} says of no environment how real it is there")
    for environment, fidelity in kind.fidelity.items():
        must(environment in ENVIRONMENTS, f"{name}: there is no environment {environment!r}")
        must(fidelity in get_args(Fidelity), f"{name}: {fidelity!r} is no fidelity")
    lasts = "lasts" in example.model_fields_set
    must(lasts != kind.one_way, f"{name}: the example has a 'lasts', unless the fault is one-way")


async def check_fault(fault: Fault, environment: Environment) -> None:
    """Plan it, inject it, put it back; raises AssertionError for a promise that is not kept.

    The environment is left as it was found, but for what is irreversible.
    """
    check_fault_kind(type(fault))
    planned = await _plan(fault, environment)
    must(bool(planned), f"{fault.kind} would touch nothing here")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run" / "journal.jsonl"
        await _inject(fault, environment, path, planned)
        await _put_back(fault, environment, path)


async def _plan(fault: Fault, environment: Environment) -> list[tuple[Lever, Value]]:
    """What it would pull; that it can only look is seen to by `Looker`, in every run too."""
    planned: list[tuple[Lever, Value]] = []

    async def pull(lever: Lever, value: Value, /) -> None:
        again = from_json(to_json(lever))
        must(again == lever, f"{fault.kind}: {lever!r} comes back from a journal as {again!r}")
        planned.append((lever, value))

    random.seed(0)  # what picks by chance picks the same when it is carried out
    await fault.inject(Looker(environment), pull)
    return planned


async def _inject(
    fault: Fault, environment: Environment, path: Path, planned: list[tuple[Lever, Value]]
) -> None:
    journal = Journal.create(path, Stopwatch())
    try:
        journal.write("run", **_header(fault, environment))
        allowed = frozenset(lever.kind for lever, _ in planned if lever.irreversible)
        puller = Puller(environment, journal, allowed, run=RUN)
        random.seed(0)
        await fault.inject(Looker(environment), puller.of_fault(0))
    finally:
        journal.close()
    # Side by side they come in any order.
    carried = sorted(_written(pull.lever, pull.value) for pull in puller.pulls)
    told = sorted(_written(to_json(bound(lever, RUN)), value) for lever, value in planned)
    must(carried == told, f"{fault.kind} has pulled {carried}, and planned {told}")
    _check_bite(fault, puller.pulls)
    if environment.kind == "aws":
        unsaid = {pull.lever["kind"] for pull in puller.pulls} - set(fault.account_levers)
        must(not unsaid, f"{fault.kind} has pulled {unsaid}, and its account_levers lack them")


def _written(lever: dict[str, Any], value: Value) -> str:
    return json.dumps([lever, value], sort_keys=True)


def _header(fault: Fault, environment: Environment) -> dict[str, Any]:
    told = {"kind": fault.kind, "by_hand": fault.by_hand, "one_way": fault.one_way}
    experiment = {"name": "check", "probes": {}, "faults": [told], "objectives": {}}
    where = {"kind": environment.kind}
    return {"v": VERSION, "run": RUN, "environment": where, "experiment": experiment}


def _check_bite(fault: Fault, pulls: list[Pull]) -> None:
    moved = any(pull.value != pull.prior for pull in pulls)
    must(moved, f"{fault.kind} has pulled levers, and none of them to another value")
    for pull in pulls:
        lever = from_json(pull.lever)
        must(
            lever.irreversible <= fault.one_way,
            f"{fault.kind} pulls {lever}, which is irreversible: it must be one_way",
        )


async def _put_back(fault: Fault, environment: Environment, path: Path) -> None:
    """As `chaos rollback` does it in another process: all it knows is what the journal says."""
    journal = Journal.reopen(path, Stopwatch())
    try:
        speed = speed_of(asyncio.get_running_loop())
        pulls = load(path).open_pulls
        for pull in await put_back(pulls, environment, journal, speed=speed):
            wanted = "kept" if pull.irreversible else "restored"
            told = f"{pull.outcome}: {pull.error}" if pull.error else pull.outcome
            must(
                pull.outcome in (wanted, "already"),
                f"{fault.kind}: {pull.lever} was to be {wanted} and is {told}",
            )
    finally:
        journal.close()

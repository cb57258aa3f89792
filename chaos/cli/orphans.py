"""`chaos rollback --orphans`: runs that have lost their runner, from any machine."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from chaos.cli.say import say, say_json
from chaos.errors import ChaosError, InvalidInput
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.custody.store import Calls, Store
    from chaos.custody.unfinished import Unfinished
    from chaos.history import Pull
    from chaos.rollback.checking import Checked

INCOMPLETE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    undo_log: str | None
    profile: str | None
    endpoint: str | None
    check: bool
    yes: bool
    take_over: tuple[str, ...]
    forget: str | None
    as_json: bool


@dataclass(slots=True, kw_only=True)
class Shown:
    """A run of the undo log, what its levers read, and what became of them."""

    run: Unfinished
    mine: bool  # whether it may be put back from here
    levers: Sequence[Checked] = ()
    pulls: Sequence[Pull] = ()
    left: bool = True
    problems: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def reached(
    wanted: str | None, profile: str | None, endpoint: str | None
) -> AsyncIterator[tuple[Store, Calls, str]]:
    """The undo log that is asked for, or that of the policy, and the ARN that we are there.

    Raises InvalidInput without an undo log, or without credentials.
    """
    from chaos import safety
    from chaos.custody import orphans
    from chaos.custody.location import EXAMPLES, locate
    from chaos.custody.opening import open_store
    from chaos.environments.on_aws import OnAws

    url = wanted or safety.find().undo_log
    if not url or url == "none":
        raise InvalidInput(f"where is the undo log? give --undo-log: {EXAMPLES}")
    environment = OnAws(endpoint, {}, profile=profile)
    try:
        call = environment.base.call
        store = open_store(url, call)
        yield store, call, await orphans.who(call, locate(url).region)
    finally:
        environment.close()


def run(wanted: Wanted, runs: Runs) -> int:
    """Look, ask, put back; returns the exit code."""
    try:
        return asyncio.run(_run(wanted, runs))
    except KeyboardInterrupt:
        say("stopped: not all is put back; call the same again to go on", to_stderr=True)
        return INCOMPLETE


async def _run(wanted: Wanted, runs: Runs) -> int:
    from chaos.custody.unfinished import all_runs

    tell = partial(say, to_stderr=wanted.as_json)
    async with reached(wanted.undo_log, wanted.profile, wanted.endpoint) as (store, call, by):
        if wanted.forget:
            return await _forget(store, wanted, tell)
        found = await all_runs(store)
        _missing(wanted.take_over, found, tell)
        left = [one for one in found if not one.over or _mine(one, wanted)]
        shown = [await _look(one, wanted) for one in left]
        marks = await _marks(call, store, {one.run for one in found}, tell)
        for one in shown:
            _show(one, tell)
        for arn, of in marks:
            tell(f"{arn} is marked with the run {of}, of which nothing is kept here")
        if not wanted.check and _consent([one for one in shown if one.mine], wanted):
            for one in shown:
                await _put_back(store, one, runs, by, wanted, tell)
    still = [one for one in shown if one.left]
    if wanted.as_json:
        say_json({"undo_log": store.url, "runs": [_as_json(one) for one in shown], "marked": marks})
    else:
        say(_sum(shown, still))
    return INCOMPLETE if still else 0


def _missing(runs: Sequence[str], found: Sequence[Unfinished], tell: Any) -> None:
    """Who calls the same again goes on, so what is over already is no mistake."""
    for run in set(runs) - {one.run for one in found}:
        tell(f"{run}: the undo log has no such run")


def _mine(found: Unfinished, wanted: Wanted) -> bool:
    """Whether nobody minds it, or it is to be taken over all the same."""
    return not found.alive or found.run in wanted.take_over


async def _look(found: Unfinished, wanted: Wanted) -> Shown:
    from chaos.custody import orphans

    shown = Shown(run=found, mine=_mine(found, wanted))
    shown.problems += found.problems
    try:
        shown.levers = await orphans.look(found, profile=wanted.profile, endpoint=wanted.endpoint)
    except ChaosError as error:
        shown.problems.append(str(error))
    shown.left = not found.nothing_open
    return shown


async def _marks(call: Calls, store: Store, runs: set[str], tell: Any) -> list[tuple[str, str]]:
    from chaos.custody import orphans
    from chaos.custody.location import locate

    try:
        return await orphans.unknown_marks(call, locate(store.url).region, runs)
    except ChaosError as error:
        tell(f"not looked for resources that runs have left without an undo log: {error}")
        return []


def _consent(shown: Sequence[Shown], wanted: Wanted) -> bool:
    if not shown:
        return False
    if wanted.yes or not any(one.left for one in shown):
        return True
    if wanted.as_json or not sys.stdin.isatty():
        raise InvalidInput("to put these back without being asked, add --yes; --check only tells")
    answer = click.prompt(f"To put back {len(shown)} of them type yes", default="no")
    return bool(answer.strip() == "yes")


async def _put_back(
    store: Store, shown: Shown, runs: Runs, by: str, wanted: Wanted, tell: Any
) -> None:
    from chaos.custody import orphans
    from chaos.rollback import incomplete

    if not shown.mine:
        return
    try:
        shown.pulls = await orphans.put_back(
            store,
            shown.run,
            runs,
            by,
            tell,
            profile=wanted.profile,
            endpoint=wanted.endpoint,
        )
        shown.left = bool(incomplete(shown.pulls) or shown.run.problems)
    except ChaosError as error:
        shown.problems.append(str(error))
        tell(f"  ! {error}")
    for pull in shown.pulls:
        tell(f"  {outcome(pull)}")


async def _forget(store: Store, wanted: Wanted, tell: Any) -> int:
    from chaos.custody.taking import finish
    from chaos.custody.unfinished import one

    run = wanted.forget or ""
    found = await one(store, run)
    if found is None or found.alive:
        why = "is still minded by somebody" if found else "is not in the undo log"
        raise InvalidInput(f"the run {run} {why}")
    _show(await _look(found, wanted), tell)
    if not wanted.yes and (
        not sys.stdin.isatty()
        or click.prompt("What is open stays as it is. To forget it type the run's id") != run
    ):
        raise InvalidInput("not forgotten: type the run's id, or add --yes")
    await finish(store, run)
    tell(f"forgotten: {run}")
    return 0


def outcome(pull: Pull) -> str:
    """What became of a lever, for people."""
    from chaos.history import lever_name, setting
    from chaos.report.words import OUTCOMES

    told = f"{lever_name(pull.lever)}: {OUTCOMES[pull.outcome]}"
    if pull.outcome == "conflict":
        told += f" (reads {setting(pull.found)}, was {setting(pull.prior)})"
    return f"{told}: {pull.error}" if pull.error else told


def _show(shown: Shown, tell: Any) -> None:
    from chaos.history import lever_name, setting

    found = shown.run
    name = found.history.experiment.get("name") if found.history else "unknown experiment"
    tell(f"{found.run}: {name}; {state(found)}")
    for lever in shown.levers:
        was = f"was {setting(lever.pull.prior)}, would be: {lever.would}"
        reads = lever.error or f"reads {setting(lever.found)}"
        tell(f"  {lever_name(lever.pull.lever)}: {reads}; {was}")
    for problem in shown.problems:
        tell(f"  ! {problem}")


def state(found: Unfinished) -> str:
    """Who minds a run, or did, for people."""
    from chaos.custody.lease import moment

    if found.held is None:
        return "nobody minds it"
    held, until = found.held, moment(found.held.until)
    if found.alive:
        return f"minded by {held.owner} since {moment(held.since)}, its lease goes until {until}"
    return f"was minded by {held.owner} since {moment(held.since)}, its lease ended {until}"


def _sum(shown: Sequence[Shown], left: Sequence[Shown]) -> str:
    if not left:
        return "nothing is left open" if shown else "nothing was left open"
    alive = [one for one in left if not one.mine]
    told = f"{len(left)} {'run has' if len(left) == 1 else 'runs have'} levers open"
    return told + (f"; {len(alive)} of them still at work: left alone" if alive else "")


def _as_json(shown: Shown) -> dict[str, Any]:
    found = shown.run
    held = found.held
    return {
        "run": found.run,
        "experiment": found.history.experiment.get("name") if found.history else None,
        "owner": asdict(held.owner) if held else None,
        "since": held.since.isoformat() if held else None,
        "until": held.until.isoformat() if held else None,
        "alive": found.alive,
        "levers": [asdict(lever) for lever in shown.levers],
        "pulls": [asdict(pull) for pull in shown.pulls],
        "problems": shown.problems,
        "left": shown.left,
    }

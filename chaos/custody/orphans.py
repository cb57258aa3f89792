"""Runs that have lost their runner: what they left open, looked at or put back from anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from chaos.custody.lease import Held, moment
from chaos.custody.location import locate
from chaos.custody.opening import open_store
from chaos.custody.rebuilding import rebuild
from chaos.custody.store import Calls, Store
from chaos.custody.taking import finish, taken_over
from chaos.custody.unfinished import Unfinished, one
from chaos.environments.endpoint import is_real
from chaos.environments.on_aws import OnAws
from chaos.environments.refusals import REASONS, why
from chaos.errors import CallFailed, ChaosError, InvalidInput, JournalFailed
from chaos.history import Pull, load
from chaos.journal import Event, read
from chaos.levers.marked import TAG
from chaos.rollback import resume
from chaos.rollback.checking import Checked, check
from chaos.runs import Runs

Record = Callable[[Event], Awaitable[None]]
AT_ONCE = 8  # regions asked side by side
CLEAR_WITHIN_S = 60.0  # seconds of the wall


async def who(call: Calls, region: str) -> str:
    """The ARN of these credentials; raises InvalidInput when there are none, or CallFailed."""
    try:
        return str((await call("sts", region, "get_caller_identity"))["Arn"])
    except CallFailed as error:
        if error.code not in REASONS:
            raise
        raise InvalidInput(why(error.code, error.said, None)) from error


async def look(
    found: Unfinished, *, profile: str | None = None, endpoint: str | None = None
) -> list[Checked]:
    """What its open levers read, and what would become of them; changes nothing.

    `profile` reaches the accounts instead of the one that the run had. Raises
    JournalFailed, and what keeps the accounts from being reached. `endpoint` is the one at which
    the undo log was found.
    """
    if not found.open_pulls:
        return []
    _refuse_elsewhere(found, endpoint)
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        return await check(rebuild(found, Runs(Path(directory))), profile=profile)


async def put_back(
    store: Store,
    found: Unfinished,
    runs: Runs,
    by: str,
    tell: Callable[[str], None],
    *,
    profile: str | None = None,
    endpoint: str | None = None,
) -> list[Pull]:
    """Put back what that run has left open, and clear it away if nothing is.

    A journal of it is rebuilt below `runs`. Raises JournalFailed without its header, InvalidInput
    when somebody else was faster, and what keeps store or accounts from being reached.
    """
    if found.over:
        await finish(store, found.run)
        return []
    if found.history is None and not found.nothing_open:
        raise JournalFailed(
            f"the run {found.run} cannot be put back from here, for {found.problems[0]}; use the"
            " journal of the machine that it ran on, or mend its levers by hand"
        )
    async with taken_over(store, found, by, tell) as (known, record):
        if known.history is None or not known.open_pulls:
            return []
        _refuse_elsewhere(known, endpoint)
        return await resume(rebuild(known, runs), tell, profile=profile, outside=record)


def _refuse_elsewhere(found: Unfinished, endpoint: str | None) -> None:
    """What an emulator has in its undo log leads to no real account, nor the other way round."""
    at = found.history.header.get("environment", {}).get("endpoint") if found.history else endpoint
    if is_real(at) != is_real(endpoint):
        raise JournalFailed(
            f"the run {found.run} was one at {at or 'AWS itself'}, and its undo log was found at"
            f" {endpoint or 'AWS itself'}; nothing was touched"
        )


async def resume_minded(
    path: Path, tell: Callable[[str], None], *, profile: str | None = None
) -> list[Pull]:
    """Put back from the journal at `path`, and tell the run's undo log of it, if it has one.

    An undo log that cannot be reached keeps no lever from being put back. Raises what `resume`
    does, and InvalidInput when somebody else is at work on the run.
    """
    header = load(path, salvage=True).header
    if not header.get("undo_log"):
        return await resume(path, tell, profile=profile)
    at: dict[str, Any] = header["environment"]
    environment = OnAws(at.get("endpoint"), {}, profile=profile or at.get("profile"))
    try:
        store = open_store(header["undo_log"], environment.base.call)
        by = await who(environment.base.call, locate(header["undo_log"]).region)
        found = await one(store, header["run"])
    except ChaosError as error:
        tell(f"the undo log cannot be reached, so its locks stay for now: {error}")
        found = None
    try:
        if found is None or found.over:
            pulls = await resume(path, tell, profile=profile)
            if found:
                await _clear_away(store, found.run)
            return pulls
        if found.alive and not (found.held and _ended(found.held)):
            raise InvalidInput(f"the run {found.run} is still minded by {_minder(found)}")
        async with taken_over(store, found, by, tell) as (known, record):
            pulls = await resume(path, tell, profile=profile, outside=record)
            await _catch_up(path, known, record)
            return pulls
    finally:
        environment.close()


async def _clear_away(store: Store, run: str) -> None:
    """Go on with what whoever was clearing the run away has died in."""
    with contextlib.suppress(CallFailed, TimeoutError):
        async with asyncio.timeout(CLEAR_WITHIN_S):
            await finish(store, run)


async def _catch_up(path: Path, known: Unfinished, record: Record) -> None:
    """Tell the undo log what an earlier rollback has put back and died before it told."""
    there = {pull.pull for pull in known.open_pulls}
    for event in read(path, salvage=True):
        if event["event"] == "restored" and event["pull"] in there:
            with contextlib.suppress(JournalFailed):  # then the run stays, for the next rollback
                await record(event)


async def unknown_marks(call: Calls, home: str, runs: set[str]) -> list[tuple[str, str]]:
    """Resources of the account that are marked with a run other than these: ARN and run.

    Of all regions of the account, for which the region `home` is asked; what the tagging API does
    not list is not found. Raises CallFailed.
    """
    answer = await call("ec2", home, "describe_regions")
    seats = asyncio.Semaphore(AT_ONCE)

    async def of(region: str) -> list[tuple[str, str]]:
        async with seats:
            return await _marked(call, region)

    found = await asyncio.gather(*(of(region["RegionName"]) for region in answer["Regions"]))
    return sorted({(arn, run) for there in found for arn, run in there if run not in runs})


async def _marked(call: Calls, region: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    more: dict[str, Any] = {}
    while True:
        answer = await call(
            "resourcegroupstaggingapi", region, "get_resources", TagFilters=[{"Key": TAG}], **more
        )
        for resource in answer["ResourceTagMappingList"]:
            runs = [tag["Value"] for tag in resource["Tags"] if tag["Key"] == TAG]
            found += [(resource["ResourceARN"], run) for run in runs]
        if not answer.get("PaginationToken"):
            return found
        more = {"PaginationToken": answer["PaginationToken"]}


def _ended(held: Held) -> bool:
    """Whether the owner was a process of this machine that is no more, or is only to be reaped."""
    if held.owner.host != socket.gethostname():
        return False
    try:
        os.kill(held.owner.pid, 0)
        told = Path(f"/proc/{held.owner.pid}/stat").read_text(errors="replace")
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's, or no such directory on this system
        return False
    return told.rpartition(")")[2].split()[:1] == ["Z"]


def _minder(found: Unfinished) -> str:
    if found.held is None:
        return "somebody"
    return f"{found.held.owner} until {moment(found.held.until)}"

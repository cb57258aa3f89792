"""`chaos unlock`: see who has an account to themselves, and break the lock knowingly."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

import click

from chaos.cli import options
from chaos.cli.say import say, say_json
from chaos.errors import InvalidInput

if TYPE_CHECKING:
    from chaos.custody.lock import Holder
    from chaos.custody.store import Store


def _digits(_ctx: click.Context, _param: click.Parameter, account: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", account):
        raise click.BadParameter(f"{account!r} is no id of an account; it has 12 digits")
    return account


@click.command("unlock")
@click.argument("account", callback=_digits)
@options.undo_log
@options.profile
@options.of_account
@click.option("--yes", is_flag=True, help="Break the lock without asking.")
@options.as_json
def command(
    account: str,
    undo_log: str | None,
    profile: str | None,
    endpoint: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Show which run has ACCOUNT (its id) to itself, and break that lock if you say so.

    The run's levers stay as they are: chaos rollback --orphans puts them back. A run that is still
    at work notices that its lock is gone, stops, and puts everything back.

    \b
    Example:
      chaos unlock 123456789012 --undo-log s3://chaos-custody/undo
    """
    asyncio.run(_unlock(account, undo_log, profile, endpoint, yes, as_json))


async def _unlock(
    account: str,
    undo_log: str | None,
    profile: str | None,
    endpoint: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    from chaos.cli.orphans import reached
    from chaos.custody import lock

    async with reached(undo_log, profile, endpoint) as (store, _, _by):
        held = await lock.holder(store, account)
        if held is None or not held.lock.run:
            _answer(account, None, broken=False, as_json=as_json)
            return
        if not as_json:
            say(_told(held, store))
        _consent(held, yes=yes, ask=not as_json and sys.stdin.isatty())
        if not await lock.break_lock(store, held):
            raise InvalidInput(f"the lock of {account} has just changed hands; look again")
        _answer(account, held, broken=True, as_json=as_json)


def _told(held: Holder, store: Store) -> str:
    from chaos.cli.orphans import state
    from chaos.report.words import count

    told = f"{held.lock.account} is locked by the run {held.lock.run}"
    if held.run is None:
        return f"{told} of {held.lock.owner}\n  nothing else is kept of it"
    told += f"\n  {state(held.run)}"
    if held.run.nothing_open:
        return f"{told}\n  it has nothing open"
    again = f"chaos rollback --orphans --undo-log '{store.url}'"
    return f"{told}\n  {count(len(held.run.open_pulls), 'lever')} open; to put back: {again}"


def _consent(held: Holder, *, yes: bool, ask: bool) -> None:
    if yes:
        return
    if not ask:
        raise InvalidInput("to break the lock without being asked, add --yes")
    typed = click.prompt("To break it type the run's id", default="", show_default=False)
    if typed.strip() != held.lock.run:
        raise InvalidInput("not broken: that is not the id of the run that holds it")


def _answer(account: str, held: Holder | None, *, broken: bool, as_json: bool) -> None:
    if as_json:
        say_json({"account": account, "run": held.lock.run if held else None, "broken": broken})
    else:
        say("the lock is broken" if broken else f"{account} is not locked")

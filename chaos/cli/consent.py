"""Consent at the terminal: who types an account's alias knows which account will be touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chaos.environments import terminal
from chaos.errors import InvalidInput

if TYPE_CHECKING:
    from chaos.safety import Agree, Wish

WITHOUT = "an account is touched only if somebody agrees to it (read chaos plan, then add --yes)"


def consent(tell: Callable[[str], None], *, yes: bool) -> Agree:
    """Shows what there is to agree to, and has it agreed to unless it is already, by `--yes`.

    It raises InvalidInput when something else is typed, nothing at all, or when there is no
    terminal to ask at.
    """

    async def agree(wish: Wish) -> None:
        for line in wish.lines():
            tell(f"  {line}")
        for account in () if yes else wish.accounts:
            what = f"{'alias' if account.alias else 'id'} of the account {account.name}"
            if await terminal.ask(f"to go on, type the {what}", WITHOUT) != account.word:
                raise InvalidInput(f"that is not the {what}; nothing was touched")

    return agree

"""Consent to a set: given once, for all of its trials."""

from __future__ import annotations

from collections.abc import Callable

from chaos.report.words import count
from chaos.safety import Agree, Wish


def once(agree: Agree, trials: int, tell: Callable[[str], None]) -> Agree:
    """Asks for the first trial, and again only if a later one would do more than was agreed to."""
    agreed: list[Wish] = []

    async def ask(wish: Wish) -> None:
        if any(_no_more(wish, before) for before in agreed):
            return
        tell(
            f"  {count(trials, 'trial')}, one after another: agreed to once for all of them;"
            " the guards and the lock on each account hold at each"
        )
        await agree(wish)
        agreed.append(wish)

    return ask


def _no_more(wish: Wish, before: Wish) -> bool:
    fewer = wish.targets <= before.targets and set(wish.for_good) <= set(before.for_good)
    return fewer and wish.accounts == before.accounts

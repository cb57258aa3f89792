"""The record of what the API was asked to change: one `call` in the journal for each such call.

It must never get in the way: a journal that takes no line keeps no lever from moving, and none
from going back. What is missing then shows: see `chaos.called.unrecorded`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from chaos.environments.around import Around
from chaos.environments.environment import Environment
from chaos.errors import JournalFailed
from chaos.history import Pull
from chaos.journal import Journal
from probes.aws_api import reads

log = logging.getLogger("chaos")

DEEPEST = 10  # causes of causes that are looked at: an error may be its own
GIVEN_UP = "given up before an answer came; it may have been carried out all the same"


class Recorded(Around):
    """An environment whose changing calls are written down, for one lever of one pull.

    `undo` is whether the lever is on its way back.
    """

    def __init__(
        self, environment: Environment, journal: Journal, pull: Pull, *, undo: bool
    ) -> None:
        super().__init__(environment)
        self._journal = journal
        self._pull = pull
        self._undo = undo

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation of the environment; written down unless it only reads."""
        if reads(operation):
            return await self._environment.call(service, region, operation, **params)
        what = {"service": service, "region": region, "operation": operation}
        began = self._journal.now()
        try:
            answer = await self._environment.call(service, region, operation, **params)
        except BaseException as error:
            self._note(**what, began=began, request_id=request_of(error), error=said(error))
            raise
        self._note(**what, began=began, request_id=request_in(answer), error="")
        return answer

    def _note(self, **told: Any) -> None:
        if self._journal.full:
            return  # what is left of the room is for what a rollback needs
        whose = {"pull": self._pull.pull, "account": self._pull.account, "undo": self._undo}
        try:
            self._journal.write("call", **whose, **told)
        except JournalFailed:
            pass  # a full disk, of which the run tells otherwise
        except Exception:  # such as of a view that watches the journal
            log.exception("a call for the lever %s is not told", self._pull.lever)

    def at(self, account: str | None, /) -> Recorded:
        """That of the environment, written down too."""
        place = self._environment.at(account)
        pull = self._pull if account is None else replace(self._pull, account=account)
        return Recorded(place, self._journal, pull, undo=self._undo)


def request_in(answer: object) -> str | None:
    """By what AWS knows the request that it has answered so; None where it is not AWS's."""
    told = answer.get("ResponseMetadata") if isinstance(answer, dict) else None
    request = told.get("RequestId") if isinstance(told, dict) else None
    return str(request) if request else None


def request_of(error: BaseException) -> str | None:
    """The same, of a call that failed: it may have been translated on its way."""
    found: BaseException | None = error
    for _ in range(DEEPEST):
        if request := getattr(found, "request_id", ""):
            return str(request)
        found = found.__cause__ if found else None
    return None


def said(error: BaseException) -> str:
    """What came instead of an answer."""
    if isinstance(error, asyncio.CancelledError):
        return GIVEN_UP
    return str(error) or type(error).__name__

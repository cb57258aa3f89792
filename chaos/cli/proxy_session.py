"""One `chaos proxy` from its start to its end, and what is said of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from typing import Any

from chaos.cli.dns_places import Place, shown
from chaos.cli.rule_shown import shown_rule
from chaos.cli.say import say
from chaos.cli.token import told
from chaos.errors import EnvironmentFailed
from chaos.proxies.admin import AdminDoor
from chaos.proxies.aws_api import ApiProxy
from chaos.proxies.rules import Rules

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOTHING_PROVEN = 3  # as a run whose verdict is `unknown`


class Session:
    """The proxy with its rules, and what is said of it."""

    def __init__(
        self,
        upstream: Place,
        put: dict[str, dict[str, Any]],
        *,
        as_json: bool,
        token: str | None = None,
        tell_token: bool = False,
    ) -> None:
        """`token` is to be shown by whoever sets faults; `tell_token` when nobody knows it yet."""
        self._told = told(token) if token and tell_token else ""
        self._upstream = upstream
        self._put = put
        self._as_json = as_json
        self._rules = Rules()
        self._door = AdminDoor(self._rules, lambda: self._proxy.requests, token)
        self._proxy = ApiProxy(upstream, self._rules, admin=self._door.answer, keeps_queues=True)

    async def serve(self, at: Place, seconds: float | None) -> int:
        """Answer until a signal comes or the time is over; returns the exit code.

        Raises EnvironmentFailed when it cannot listen there.
        """
        over = asyncio.Event()
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        try:
            bound = await self._proxy.start(*at)
        except OSError as error:
            raise EnvironmentFailed(
                f"cannot listen on {shown(at)}: {error.strerror}; choose another --port or --listen"
            ) from error
        try:
            self._rules.replace_all(self._put)  # now: schedules count from here
            self._tell_start((at[0], bound))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await over.wait()
        finally:
            await self._proxy.stop()
        return self._end()

    def _tell_start(self, at: Place) -> None:
        url, upstream = f"http://{shown(at)}", f"http://{shown(self._upstream)}"
        if self._as_json:
            _say_line(event="listening", endpoint=url, upstream=upstream, rules=self._put)
            if self._told:
                say(self._told, to_stderr=True)
            return
        say(f"listening at {url}, in front of {upstream}")
        for number, rule in self._put.items():
            say(f"  rule {number}: {shown_rule(rule)}")
        say(f"use it:  export AWS_ENDPOINT_URL={url}")
        say(f"watch:   curl {url}/_chaos/rules")
        if self._told:
            say(self._told)

    def _end(self) -> int:
        requests, rules = self._proxy.requests, self._door.rules()
        if self._as_json:
            _say_line(event="ended", requests=requests, rules=rules)
        else:
            for rule in rules:
                of = (
                    f" (of {rule['matched']} that it means)"
                    if rule["matched"] > rule["hits"]
                    else ""
                )
                say(f"{_calls(rule['hits'])} met{of}: {shown_rule(rule['rule'])}")
            say(f"{_calls(requests)} in all")
        if requests or not rules:
            return 0
        say(
            "there were rules, but no call has come, so nothing is proven: the app was not pointed"
            " at the proxy, or names its endpoint itself",
            to_stderr=True,
        )
        return NOTHING_PROVEN


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _say_line(**document: Any) -> None:
    say(json.dumps(document))

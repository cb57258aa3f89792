"""The admin door of an AWS API proxy: LocalStack's chaos API, the rules with their hits, metrics.

    /_localstack/chaos/faults    GET, POST (replaces), PATCH (appends), DELETE
    /_localstack/chaos/effects   GET, POST
    /_chaos/rules                GET, PUT (replaces all, whoever set them; ?lease=30s)
    /_chaos/lease                GET, POST (renews it)
    /_chaos/metrics              GET

Whoever reaches the proxy may use it, unless there is a token to be shown. No web page may: a
browser says where a page is from.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from chaos.proxies import rule_metrics
from chaos.proxies.chaos_api import ChaosApi
from chaos.proxies.lease import Lease, seconds_of
from chaos.proxies.rules import Rules

LEASE = b"/_chaos/lease"
PREFIXES = (b"/_localstack/chaos/", b"/_chaos/")

SHOWN = 300  # characters of a field's name, and of what is wrong with it

Answer = tuple[int, dict[str, str], bytes]
Method = Callable[[Any], Any]


def admin_path(target: bytes) -> bool:
    """Whether a request is meant for the proxy itself."""
    return target.startswith(PREFIXES)


class AdminDoor:
    """Answers for one proxy; `requests` tells how many calls it has seen.

    With a `token` it answers only those that show it: `Authorization: Bearer TOKEN`.
    """

    def __init__(self, rules: Rules, requests: Callable[[], int], token: str | None = None) -> None:
        self.lease = Lease(rules)
        self._rules = rules
        self._requests = requests
        self._token = token
        chaos = ChaosApi(rules)
        self._paths: dict[bytes, dict[bytes, Method]] = {
            b"/_localstack/chaos/faults": {
                b"GET": lambda _: chaos.faults(),
                b"POST": _then(chaos.replace, chaos.faults),
                b"PATCH": _then(chaos.append, chaos.faults),
                b"DELETE": _then(chaos.remove, chaos.faults),
            },
            b"/_localstack/chaos/effects": {
                b"GET": lambda _: chaos.effects(),
                b"POST": _then(chaos.affect, chaos.effects),
            },
            b"/_chaos/rules": {
                b"GET": lambda _: self.rules(),
                b"PUT": _then(self._put, self.rules),
            },
            LEASE: {
                b"GET": lambda _: self.lease.describe(),
                b"POST": _then(lambda _: self.lease.renew(), self.lease.describe),
            },
            b"/_chaos/metrics": {
                b"GET": lambda _: rule_metrics.text(rules.armed(), requests(), self.lease.ended),
            },
        }

    def answer(
        self, method: bytes, target: bytes, body: bytes, headers: Mapping[bytes, bytes]
    ) -> Answer:
        """Status, headers and body for one request; the names of `headers` are in small letters."""
        if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none":
            return _problem(403, "origin", "no web page may ask the proxy for anything")
        if self._token and not shows(self._token, headers.get(b"authorization", b"")):
            said = "must be shown: Authorization: Bearer TOKEN"
            return _problem(401, "token", said, **{"WWW-Authenticate": "Bearer"})
        path, _, query = target.partition(b"?")
        methods = self._paths.get(path.rstrip(b"/"))
        if methods is None:
            known = ", ".join(path.decode() for path in self._paths)
            return _problem(404, "path", f"there is nothing here; there is {known}")
        if method not in methods:
            allowed = ", ".join(name.decode() for name in methods)
            return _problem(405, "method", f"must be one of {allowed}", Allow=allowed)
        try:
            lease = _lease(query) if method == b"PUT" else ""
            bodiless = method == b"GET" or methods is self._paths[LEASE]
            said = methods[method](None if bodiless else _parsed(body))
            if method == b"PUT":
                self._hold(lease)
        except ValueError as error:
            field, _, what = str(error).partition(": ")
            return _problem(400, field, what)
        return _well(said)

    def rules(self) -> list[dict[str, Any]]:
        """All rules in their order, whoever set them, and what each has met."""
        return [
            {
                "id": armed.id,
                "rule": armed.rule.to_json(),
                "matched": armed.matched,
                "hits": self._rules.hits(armed.id),
                **({"seed": armed.seed} if armed.draws else {}),
            }
            for armed in self._rules.armed()
        ]

    def _hold(self, lease: str) -> None:
        """The rules that were just put are for so long, or for good."""
        if lease:
            self.lease.take(lease, dict(self._rules.items()))
        else:
            self.lease.give_up()

    def _put(self, given: Any) -> None:
        """An array of rules, numbered from 1, or an object with rules by their ids."""
        if isinstance(given, list):
            given = {str(number): rule for number, rule in enumerate(given, 1)}
        if not isinstance(given, dict):
            raise ValueError("body: must be an array of rules, or an object with rules by id")  # noqa: TRY004  # one error for all
        for name, rule in given.items():
            try:
                self._rules.read(rule)
            except ValueError as error:
                raise ValueError(f"{name}.{error}") from error
        self._rules.replace_all(given)


def shows(token: str, authorization: bytes) -> bool:
    """Whether the header has the token; it takes as long for a wrong one."""
    return hmac.compare_digest(authorization, b"Bearer " + token.encode())


def _lease(query: bytes) -> str:
    """The lease that a query asks for, or nothing; raises ValueError."""
    asked = parse_qs(query.decode("ascii", "replace"), keep_blank_values=True)
    if wrong := [name for name in asked if name != "lease"]:
        raise ValueError(f"query: {wrong[0]!r} is not known here, only lease=30s")
    if not asked:
        return ""
    seconds_of(asked["lease"][-1])
    return asked["lease"][-1]


def _then(act: Callable[[Any], None], told: Callable[[], Any]) -> Method:
    def answer(body: Any) -> Any:
        act(body)
        return told()

    return answer


def _parsed(body: bytes) -> Any:
    try:
        said = json.loads(body)
        json.dumps(said, ensure_ascii=False).encode()  # not so with half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise ValueError(f"body: must be JSON: {error}") from error
    return said


def _well(said: Any) -> Answer:
    if isinstance(said, str):
        return 200, {"Content-Type": rule_metrics.CONTENT_TYPE}, said.encode()
    return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()


def _problem(status: int, field: str, what: str, **headers: str) -> Answer:
    field, what = _short(field), _short(what)
    body = json.dumps({"field": field, "message": f"{field}: {what}"}).encode()
    return status, {"Content-Type": "application/json", **headers}, body


def _short(said: str) -> str:
    """What repeats the sender's own text is not as long as that."""
    return said if len(said) <= SHOWN else said[: SHOWN - 1] + "…"

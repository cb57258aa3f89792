"""Whether this machine, and the account that boto3 would use here, are fit for drills.

Each check is a small function that yields findings; nothing that is looked at is changed. Nothing
is contacted but what is configured: without credentials and without an endpoint, nobody but the
port of this machine where a LocalStack would be.

A finding is `missing` when the embedded lab cannot work without it, or when it was asked for by
name (`--endpoint`, `--environment aws`) and is not there. All else that is not as it should be is a
`warning`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from chaos.doctor import account, leftovers, localstack, machine
from chaos.doctor.finding import Asked, Finding

__all__ = ["CHECKS", "Asked", "Finding", "examine"]

Check = Callable[[Asked], Iterable[Finding]]

CHECKS: dict[str, Check] = {
    "python": machine.python,
    "platform": machine.platform,
    "loopback": machine.loopback,
    "files": machine.files,
    "ports": machine.ports,
    "tmpdir": machine.tmpdir,
    "disk": machine.disk,
    "extras": machine.extras,
    "clock": machine.clock,
    "credentials": account.credentials,
    "endpoint": account.endpoint,
    "identity": account.identity,
    "localstack": localstack.localstack,
    "runs": leftovers.runs,
    "labs": leftovers.labs,
}
# What a drill in a real account needs of this machine, and of the account.
OF_ACCOUNTS = ("python", "tmpdir", "disk", "clock", "credentials", "endpoint", "identity", "runs")
# What one check may take, in seconds of the wall: a credential process may hang for ever.
DEADLINE_S = 20.0


def examine(
    asked: Asked, checks: Mapping[str, Check] = CHECKS, deadline_s: float = DEADLINE_S
) -> Iterable[Finding]:
    """The findings of all checks, in order, each as soon as it is known."""
    for name, check in checks.items():
        if asked.environment == "aws" and name not in OF_ACCOUNTS:
            continue
        yield from _bounded(name, check, asked, deadline_s)


def _bounded(name: str, check: Check, asked: Asked, deadline_s: float) -> list[Finding]:
    found: list[Finding] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            found.extend(check(asked))
        # A machine can be ill in ways that no check knows; the others are still worth knowing.
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(deadline_s)
    if thread.is_alive():
        says = f"did not come to an end within {deadline_s:g} s"
        return [Finding(name, "warning", says, "look at what it asks; then try again")]
    if failed:
        says = f"could not be looked at: {type(failed[0]).__name__}: {failed[0]}"
        return [*found, Finding(name, "warning", says, "")]
    return found

"""Whether a LocalStack is there to break things in, and what it lacks. Nobody needs to have one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from chaos.doctor.finding import Asked, Finding
from chaos.environments.localstack import DEFAULT, find
from chaos.environments.offered import LAB_STANDS_IN, NAMES, READS, missing
from chaos.errors import EnvironmentFailed, InvalidInput


def localstack(asked: Asked) -> Iterator[Finding]:
    """The one that `--environment localstack` would use here."""
    named = asked.endpoint or os.environ.get("LOCALSTACK_ENDPOINT")
    try:
        found = find(asked.endpoint)
    except InvalidInput as error:
        yield Finding("localstack", "absent", str(error))
        return
    except EnvironmentFailed as error:
        says = str(error) if named else f"none answers at {DEFAULT}, which is where one would be"
        yield Finding("localstack", "warning" if named else "absent", says)
        return
    yield Finding("localstack", "ok", f"{found.name} can be used: --environment localstack")
    if lacks := asyncio.run(missing(found, READS)):
        names = ", ".join(NAMES[service] for service in lacks)
        stands_in = ", ".join(
            NAMES[service] for service in sorted(LAB_STANDS_IN.keys() & lacks.keys())
        )
        says = f"it does not offer {names}; experiments that need them are refused there"
        says += f"; the lab stands in for {stands_in}" if stands_in else ""
        yield Finding("localstack", "absent", says)

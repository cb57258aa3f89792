"""Who carries a drill out, why, and who allowed it: what the header of its journal says of that.

What people say is a claim; under whose account it really ran is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.experiment.about import About
from chaos.who import who


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What was said when the run was started; it has precedence over the experiment's `about`."""

    who: str | None = None
    why: str | None = None
    authorised_by: str | None = None


NOTHING = Stated()


def stated_in(stated: Stated, about: About, environment: Mapping[str, Any]) -> dict[str, Any]:
    """`who`, `ran_as`, `why`, `authorised_by`; null for what nobody said.

    `environment` is as it describes itself. Who runs it is, unless somebody says so, the user of
    this machine, and in real accounts whom STS takes us for.
    """
    ran_as = who()
    arns = [arn for each in environment.get("accounts", {}).values() if (arn := each.get("arn"))]
    return {
        "who": stated.who or ", ".join([ran_as, *dict.fromkeys(arns)]),
        "ran_as": ran_as,
        "why": stated.why or about.purpose,
        "authorised_by": stated.authorised_by or about.authorised_by,
    }

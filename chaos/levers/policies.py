"""Policies of resources, with statements of ours in them and out again. Pure: it calls nobody.

The statements are marked by their Sid, which may have letters and digits alone; the run's id is
written so that it can be read back from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

Policy = dict[str, Any]
Statement = dict[str, Any]

SID = re.compile(r"ChaosRun((?:[a-wyz0-9]|x[0-9a-f]{2})+)N\d+")
VERSION = "2012-10-17"


def sid(run: str, number: int) -> str:
    """The mark of that run on a statement of ours."""
    plain = "".join(
        c if re.fullmatch("[a-wyz0-9]", c) else "".join(f"x{byte:02x}" for byte in c.encode())
        for c in run
    )
    return f"ChaosRun{plain}N{number}"


def run_of(statement: Statement) -> str | None:
    """The run whose mark the statement carries; None when it is none of ours."""
    marked = SID.fullmatch(str(statement.get("Sid", "")))
    if not marked:
        return None
    hexed = re.sub("[a-wyz0-9]|x(..)", lambda m: m[1] or f"{ord(m[0]):02x}", marked[1])
    return bytes.fromhex(hexed).decode(errors="replace")


def statements(policy: Policy | None) -> list[Statement]:
    """A policy's statements: AWS takes a single one without a list, too."""
    found = (policy or {}).get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def marked(policy: Policy | None) -> list[Statement]:
    """Those of chaos, of whatever run."""
    return [statement for statement in statements(policy) if run_of(statement) is not None]


def merged(policy: Policy | None, ours: Sequence[Statement]) -> Policy:
    """The policy with our statements at the end, in the place of those of ours that it had."""
    rest = without(policy) or {"Version": VERSION}
    return rest | {"Statement": [*statements(rest), *ours]}


def without(policy: Policy | None) -> Policy | None:
    """The policy without our statements; None when there is no other, as AWS takes no empty one."""
    rest = [statement for statement in statements(policy) if run_of(statement) is None]
    if not policy or not rest:
        return None
    return policy if rest == statements(policy) else policy | {"Statement": rest}


def same(one: Any, other: Any) -> bool:
    """Whether both mean the same: AWS may tell lists in another order, and one item without."""
    return bool(_plain(one) == _plain(other))


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, list):
        items = sorted((_plain(item) for item in part), key=lambda i: json.dumps(i, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return part

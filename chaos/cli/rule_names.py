"""Names of services and operations in a rule that a person wrote: misspelt ones match nothing."""

from __future__ import annotations

from collections.abc import Collection

from chaos.proxies.rules import Rule
from chaos.schema import did_you_mean


def refuse_unknown_names(rule: Rule) -> None:
    """Raises ValueError for a service or an operation that AWS does not have."""
    from chaos.proxies import operations  # it reads botocore's files

    signing: set[str] = set()
    for name in rule.services or ():
        found = operations.signing_of(name)
        if not found:
            hint = did_you_mean(name, operations.service_names())
            raise ValueError(f"services: {name!r} is no service of AWS{hint}")
        signing |= found
    if rule.operations:
        # Without a service, of all of them: half a second, which a typing error is worth.
        signing = signing or {
            s for n in operations.service_names() for s in operations.signing_of(n)
        }
        known = set[str]().union(*(operations.operations_of(name) for name in signing))
        _refuse_unknown(rule.operations, known, " and ".join(rule.services or ("any service",)))


def _refuse_unknown(names: Collection[str], known: Collection[str], services: str) -> None:
    by_small = {name.lower(): name for name in known}
    for name in names:
        if name not in known:
            small = did_you_mean(name, by_small)
            hint = next((small.replace(s, n) for s, n in by_small.items() if f"'{s}'" in small), "")
            raise ValueError(f"operations: {name!r} is no operation of {services}{hint}")

"""The branch that the tool sits on: what it runs in, and reaches AWS through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos.safety.facts import Branch, Facts, Source, Spot

ELSEWHERE = "run chaos from somewhere else, or choose other targets"


def own_branch(facts: Facts, _: Sequence[Source]) -> Iterator[str]:
    """No fault cuts off the tool itself: then nobody would put anything back."""
    branch = facts.branch
    for why in branch.unknown:
        yield (
            f"where chaos itself runs is not known, and so whether this cuts it off: {why}; run it"
            " where that can be told"
        )
    for spot in facts.spots:
        if what := _needed(branch, spot.id):
            yield f"{spot} is {what}; {ELSEWHERE}"
        if spot.type == "iam:role" and any(_same_role(facts, spot, arn) for arn in branch.roles):
            yield f"{spot} is the role that chaos itself acts in; {ELSEWHERE}"
    if branch.region in facts.dark:
        yield f"{branch.region} is the region that chaos itself runs in; run it in another one"


def _needed(branch: Branch, id_: str) -> str | None:
    """What the resource is to the tool; an ARN ends with the name."""
    names = (id_, id_.rpartition("/")[2], id_.rpartition(":")[2])
    return next((branch.ids[name] for name in names if name in branch.ids), None)


def _same_role(facts: Facts, spot: Spot, arn: str) -> bool:
    """Whether they are one: a role is known by its ARN, its name, or that of a session of it."""
    if spot.id == arn:
        return True
    _, _, _, _, account, path = [*arn.split(":", 5), "", "", "", "", ""][:6]
    parts = path.split("/")
    name = parts[1] if parts[0] == "assumed-role" and len(parts) > 1 else parts[-1]
    # Without the name of an account it is the only one.
    of = facts.accounts.get(spot.account or next(iter(facts.accounts), ""), account)
    return account == of and spot.id.rpartition("/")[2] == name

"""`chaos verify`: whether a bundle of evidence is as it was sealed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chaos.cli import options
from chaos.cli.say import say, say_json

if TYPE_CHECKING:
    from chaos.evidence.verifying import Verified

CHANGED = 1


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--signers",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Whose keys count: a file of allowed signers, as ssh-keygen(1) has it. A bundle that none"
    " of them has signed counts as changed.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PUB",
    help="The same with one public key of SSH.",
)
@options.as_json
def command(bundle: Path, signers: Path | None, key: Path | None, as_json: bool) -> None:
    """Check that BUNDLE is as it was sealed, to the byte, and that its verdict follows.

    The verdict is computed again from the journal inside, and so are the reports when this is the
    very code that has made them. Exit code 0: intact; 1: changed, or not signed by whom it should
    be; 2: no bundle.

    \b
    Example:
      chaos verify evidence.zip --signers auditors/allowed_signers
    """
    from chaos.errors import InvalidInput
    from chaos.evidence.verifying import verify

    if signers and key:
        raise InvalidInput("--signers and --key both say whose keys count; give one of them")
    found = verify(bundle, signers=signers, key=key)
    if as_json:
        say_json({"bundle": bundle, "intact": not found.problems, **asdict(found)})
    else:
        say("\n".join(_lines(bundle, found, signers, key)))
    sys.exit(CHANGED if found.problems else 0)


def _lines(bundle: Path, found: Verified, signers: Path | None, key: Path | None) -> Iterator[str]:
    from chaos.report.words import count, printable

    if found.problems:
        yield f"CHANGED: {bundle} is not as it was sealed"
        yield from (f"  {printable(problem)}" for problem in found.problems)
        return
    yield f"intact: {count(found.files, 'file')} of the run {printable(found.run)}"
    yield f"the verdict follows from the journal: {found.value}"
    yield from found.notes
    if found.signed is None:
        yield (
            "NOT SIGNED: nothing was damaged by accident, and more this does not prove; whoever can"
            " write the file can seal it anew"
        )
    elif signers or key:
        by = f"the key in {key}" if key else printable(found.signed.by)
        yield f"signed by {by}, {found.signed.key}"
    else:
        yield (
            f"signed with {found.signed.key}; whose that is, nobody has said: give --signers or"
            " --key"
        )

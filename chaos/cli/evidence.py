"""`chaos evidence`: one sealed file with all that there is to know of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from chaos.cli import options
from chaos.cli.say import say, say_json
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.evidence.bundle import Contents

FILE = "evidence.zip"


@click.command("evidence")
@options.run
@options.runs
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Where to write it; else {FILE} beside the journal. A file with other bytes is kept.",
)
@click.option(
    "--sign",
    "key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEY",
    help="Sign it with this SSH key, by ssh-keygen: a private key, or a public one whose private"
    " one an agent has.",
)
@click.option(
    "--findings",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Who sees to each finding, and until when; else findings.yaml beside the journal.",
)
@click.option(
    "--findings-template",
    "template",
    is_flag=True,
    help="Print such a file with all findings, to be filled in, and write no bundle.",
)
@options.as_json
def command(
    run: str,
    runs: Runs,
    output: Path | None,
    key: Path | None,
    findings: Path | None,
    template: bool,
    as_json: bool,
) -> None:
    """Write one sealed file with the evidence of RUN, for auditors.

    It has the experiment as it was run, who ran it and why, every call that changed something,
    the state before and after, all samples, the verdict, the findings and the reports. The same run
    gives the same bytes. `chaos verify` finds any change in it. RUN is an id, a part of one,
    "latest", or the path of a journal.

    \b
    Example:
      chaos evidence latest --findings-template > findings.yaml
      chaos evidence latest --findings findings.yaml --sign ~/.ssh/id_ed25519 -o q4.zip
    """
    from functools import partial

    from chaos.errors import InvalidInput
    from chaos.evidence import bundle, signing
    from chaos.journal import in_use

    journal = runs.find(run)
    if in_use(journal):
        raise InvalidInput(f"{journal}: the run still goes on; there is evidence when it has ended")
    if template:
        return _template(journal, as_json=as_json)
    made = bundle.of_run(journal, findings, signed=key is not None)
    files = bundle.sealed(made, partial(signing.sign, key=key) if key else None)
    path = output or journal.with_name(FILE)
    _write(path, files)
    _tell(path, made, {*files}, signed=key is not None, as_json=as_json)
    return None


def _template(journal: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    from chaos.history import load
    from chaos.report import answers
    from chaos.report.findings import found
    from chaos.verdict import judge_safely

    history = load(journal)
    each = found(history, judge_safely(history))
    if as_json:
        say_json({"run": history.run, "findings": [asdict(one) for one in each]})
    else:
        say(answers.template(history.run, each).rstrip("\n"))


def _write(path: Path, files: dict[str, bytes]) -> None:
    """A bundle that is there already, perhaps signed, is never lost."""
    from chaos import private
    from chaos.errors import InvalidInput
    from chaos.evidence import archive

    data = b"".join(archive.pieces(files))
    try:
        if path.exists():
            if path.read_bytes() != data:
                raise InvalidInput(
                    f"{path}: is there already, with other bytes; remove it, or name another file"
                    " with -o"
                )
            return
        private.write_bytes(path, [data])
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be written: {error.strerror}") from error


def _tell(path: Path, made: Contents, files: set[str], *, signed: bool, as_json: bool) -> None:
    from chaos.evidence.record import record
    from chaos.report.answers import FILE as ANSWERS
    from chaos.report.findings import found
    from chaos.report.words import count

    each = found(made.history, made.verdict)
    if as_json:
        ids = [one.id for one in each]
        told = {"bundle": path, "run": made.history.run, "value": made.verdict.value}
        return say_json({**told, "signed": signed, "files": sorted(files), "findings": ids})
    say(f"{path}: {count(len(made.files), 'file')}, run {made.history.run}, {made.verdict.value}")
    if record(made.history, made.verdict, {})["experiment"]["masked"]:
        say(
            "the experiment's text was masked, since a secret was in it: its hash cannot be checked"
        )
    if not signed:
        say("not signed: it shows accidents, and not who has made it; to sign it: --sign KEY")
    if each and ANSWERS not in files:
        say(
            f"{count(len(each), 'finding')}, and nobody has said who sees to them;"
            f" chaos evidence {made.history.run} --findings-template prints a file to fill in"
        )
    return None

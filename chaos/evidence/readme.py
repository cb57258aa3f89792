"""The README of a bundle: for auditors, who have neither this tool nor its docs at hand."""

from __future__ import annotations

from chaos.evidence.manifest import SIGNATURE
from chaos.evidence.signing import NAMESPACE
from chaos.history import History
from chaos.report import words
from chaos.verdict import Verdict

FILES = {
    "report.md": "the account of the exercise, to be read first",
    "report.html": "the same with charts; open it in a browser, and print it from there",
    "evidence.json": "the record: who, why, where, targets, each call, state before and after",
    "journal.jsonl": "what happened, a line an event, with every sample; all else follows from it",
    "verdict.json": "the verdict with its figures",
    "junit.xml": "the same for CI",
    "experiment.yaml": "the experiment as it was run; what was secret is masked",
    "findings.yaml": "what people have said of the findings, if they have",
}

TEXT = """\
# Evidence of the run {run}

Experiment `{name}`: **{value}**. {reason}.

{files}

## What it proves

`manifest.json` has the size and the SHA-256 of every file here.
{sealed}

## To check it

With the tool (its documentation says how to get it):

    chaos verify BUNDLE{with_key}

It finds any change of a byte, computes the verdict again from the journal, and compares.

Without the tool, in the directory where this was unpacked:

    jq -r '.files | to_entries[] | "\\(.value.sha256)  \\(.key)"' manifest.json | sha256sum -c
{by_hand}
"""
UNSIGNED = """\
It is not signed. So the hashes show that nothing was damaged by accident, and not who has made it:
whoever can change a file can write a new manifest too."""
SIGNED = f"""\
The manifest is signed in `{SIGNATURE}`. Whose key that is, nothing in here can say: compare it with
one that you have from elsewhere."""
BY_HAND = f"""\
    ssh-keygen -Y verify -f SIGNERS -I WHO -n {NAMESPACE} -s {SIGNATURE} < manifest.json

SIGNERS is a file of allowed signers, a line each: `who@example.org ssh-ed25519 AAAA…`."""


def readme(history: History, verdict: Verdict, files: set[str], *, signed: bool) -> str:
    """The page."""
    return (
        TEXT.format(
            run=history.run,
            name=history.experiment["name"],
            value=verdict.value,
            reason=words.printable(next(iter(verdict.reasons), "No reason is given")),
            files="\n".join(f"- `{name}`: {what}" for name, what in FILES.items() if name in files),
            sealed=SIGNED if signed else UNSIGNED,
            with_key=" --signers SIGNERS" if signed else "",
            by_hand=BY_HAND if signed else "",
        ).rstrip("\n")
        + "\n"
    )

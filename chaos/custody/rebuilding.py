"""From the undo log back to a journal on this machine, for `chaos rollback` and `chaos report`."""

from __future__ import annotations

import json
from pathlib import Path

from chaos import private
from chaos.custody.unfinished import Unfinished
from chaos.errors import JournalFailed
from chaos.journal import in_use
from chaos.runs import Runs

BESIDE = "undo-log.jsonl"


def rebuild(found: Unfinished, runs: Runs) -> Path:
    """Write the journal of a run; one that is there stays, and the new one lies beside it.

    What the undo log never had is not in it: samples and phases, so its verdict is `unknown`.
    Raises JournalFailed: the run goes on here, or nothing can be written.
    """
    if found.history is None:
        raise JournalFailed(f"the run {found.run} cannot be rebuilt: its header is missing")
    path = runs.journal(found.run)
    if path.exists():
        if in_use(path):
            raise JournalFailed(f"the run {found.run} still goes on in a process of this machine")
        path = path.with_name(BESIDE)
    lines = [json.dumps({**event, "n": n}) for n, event in enumerate(found.events)]
    try:
        private.directory(path.parent)
        private.write(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise JournalFailed(f"{path}: cannot be written: {error.strerror}") from error
    return path

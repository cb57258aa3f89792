"""Where runs are kept: one directory a run, which holds its journal and its reports."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chaos.errors import InvalidInput

JOURNAL = "journal.jsonl"
HISTORY = "history.sqlite"
SET = "trials.json"  # in the directory of a set of trials, which is beside its runs


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs below a directory, which need not exist yet."""

    directory: Path

    @property
    def history(self) -> Path:
        """Where the results of the runs are kept, unless another place is named."""
        return self.directory / HISTORY

    def new(self, experiment: str) -> str:
        """An id for a new run: UTC time, experiment, four hex digits."""
        return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{experiment}-{secrets.token_hex(2)}"

    def previous(self, experiment: str) -> str | None:
        """The newest run of that experiment so far, in this directory."""
        named = re.compile(rf"\d{{8}}-\d{{6}}-{re.escape(experiment)}-[0-9a-f]{{4}}")
        return next((run for run in reversed(self.all()) if named.fullmatch(run)), None)

    def journal(self, run: str) -> Path:
        """The journal of the run with that id."""
        return self.directory / run / JOURNAL

    def all(self) -> list[str]:
        """The ids of all runs, oldest first."""
        return sorted(path.parent.name for path in self.directory.glob(f"*/{JOURNAL}"))

    def find(self, run: str) -> Path:
        """The journal of a run given by id, by a part of one, by `latest`, or by a path.

        Raises InvalidInput when there is none, or when a part fits several.
        """
        for path in (Path(run), Path(run) / JOURNAL):
            if path.is_file():
                return path
        known = self.all()
        fits = known[-1:] if run == "latest" else [k for k in known if k == run]
        fits = fits or [k for k in known if run in k]
        if len(fits) == 1:
            return self.journal(fits[0])
        if fits:
            raise InvalidInput(f"{run!r} fits {len(fits)} runs: {', '.join(fits[-5:])}")
        if any((path / SET).is_file() for path in (Path(run), self.directory / run)):
            raise InvalidInput(f"{run} is a set of trials; name one of its runs")
        newest = f"; the newest is {known[-1]}" if known else ""
        raise InvalidInput(f"no run {run!r} in {self.directory}{newest}")

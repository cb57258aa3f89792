"""What people say of the findings of a run: who sees to each, until when, or who bears the risk.

findings:
  objective.playback.rto:
    owner: Kim
    due: 2027-01-31
    action: lower the record's TTL to 30 s

It stands in `findings.yaml` beside the journal, and is as strict as an experiment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from chaos import schema
from chaos.experiment.objectives import FROZEN
from chaos.report import words
from chaos.report.findings import MEANS, Found

FILE = "findings.yaml"
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def _date(given: str) -> str:
    try:
        return dt.date.fromisoformat(given).isoformat()
    except ValueError as error:
        raise ValueError(f"{given[:60]!r} is no date; write 2027-01-31") from error


Date = Annotated[str, AfterValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]


class Accepted(BaseModel):
    """A risk that somebody bears."""

    model_config = FROZEN

    by: Text = Field(description="who accepts the risk")
    because: Text = Field(description="why it is accepted")
    until: Date | None = Field(default=None, description="until when, such as 2027-01-31")


class Answer(BaseModel):
    """What was said of one finding; each key may be left out."""

    model_config = FROZEN

    owner: Text | None = Field(default=None, description="who sees to it")
    due: Date | None = Field(default=None, description="until when, such as 2027-01-31")
    action: Text | None = Field(default=None, description="what will be done")
    accepted: Accepted | None = Field(default=None, description="if the risk is accepted instead")


class Findings(BaseModel):
    """The file."""

    model_config = FROZEN

    run: str | None = Field(default=None, description="the run that it is about")
    findings: dict[str, Answer | None] = Field(description="answers, by the finding's id")

    @model_validator(mode="after")
    def _of_this_run(self, info: ValidationInfo) -> Self:
        run, ids = (info.context or {})["run"], (info.context or {})["ids"]
        wrong = [
            schema.problem("findings", name, what=f"there is no such finding{_hint(name, ids)}")
            for name in self.findings
            if name not in ids
        ]
        if self.run not in (None, run):
            wrong.append(schema.problem("run", what=f"is of {self.run}, and this run is {run}"))
        if wrong:
            raise schema.problems("findings", wrong)
        return self


def _hint(name: str, ids: Sequence[str]) -> str:
    return schema.did_you_mean(name, ids, tell=True) or "; this run has no findings"


def load(path: Path, run: str, found: Sequence[Found]) -> dict[str, Answer]:
    """The answers by id; raises InvalidInput with all that is wrong, each with its place."""
    return loads(schema.read(path), str(path), run, found)


def loads(data: bytes, file: str, run: str, found: Sequence[Found]) -> dict[str, Answer]:
    """The same, of what was read from `file`."""
    context = {"run": run, "ids": [one.id for one in found]}
    answers = schema.loads(data, Findings, file, context).findings
    return {name: answer for name, answer in answers.items() if answer is not None}


def beside(directory: Path, run: str, found: Sequence[Found]) -> dict[str, Answer]:
    """Those in the file beside a journal; none where there is no such file."""
    path = directory / FILE
    return load(path, run, found) if path.is_file() else {}


def template(run: str, found: Sequence[Found]) -> str:
    """A file to fill in, with every finding; what is left empty counts as not stated."""
    return "".join(_lines(run, found))


def _lines(run: str, found: Sequence[Found]) -> Iterator[str]:
    yield '# Who sees to what this run has found. What is left empty is told as "not stated".\n'
    yield f"run: {run}\n"
    yield "findings:\n" if found else "findings: {}  # there is nothing to see to\n"
    for one in found:
        yield f"\n  # {words_of(one)}\n  {one.id}:\n"
        yield "    owner:\n    due:       # such as 2027-01-31\n    action:\n"
        yield "    # accepted: {by: , because: , until: }   # if the risk is borne instead\n"


def words_of(one: Found) -> str:
    """A finding on one line."""
    return words.printable(f"{MEANS[one.kind]}: {one.what}")


NOBODY: Mapping[str, Answer] = {}


def told(answer: Answer | None) -> dict[str, Any]:
    """What was said, as JSON; null for what was not."""
    return (answer or Answer()).model_dump(mode="json")

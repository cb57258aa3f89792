"""Planted systems as files: a base, what is changed in it, and the verdict that is due.

A base is a lab and an experiment, written once. A system is one small file that says what differs,
and which sentence the verdict must begin with.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from chaos import schema
from chaos.errors import InvalidInput
from chaos.schema import did_you_mean
from chaos.testing.merging import merged

SYSTEMS = Path(__file__).parent / "systems"
SUFFIX = ".yaml"
# Names of the files that a drill is given.
LAB, EXPERIMENT = "lab.yaml", "experiment.yaml"

# From a probe or a fault of the suite, as it stands in an experiment, to the one in its place.
Fragment = dict[str, Any]
Replace = Callable[[Fragment], Fragment]


class File(BaseModel):
    """What both kinds of files have in common: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Base(File):
    """A sound system and a drill of it."""

    lab: dict[str, Any] = Field(description="what to stand up, as docs/lab.md has it")
    experiment: dict[str, Any] = Field(description="an experiment, without its name and its lab")


class Expect(File):
    """The verdict that is due."""

    value: Literal["held", "broken", "unknown"] = Field(
        description="unknown is for what no drill may begin with, such as an alarm that rings"
    )
    reason: re.Pattern[str] = Field(description="is looked for in the first reason")
    shows: re.Pattern[str] | None = Field(
        default=None,
        description="is looked for there too, unless a probe is not the suite's own",
    )


class System(File):
    """A system, sound or with one defect planted in it."""

    title: str = Field(min_length=1, max_length=200, description="what it is, in one line")
    base: str = Field(description="a base of the suite, or a file beside this one")
    defect: str = Field(default="", description="what is wrong with it, in one sentence")
    change: dict[str, Any] = Field(default_factory=dict, description="merged into the base's lab")
    experiment: dict[str, Any] = Field(
        default_factory=dict, description="merged into the base's experiment"
    )
    expect: Expect

    _file: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _says_what_is_wrong(self) -> Self:
        if (self.expect.value == "held") == bool(self.defect):
            raise ValueError("a system that is not to hold has a 'defect', and no other one")
        return self

    @classmethod
    def load(cls, file: Path) -> System:
        """The system in that file; raises InvalidInput with everything that is wrong with it."""
        system = schema.load(file, cls)
        system._file = file
        system._base()
        return system

    @property
    def name(self) -> str:
        """What its file is called."""
        return self._file.stem

    @property
    def probes(self) -> tuple[str, ...]:
        """The roles of its probes."""
        return tuple(self.drill()["probes"])

    @property
    def faults(self) -> tuple[str, ...]:
        """The kinds of its faults."""
        return tuple(fault["kind"] for fault in self.drill()["faults"])

    def drill(
        self,
        probes: Mapping[str, Replace] | None = None,
        faults: Mapping[str, Replace] | None = None,
    ) -> Fragment:
        """Its experiment, with other probes by their role and other faults by the suite's kind.

        Raises InvalidInput for a change that does not fit, or for a role or kind that is not there.
        """
        drill = self._merged("experiment", self._base().experiment, self.experiment)
        drill = {"name": self.name, "title": self.title, "lab": LAB, **drill}
        replaced = dict(drill["probes"])
        for role, replace in (probes or {}).items():
            replaced[role] = replace(replaced[self._known("probe", role, [*replaced])])
        kinds = [fault["kind"] for fault in drill["faults"]]
        others = {self._known("fault", kind, kinds): f for kind, f in (faults or {}).items()}
        changed = [others.get(fault["kind"], dict)(fault) for fault in drill["faults"]]
        return {**drill, "probes": replaced, "faults": changed}

    def write(self, directory: Path, drill: Fragment) -> Path:
        """The drill and its lab as files in that directory; returns the experiment's."""
        lab = self._merged("change", self._base().lab, self.change)
        lab = {"name": self.name, "title": self.title, **lab}
        for name, content in ((LAB, lab), (EXPERIMENT, drill)):
            # JSON is YAML, and leaves no doubt about what is text.
            text = json.dumps(content, indent=1, ensure_ascii=False)
            (directory / name).write_text(text, encoding="utf-8")
        return directory / EXPERIMENT

    def _base(self) -> Base:
        if self.base.endswith(SUFFIX):
            return schema.load(self._file.parent / self.base, Base)
        bases = {file.stem: file for file in sorted((SYSTEMS / "bases").glob(f"*{SUFFIX}"))}
        if self.base not in bases:
            hint = did_you_mean(self.base, bases, tell=True)
            raise InvalidInput(f"{self._file}: base: there is no base {self.base[:60]!r}{hint}")
        return _shipped(bases[self.base])

    def _merged(self, key: str, base: Fragment, change: Fragment) -> Fragment:
        try:
            # Whoever gets it may change it, and the base is everybody's.
            result: Fragment = copy.deepcopy(merged(base, change))
        except ValueError as error:
            raise InvalidInput(f"{self._file}: {key}: {error}") from error
        return result

    def _known(self, what: str, name: str, known: list[str]) -> str:
        if name not in known:
            there = ", ".join(known)
            raise InvalidInput(f"{self.name} has no {what} {name!r} to replace; it has {there}")
        return name


@functools.cache
def _shipped(file: Path) -> Base:
    """Read once: many systems stand on one base."""
    return schema.load(file, Base)


def systems(directory: Path = SYSTEMS) -> list[System]:
    """All systems of a directory, by their names; raises InvalidInput."""
    files = sorted(directory.glob(f"*{SUFFIX}"), key=lambda file: file.stem)
    return [System.load(file) for file in files]

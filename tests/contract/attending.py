"""A person beside an environment who does and marks at once whatever is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chaos.environments.attended import Attended, Marks, Operator
from chaos.environments.environment import Environment


def attended(
    environment: Environment, directory: Path, faults: Iterable[Mapping[str, Any]] = ()
) -> Attended:
    """The environment with that person, whose marks are kept below the directory."""
    marks = Marks(directory / "marks")

    def tell(_: str) -> None:
        for waits in marks.waiting():
            marks.mark(*waits)

    return Attended(environment, Operator(faults, marks, tell))

"""Where the lab that an experiment names is declared: among the shipped ones, or beside it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from chaos import lab as our_labs
from chaos.schema import did_you_mean

SYSTEMS = Path(our_labs.__file__).parent / "systems"
SUFFIX = ".yaml"


def lab_file(lab: str, experiment: Path) -> Path:
    """The file that declares the lab; raises ValueError with what there is instead."""
    if lab.endswith(SUFFIX):
        file = experiment.parent / lab
        with contextlib.suppress(OSError):  # a name too long, a directory that may not be read
            if file.is_file():
                return file
        raise ValueError(f"there is no file {lab[:60]} beside this one")
    shipped = {file.stem: file for file in sorted(SYSTEMS.glob(f"*{SUFFIX}"))}
    if lab not in shipped:
        hint = did_you_mean(lab, shipped, tell=True)
        raise ValueError(f"there is no lab {lab[:60]!r}{hint}")
    return shipped[lab]


def _is_there(lab: str, info: ValidationInfo) -> str:
    if info.context:
        lab_file(lab, info.context["file"])
    return lab


# The name of a lab; that it is there is looked at where it is known which file names it.
LabName = Annotated[str, AfterValidator(_is_there)]

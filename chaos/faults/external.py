"""Something that others break."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from chaos.environments.attended import OPERATOR
from chaos.faults.fault import Fault, Fidelity, Look, Pull
from chaos.levers.by_hand import ByHand
from probes.durations import Duration

Sentence = Annotated[str, StringConstraints(min_length=3, max_length=300, pattern=r"^[^\n\r]+$")]


class External(Fault):
    """A person, or another tool, breaks it; the run tells them what to do, and when.

    The run shows `do` and waits until somebody marks that it is done: Enter at the terminal of the
    run, or `chaos mark` anywhere on the same machine, so that another tool can mark too. The
    clocks start at the mark, or at the first attempt that fails after the asking, if that is
    earlier. `lasts` counts from the mark. Then `undo` is shown in the same way, and the run waits
    for that mark too: the fault counts as on until the asking to undo it.

    chaos cannot see what people do, so an attempt of a probe must fail under it (of one named in
    `seen_by`, where that is given), whatever the objectives are; or the verdict is `unknown`.

    Nobody marks in time: that something was done makes the run `unknown`, that it was undone
    leaves it open (exit code 4), and `chaos rollback` asks again. What is broken by hand is put
    back last, so that no lever of another fault waits for a person.
    """

    summary: ClassVar[str] = "a person or another tool breaks it, and marks when"
    example: ClassVar[str] = """\
- kind: external
  do: pull the plug of the router in rack 4
  undo: plug it in again
  lasts: 180s
"""
    fidelity: ClassVar[dict[str, Fidelity]] = {
        "embedded": "real",
        "localstack": "real",
        "aws": "real",
    }
    by_hand: ClassVar[bool] = True

    kind: Literal["external"]
    do: Sentence = Field(description="what to do, told when it is time")
    undo: Sentence = Field(description="how to put it back, told when it is to be lifted")
    within: Duration = Field(
        default=600.0, gt=0, le=86400, description="how long to wait for each mark"
    )
    seen_by: tuple[str, ...] = Field(
        default=(), description="probes of which one must fail under it; none named: any"
    )

    async def inject(self, look: Look, pull: Pull) -> None:
        await pull(ByHand(task=self.do), "handed out")
        # Waiting is no part of the pull: a run that is stopped meanwhile need not wait for it.
        await look(OPERATOR, "", "get_task_when_marked", task=self.do)

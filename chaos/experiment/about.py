"""What auditors ask of an experiment besides what it does; nobody but people can say it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from chaos.experiment.objectives import FROZEN

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class About(BaseModel):
    """Each key may be left out; the report then says "not stated"."""

    model_config = FROZEN

    purpose: Text | None = Field(default=None, description="why the drill is done")
    scenario: Text | None = Field(
        default=None, description="what is assumed to happen, in words of the business"
    )
    business_impact_analysis: Text | None = Field(
        default=None, description="where in the business impact analysis the scenario stands"
    )
    assumptions: list[Text] = Field(
        default_factory=list, max_length=100, description="what is taken for granted"
    )
    expected_outcome: Text | None = Field(default=None, description="what should be seen")
    owner: Text | None = Field(default=None, description="who answers for the system")
    change: Text | None = Field(default=None, description="the change or ticket of the drill")
    authorised_by: Text | None = Field(
        default=None, description="who allowed it; --authorised-by of a run has precedence"
    )
    previous_test: Text | None = Field(
        default=None, description="the test before this one, such as the id of its run"
    )

"""Trials: a drill again and again, and what that shows. Each trial is a run like any other.

promises    what each trial says of each promise
judging     what the trials say together
sets        where a set is kept
running     one trial after the other
"""

from __future__ import annotations

from chaos.trials.judging import SetVerdict, judge
from chaos.trials.sets import Sets, TrialSet

__all__ = ["SetVerdict", "Sets", "TrialSet", "judge"]

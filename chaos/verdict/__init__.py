"""Whether what was promised held: a pure fold over a run's history. Knows no environment."""

from __future__ import annotations

from chaos.verdict.finding import Result, percent
from chaos.verdict.measurement import Measurement, Times
from chaos.verdict.readings import Reading
from chaos.verdict.verdict import VERSION, Verdict, judge, judge_safely

__all__ = [
    "VERSION",
    "Measurement",
    "Reading",
    "Result",
    "Times",
    "Verdict",
    "judge",
    "judge_safely",
    "percent",
]

"""What is kept of a run: where and how it was done, its verdict, and what each promise came to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from chaos.environments.endpoint import is_real
from chaos.history import History
from chaos.verdict import Measurement, Result, Verdict, judge_safely, spread
from chaos.verdict.doubts import doubts
from chaos.verdict.finding import compared
from probes.outages import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """One run, as a store has it. `wall` is its beginning in UTC, as ISO 8601 has it.

    `results` are those of the verdict: every promise, and `recover_within` of every probe, each
    with the measured interval (seconds; of an availability fractions). A promise about many runs is
    there as what this run says of its longest limit. `doubted` are the probes, and the marks,
    whose figures prove nothing: the run did not go as planned, or the measuring itself did not.
    """

    run: str
    experiment: str
    title: str = ""
    sha256: str = ""  # of the experiment's text
    variables: dict[str, str] = field(default_factory=dict)
    wall: str
    environment: str  # its kind
    endpoint: str | None = None
    environment_version: str | None = None
    fidelity: tuple[str, ...] = ()
    speed: float
    tool: str
    value: str
    exit_code: int
    reason: str = ""  # the decisive one
    trial_set: str | None = None
    trial_n: int | None = None
    results: tuple[Result, ...] = ()
    doubted: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The kind of environment; what stands in for AWS is another one."""
        stands_in = self.environment == "aws" and not is_real(self.endpoint)
        return "a stand-in for aws" if stands_in else self.environment


def of(history: History, verdict: Verdict) -> RunResult:
    """What is to be kept of a run that was judged."""
    header, experiment = history.header, history.experiment
    where, trial = header["environment"], header.get("trial") or {}
    return RunResult(
        run=history.run,
        experiment=experiment["name"],
        title=experiment.get("title", ""),
        sha256=experiment.get("sha256", ""),
        variables={k: str(v) for k, v in experiment.get("variables", {}).items()},
        wall=header["wall"],
        environment=where["kind"],
        endpoint=where.get("endpoint"),
        environment_version=where.get("version") or None,
        fidelity=tuple(header["fidelity"]),
        speed=float(header["speed"]),
        tool=header["tool"],
        value=verdict.value,
        exit_code=verdict.exit_code,
        reason=next(iter(verdict.reasons), ""),
        trial_set=trial.get("set"),
        trial_n=trial.get("n"),
        results=_results(history, verdict),
        doubted=_doubted(history, verdict),
    )


def badness(result: Result) -> Interval | None:
    """What was measured, so that more is worse; None where there is nothing to compare.

    What was not recovered, not detected or not home again while it was watched is infinite: worse
    than any time, and alike among themselves. An availability becomes the share that was lost.
    """
    found, value = result.measured, result.value
    if found is None or (value == "unknown" and not _close(found, result)):
        return None
    if result.objective == "availability":
        return Interval(1 - found.high, 1 - found.low)
    if math.isinf(found.high) or result.how == "after lifting":
        return Interval(found.low if value == "unknown" else math.inf, math.inf)
    if value == "broken" and result.objective == "rpo" and found.high <= result.wanted:
        return Interval(math.inf, math.inf)  # writes were lost that no RPO excuses
    return found


def _close(found: Interval, result: Result) -> bool:
    """Whether it is unknown for being too close to the limit, and not for want of evidence."""
    return compared(found, result.wanted) == "unknown"


def _results(history: History, verdict: Verdict) -> tuple[Result, ...]:
    if not any(result.spread for result in verdict.results):
        return verdict.results
    return judge_safely(spread.promising(history)).results


def _doubted(history: History, verdict: Verdict) -> frozenset[str]:
    """The same conditions under which a verdict is unknown whatever was measured."""
    probes = verdict.probes
    if doubts(history, probes.values()):
        return frozenset(probes) | {result.probe for result in verdict.results}
    return frozenset(name for name, m in probes.items() if _disturbed(m))


def _disturbed(m: Measurement) -> bool:
    blind = m.longest_gap is not None and m.longest_gap > m.every + m.timeout
    return blind or bool(m.crashed)

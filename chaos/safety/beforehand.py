"""What an experiment tells before its environment stands: what it needs, and what it may not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chaos.errors import InvalidInput
from chaos.experiment import Experiment
from chaos.faults.fault import Fidelity


def fidelities(experiment: Experiment, kind: str) -> list[Fidelity]:
    """How real each fault is in an environment of that kind; raises InvalidInput where it is not.

    An inert fault would make a green run of nothing, so it is refused.
    """
    inert = [
        experiment.located(
            ("faults", number), f"{fault.kind} has no effect in the environment {kind!r}"
        )
        for number, fault in enumerate(experiment.faults)
        if fault.fidelity.get(kind, "unsupported") == "unsupported"
    ]
    if inert:
        raise InvalidInput(*inert)
    return [fault.fidelity[kind] for fault in experiment.faults]


def coverage(experiment: Experiment, kind: str) -> list[dict[str, Any] | None]:
    """For each fault what it cuts in a real account and what goes on, as a journal has it."""
    told = [fault.coverage() if kind == "aws" else None for fault in experiment.faults]
    return [asdict(covers) if covers else None for covers in told]


def services(experiment: Experiment) -> frozenset[str]:
    """The services of AWS that its faults, probes and alarms need, by boto3's names."""
    called = [fault.services() for fault in experiment.faults]
    called += [frozenset({"cloudwatch"}) for stop in experiment.stop_when if stop.alarm]
    return frozenset().union(*called, *(probe.services() for probe in experiment.probes.values()))


def permit(experiment: Experiment, *, commands: bool) -> None:
    """Raises InvalidInput when a probe runs programs of this machine and may not."""
    refused = [
        experiment.located(
            ("probes", name),
            f"kind {probe.kind} runs programs of this machine; allow it with --allow-commands",
        )
        for name, probe in experiment.probes.items()
        if probe.runs_programs and not commands
    ]
    if refused:
        raise InvalidInput(*refused)


def keep_one_clock(experiment: Experiment, kind: str, speed: float) -> None:
    """Raises InvalidInput when what is to detect a fault would be timed by another clock.

    Only the lab runs faster. Whoever else evaluates alarms takes seconds of the wall for it, which
    would be told as so many times more, and a good alarm as a late one.
    """
    if speed == 1:
        return
    late = [
        experiment.located(
            ("probes", name),
            f"kind {probe.kind} goes by the clock of {probe.kind if probe.own_clock else kind},"
            " which runs at speed 1: leave out --speed",
        )
        for name, probe in experiment.probes.items()
        if probe.detects and (probe.own_clock or kind != "embedded")
    ]
    if late:
        raise InvalidInput(*late)

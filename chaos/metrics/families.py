"""All families of metrics that a run has: docs/metrics.md is held to this table."""

from __future__ import annotations

# The label that all of them have besides, so that those of several experiments may lie together.
COMMON = "experiment"
# name: type, labels, help
FAMILIES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "chaos_build_info": (
        "gauge",
        ("version",),
        "The version of chaos that carried the run out; 1.",
    ),
    "chaos_run_info": ("gauge", ("run", "environment"), "Which run this is; 1."),
    "chaos_run_start_timestamp_seconds": ("gauge", (), "Unix time at which the run began."),
    "chaos_run_end_timestamp_seconds": ("gauge", (), "Unix time at which the run ended."),
    "chaos_run_elapsed_seconds": ("gauge", (), "How long the run has gone on."),
    "chaos_run_speed_ratio": ("gauge", (), "Seconds of the lab's clock in one of the wall's."),
    "chaos_run_phase": ("gauge", ("phase",), "1 for the phase in which the run is, 0 for others."),
    "chaos_probe_attempts_total": (
        "counter",
        ("probe", "result"),
        "Finished attempts; crashed ones say nothing about the system.",
    ),
    "chaos_probe_latency_seconds": ("histogram", ("probe",), "Time that good attempts took."),
    "chaos_probe_up": ("gauge", ("probe",), "1 when the last attempt was good, 0 when it was bad."),
    "chaos_fault_active": (
        "gauge",
        ("fault", "kind"),
        "1 from the beginning of the injection until the fault is lifted, 0 otherwise.",
    ),
    "chaos_pulls": ("gauge", ("outcome",), "Levers that were moved, by what became of them."),
    "chaos_levers_open": ("gauge", (), "Levers that were moved and are not back, but could be."),
    "chaos_objective_limit_seconds": ("gauge", ("probe", "objective"), "The time promised."),
    "chaos_objective_low_seconds": (
        "gauge",
        ("probe", "objective"),
        "What was measured is at least this long.",
    ),
    "chaos_objective_high_seconds": (
        "gauge",
        ("probe", "objective"),
        "What was measured is at most this long; +Inf when nothing bounds it.",
    ),
    "chaos_availability_limit_ratio": ("gauge", ("probe",), "The availability promised."),
    "chaos_availability_ratio": (
        "gauge",
        ("probe",),
        "Good ones among the attempts begun while the fault was on.",
    ),
    "chaos_objective_result": (
        "gauge",
        ("probe", "objective", "result"),
        "1 for what became of the objective: held, broken or unknown; 0 for the others.",
    ),
    "chaos_run_stopped": ("gauge", (), "1 when the run was ended early, 0 otherwise."),
    "chaos_run_back_after_seconds": (
        "gauge",
        (),
        "From the first wish to end it early until all was back; NaN when it was not.",
    ),
    "chaos_verdict": ("gauge", ("verdict",), "1 for the verdict on the run, 0 for the others."),
    "chaos_exit_code": ("gauge", (), "What the command exits with; 4: a rollback is incomplete."),
}

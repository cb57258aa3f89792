"""What is known before anything is touched: what would be pulled, and whether that is allowed."""

from chaos.safety.beforehand import coverage, fidelities, keep_one_clock, permit, services
from chaos.safety.consent import Agree, Wish
from chaos.safety.gate import Permit, guard, judge, pass_the_gate, policy_for, static, stay_out
from chaos.safety.guards import GUARDS
from chaos.safety.planning import Planned, look, plan
from chaos.safety.policy import Policy, find
from chaos.safety.result import GuardResult

__all__ = [
    "GUARDS",
    "Agree",
    "GuardResult",
    "Permit",
    "Planned",
    "Policy",
    "Wish",
    "coverage",
    "fidelities",
    "find",
    "guard",
    "judge",
    "keep_one_clock",
    "look",
    "pass_the_gate",
    "permit",
    "plan",
    "policy_for",
    "services",
    "static",
    "stay_out",
]

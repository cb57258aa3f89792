"""What is known before anything is touched: what would be pulled, and whether that is allowed."""

from chaos.safety.beforehand import fidelities, keep_one_clock, permit, services
from chaos.safety.gate import Permit, guard, judge, static
from chaos.safety.guards import GUARDS
from chaos.safety.planning import Planned, look, plan
from chaos.safety.policy import Policy, find
from chaos.safety.result import GuardResult

__all__ = [
    "GUARDS",
    "GuardResult",
    "Permit",
    "Planned",
    "Policy",
    "fidelities",
    "find",
    "guard",
    "judge",
    "keep_one_clock",
    "look",
    "permit",
    "plan",
    "services",
    "static",
]

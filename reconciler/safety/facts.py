"""What one run knows of the safety store: read once, before planning."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.safety.agent_pools import AgentPools
from reconciler.safety.approvals import Approvals
from reconciler.safety.modes import Modes
from reconciler.safety.undone import Undone


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that cannot be known in this run."""

    reason: str


@dataclass(frozen=True, slots=True)
class SafetyFacts:
    """The facts of one pool. A part that is `Unknown` allows no write that depends on it."""

    modes: Modes = field(default_factory=Modes)
    agent_pools: AgentPools | Unknown = field(default_factory=AgentPools)
    approvals: Approvals | Unknown = field(default_factory=Approvals)
    undone: Undone | Unknown = field(default_factory=Undone)
    checked: bool = True
    """False: the run has no access to the deployment's state, and only plans. Ownership is then «not checked»."""


NOT_CHECKED = SafetyFacts(
    agent_pools=Unknown("not checked: no state of the deployment is read"),
    approvals=Unknown("not checked: no state of the deployment is read"),
    checked=False,
)
"""The facts of a plan without state."""

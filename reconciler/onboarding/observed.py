"""What one organization says of an identity: a value, from which steps follow.

What could not be read stands there as its error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from reconciler.errors import ReconcilerError
from reconciler.membership import Entitlement, Group, ServicePrincipal
from reconciler.ports import Project, RoleAssignment

T = TypeVar("T")
Answer: TypeAlias = T | ReconcilerError


@dataclass(frozen=True, slots=True)
class Observed:
    """One organization, one identity."""

    organization: str
    principal: ServicePrincipal | None = None
    """None where the organization does not know it."""
    identity_id: str = ""
    """Local id; empty where the organization does not know it."""
    entitlement: Answer[Entitlement | None] = None
    groups: Answer[Sequence[Group]] = ()
    """Every group that the identity is in."""
    projects: Sequence[Project] = ()
    """Those that were asked for."""
    directory: Answer[Sequence[Group]] = ()
    """Every group of Azure DevOps in the organization."""
    pools: Answer[Sequence[RoleAssignment]] = ()
    """Roles on all agent pools."""
    queues: Mapping[str, Answer[Sequence[RoleAssignment]]] = field(default_factory=dict)
    """Project id → roles on all agent pools of the project."""

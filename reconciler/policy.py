"""What this deployment allows. It comes from the deployment and is never read from the spec repository.

Spec authors are less trusted than the operator: what the policy does not allow is refused, however well-formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits for every pool. None means: whatever verified specs name. Patterns are `fnmatch`, case-insensitive."""

    subscriptions: tuple[str, ...] | None = None
    resource_groups: tuple[str, ...] | None = None
    organizations: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    """``organization/project`` patterns."""
    principals: tuple[str, ...] | None = None
    """Who may be granted anything: patterns over the principal as the spec writes it."""
    open_access: bool = True
    """Whether open access may be granted."""
    create_pools: bool = True
    materialise: bool = False
    """Whether Entra users, groups and service principals may be added to an organization."""
    max_role_removals: int = 3
    """Role assignments that one run may remove from one pool."""


def allows(patterns: Sequence[str] | None, name: str) -> bool:
    """Whether a name is allowed: no list allows every name, an empty one none."""
    return patterns is None or any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)

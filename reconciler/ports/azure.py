"""Azure Resource Manager: pools that are read and written, and long operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.documents import Json
from reconciler.spec.model import ARM_API_VERSION as API_VERSION

__all__ = ["API_VERSION", "ArmReader", "ArmWriter", "Operation", "Pending", "SubscriptionReader"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A long operation that was started and is not waited for."""

    url: str = field(repr=False)
    """The operation's own URL, signed query included; passed on unchanged. May grant: never printed or logged."""
    retry_after: float
    """Seconds until the next read makes sense."""
    description: str
    """For people: ``update of pool fabrikam-managed-pool``."""


@dataclass(frozen=True, slots=True)
class Operation:
    """State of a long operation."""

    state: str
    """``running``, ``succeeded``, ``failed`` (cancelled counts as failed), or ``gone``: the service no longer
    has it, and only the resource itself shows how it ended."""
    code: str = ""
    message: str = ""
    retry_after: float | None = None


class ArmReader(Protocol):
    """Reads `Microsoft.DevOpsInfrastructure/pools`; documents are raw ARM bodies at the pinned api-version."""

    def pool(self, pool_id: str, api_version: str = API_VERSION) -> dict[str, Json] | None:
        """The pool at this resource id, or None where ARM answers 404."""

    def pools(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All pools of a subscription, all pages."""

    def subscriptions(self) -> Sequence[str]:
        """Ids of all subscriptions that the caller can see, lower case, sorted."""

    def machines(self, pool_id: str) -> Sequence[str]:
        """Status of each machine of the pool, as the service spells it: ``Ready``, ``Allocated``."""

    def operation(self, url: str) -> Operation:
        """State of a long operation that an `ArmWriter` started."""


class SubscriptionReader(Protocol):
    """Lists subscriptions; for commands that need no specs."""

    def subscriptions(self) -> Sequence[str]:
        """Ids of all subscriptions that the caller can see, lower case, sorted."""


class ArmWriter(Protocol):
    """Writes pools."""

    def put(self, pool_id: str, body: Mapping[str, Json], api_version: str = API_VERSION) -> Pending | None:
        """Create or replace the pool; None where that was done at once. Strips read-only fields, nothing else."""

    def delete(self, pool_id: str) -> Pending | None:
        """Delete the pool with its agent pools and their queues; None where it does not exist."""

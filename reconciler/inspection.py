"""What people's questions need to read beyond what planning reads: authors, names of pipelines, rights of the caller.

`explain`, `import` and `doctor` hold these beside `Readers`; nothing here can write, and no facet holds one. Kept
apart from `reconciler.ports` because a run never needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

QUEUE_SCOPE = "distributedtask.agentqueuerole"
"""Scope of one queue's role assignments; its resource is ``{project id}_{queue id}`` (azsk ADOScanner)."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """One line of a queue's pipeline permissions."""

    pipeline: int | None
    """None: all pipelines of the project, which is open access."""
    by: str = ""
    """Display name of who gave it, where the service says."""
    on: str = ""
    """When, in UTC."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A build definition of a project."""

    id: int
    path: str
    r"""From the top, with its name: ``\release\nightly``."""


class DevOpsInspector(Protocol):
    """Questions to organizations."""

    def authorizations(self, organization: str, project_id: str, queue_id: int) -> Sequence[Authorization]:
        """Who may use a queue, open access first, with who said so and when."""

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """All pipelines of a project that the caller can see."""

    def may(self, organization: str, token: str, bits: int) -> bool:
        """Whether the caller has all these bits at a token of the security namespace DistributedTask."""


class ArmInspector(Protocol):
    """Questions to ARM."""

    def subscriptions(self) -> Sequence[str]:
        """Ids of all subscriptions that the caller can see, lower case, sorted."""

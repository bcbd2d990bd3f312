"""What people's questions need to read beyond what planning reads: authors, names of pipelines, rights of the caller.

`explain`, `import`, `doctor` and `probe` hold these beside `Readers`; nothing here can write, and no facet holds one.
Kept apart from `reconciler.ports.readers_writers` because a run never needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.documents import Json

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
class BuildDefinition:
    """A build definition of a project."""

    id: int
    path: str
    r"""From the top, with its name: ``\release\nightly``."""


@dataclass(frozen=True, slots=True)
class ProbeResponse:
    """What one GET was answered with; a refusal (400, 404) is an answer here. The document is counted, never kept."""

    status: int
    rates: Mapping[str, str]
    """Headers that tell of the rate limit, by their names in lower case."""
    document: Json = field(default=None, repr=False)

    @property
    def refused(self) -> bool:
        """Whether the service refused the request as it is."""
        return self.status >= 400  # noqa: PLR2004 - the bound of the class of status codes


class ProbeReader(Protocol):
    """Asks organizations what their routes answer. There is one verb, and it is GET."""

    def get(self, organization: str, path: str, asked: Mapping[str, str | int]) -> ProbeResponse:
        """GET a path below the organization. Raises where the answer tells nothing: no right, no answer, too many."""


class DevOpsInspector(Protocol):
    """Questions to organizations."""

    def authorizations(self, organization: str, project_id: str, queue_id: int) -> Sequence[Authorization]:
        """Who may use a queue, open access first, with who said so and when."""

    def pipelines(self, organization: str, project_id: str) -> Sequence[BuildDefinition]:
        """All pipelines of a project that the caller can see."""

    def may(self, organization: str, token: str, bits: int) -> bool:
        """Whether the caller has all these bits at a token of the security namespace DistributedTask."""


class ArmInspector(Protocol):
    """Questions to ARM."""

    def subscriptions(self) -> Sequence[str]:
        """Ids of all subscriptions that the caller can see, lower case, sorted."""

"""What facets may request from a survey. Facets know only this type, so their tests bring a small one of their own.

A value of a plural method is the fact itself, or the error that kept it from being read: one hidden project does
not stop the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reconciler.documents import Json
from reconciler.errors import ReconcilerError
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import AgentPool, Identity, Pipeline, PipelinePermissions, Project, Queue, RoleAssignment
from reconciler.spec.model import Spec
from reconciler.survey.moves import PoolElsewhere
from reconciler.survey.names import Excepted
from reconciler.survey.operators import People
from reconciler.survey.owed import Debts
from reconciler.survey.queue_uses import QueueUses


class Survey(Protocol):
    """What facets may request."""

    def arm_pool(self, spec: Spec) -> Mapping[str, Json] | None:
        """The raw ARM body, or None where there is no such pool."""

    def elsewhere(self, spec: Spec) -> PoolElsewhere | None:
        """The pool of this name at another resource id, as far as it can be read; reads lists of subscriptions."""

    def machines(self, spec: Spec) -> Sequence[str]:
        """Status of each machine of the pool."""

    def azure_resources(self) -> AzureResourcesReader | None:
        """Reads of prerequisites in Azure; None where this deployment checks none."""

    def waiting_since(self, now: datetime) -> datetime:
        """Since when the pool of this plan is waited for; now, where no run waited before. The moment is remembered."""

    def agent_pool(self, organization: str, name: str) -> AgentPool:
        """By name, case aside, or by the id that the name was known to have, then under its new name.

        `NotReady` where there is none (or it is hidden: the service does not tell them apart).
        """

    def projects(self, organization: str) -> Sequence[Project]:
        """All visible projects, sorted by name; a renamed one under the name that the spec knows, with its new one."""

    def hidden_projects(self, organization: str) -> Sequence[Project]:
        """Projects that exist and that we cannot see, as far as they are known; named as `projects` names them."""

    def excepted(self, organization: str, exceptions: Collection[str]) -> Excepted:
        """What these names of a list of exceptions stand for."""

    def me(self, organization: str) -> Identity:
        """The identity that we are in this organization."""

    def people(self, organization: str) -> People:
        """Who the operators are there, and what they and others may do through groups."""

    def queues(
        self, organization: str, projects: Sequence[Project], pool: AgentPool
    ) -> Mapping[str, Queue | ReconcilerError | None]:
        """Project id → its queue of this pool, None where it has none."""

    def open_access(self, organization: str, desired: Mapping[Queue, bool]) -> Mapping[Queue, bool | ReconcilerError]:
        """Whether all pipelines of the project may use the queue.

        `desired` says what the spec desires: what the cheap list cannot settle for it is read pair by pair.
        """

    def permissions(
        self, organization: str, queues: Sequence[Queue]
    ) -> Mapping[Queue, PipelinePermissions | ReconcilerError]:
        """Full authorization state, one read a queue."""

    def pipelines(
        self, organization: str, projects: Sequence[Project]
    ) -> Mapping[str, Sequence[Pipeline] | ReconcilerError]:
        """Project id → the pipelines that can be seen there, one read a project."""

    def queue_uses(self, organization: str, queue: Queue, *, only: str = "") -> QueueUses:
        """Checks on a queue, and pipelines that name it by id, or one of both. `Forbidden`: checks may be hidden."""

    @property
    def debts(self) -> Debts:
        """Checks that the pool's queues had before it was replaced."""

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """Role assignments of one resource."""

    def inheritance(self, organization: str, pool: AgentPool) -> bool:
        """Whether the agent pool inherits roles."""

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity | ReconcilerError]:
        """Principal as written → identity; an unknown principal is missing.

        The error of one principal is its value: several identities match, or its project cannot be told.
        """

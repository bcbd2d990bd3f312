"""Checks that queues had before their pool was replaced, and pipelines that name these queues by their ids.

They are read before the deletion and stored with the note of it; what the new queues have is read again by each run.
Until a check is found there, its project gets no access to the pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from reconciler.documents import Json, number_of, text_of
from reconciler.ports.devops import QueueCheck


@dataclass(frozen=True, slots=True)
class OwedCheck:
    """One check, and the queue that had it."""

    organization: str
    project_id: str
    project: str
    """Name, for people."""
    queue_id: int
    """Of the queue that had it: while that one is there, nothing is owed."""
    kind: str
    """Name of the type."""
    type_id: str
    settings: Mapping[str, Json] = field(repr=False)
    """As they are sent (`reconciler.facets.support.replacement.checks`); without secrets."""
    timeout: int | None = None

    @property
    def check(self) -> QueueCheck:
        """The check as it is added."""
        return QueueCheck(0, self.kind, self.settings, self.timeout, self.type_id)

    def to_json(self) -> dict[str, Json]:
        """The stored form, which is also that of a plan."""
        return {
            "organization": self.organization,
            "projectId": self.project_id,
            "project": self.project,
            "queueId": self.queue_id,
            "type": {"id": self.type_id, "name": self.kind},
            "settings": dict(self.settings),
            "timeout": self.timeout,
        }

    @classmethod
    def from_json(cls, body: Any) -> OwedCheck | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or not isinstance(kind := body.get("type"), Mapping):
            return None
        settings, timeout = body.get("settings"), body.get("timeout")
        if not isinstance(settings, Mapping) or not text_of(kind, "id"):
            return None
        return cls(
            text_of(body, "organization"),
            text_of(body, "projectId"),
            text_of(body, "project"),
            int(number_of(body, "queueId")),
            text_of(kind, "name"),
            text_of(kind, "id"),
            settings,
            timeout if type(timeout) is int else None,
        )


@dataclass(frozen=True, slots=True)
class OwedPipeline:
    """One pipeline whose definition names the old queue, and is changed to the new one."""

    organization: str
    project_id: str
    project: str
    """Name, for people."""
    queue_id: int
    """Of the old queue."""
    pipeline_id: int
    path: str

    def to_json(self) -> dict[str, Json]:
        """The stored form, which is also that of a plan."""
        return {
            "organization": self.organization,
            "projectId": self.project_id,
            "project": self.project,
            "queueId": self.queue_id,
            "pipelineId": self.pipeline_id,
            "path": self.path,
        }


Owed: TypeAlias = OwedCheck | OwedPipeline


def owed_of(body: Any) -> Owed | None:
    """From the stored form of either; None for what cannot be read."""
    if not isinstance(body, Mapping) or "pipelineId" not in body:
        return OwedCheck.from_json(body)
    return OwedPipeline(
        text_of(body, "organization"),
        text_of(body, "projectId"),
        text_of(body, "project"),
        int(number_of(body, "queueId")),
        int(number_of(body, "pipelineId")),
        text_of(body, "path"),
    )


class Debts:
    """What is owed to the pool of one view of a survey, and what of it was found."""

    def __init__(self, owed: Iterable[Owed] = ()) -> None:
        self.owed = tuple(owed)
        self._paid: set[int] = set()

    def paid(self, one: Owed) -> None:
        """It was found, or its project or queue is not used any more."""
        self._paid.update(index for index, other in enumerate(self.owed) if other is one)

    @property
    def checks(self) -> tuple[OwedCheck, ...]:
        """Checks alone, found or not."""
        return tuple(one for one in self.owed if isinstance(one, OwedCheck))

    @property
    def pipelines(self) -> tuple[OwedPipeline, ...]:
        """Pipelines alone, changed or not."""
        return tuple(one for one in self.owed if isinstance(one, OwedPipeline))

    @property
    def outstanding(self) -> tuple[Owed, ...]:
        """What was not found."""
        return tuple(one for index, one in enumerate(self.owed) if index not in self._paid)

    def guards(self, organization: str, project_id: str) -> bool:
        """Whether the project's queue lacks a check that it is owed."""
        checks = (one for one in self.outstanding if isinstance(one, OwedCheck))
        return any((one.organization, one.project_id) == (organization, project_id) for one in checks)

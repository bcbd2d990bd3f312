"""Ids of agent pools that are a pool's own, by generation of the ARM pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.documents import list_of, text_of
from reconciler.errors import Rejected
from reconciler.safety.documents import SafetyDocuments, SafetyIndex


@dataclass(frozen=True, slots=True, order=True)
class RecordedAgentPool:
    """An agent pool that was found to be the pool's own."""

    organization: str
    """Lower case."""
    id: int
    generation: str
    """`systemData.createdAt` of the ARM pool, as ARM has it: a recreated pool is another generation."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"organization": self.organization, "id": self.id, "generation": self.generation}


def document_of(key: str) -> str:
    """Name of the document of a pool."""
    return f"agent-pools/{key}"


def read_recorded(documents: SafetyDocuments, index: SafetyIndex, key: str) -> tuple[RecordedAgentPool, ...]:
    """The recorded agent pools of a pool; an error where they cannot be read."""
    body = documents.load(document_of(key), index)
    return () if body is None else tuple(_recorded(entry, key) for entry in list_of(body, "recorded"))


def record(documents: SafetyDocuments, key: str, agent_pool: RecordedAgentPool) -> None:
    """Add an agent pool, in place of another id of the same organization and generation."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        others = [one for one in (_recorded(entry, key) for entry in list_of(body, "recorded")) if not _same(one)]
        return {**body, "recorded": [one.to_json() for one in sorted([*others, agent_pool])]}

    def _same(one: RecordedAgentPool) -> bool:
        return (one.organization, one.generation) == (agent_pool.organization, agent_pool.generation)

    documents.change(document_of(key), edit)


def _recorded(entry: Any, key: str) -> RecordedAgentPool:
    if not isinstance(entry, Mapping) or type(entry.get("id")) is not int:
        raise Rejected(f"safety store: the document {document_of(key)} is damaged; restore it")
    return RecordedAgentPool(text_of(entry, "organization"), entry["id"], text_of(entry, "generation"))

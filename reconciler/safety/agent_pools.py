"""What is recorded of the agent pools of one pool: ids by generation, what the operator began, what the owner approved.

A generation is one life of the ARM resource, named by the second of its `systemData.createdAt`: a pool that is deleted
and created again is another generation, and an agent pool that outlived the first one is not recorded for the second.

One document for each pool, ``agent-pools/{key}``, and one for each agent pool, which names the pool that has it
(``agent-pool-owners/{organization}/{id}``): an agent pool belongs to one pool. They decide what may be written, so a
value that cannot be read makes a whole document unreadable (`Rejected`) instead of being left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.documents import Json, moment, moment_of, text_of
from reconciler.errors import Refused, Rejected
from reconciler.safety.documents import SafetyDocuments, SafetyIndex

FORMAT = "agent-pools/v1"
KEPT = 5
"""Generations whose ids are kept, the newest; older ones serve no proof."""


@dataclass(frozen=True, slots=True)
class RecordedAgentPool:
    """The agent pool of one generation in one organization."""

    id: int
    proof: str
    """The word of the proof by which it was recorded (`reconciler.engine.proofs`)."""


@dataclass(frozen=True, slots=True)
class CreationIntent:
    """That the operator was about to have an agent pool created, and that none had its name at that moment."""

    organization: str
    agent_pool: str
    """Name."""
    generation: str
    """Of the ARM pool at that moment; empty where it did not exist."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Replacement:
    """That the operator was about to delete the ARM pool in order to create it again."""

    generation: str
    """The one that ended."""
    ids: Mapping[str, int]
    """Organization → agent pool that was its own."""
    at: datetime


@dataclass(frozen=True, slots=True)
class AgentPoolApproval:
    """That the owner approved one agent pool as the pool's own."""

    organization: str
    id: int
    generation: str | None
    """The one that it is for: empty where ARM does not say; None: the next one, while ARM holds no such pool."""
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AgentPools:
    """All that is recorded of one pool's agent pools; empty where nothing is."""

    ids: Mapping[str, Mapping[str, RecordedAgentPool]] = field(default_factory=dict)
    """Generation → organization → agent pool."""
    intents: tuple[CreationIntent, ...] = ()
    """The last one for each organization."""
    replacements: tuple[Replacement, ...] = ()
    """The last one for each generation."""
    approvals: tuple[AgentPoolApproval, ...] = ()

    def recorded(self, generation: str, organization: str) -> RecordedAgentPool | None:
        """The agent pool that is recorded for this generation."""
        return self.ids.get(generation, {}).get(organization)

    def intent(self, organization: str) -> CreationIntent | None:
        """The last intent to create an agent pool there."""
        return next((one for one in self.intents if one.organization == organization), None)

    def approval(self, organization: str, number: int) -> Iterator[AgentPoolApproval]:
        """The owner's approvals of this agent pool."""
        return (one for one in self.approvals if (one.organization, one.id) == (organization, number))

    # --- changed -----------------------------------------------------------------------------------------

    def with_recorded(self, generation: str, organization: str, found: RecordedAgentPool) -> AgentPools:
        """With the id; older generations than the newest few go, and so does the intent that it fulfils."""
        ids = {**self.ids, generation: {**self.ids.get(generation, {}), organization: found}}
        kept = sorted(ids)[-KEPT:]
        intents = tuple(one for one in self.intents if one.organization != organization)
        return replace(self, ids={one: ids[one] for one in kept}, intents=intents)

    def without(self, organization: str, number: int) -> AgentPools:
        """Without this agent pool, which the owner gave to another pool."""
        ids = {
            generation: {name: one for name, one in found.items() if (name, one.id) != (organization, number)}
            for generation, found in self.ids.items()
        }
        approvals = tuple(one for one in self.approvals if (one.organization, one.id) != (organization, number))
        ended = tuple(
            replace(one, ids={name: kept for name, kept in one.ids.items() if (name, kept) != (organization, number)})
            for one in self.replacements
        )
        return replace(self, ids={one: found for one, found in ids.items() if found}, approvals=approvals,
                       replacements=ended)  # fmt: skip

    def with_intent(self, intent: CreationIntent) -> AgentPools:
        """With the intent, in place of an earlier one for the organization."""
        others = tuple(one for one in self.intents if one.organization != intent.organization)
        return replace(self, intents=(*others, intent))

    def with_replacement(self, ended: Replacement) -> AgentPools:
        """With the replacement, in place of an earlier one of the generation."""
        others = tuple(one for one in self.replacements if one.generation != ended.generation)
        return replace(self, replacements=(*others, ended)[-KEPT:])

    def with_approval(self, approval: AgentPoolApproval) -> AgentPools:
        """With the approval, in place of an earlier one for the organization and generation."""
        key = (approval.organization, approval.generation)
        others = tuple(one for one in self.approvals if (one.organization, one.generation) != key)
        return replace(self, approvals=(*others, approval))

    # --- stored ------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {
            "apiVersion": FORMAT,
            "recorded": {
                generation: {name: {"id": one.id, "proof": one.proof} for name, one in sorted(found.items())}
                for generation, found in sorted(self.ids.items())
            },
            "intents": [
                {
                    "organization": one.organization,
                    "agentPool": one.agent_pool,
                    "generation": one.generation,
                    "at": moment(one.at),
                }
                for one in self.intents
            ],
            "replacements": [
                {"generation": one.generation, "ids": dict(one.ids), "at": moment(one.at)} for one in self.replacements
            ],
            "approvals": [
                {
                    "organization": one.organization,
                    "id": one.id,
                    "generation": one.generation,
                    "by": one.by,
                    "at": moment(one.at),
                }
                for one in self.approvals
            ],
        }

    @classmethod
    def from_json(cls, body: Json) -> AgentPools:
        """From the stored form; `Rejected` for anything that does not have it."""
        try:
            if body["apiVersion"] != FORMAT:
                raise Rejected(f"apiVersion is {body['apiVersion']!r}, known is {FORMAT}")
            return cls(
                {
                    _text(generation): {
                        _text(name): RecordedAgentPool(_whole(one["id"]), _text(one["proof"]))
                        for name, one in found.items()
                    }
                    for generation, found in body["recorded"].items()
                },
                tuple(
                    CreationIntent(
                        _text(one["organization"]), _text(one["agentPool"]), _text(one["generation"]), _at(one["at"])
                    )
                    for one in body["intents"]
                ),
                tuple(
                    Replacement(
                        _text(one["generation"]), {_text(n): _whole(i) for n, i in one["ids"].items()}, _at(one["at"])
                    )
                    for one in body["replacements"]
                ),
                tuple(
                    AgentPoolApproval(
                        _text(one["organization"]),
                        _whole(one["id"]),
                        None if one["generation"] is None else _text(one["generation"]),
                        _text(one["by"]),
                        _at(one["at"]),
                    )
                    for one in body["approvals"]
                ),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise Rejected(f"{type(error).__name__}: {error}") from None


# --- read and written ----------------------------------------------------------------------------------------


def document_of(key: str) -> str:
    """Name of the document of a pool."""
    return f"agent-pools/{key}"


def owner_document_of(organization: str, number: int) -> str:
    """Name of the document that says whose an agent pool is."""
    return f"agent-pool-owners/{organization}/{number}"


def read_agent_pools(documents: SafetyDocuments, index: SafetyIndex, key: str) -> AgentPools:
    """What is recorded of a pool; an error where it cannot be read."""
    body = documents.load(document_of(key), index)
    return AgentPools() if body is None else _agent_pools(body, key)


def read_owner(documents: SafetyDocuments, organization: str, number: int) -> str:
    """Key of the pool that has this agent pool; empty where none has. An error where it cannot be read."""
    name = owner_document_of(organization, number)
    body = documents.load(name, documents.index())
    return "" if body is None else _owner(body, name)


def change_agent_pools(documents: SafetyDocuments, key: str, edit: Callable[[AgentPools], AgentPools]) -> None:
    """Replace what is recorded of a pool."""

    def edit_body(body: dict[str, Any]) -> dict[str, Any]:
        return edit(_agent_pools(body, key) if body else AgentPools()).to_json()

    documents.change(document_of(key), edit_body)


def take(documents: SafetyDocuments, key: str, organization: str, number: int, *, approved: bool = False) -> str:
    """Write down that the agent pool is this pool's; returns the key of the pool that had it, if another one had.

    `Refused` where another pool has it, unless the owner approved.
    """
    name, former = owner_document_of(organization, number), [""]

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        owner = _owner(body, name) if body else key
        if owner != key and not approved:
            raise Refused(f"{key}: agent pool {organization}/{number} is recorded as pool {owner}'s")
        former[0] = owner if owner != key else ""
        return {"pool": key}

    documents.change(name, edit)
    return former[0]


def _owner(body: Mapping[str, Any], name: str) -> str:
    if not text_of(body, "pool"):
        raise Rejected(f"safety store: the document {name} is damaged; restore it")
    return text_of(body, "pool")


def _agent_pools(body: Json, key: str) -> AgentPools:
    try:
        return AgentPools.from_json(body)
    except Rejected as error:
        raise Rejected(f"safety store: the document {document_of(key)} is damaged ({error}); restore it") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _at(value: Any) -> datetime:
    found = moment_of(value)
    if found is None:
        raise TypeError(f"{value!r} is not a moment")
    return found

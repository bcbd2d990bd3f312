"""Changes of one plan that contradict or repeat each other: one of them is a bug, so none is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Never, TypeAlias

from reconciler.plan.model import Change
from reconciler.plan.targets import (
    AccessLevel,
    AutoProvision,
    CreatePool,
    DirectoryEntry,
    GroupMember,
    Inheritance,
    MovePool,
    NewQueue,
    OpenAccess,
    PipelineAuthorization,
    RepairedPipeline,
    ReplacePool,
    RestoredCheck,
    RoleAssignmentChange,
    Target,
    UpdatePool,
)

Finding: TypeAlias = tuple[str, str]
"""Rule and what is wrong, without the subject."""


def contradicting(changes: Sequence[Change]) -> dict[int, Finding]:
    """Changes that another one contradicts or repeats; both are refused, since one of them is a bug."""
    found: dict[int, Finding] = {}
    for group in _groups((change.id, change) for change in changes):
        if len(group) > 1:
            found.update({id(c): ("contradiction", f"{len(group)} changes are about this one subject") for c in group})
    for group in _groups((edge, change) for change in changes for edge in _edges(change.target)):
        if len({change.narrows for change in group}) > 1:
            found.update({id(c): ("contradiction", "the same plan widens and narrows this") for c in group})
    return found


def _groups(pairs: Iterator[tuple[Hashable, Change]]) -> list[list[Change]]:
    groups: dict[Hashable, list[Change]] = defaultdict(list)
    for key, change in pairs:
        groups[key].append(change)
    return list(groups.values())


def _edges(target: Target) -> Iterator[Hashable]:
    """What is granted or taken away, where, and from whom; an identity goes by its id and by its name."""
    match target:
        case RoleAssignmentChange(place=place):
            for person in {target.identity_id.casefold(), target.principal.casefold()} - {""}:
                yield RoleAssignmentChange, place.organization, place.resource, person
        case DirectoryEntry(place=place):
            yield RoleAssignmentChange, place.organization, place.resource, target.principal.casefold()
        case PipelineAuthorization(place=place):
            yield PipelineAuthorization, place.organization, place.resource, target.pipeline_id
        case OpenAccess(place=place) | Inheritance(place=place) | AutoProvision(place=place):
            yield type(target), place.organization, place.resource
        case NewQueue() | RestoredCheck() | RepairedPipeline() | AccessLevel() | GroupMember():
            pass  # nothing that another change could take back
        case CreatePool() | UpdatePool() | ReplacePool() | MovePool():
            pass
        case _:
            _unknown(target)


def _unknown(target: Never) -> None:
    """For a target of a type that is not known: mypy reports it, and `reconciler.plan.guards` refuses it."""

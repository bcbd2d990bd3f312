"""Which identity the deployed service has in each organization, so that no run from elsewhere locks it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.documents import text_of
from reconciler.errors import Rejected
from reconciler.safety.documents import SafetyDocuments

DOCUMENT = "operators"


@dataclass(frozen=True, slots=True)
class RecordedOperator:
    """The service's identity in one organization."""

    id: str
    """Local id."""
    name: str


def all_recorded(documents: SafetyDocuments) -> dict[str, RecordedOperator]:
    """Organization → the service's identity there. Raises where it is unreadable."""
    body = documents.load(DOCUMENT, documents.index()) or {}
    found = body.get("organizations", {})
    if not isinstance(found, Mapping):
        raise Rejected(f"safety store: the document {DOCUMENT} is damaged; restore it")
    return {organization: _entry(found[organization]) for organization in sorted(found)}


def recorded_operators(documents: SafetyDocuments, organization: str) -> dict[str, str]:
    """Local id → name of the service's identity there; empty where none is recorded. Raises where it is unreadable."""
    found = all_recorded(documents).get(organization)
    return {} if found is None else {found.id: found.name}


def record_operator(documents: SafetyDocuments, organization: str, identity: str, name: str) -> None:
    """Record the service's identity in an organization, in place of another one; writes only what is new."""
    if recorded_operators(documents, organization) == {identity: name}:
        return

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        known = body.get("organizations")
        others = dict(known) if isinstance(known, Mapping) else {}
        return {**body, "organizations": {**others, organization: {"id": identity, "name": name}}}

    documents.change(DOCUMENT, edit)


def forget_operator(documents: SafetyDocuments, organization: str) -> RecordedOperator | None:
    """Drop what is recorded for an organization, and return it; None where nothing was."""
    dropped = all_recorded(documents).get(organization)
    if dropped is None:
        return None

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        known = {name: entry for name, entry in body["organizations"].items() if name != organization}
        return {**body, "organizations": known}

    documents.change(DOCUMENT, edit)
    return dropped


def _entry(entry: Any) -> RecordedOperator:
    if not isinstance(entry, Mapping) or not text_of(entry, "id"):
        raise Rejected(f"safety store: the document {DOCUMENT} is damaged; restore it")
    return RecordedOperator(text_of(entry, "id"), text_of(entry, "name"))

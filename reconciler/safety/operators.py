"""Which identity the deployed service has in each organization, so that no run from elsewhere locks it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.documents import text_of
from reconciler.errors import Rejected
from reconciler.safety.documents import SafetyDocuments

DOCUMENT = "operators"


def recorded_operators(documents: SafetyDocuments, organization: str) -> dict[str, str]:
    """Local id → name of the service's identity there; empty where none is recorded. Raises where it is unreadable."""
    body = documents.load(DOCUMENT, documents.index()) or {}
    found = body.get("organizations", {})
    if not isinstance(found, Mapping):
        raise Rejected(f"safety store: the document {DOCUMENT} is damaged; restore it")
    if organization not in found:
        return {}
    entry = found[organization]
    if not isinstance(entry, Mapping) or not text_of(entry, "id"):
        raise Rejected(f"safety store: the document {DOCUMENT} is damaged; restore it")
    return {text_of(entry, "id"): text_of(entry, "name")}


def record_operator(documents: SafetyDocuments, organization: str, identity: str, name: str) -> None:
    """Record the service's identity in an organization, in place of another one; writes only what is new."""
    if recorded_operators(documents, organization) == {identity: name}:
        return

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        known = body.get("organizations")
        others = dict(known) if isinstance(known, Mapping) else {}
        return {**body, "organizations": {**others, organization: {"id": identity, "name": name}}}

    documents.change(DOCUMENT, edit)

"""The spec that was approved last for a pool: in mode `approved`, drift is corrected to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from reconciler.documents import moment, text_of
from reconciler.errors import Rejected
from reconciler.safety.documents import SafetyDocuments, SafetyIndex


@dataclass(frozen=True, slots=True)
class ApprovedSpec:
    """The content of a spec file that the owner approved."""

    blob: str
    """Git's id of the content."""
    path: str
    """File below the prefix."""
    text: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was approved for one pool."""

    spec: ApprovedSpec | None = None


def document_of(key: str) -> str:
    """Name of the document of a pool."""
    return f"approvals/{key}"


def read_approvals(documents: SafetyDocuments, index: SafetyIndex, key: str) -> Approvals:
    """What was approved for a pool; an error where it cannot be read."""
    body = documents.load(document_of(key), index)
    found = None if body is None else body.get("spec")
    if found is None:
        return Approvals()
    if not isinstance(found, Mapping) or not text_of(found, "blob") or not text_of(found, "text"):
        raise Rejected(f"safety store: the document {document_of(key)} is damaged; approve the plan again")
    names = ("blob", "path", "text", "by", "at")
    return Approvals(ApprovedSpec(*(text_of(found, name) for name in names)))


def approve_spec(
    documents: SafetyDocuments, key: str, *, blob: str, path: str, text: str, by: str, at: datetime
) -> None:
    """Store a spec as the approved one; `approve` calls it together with its own entry."""
    spec = asdict(ApprovedSpec(blob, path, text, by, moment(at)))

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "spec": spec}

    documents.change(document_of(key), edit)

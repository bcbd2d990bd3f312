"""A plan as a JSON document; `docs/plan.schema.json` describes it, and a test holds the two together.

Values are given whole (the other forms cut them) and redacted; the text of the document is pure ASCII, so it is
harmless on a terminal all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler import documents
from reconciler.documents import Json
from reconciler.documents.redaction import redacted
from reconciler.plan.model import Change, Gap, Plan, Refusal
from reconciler.plan.render import words
from reconciler.plan.sync import SyncCause

FORMAT = "reconciler/plans/v2"
"""Changes when a reader of the document has to."""


def to_json(plan: Plan, cause: SyncCause = SyncCause.UNKNOWN) -> dict[str, Json]:
    """One plan as a document; `cause`: why the pool is out of sync."""
    document: dict[str, Json] = {
        "pool": plan.pool,
        "revision": plan.revision,
        "hash": plan.hash if plan.checked else None,
        "ownership": "checked" if plan.checked else "not checked",
        "inSync": plan.in_sync,
        "outOfSync": None if plan.in_sync else cause.value,
        "state": words.state(plan, cause),
        "summary": words.counts(plan),
        "changes": [_change(change) for change in plan.changes],
        "following": [_change(change) for change in plan.following],
        "refusals": [_refusal(refusal) for refusal in plan.refusals],
        "gaps": [_gap(gap) for gap in plan.gaps],
        "notApplied": list(plan.not_applied),
        "remarks": [{"facet": one.facet, "subject": one.subject, "message": one.message} for one in plan.remarks],
    }
    return {name: redacted(value) for name, value in document.items()}


def plans_to_json(
    plans: Sequence[tuple[Plan, SyncCause]], unnamed: Mapping[str, tuple[str, str]] | None = None
) -> dict[str, Json]:
    """The document of ``plan --output json``: plans with why their pools are out of sync, in the order given.

    `unnamed`: pools with a stored status that no spec names, with reason and text.
    """
    rows = [{"pool": name, "reason": why, "message": text} for name, (why, text) in (unnamed or {}).items()]
    return {
        "format": FORMAT,
        "inSync": all(plan.in_sync for plan, _ in plans),
        "summary": list(words.total([plan for plan, _ in plans], ()))[-1],
        "plans": [to_json(plan, cause) for plan, cause in plans],
        "unnamed": redacted(rows),
    }


def json_text(document: Json) -> str:
    """A document as text: two spaces, keys in the order given, ASCII alone."""
    return documents.json_text(document, indent=2)


def _change(change: Change) -> dict[str, Json]:
    return {"id": change.id, **change.to_json()}


def _refusal(refusal: Refusal) -> dict[str, Json]:
    return {"change": _change(refusal.change), "rule": refusal.rule, "message": refusal.message}


def _gap(gap: Gap) -> dict[str, Json]:
    return {
        "facet": gap.facet,
        "subject": gap.subject,
        "kind": gap.kind.value,
        "reason": gap.reason,
        "message": gap.message,
        "retryAfter": gap.retry_after,
        "foreseen": gap.foreseen,
    }

"""What one write sets, by names that plan and record share: the subject, or each field of an ARM body."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.documents import Json, JsonObject, text_of
from reconciler.engine.naming import without_names
from reconciler.plan.model import Change


def values_of(change: Change) -> dict[str, Json]:
    """Name of each field → the value that the change gives it."""
    if not change.details:
        return {fields_of(change)[0]: change.after}
    return dict(zip(fields_of(change), (detail.after for detail in change.details), strict=True))


def values_of_entry(entry: JsonObject) -> dict[str, tuple[Json, Json]]:
    """Name of each field → its value before and after, as an entry has them."""
    details = [one for one in entry.get("details") or () if isinstance(one, Mapping)]
    if not details:
        return {fields_of_entry(entry)[0]: (entry.get("before"), entry.get("after"))}
    named = zip(fields_of_entry(entry), details, strict=True)
    return {name: (one.get("before"), one.get("after")) for name, one in named}


def fields_of(change: Change) -> list[str]:
    """What one may fight over: the subject, or each field of an ARM body. People stand by their ids."""
    subject = without_names(change, f"{change.facet}:{change.kind}:{change.subject}")
    return [f"{subject} {detail.path}" for detail in change.details] or [subject]


def fields_of_entry(entry: JsonObject) -> list[str]:
    """The same of an entry of the record."""
    subject = ":".join(text_of(entry, name) for name in ("facet", "what"))
    place = entry.get("place") or {}
    shown = text_of(entry, "subject")
    principal, local = (text_of(place, name) for name in ("principal", "identityId"))
    if principal and local and not principal.startswith("["):
        shown = shown.replace(principal, local)
    subject = f"{subject}:{without_names(None, shown)}"
    details = [text_of(one, "path") for one in entry.get("details") or () if isinstance(one, Mapping)]
    return [f"{subject} {path}" for path in details] or [subject]

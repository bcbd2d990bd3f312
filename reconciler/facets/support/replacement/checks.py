"""A check as a line of the plan, without secrets; whether it can be added to a new queue; and whether it is there.

Inputs of task checks (an Azure function's key, headers of a REST call) may hold secrets in any form, and the service
does not return secret ones, so only those of the two built-in checks that hold none are shown and sent; of others the
names are shown. Types and bodies: vsts-rest-api-specs approvalsAndChecks 7.2, pipelinesChecks, whose examples are an
approval and business hours on a queue; the exclusive lock: terraform-provider-azuredevops, check_exclusive_lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.documents import Json
from reconciler.documents.redaction import redact
from reconciler.ports.devops import QueueCheck

APPROVAL, TASK, LOCK = (
    "8c6f20a7-a545-4486-9777-f762fafe0d4d",
    "fe1de3ee-a436-41b4-bb20-f6eb4cb879a7",
    "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563",
)
"""Ids of the types."""
_PEOPLE = ("approvers", "blockedApprovers")
_PLAIN_INPUTS = frozenset({"evaluatebusinesshours", "evaluatebranchprotection"})
"""Names of the task definitions of the checks "Business Hours" and "Branch control"."""
_ELSEWHERE = frozenset({"displayName", "definitionRef", "inputs"})


def described(check: QueueCheck) -> str:
    """``Approval (approvers Ann Arbor; minRequiredApprovers 1; timeout 43200 minutes)``."""
    name = check.settings.get("displayName")
    title = f"{check.kind} {name}" if isinstance(name, str) and name else check.kind
    parts = [*_settings(check.settings), *([] if check.timeout is None else [f"timeout {check.timeout} minutes"])]
    return redact(f"{title} ({'; '.join(parts)})" if parts else title)


def obstacle(check: QueueCheck) -> str:
    """Why the check cannot be added to another queue; empty where it can."""
    if check.disabled:
        return "it is disabled, and whether a new check can be is not published"
    if check.type_id == APPROVAL:
        people = [one for name in _PEOPLE for one in _entries(check.settings.get(name))]
        named = all(isinstance(one, Mapping) and isinstance(one.get("id"), str) and one["id"] for one in people)
        if not named or not _entries(check.settings.get("approvers")):
            return "the service names no ids of its approvers"
        return ""
    if check.type_id == TASK:
        plain = _definition(check.settings).casefold() in _PLAIN_INPUTS
        return "" if plain else "its inputs may be secrets, which cannot be read"
    return "" if check.type_id == LOCK else "its type is unknown to this release"


def sendable(check: QueueCheck) -> dict[str, Json]:
    """The settings as they are added to another queue: as they were read, of people id and display name."""
    return _with_people(check.settings, ("displayName", "id"))


def _with_people(settings: Mapping[str, Json], fields: Sequence[str]) -> dict[str, Json]:
    found = {name: value for name, value in settings.items() if value is not None}
    for name in _PEOPLE:
        if name in found:
            people = (one for one in _entries(found[name]) if isinstance(one, Mapping))
            sent = [{field: one[field] for field in fields if one.get(field)} for one in people]
            found[name] = [one for place, one in enumerate(sent) if one not in sent[:place]]  # an answer had each twice
    return found


def alike(owed: QueueCheck, found: QueueCheck) -> bool:
    """Whether both are of one kind; of task checks also by what they run."""
    ours, theirs = (_definition(one.settings).casefold() for one in (owed, found))
    return owed.type_id == found.type_id and (owed.type_id != TASK or ours == theirs)


def there(owed: QueueCheck, found: QueueCheck) -> bool:
    """Whether a check is the owed one: everything that was sent is there, whatever the service has beside it."""
    if found.disabled or not alike(owed, found) or obstacle(found):
        return False
    timeouts = owed.timeout is None or owed.timeout == found.timeout
    return timeouts and _within(_with_people(owed.settings, ("id",)), _with_people(found.settings, ("id",)))


def _within(ours: Json, theirs: Json) -> bool:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(_within(value, theirs.get(name)) for name, value in ours.items())
    # What is empty may come back as nothing.
    return bool(ours == theirs or (ours in ([], {}, "") and theirs is None))


def _entries(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _definition(settings: Mapping[str, Json]) -> str:
    reference = settings.get("definitionRef")
    return str(reference.get("name") or "") if isinstance(reference, Mapping) else ""


def _settings(settings: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(settings.keys() - _ELSEWHERE):
        if settings[name] not in (None, [], {}):
            yield f"{name} {_shown(settings[name])}"
    definition = _definition(settings)
    if definition:
        yield f"definition {definition}"
    inputs = settings.get("inputs")
    if isinstance(inputs, Mapping) and inputs:
        plain = definition.casefold() in _PLAIN_INPUTS
        yield from (f"{name} {_shown(inputs[name])}" if plain else f"{name} not shown" for name in sorted(inputs))


def _shown(value: Json) -> str:
    """A simple value, or the names in a list of people; anything else is not shown."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list):
        names = [_name(one) for one in value]
        return ", ".join(name for name in names if name) if all(names) else f"{len(value)} entries, not shown"
    return "not shown"


def _name(one: Json) -> str:
    if isinstance(one, Mapping):
        return str(one.get("uniqueName") or one.get("displayName") or "")
    return one if isinstance(one, str) else ""

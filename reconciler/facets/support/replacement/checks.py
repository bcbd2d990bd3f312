"""A check as a line of the plan: enough to add it again by hand, and nothing that may be a secret.

Inputs of task checks (an Azure function's key, headers of a REST call) may hold secrets in any form, so only those of
the two built-in checks that hold none are shown; of others the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.documents import Json
from reconciler.documents.redaction import redact
from reconciler.ports.devops import QueueCheck

_PLAIN_INPUTS = frozenset({"evaluatebusinesshours", "evaluatebranchprotection"})
"""Names of the task definitions of the checks "Business Hours" and "Branch control"."""
_ELSEWHERE = frozenset({"displayName", "definitionRef", "inputs"})


def described(check: QueueCheck) -> str:
    """``Approval (approvers Ann Arbor; minRequiredApprovers 1; timeout 43200 minutes)``."""
    name = check.settings.get("displayName")
    title = f"{check.kind} {name}" if isinstance(name, str) and name else check.kind
    parts = [*_settings(check.settings), *([] if check.timeout is None else [f"timeout {check.timeout} minutes"])]
    return redact(f"{title} ({'; '.join(parts)})" if parts else title)


def _settings(settings: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(settings.keys() - _ELSEWHERE):
        if settings[name] not in (None, [], {}):
            yield f"{name} {_shown(settings[name])}"
    reference = settings.get("definitionRef")
    definition = str(reference.get("name") or "") if isinstance(reference, Mapping) else ""
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

"""Changes in Azure DevOps: from audit entries to hints, from hints to pool keys.

The same entries come two ways: through an audit stream to Event Grid, whose payload is not published (one entry, a
list, or an object with a list are all accepted), and by polling the audit log. An entry names an organization and
often a project; which pools are concerned follows from the specs, and for a project that was renamed since, from the
ids that the pool's status remembers. Action ids and their data: Microsoft Learn, "Auditing events list"; the entry's
fields: the audit document of the Azure DevOps REST specifications, 7.2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from reconciler.documents import Json
from reconciler.service.events.envelope import decode, envelope
from reconciler.service.events.pools import Keys
from reconciler.spec.model import Organization, Spec
from reconciler.survey.names import RememberedNames, key

_PROJECT = frozenset(
    {
        "project.createcompleted",
        "project.updaterenamecompleted",
        "project.softdeletecompleted",
        "project.harddeletecompleted",
        "project.restorecompleted",
    }
)
_POOL = frozenset({"library.agentpoolcreated", "library.agentpooldeleted"})
_RESOURCE = re.compile(r"^pipelines\.resource(not|un)?authorizedfor(project|pipeline)$")
_RESOURCE_TYPES = frozenset({"", "queue", "agentpool"})
_SECURITY = frozenset(
    f"security.{name}"
    for name in (
        "modifypermission",
        "removepermission",
        "resetpermission",
        "modifyaccesscontrollists",
        "removeaccesscontrollists",
        "resetaccesscontrollists",
        "removeidentityaces",
        "removeallaccesscontrollists",
    )
)
_LISTS = ("decoratedAuditLogEntries", "auditLogEntries", "entries", "events", "records", "value")


@dataclass(frozen=True, slots=True)
class Hint:
    """Where something changed; an empty field is unknown and matches everything."""

    organization: str = ""
    project: str = ""
    """Project name, as the entry has it."""
    project_id: str = ""
    """Lower case."""
    agent_pool: str = ""
    new_project: bool = False
    """The name may be in no spec yet, or the new name of a project that is."""


Remembered = Callable[[str], RememberedNames]
"""Key of a pool → what its names stood for. Called once for a pool, and only where an entry's project is in no list."""


def audit_keys(body: bytes | str, specs: Sequence[Spec], remembered: Remembered) -> Keys:
    """Keys of the pools that a delivery of the audit stream concerns."""
    items, problem = decode(body)
    entries = [entry for item in items for entry in _unwrapped(item)]
    return _concerned(entries, specs, remembered, Counter([problem] if problem else []))


def entries_of(body: bytes | str) -> list[Json]:
    """The entries of a delivery of the audit stream, as they are."""
    return [entry for item in decode(body)[0] for entry in _unwrapped(item)]


def log_keys(entries: Iterable[Json], specs: Sequence[Spec], remembered: Remembered, organization: str) -> Keys:
    """Keys of the pools that entries of one organization's polled audit log concern."""
    return _concerned(list(entries), specs, remembered, Counter(), organization)


def hint_of(entry: Json, organization: str = "") -> Hint | None:
    """The hint of one entry; None where it concerns neither pools nor their projects."""
    if not isinstance(entry, dict):
        return None
    action = _text(entry, "actionId").lower()
    data = entry.get("data")
    data = data if isinstance(data, dict) else {}
    where = organization or organization_of(entry)
    project = _text(entry, "projectName") or _text(data, "ProjectName")
    project_id = (_text(entry, "projectId") or _text(data, "ProjectId")).lower()
    if action in _PROJECT:
        return Hint(where, project, project_id, new_project=True)
    if action in _POOL:
        return Hint(where, agent_pool=_text(data, "AgentPoolName"))
    if _RESOURCE.match(action) and _text(data, "ResourceType").lower() in _RESOURCE_TYPES:
        return Hint(where, project, project_id)
    if action in _SECURITY and _text(data, "NamespaceName").lower() in ("", "distributedtask"):
        return Hint(where)
    return None


def concerned(hint: Hint, spec: Spec, remembered: Remembered) -> bool:
    """Whether a hint may concern a pool."""
    return any(_touches(hint, organization, lambda: remembered(spec.key)) for organization in spec.organizations)


def _touches(hint: Hint, organization: Organization, remembered: Callable[[], RememberedNames]) -> bool:
    if hint.organization and hint.organization != organization.name:
        return False
    alias_known, projects_known = ("alias" not in organization.silent), ("projects" not in organization.silent)
    if hint.agent_pool and alias_known and hint.agent_pool.casefold() != organization.agent_pool.casefold():
        return False
    if not hint.project or hint.new_project or not projects_known or not organization.projects:
        return True
    if hint.project.casefold() in {name.casefold() for name in organization.projects}:
        return True
    listed = {key(organization.name, name) for name in organization.projects}
    return bool(hint.project_id) and any(
        number.lower() == hint.project_id and name.casefold() in listed
        for name, number in remembered().projects.items()
    )


def _concerned(
    entries: Sequence[Json],
    specs: Sequence[Spec],
    remembered: Remembered,
    dropped: Counter[str],
    organization: str = "",
) -> Keys:
    hints, known = set(), cache(remembered)
    for entry in entries:
        hint = hint_of(entry, organization)
        if hint is None:
            dropped["not about pools, their projects or their rights"] += 1
        else:
            hints.add(hint)
    keys = {spec.key for spec in specs if any(concerned(hint, spec, known) for hint in hints)}
    return Keys(tuple(sorted(keys)), dict(dropped))


def _unwrapped(item: Json) -> list[Json]:
    """Audit entries of an event, or of an item that came without an envelope."""
    event = None if isinstance(item, dict) and "actionId" in item else envelope(item)
    return _entries(item if event is None else event.data)


def _entries(data: Json) -> list[Json]:
    """Audit entries in a payload: itself, a list, or under one of the names such lists have."""
    if isinstance(data, list):
        return [entry for item in data for entry in _entries(item)]
    if not isinstance(data, dict):
        return [data]
    for name in _LISTS:
        inner = data.get(name)
        if "actionId" not in data and isinstance(inner, list | dict):
            return _entries(inner)
    return [data]


def organization_of(entry: dict[str, Json]) -> str:
    """Bare name: `scopeDisplayName` reads ``fabrikam (Organization)`` in the published example."""
    if _text(entry, "scopeType").lower() not in ("", "organization", "enterprise"):
        return ""
    return _text(entry, "scopeDisplayName").split(" (", 1)[0].strip().lower()


def _text(document: dict[str, Json], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""

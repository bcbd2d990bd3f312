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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache

from reconciler.documents import Json, moment_of, text_of
from reconciler.service.events.envelope import decode, envelope
from reconciler.service.events.pools import ChangedPlace, Keys
from reconciler.service.queue.requests import Concern, group_of
from reconciler.spec.model import Organization, Spec
from reconciler.survey import scopes
from reconciler.survey.names import RememberedNames, key
from reconciler.survey.scopes import Scope

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


_LONGEST = 19
"""Digits of an id; more are none."""
_MEMBERSHIP = "group.updategroupmembership"
_POOL_TOKEN = re.compile(r"agentpools(?:/(?P<pool>[0-9]{1,18}))?")
_QUEUE_TOKEN = re.compile(r"agentqueues/(?P<project>[0-9a-f-]{36})(?:/(?P<queue>[0-9]{1,18}))?")
"""Tokens of access control lists in the namespace DistributedTask; community scripts agree on them."""


class What(StrEnum):
    """What an entry is about."""

    PROJECT = "project"
    """A project as a whole: created, renamed, deleted, restored."""
    QUEUE = "queue"
    """Access to, or roles on, a queue or all queues of a project."""
    AGENT_POOL = "agent pool"
    ROLES = "roles"
    MEMBERS = "members"
    """Who is in which group: no pool's desired state, but what it is judged by."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Where something changed; an empty field is unknown and matches everything."""

    organization: str = ""
    project: str = ""
    """Project name, as the entry has it."""
    project_id: str = ""
    """Lower case."""
    agent_pool: str = ""
    what: What = What.QUEUE
    number: int = 0
    """Id of the queue or the agent pool; 0: any."""
    by: str = ""
    """Local id of who did it, lower case."""

    @property
    def new_project(self) -> bool:
        """Whether the name may be in no spec yet, or is the new name of a project that is in one."""
        return self.what is What.PROJECT

    def places(self, organization: str) -> tuple[Scope, ...]:
        """Where to look first, in this organization."""
        project = self.project_id or self.project
        inside = scopes.project(organization, project, queue=self.number) if project else None
        match self.what:
            case What.MEMBERS:
                return (scopes.members(organization),)
            case What.AGENT_POOL:
                return (scopes.agent_pools(organization),)
            case What.ROLES:
                return (scopes.roles(organization, agent_pool=self.number),)
            case What.PROJECT if inside is not None:
                return (scopes.projects(organization), inside)
            case _:
                return (inside or scopes.organization(organization),)


Remembered = Callable[[str], RememberedNames]
"""Key of a pool → what its names stood for. Called once for a pool, and only where an entry's project is in no list."""
Operator = Callable[[str], str]
"""Organization → the local id that the operator has there, lower case; empty where it is not known."""


Left = Callable[[Iterable[ChangedPlace]], Collection[ChangedPlace]]
"""The operator's own changes → those of them whose place was not verified since."""


def _unknown(_organization: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Own:
    """How the operator's own changes are told from others, and which of them are done."""

    operator: Operator = _unknown
    left: Left = tuple


def audit_keys(body: bytes | str, specs: Sequence[Spec], remembered: Remembered, own: Own = Own()) -> Keys:
    """The pools that a delivery of the audit stream concerns, beside echoes of the operator's own writes."""
    items, problem = decode(body)
    entries = [entry for item in items for entry in _unwrapped(item)]
    return _concerned(entries, specs, remembered, own, unread=problem)


def entries_of(body: bytes | str) -> list[Json]:
    """The entries of a delivery of the audit stream, as they are."""
    return [entry for item in decode(body)[0] for entry in _unwrapped(item)]


def log_keys(
    entries: Iterable[Json],
    specs: Sequence[Spec],
    remembered: Remembered,
    organization: str,
    own: Own = Own(),
) -> Keys:
    """The same of entries of one organization's polled audit log."""
    return _concerned(list(entries), specs, remembered, own, organization)


def hint_of(entry: Json, organization: str = "") -> Hint | None:
    """The hint of one entry; None where it concerns neither pools nor their projects."""
    if not isinstance(entry, dict):
        return None
    action = text_of(entry, "actionId").lower()
    data = entry.get("data")
    data = data if isinstance(data, dict) else {}
    by = text_of(entry, "actorUserId").lower()
    hint = Hint(
        organization or organization_of(entry),
        text_of(entry, "projectName") or text_of(data, "ProjectName"),
        _project_id(text_of(entry, "projectId")) or _project_id(text_of(data, "ProjectId")),
        by=by,
    )
    return _judged(hint, action, data)


def _judged(hint: Hint, action: str, data: dict[str, Json]) -> Hint | None:
    """What the action makes of the hint; None where it is none of ours."""
    kind = text_of(data, "ResourceType").lower()
    if action in _PROJECT:
        return replace(hint, what=What.PROJECT)
    if action in _POOL:
        return Hint(hint.organization, agent_pool=text_of(data, "AgentPoolName"), what=What.AGENT_POOL, by=hint.by)
    if _RESOURCE.match(action) and kind in _RESOURCE_TYPES:
        return replace(hint, number=_number(data.get("ResourceId")) if kind == "queue" else 0)
    if action in _SECURITY and text_of(data, "NamespaceName").lower() in ("", "distributedtask"):
        return _of_token(hint.organization, text_of(data, "Token").lower().strip("/"), hint.by)
    if action == _MEMBERSHIP or action.startswith(f"{_MEMBERSHIP}."):
        return Hint(hint.organization, what=What.MEMBERS, by=hint.by)
    return None


def _of_token(organization: str, token: str, by: str) -> Hint:
    if found := _QUEUE_TOKEN.fullmatch(token):
        return Hint(organization, project_id=found["project"], number=int(found["queue"] or 0), by=by)
    pool = _POOL_TOKEN.fullmatch(token)
    return Hint(organization, what=What.ROLES, number=int(pool["pool"] or 0) if pool else 0, by=by)


def _project_id(text: str) -> str:
    """Lower case; entries about no project have an id of zeros."""
    return "" if not text.strip("0-") else text.lower()


def _number(value: Json) -> int:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST else 0


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
    own: Own,
    organization: str = "",
    *,
    unread: str = "",
) -> Keys:
    hints, dropped = _hints(entries, organization)
    if unread:
        dropped[unread] += 1
    known_names, operator = cache(remembered), cache(own.operator)

    @cache
    def touched(place: Hint) -> Sequence[Spec]:
        return [spec for spec in specs if concerned(place, spec, known_names)]

    used = sorted({one.name for spec in specs for one in spec.organizations})
    changes = {hint: tuple(_changes(hint, at, used, operator)) for hint, at in hints.items()}
    every = [one for found in changes.values() for one in found]
    left = set(own.left(one for one in every if one.own))
    concerns = [
        _concern(hint, spec, hints[hint])
        for hint, found in changes.items()
        if hint.what is not What.MEMBERS and not all(one.own and one not in left for one in found)
        for spec in touched(replace(hint, number=0, by=""))
    ]
    if echoes := sum(one.own and one not in left for one in every):
        dropped["an echo of the operator's own write"] += echoes
    return Keys(tuple(sorted(concerns, key=lambda one: one.key)), dict(dropped), changes=tuple(every))


def _hints(entries: Sequence[Json], organization: str) -> tuple[dict[Hint, datetime | None], Counter[str]]:
    """Each hint once, with its last moment; and why the other entries are none."""
    found: dict[Hint, datetime | None] = {}
    dropped: Counter[str] = Counter()
    for entry in entries:
        hint = hint_of(entry, organization)
        if hint is None:
            dropped["not about pools, their projects or their rights"] += 1
        else:
            at = moment_of(entry.get("timestamp"))
            # Without a moment it may have happened at any time: that is the latest there is.
            known = found.get(hint, at)
            found[hint] = max(at, known) if at is not None and known is not None else None
    return found, dropped


def _changes(hint: Hint, at: datetime | None, used: Sequence[str], operator: Operator) -> Iterator[ChangedPlace]:
    own = bool(hint.by and hint.organization) and hint.by == operator(hint.organization)
    for name in (hint.organization,) if hint.organization else used:
        for place in hint.places(name):
            yield ChangedPlace(name, place.text(), at, own)


def _concern(hint: Hint, spec: Spec, at: datetime | None) -> Concern:
    """An agent pool that came or went takes its queues with it, of which no entry tells: that is the whole pool."""
    whole = hint.what is What.AGENT_POOL or not hint.organization
    places = frozenset() if whole else frozenset(one.text() for one in hint.places(hint.organization))
    return Concern(spec.key, group_of(spec), places, at)


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
    if text_of(entry, "scopeType").lower() not in ("", "organization", "enterprise"):
        return ""
    return text_of(entry, "scopeDisplayName").split(" (", 1)[0].strip().lower()

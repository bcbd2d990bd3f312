"""Drafts the spec of one observed pool. Pure.

ARM's document is taken over, without what the service sets by itself. `openAccess` and `permissionProfile` are written
as Azure DevOps shows them, since ARM does not keep them up to date (Microsoft Learn:
managed-devops-pools/configure-security). What no spec can hold, and each fact that could not be read, is a comment at
its place; a project of which a fact is missing is out of the spec's reach (`access.withoutQueue`), so that nothing is
written there by guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler.documents import Json
from reconciler.spec.access import QUEUE_ROLES
from reconciler.spec.problem import Finding, spell
from reconciler.spec.shapes import Shaping
from reconciler.tools.import_.observe import (
    Fact,
    ImportedPool,
    ObservedOrganization,
    ObservedProject,
    UnreadFact,
    profile_of,
)
from reconciler.tools.spec_writer import Draft, settled

PROFILE = ("pool", "properties", "organizationProfile")
_BODY = ("location", "tags", "identity", "properties")
_OF_THE_SERVICE = ("id", "name", "type", "systemData", "etag")
_AS_FOUND = "as found at the import"
_INHERITS = {"Inherit": True, "CreatorOnly": False}
_ABOUT_ROLES = frozenset({Fact.OPERATOR, Fact.ADMINISTRATORS, Fact.INHERITANCE, Fact.ACCOUNTS, Fact.NAME})
"""Facts of an organization that stand below `access.roles`."""


def draft_spec(found: ImportedPool, mode: str = "report", *, access_only: bool = False) -> Draft:
    """The spec of one pool; its plan is empty unless a comment says why not.

    `access_only` leaves the ARM body to the tool that has it: of it the organizations are named and what holds in Azure
    DevOps alone, and the projects stay as ARM has them.
    """
    body, dropped = body_of(found.document)
    document: dict[str, Json] = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": found.name,
        "subscription": found.subscription,
        "resourceGroup": found.group,
        "mode": mode,
        "pool": body,
    }
    draft = Draft(document)
    for path, why in () if access_only else dropped:
        draft.leave_out(("pool",), f"{spell(path)} {why}")
    if mode == "report":
        draft.note(("mode",), "report shows differences and writes nothing; enforce repairs them")
    state = str((found.document.get("properties") or {}).get("provisioningState") or "Succeeded")
    if state.casefold() != "succeeded":
        draft.note(("pool",), f"provisioningState is {state}: the plan writes the pool again, or waits")
    if found.organizations:
        _permissions(draft, found)
        _access(draft, found.organizations)
    if access_only:
        _leave_body(document)
    return settled(draft)


def _leave_body(document: dict[str, Json]) -> None:
    """Of the ARM body only what `facets.support.mutability` has as *only through Azure DevOps*, and what that needs."""
    profile = document["pool"]["properties"].get("organizationProfile", {})
    for organization in profile.get("organizations", ()):
        for key in organization.keys() - {"url", "alias", "openAccess"}:
            del organization[key]
    document["pool"] = {"properties": {"organizationProfile": profile}} if profile.get("organizations") else {}


def body_of(document: Mapping[str, Json]) -> tuple[dict[str, Json], list[Finding]]:
    """The body of the spec; and what the resource has beside it, or twice, which no spec can hold."""
    shaping = Shaping(trace={})
    shaped = shaping.pool({key: document[key] for key in _BODY if document.get(key)}, ())
    others = sorted(key for key, value in document.items() if key not in (*_BODY, *_OF_THE_SERVICE))
    dropped: list[Finding] = [((key,), "is no part of a spec") for key in others if _cleaned(document[key])]
    body: dict[str, Json] = _cleaned(shaped)
    profile = body.get("properties", {}).get("organizationProfile", {})
    profile.pop("permissionProfile", None)
    for organization in profile.get("organizations", ()):
        organization.pop("openAccess", None)
        if not organization.get("parallelism"):
            organization.pop("parallelism", None)  # the service returns 0 where none was set
        if profile.get("kind") == "AzureDevOps":
            organization.setdefault("projects", [])
    twice = [one for one in shaping.findings if "given twice" in one[1]]  # the others are still there, and named later
    return body, [*twice, *dropped]


def _cleaned(value: Json) -> Json:
    """Without nulls and empty parts, which manage nothing: the service fills them in. `projects` stays."""
    if isinstance(value, dict):
        items = {key: _cleaned(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in items.items() if item not in ([], {}, "") or _meaningful_when_empty(key)}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _meaningful_when_empty(key: str) -> bool:
    """All projects, settings without certificates, the value of an identity."""
    return key in ("projects", "observedCertificates") or "/" in key


# --- roles --------------------------------------------------------------------------------------------


def _permissions(draft: Draft, found: ImportedPool) -> None:
    given = profile_of(found.document).get("permissionProfile")
    switches = {one.inherits for one in found.organizations}
    kind = "Inherit" if switches == {True} else "CreatorOnly" if switches == {False} else ""
    path = (*PROFILE, "permissionProfile")
    chosen: Json = {"kind": kind} if kind else None
    holds = _holds(given, found.organizations) if given else None
    if given and holds:
        chosen = {key: value for key, value in given.items() if value}
    elif given and holds is None:
        draft.note(path, f"ARM has {_spelled(given)}; whether it holds was not read, so it is not managed")
        chosen = None
    elif given:
        draft.note(path, f"ARM has {_spelled(given)}, which does not hold in Azure DevOps; written as it is there")
    elif chosen:
        draft.note(path, "ARM does not return it; guessed from the inheritance of roles, it counts only at creation")
    else:
        draft.note(path, "ARM does not return permissionProfile, and nothing shows it; access.roles has what was read")
    if chosen:
        draft.document["pool"]["properties"]["organizationProfile"]["permissionProfile"] = chosen
    conveyed = bool(chosen) and chosen["kind"] == kind
    roles = [entry for one in found.organizations if (entry := _roles(one, conveyed=conveyed))]
    if roles:
        _section(draft)["roles"] = roles
    _role_notes(draft, found.organizations, [entry["organization"] for entry in roles])


def _spelled(given: Mapping[str, Json]) -> str:
    people = [*(given.get("users") or ()), *(given.get("groups") or ())]
    others = ", ".join(sorted(key for key, value in given.items() if value and key not in ("kind", "users", "groups")))
    of = f" of {', '.join(map(str, people))}" if people else ""
    return f"{given.get('kind')}{of}{f' with {others}' if others else ''}"


def _holds(given: Mapping[str, Json], organizations: Sequence[ObservedOrganization]) -> bool | None:
    """Whether ARM's profile holds in every organization; None where a fact is missing that could deny it."""
    if given.get("kind") == "SpecificAccounts":
        answers = [
            None if one.accounts is None else bool(one.accounts) and all(one.accounts.values()) for one in organizations
        ]
    else:
        expected = _INHERITS.get(str(given.get("kind")))
        answers = [None if one.inherits is None else one.inherits is expected for one in organizations]
    if False in answers:
        return False
    return None if None in answers else True


def _roles(one: ObservedOrganization, *, conveyed: bool) -> dict[str, Json]:
    entry: dict[str, Json] = {}
    people = sorted({who.principal for who in one.administrators if who.principal}, key=str.casefold)
    if people:
        entry["administrators"] = people
    if one.inherits is not None and not conveyed:
        entry["inherit"] = one.inherits
    return {"organization": one.organization, **entry} if entry else {}


def _role_notes(draft: Draft, organizations: Sequence[ObservedOrganization], order: Sequence[str]) -> None:
    for one in organizations:
        path: tuple[str | int, ...] = ("access", "roles")
        if one.organization in order:
            path = (*path, order.index(one.organization))
        for who in one.administrators:
            if not who.principal:
                draft.note(
                    path, f"{one.organization}: {who.display} administers too, and no spec can name this identity"
                )
        if one.operator:
            draft.note(path, f"{one.organization}: the operator administers too; it needs no entry")
        for fact in one.unread:
            if fact.fact in _ABOUT_ROLES:
                draft.note(path, str(fact))


# --- access -------------------------------------------------------------------------------------------


def _access(draft: Draft, organizations: Sequence[ObservedOrganization]) -> None:
    entries = draft.document["pool"]["properties"]["organizationProfile"]["organizations"]
    for index, one in enumerate(organizations):
        path = (*PROFILE, "organizations", index)
        for fact in one.unread:
            if fact.fact not in _ABOUT_ROLES:
                draft.note(path, str(fact))
        _open_access(draft, one, entries[index], index)
        _agent_pool(draft, one, entries[index], index)
        for project in one.projects:
            place = f"{one.organization}/{project.project}"
            if not project.queue or not project.reachable:
                _without_queue(draft, place, project)
                continue
            _notes(draft, path, project.unread)
            if project.invisible:
                ids = ", ".join(map(str, project.invisible))
                draft.leave_out(path, f"{place}: authorized pipelines that are hidden or deleted: {ids}")
            if project.pipelines:
                _pipelines(draft, place, project)
            if project.roles:
                _queue_roles(draft, place, project)


def _notes(draft: Draft, path: tuple[str | int, ...], unread: Sequence[UnreadFact]) -> None:
    for fact in unread:
        draft.note(path, str(fact))


def _section(draft: Draft) -> dict[str, Json]:
    section: dict[str, Json] = draft.document.setdefault("access", {})
    return section


def _open_access(draft: Draft, one: ObservedOrganization, entry: dict[str, Json], index: int) -> None:
    known = [project for project in one.projects if project.open is not None]
    path = (*PROFILE, "organizations", index)
    if not known:
        draft.note(path, "openAccess is left out: it was read of no queue")
        return
    count = Counter(project.open for project in known)
    flag = count[True] > count[False] or (count[True] == count[False] and _idle(known, entry))
    entry["openAccess"] = flag
    others = [project.project for project in known if project.open is not flag]
    if not others:
        return
    what = f"openAccess of {one.organization} is a guess"
    draft.note(path, f"{what}: {count[True]} of {len(known)} projects are open, the others are excepted")
    exceptions = _section(draft).setdefault("openAccess", [])
    exceptions += [{"project": f"{one.organization}/{name}", "allow": not flag, "reason": _AS_FOUND} for name in others]


def _idle(known: Sequence[ObservedProject], entry: Mapping[str, Json]) -> bool:
    """Whether the closed queues let no pipeline in and name no one, like those of projects left without one.

    They say nothing about the organization then. Where all projects use the pool the flag is for future ones too, and
    nothing opens these by a guess.
    """
    closed = [project for project in known if project.open is False]
    return bool(entry.get("projects")) and not any(one.pipelines or one.invisible or one.roles for one in closed)


def _agent_pool(draft: Draft, one: ObservedOrganization, entry: dict[str, Json], index: int) -> None:
    """The agent pool's own flag, as it is; beside a list of projects a spec could only want it off, and need not."""
    if one.auto_provision is None:
        return
    if not entry.get("projects"):
        flags = _section(draft).setdefault("agentPools", [])
        flags.append({"organization": one.organization, "autoProvision": one.auto_provision})
    elif one.auto_provision:
        why = "new projects get a queue of the pool, listed or not; access.agentPools can switch autoProvision off"
        draft.note((*PROFILE, "organizations", index), why)


def _without_queue(draft: Draft, place: str, project: ObservedProject) -> None:
    """A project without a queue, or of which a fact is missing: the reason says which, a comment why."""
    entries = _section(draft).setdefault("withoutQueue", [])
    path = ("access", "withoutQueue", len(entries))
    _notes(draft, path, project.unread)
    why = "without a queue at the import" if project.queue is False else "not read at the import"
    entries.append({"project": place, "reason": why})


def _pipelines(draft: Draft, place: str, project: ObservedProject) -> None:
    entries = _section(draft).setdefault("pipelines", [])
    names = ", ".join(f"{id_} is {path}" for id_, path in project.pipelines)
    draft.note(("access", "pipelines", len(entries)), names)
    entries.append({"project": place, "pipelines": [id_ for id_, _ in project.pipelines]})


def _queue_roles(draft: Draft, place: str, project: ObservedProject) -> None:
    entry: dict[str, Json] = {}
    for field, role in QUEUE_ROLES.items():
        people = {who.principal for name, who in project.roles if name.casefold() == role.casefold() and who.principal}
        if people:
            entry[field] = sorted(people, key=str.casefold)
    for display in sorted({who.display for _, who in project.roles if not who.principal}):
        draft.note(("access",), f"{place}: {display} has a role too, and no spec can name this identity")
    if entry:
        section = _section(draft).setdefault("queueRoles", [])
        section.append({"project": place, **entry})

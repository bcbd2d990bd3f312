"""One pool as a spec. Pure: everything was read before.

ARM's document goes in as it is, without what the service sets by itself. `openAccess` and `permissionProfile` are not
taken from it, because it does not keep them true (Microsoft Learn: managed-devops-pools/configure-security): they are
written as Azure DevOps shows them. What no spec can hold becomes a comment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.spec.access import QUEUE_ROLES
from reconciler.spec.shapes import Shaping
from reconciler.tools.import_.observe import Found, ImportedProject, ObservedOrganization, profile_of
from reconciler.tools.spec_writer import Draft, settled

Json = Any
PROFILE = ("pool", "properties", "organizationProfile")
_BODY = ("location", "tags", "identity", "properties")
_FOUND_SO = "found so at the import"


def drafted(found: Found, mode: str = "report") -> Draft:
    """The spec of one pool; its plan is empty unless a note says why it cannot be."""
    document: dict[str, Json] = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": found.name,
        "subscription": found.subscription,
        "resourceGroup": found.group,
        "mode": mode,
        "pool": _body(found.document),
    }
    draft = Draft(document)
    if mode == "report":
        draft.note(("mode",), "report shows differences and writes nothing; enforce repairs them")
    state = str((found.document.get("properties") or {}).get("provisioningState") or "Succeeded")
    if state.casefold() != "succeeded":
        draft.note(("pool",), f"provisioningState is {state}: the plan puts the pool again, or waits")
    if found.organizations:
        _permissions(draft, found)
        _access(draft, found.organizations)
    return settled(draft)


def _body(document: Mapping[str, Json]) -> dict[str, Json]:
    shaped = Shaping().pool({key: document[key] for key in _BODY if document.get(key)}, ())
    body: dict[str, Json] = _cleaned(shaped)
    profile = body.get("properties", {}).get("organizationProfile", {})
    profile.pop("permissionProfile", None)
    for organization in profile.get("organizations", ()):
        organization.pop("openAccess", None)
        if not organization.get("parallelism"):
            organization.pop("parallelism", None)  # 0 is how the service says that none was given
        if profile.get("kind") == "AzureDevOps":
            organization.setdefault("projects", [])
    return body


def _cleaned(value: Json) -> Json:
    """Without nulls and empty parts: the service fills them in, and nothing is managed by them. `projects` stays."""
    if isinstance(value, dict):
        items = {key: _cleaned(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in items.items() if item not in ([], {}, "") or _empty_means(key)}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _empty_means(key: str) -> bool:
    """Whether being empty says something: all projects, settings without certificates, an identity's value."""
    return key in ("projects", "observedCertificates") or "/" in key


# --- who administers ----------------------------------------------------------------------------------


def _permissions(draft: Draft, found: Found) -> None:
    given = profile_of(found.document).get("permissionProfile")
    switches = {seen.inherits for seen in found.organizations}
    kind = "Inherit" if switches == {True} else "CreatorOnly" if switches == {False} else ""
    path = (*PROFILE, "permissionProfile")
    chosen: Json = {"kind": kind} if kind else None
    if given and _true(given, found.organizations, kind):
        chosen = {key: value for key, value in given.items() if value}
    elif given and any(seen.trouble for seen in found.organizations):
        draft.note(path, f"ARM keeps {_told(given)}; whether that holds could not be read, so it is not managed")
        chosen = None
    elif given:
        draft.note(path, f"ARM keeps {_told(given)}, which does not hold in Azure DevOps; written as it is there")
    elif chosen:
        draft.note(path, "ARM does not say it; guessed from the inheritance of roles, it counts only at creation")
    elif not chosen:
        draft.note(path, "ARM does not say permissionProfile, and nothing shows it; access.roles has what was seen")
    if chosen:
        draft.document["pool"]["properties"]["organizationProfile"]["permissionProfile"] = chosen
    conveyed = bool(chosen) and chosen["kind"] == kind
    roles = [entry for seen in found.organizations if (entry := _roles(seen, conveyed=conveyed))]
    if roles:
        _section(draft)["roles"] = roles
    _strangers(draft, found.organizations, [entry["organization"] for entry in roles])


def _told(given: Mapping[str, Json]) -> str:
    people = [*(given.get("users") or ()), *(given.get("groups") or ())]
    return f"{given.get('kind')}{' of ' + ', '.join(map(str, people)) if people else ''}"


def _true(given: Mapping[str, Json], seen: Sequence[ObservedOrganization], kind: str) -> bool:
    """Whether what ARM keeps holds in every organization."""
    if given.get("kind") != "SpecificAccounts":
        return bool(kind) and given.get("kind") == kind
    return all(not one.trouble and one.accounts and all(one.accounts.values()) for one in seen)


def _roles(seen: ObservedOrganization, *, conveyed: bool) -> dict[str, Json]:
    entry: dict[str, Json] = {}
    people = sorted({one.principal for one in seen.administrators if one.principal}, key=str.casefold)
    if people:
        entry["administrators"] = people
    if seen.inherits is not None and not conveyed:
        entry["inherit"] = seen.inherits
    return {"organization": seen.organization, **entry} if entry else {}


def _strangers(draft: Draft, seen: Sequence[ObservedOrganization], order: Sequence[str]) -> None:
    for one in seen:
        path: tuple[str | int, ...] = ("access", "roles")
        if one.organization in order:
            path = (*path, order.index(one.organization))
        for person in one.administrators:
            if not person.principal:
                draft.note(path, f"{one.organization}: {person.display} administers too, and no spec can name them")
        if one.operator:
            draft.note(path, f"{one.organization}: the operator administers too; it needs no line")
        if one.trouble:
            draft.note(path, f"{one.organization}: not read: {one.trouble}")


# --- who may use it -----------------------------------------------------------------------------------


def _access(draft: Draft, seen: Sequence[ObservedOrganization]) -> None:
    entries = draft.document["pool"]["properties"]["organizationProfile"]["organizations"]
    for index, one in enumerate(seen):
        _open_access(draft, one, entries[index], index)
        _agent_pool(draft, one, entries[index], index)
        _left_out(draft, one)
        for place in one.places:
            for line in _unknown(place):
                draft.note((*PROFILE, "organizations", index), f"{place.project}: {line}")
            if place.pipelines:
                _pipelines(draft, one, place)
            if place.roles:
                _queue_roles(draft, one, place)


def _unknown(place: ImportedProject) -> Iterator[str]:
    """What is not in the file although it may be there."""
    if place.trouble:
        yield f"not read: {place.trouble}"
    if place.unread:
        yield f"roles on the queue are left out, they were not read: {place.unread}"
    if place.unseen:
        ids = ", ".join(map(str, place.unseen))
        yield f"authorized by themselves too, and no pipelines that the operator can see: {ids}"


def _section(draft: Draft) -> dict[str, Json]:
    section: dict[str, Json] = draft.document.setdefault("access", {})
    return section


def _open_access(draft: Draft, seen: ObservedOrganization, entry: dict[str, Json], index: int) -> None:
    known = [place for place in seen.places if place.queue and not place.trouble]
    path = (*PROFILE, "organizations", index)
    if not known:
        draft.note(path, "openAccess is left out: there is no queue of which it could be read")
        return
    count = Counter(place.open for place in known)
    flag = count[True] > count[False]
    entry["openAccess"] = flag
    others = [place.project for place in known if place.open is not flag]
    if not others:
        return
    draft.note(path, f"openAccess is a guess: {count[True]} of {len(known)} projects are open, the others are excepted")
    exceptions = _section(draft).setdefault("openAccess", [])
    exceptions += [
        {"project": f"{seen.organization}/{name}", "allow": not flag, "reason": _FOUND_SO} for name in others
    ]


def _agent_pool(draft: Draft, seen: ObservedOrganization, entry: dict[str, Json], index: int) -> None:
    """The agent pool's own flag, as it is; beside a list of projects a spec could only want it off, and need not."""
    if seen.provisions is None:
        return
    if not entry.get("projects"):
        flags = _section(draft).setdefault("agentPools", [])
        flags.append({"organization": seen.organization, "autoProvision": seen.provisions})
    elif seen.provisions:
        why = "new projects get a queue of the pool, listed or not; access.agentPools can switch autoProvision off"
        draft.note((*PROFILE, "organizations", index), why)


def _left_out(draft: Draft, seen: ObservedOrganization) -> None:
    for place in seen.places:
        if not place.queue and not place.trouble:
            why = "not visible to the operator at the import" if place.hidden else "without a queue at the import"
            entries = _section(draft).setdefault("withoutQueue", [])
            entries.append({"project": f"{seen.organization}/{place.project}", "reason": why})


def _pipelines(draft: Draft, seen: ObservedOrganization, place: ImportedProject) -> None:
    entries = _section(draft).setdefault("pipelines", [])
    told = ", ".join(f"{id_} is {path}" for id_, path in place.pipelines)
    draft.note(("access", "pipelines", len(entries)), told)
    entries.append(
        {"project": f"{seen.organization}/{place.project}", "pipelines": [id_ for id_, _ in place.pipelines]}
    )


def _queue_roles(draft: Draft, seen: ObservedOrganization, place: ImportedProject) -> None:
    entry: dict[str, Json] = {}
    for field, role in QUEUE_ROLES.items():
        people = {who.principal for name, who in place.roles if name.casefold() == role.casefold() and who.principal}
        if people:
            entry[field] = sorted(people, key=str.casefold)
    nameless = sorted({who.display for _, who in place.roles if not who.principal})
    for display in nameless:
        draft.note(("access",), f"{seen.organization}/{place.project}: {display} has a role too, and cannot be named")
    if entry:
        section = _section(draft).setdefault("queueRoles", [])
        section.append({"project": f"{seen.organization}/{place.project}", **entry})

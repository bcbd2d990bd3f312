"""What Azure DevOps has, put into `access` of a spec's document. Every function changes the document it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from reconciler.documents import Json
from reconciler.plan.targets import OpenAccess, PipelineAuthorization, role_rank
from reconciler.spec.access import QUEUE_ROLES
from reconciler.spec.model import Spec
from reconciler.spec.names import organization_key, organization_of
from reconciler.spec.principals import folded
from reconciler.tools.adopt.body import canonical, organizations_of, with_body
from reconciler.tools.adopt.errors import CannotAdopt

Document = dict[str, Json]
Entry = dict[str, Any]
_FIELDS = {role.casefold(): field for field, role in QUEUE_ROLES.items()}
_OF_A_PROJECT = ("openAccess", "pipelines", "queueRoles")
_WITHOUT = "withoutQueue"


def section(document: Mapping[str, Json], name: str) -> list[Entry]:
    """The entries of a section; empty where there is none."""
    return (document.get("access") or {}).get(name) or []


def entry(document: Document, name: str, key: str, value: str, *, made: bool = False) -> Entry | None:
    """The entry for one organization or project; with `made` a new one where there is none."""
    found = next((one for one in section(document, name) if str(one.get(key)).casefold() == value.casefold()), None)
    if found is None and made:
        found = {key: value}
        document.setdefault("access", {}).setdefault(name, []).append(found)
    return found


def drop(document: Document, name: str, gone: Entry) -> None:
    """Take an entry out, and what is empty without it."""
    access = document["access"]
    access[name] = [one for one in access[name] if one is not gone]
    if not access[name]:
        del access[name]
    if not access:
        del document["access"]


def open_access(document: Document, spec: Spec, targets: Sequence[OpenAccess], today: date) -> None:
    """The switches of one organization as they are: exceptions, or its flag where all that it lists differ."""
    name = targets[0].place.organization
    organization = next(one for one in spec.organizations if one.name == name)
    excepted = {str(one.get("project")).casefold() for one in section(document, "openAccess")}
    places = {one.place.project.casefold(): one for one in targets}
    listed = {one.casefold() for one in organization.projects}
    if listed and places.keys() >= listed and not any(f"{name}/{one}" in excepted for one in listed):
        _set_flag(document, name, allow=not targets[0].allow)
        return
    for one in targets:
        _except(document, f"{name}/{one.place.project}", organization.open_access, today, allow=not one.allow)


def _except(document: Document, project: str, flag: bool | None, today: date, *, allow: bool) -> None:
    found = entry(document, "openAccess", "project", project)
    ended = found is not None and str(found.get("until") or "9999") < today.isoformat()
    if found is not None and not ended and flag is allow:
        drop(document, "openAccess", found)
        return
    found = found if found is not None else entry(document, "openAccess", "project", project, made=True)
    assert found is not None  # noqa: S101 - for the type checker: it was made
    found["allow"] = allow
    if ended:
        del found["until"]
    if ended or "reason" not in found:
        found["reason"] = f"as found in Azure DevOps on {today.isoformat()}"


def _set_flag(document: Document, organization: str, *, allow: bool) -> None:
    body = canonical(document)
    for one in body["properties"]["organizationProfile"]["organizations"]:
        if organization_key(one["url"]) == organization_key(f"https://dev.azure.com/{organization}"):
            one["openAccess"] = allow
    _put_body(document, body)


def _put_body(document: Document, body: Mapping[str, Json]) -> None:
    document["pool"] = with_body(document, body)["pool"]


def pipeline(document: Document, target: PipelineAuthorization) -> None:
    """One authorization as it is."""
    project = f"{target.place.organization}/{target.place.project}"
    found = entry(document, "pipelines", "project", project, made=True)
    assert found is not None  # noqa: S101 - for the type checker: it was made
    listed = found.setdefault("pipelines", [])
    if not target.authorized:
        if isinstance(target.pipeline, int):
            raise CannotAdopt(f"pipeline {target.pipeline} is hidden or deleted, and no spec can name it")
        listed.append(target.pipeline)
        return
    listed[:] = [one for one in listed if one not in (target.pipeline, target.pipeline_id)]
    if not listed and not found.get("exclusive"):
        drop(document, "pipelines", found)


def without_queue(document: Document, organization: str, project: str, today: date) -> None:
    """A project that has no queue: it is left without one, and nothing is desired there."""
    place = f"{organization}/{project}"
    for name in _OF_A_PROJECT:
        found = entry(document, name, "project", place)
        if found is not None:
            drop(document, name, found)
    made = entry(document, _WITHOUT, "project", place, made=True)
    assert made is not None  # noqa: S101 - for the type checker: it was made
    made["reason"] = f"without a queue on {today.isoformat()}"


def inherit(document: Document, organization: str, *, on: bool) -> None:
    """The switch of roles as it is."""
    found = entry(document, "roles", "organization", organization, made=True)
    assert found is not None  # noqa: S101 - for the type checker: it was made
    found["inherit"] = on


def auto_provision(document: Document, organization: str, *, on: bool) -> None:
    """The flag of the agent pool as it is; beside a list of projects no spec can say that it is on."""
    found = entry(document, "agentPools", "organization", organization, made=True)
    assert found is not None  # noqa: S101 - for the type checker: it was made
    if on and any(organizations_of(document).get(key) for key in _keys(organization)):
        drop(document, "agentPools", found)
    else:
        found["autoProvision"] = on


def _keys(organization: str) -> list[str]:
    return [organization_key(f"https://dev.azure.com/{organization}")]


# --- roles ----------------------------------------------------------------------------------------------------


def administrator(document: Document, organization: str, principal: str, *, there: bool) -> None:
    """Whether a principal administers the agent pool."""
    if there:
        found = entry(document, "roles", "organization", organization, made=True)
        assert found is not None  # noqa: S101 - for the type checker: it was made
        found.setdefault("administrators", []).append(principal)
        return
    found = entry(document, "roles", "organization", organization)
    if found is not None and "administrators" in found:
        found["administrators"] = _without(found["administrators"], principal)
        if not found["administrators"] and not found.get("exclusive"):
            del found["administrators"]
        if not found.keys() - {"organization", "exclusive"}:
            drop(document, "roles", found)
    _leave_profile(document, organization, principal)


def _leave_profile(document: Document, organization: str, principal: str) -> None:
    """Take a principal out of SpecificAccounts, which counts in every organization: the others list it themselves."""
    body = canonical(document)
    holder = body.get("properties", {}).get("organizationProfile", {})
    profile = holder.get("permissionProfile") or {}
    kept = {key: _without(profile[key], principal) for key in ("users", "groups") if profile.get(key)}
    if all(len(kept[key]) == len(profile[key]) for key in kept):
        return
    for key, names in kept.items():
        profile[key] = names
        if not names:
            del profile[key]
    if not any(kept.values()):
        del holder["permissionProfile"]  # it counts at a creation alone, and cannot name no one
    _put_body(document, body)
    for one in holder.get("organizations", ()):
        other = organization_of(one["url"]) or ""
        if other != organization:
            found = entry(document, "roles", "organization", other, made=True)
            assert found is not None  # noqa: S101 - for the type checker: it was made
            if folded(principal) not in map(folded, found.get("administrators", ())):
                found.setdefault("administrators", []).append(principal)


def queue_role(document: Document, project: str, principal: str, held: str | None) -> None:
    """The role that a principal holds on the queue of a project; None: no role."""
    found = entry(document, "queueRoles", "project", project, made=True)
    assert found is not None  # noqa: S101 - for the type checker: it was made
    for field in QUEUE_ROLES:
        if field in found:
            found[field] = _without(found[field], principal)
    if held is not None and role_rank(held) >= 0:
        found.setdefault(_FIELDS[held.casefold()], []).append(principal)
    if not found.get("exclusive"):
        for field in [field for field in QUEUE_ROLES if field in found and not found[field]]:
            del found[field]
    if not found.keys() & QUEUE_ROLES.keys():
        drop(document, "queueRoles", found)


def unknown_principal(document: Document, organization: str, principal: str, *, queues: bool) -> None:
    """A principal that the organization does not know holds no role there."""
    if not queues:
        administrator(document, organization, principal, there=False)
        return
    for one in list(section(document, "queueRoles")):
        project = str(one.get("project"))
        if project.partition("/")[0].casefold() == organization and any(
            len(_without(one.get(field, []), principal)) < len(one.get(field, [])) for field in QUEUE_ROLES
        ):
            queue_role(document, project, principal, None)


def _without(names: Sequence[str], principal: str) -> list[str]:
    return [name for name in names if folded(name) != folded(principal)]


# --- what a changed body leaves behind --------------------------------------------------------------------------


def drop_strangers(document: Document) -> None:
    """Take out what is about organizations and projects that the pool does not have any more."""
    known = organizations_of(document)
    for name, entries in list((document.get("access") or {}).items()):
        for one in list(entries):
            organization, _, project = str(one.get("project") or one.get("organization")).partition("/")
            projects = known.get(_keys(organization)[0])
            if projects is None or (project and projects and project.casefold() not in projects):
                drop(document, name, one)

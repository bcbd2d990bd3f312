"""From a checked document to the values that the rest of the program sees; nothing can go wrong here any more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from reconciler.documents import Json, JsonObject
from reconciler.spec.access import QUEUE_ROLES
from reconciler.spec.model import (
    Access,
    Disruption,
    Mode,
    OpenAccessException,
    Organization,
    PermissionKind,
    PermissionProfile,
    PipelineGrant,
    PoolRoles,
    QueueRoles,
    Spec,
    SpecPause,
)
from reconciler.spec.names import organization_of
from reconciler.spec.parts import canonical

_NO_ACCESS = Access()
_MODES = {one.value: one for one in Mode}
_KINDS = {one.value: one for one in PermissionKind}
_BODY = ("location", "tags", "identity", "properties")
_PASTED = frozenset({"id", "name", "resourceGroup", "type", "apiVersion", "systemData"})
"""What a pasted resource has, and an ARM body of ours has not."""


def spec(document: JsonObject, path: str, blob: str, lines: Callable[[Sequence[str]], int]) -> Spec:
    """The spec; `document` has passed every check and its pool is canonical."""
    pool = document["pool"]
    profile = pool.get("properties", {}).get("organizationProfile", {})
    organizations = tuple(_organizations(document["name"], profile, document.get("access", {})))
    return Spec(
        name=document["name"],
        subscription=document["subscription"].lower(),
        resource_group=document["resourceGroup"],
        mode=_MODES[document.get("mode", "enforce")],
        body=_body(pool, newer="armApiVersion" in document),
        organizations=organizations,
        permission_profile=_permissions(profile.get("permissionProfile")),
        access=_access(document["access"], _Projects(organizations)) if "access" in document else _NO_ACCESS,
        disruption=_disruption(document.get("disruption")),
        replace=document.get("replace") == "allowed",
        repair_definitions=document.get("repairDefinitions", False),
        arm_api_version=document.get("armApiVersion", ""),
        until=_day(document.get("until")),
        reason=document.get("reason", ""),
        pauses=tuple([_pause(one) for one in document.get("pauses", ())]),
        path=path,
        blob=blob,
        lines=lines,
    )


def _pause(given: JsonObject) -> SpecPause:
    return SpecPause(tuple(map(canonical, given["fields"])), _day(given["until"]), given["reason"])


def _body(pool: JsonObject, *, newer: bool) -> dict[str, Json]:
    """The known fields in ARM's order; with a newer api-version whatever else the file names."""
    others = [key for key in pool if key not in (*_BODY, *_PASTED)] if newer else []
    return {key: pool[key] for key in (*_BODY, *others) if key in pool}


def _organizations(name: str, profile: JsonObject, access: JsonObject) -> Iterator[Organization]:
    if profile.get("kind") != "AzureDevOps":
        return
    without = _without(access)
    provision = {one["organization"].lower(): one["autoProvision"] for one in access.get("agentPools", ())}
    for one in profile["organizations"]:
        organization = organization_of(one["url"]) or ""
        yield Organization(
            name=organization,
            agent_pool=one.get("alias", profile.get("alias", name)),
            projects=tuple(one.get("projects", ())),
            open_access=one.get("openAccess"),
            parallelism=one.get("parallelism") or None,
            without_queue=without.get(organization, frozenset()),
            auto_provision=provision.get(organization),
            silent=frozenset({"projects", "alias"} - one.keys()),
        )


def _without(access: JsonObject) -> dict[str, frozenset[str]]:
    """Organization → its projects that are left without a queue."""
    if "withoutQueue" not in access:
        return {}
    places = [one["project"].partition("/") for one in access["withoutQueue"]]
    names = {organization.lower() for organization, _, _ in places}
    return {name: frozenset(p.casefold() for o, _, p in places if o.lower() == name) for name in names}


def _permissions(given: JsonObject | None) -> PermissionProfile | None:
    if given is None:
        return None
    return PermissionProfile(_KINDS[given["kind"]], tuple(given.get("users", ())), tuple(given.get("groups", ())))


def _disruption(given: JsonObject | None) -> Disruption | None:
    if given is None or given["agents"] == "atOnce":
        return None
    days, hours, minutes, seconds = map(int, re.findall(r"\d+", f"0.{given.get('atMost', '1.00:00:00')}")[-4:])
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return Disruption(span, proceed=given.get("afterwards", "proceed") == "proceed")


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


class _Projects:
    """Projects as the pool spells them, whatever the case in `access`."""

    def __init__(self, organizations: tuple[Organization, ...]) -> None:
        self.spelt = {(one.name, name.casefold()): name for one in organizations for name in one.projects}

    def __call__(self, reference: str) -> dict[str, str]:
        organization, _, project = reference.partition("/")
        name = organization.lower()
        return {"organization": name, "project": self.spelt.get((name, project.casefold()), project)}


def _access(given: JsonObject, projects: _Projects) -> Access:
    return Access(
        open_access=tuple([_exception(one, projects) for one in given.get("openAccess", ())]),
        pipelines=tuple([_grant(one, projects) for one in given.get("pipelines", ())]),
        roles=tuple([_pool_roles(one) for one in given.get("roles", ())]),
        queue_roles=tuple([_queue_roles(one, projects) for one in given.get("queueRoles", ())]),
    )


def _exception(given: JsonObject, projects: _Projects) -> OpenAccessException:
    return OpenAccessException(
        **projects(given["project"]),
        allow=given["allow"],
        until=_day(given.get("until")),
        reason=given.get("reason", ""),
    )


def _grant(given: JsonObject, projects: _Projects) -> PipelineGrant:
    return PipelineGrant(
        **projects(given["project"]), pipelines=tuple(given["pipelines"]), exclusive=given.get("exclusive", False)
    )


def _queue_roles(given: JsonObject, projects: _Projects) -> QueueRoles:
    return QueueRoles(
        **projects(given["project"]),
        roles={role: tuple(given[field]) for field, role in QUEUE_ROLES.items() if field in given},
        exclusive=given.get("exclusive", False),
    )


def _pool_roles(given: JsonObject) -> PoolRoles:
    administrators = given.get("administrators")
    return PoolRoles(
        organization=given["organization"].lower(),
        administrators=None if administrators is None else tuple(administrators),
        exclusive=given.get("exclusive", False),
        inherit=given.get("inherit"),
    )

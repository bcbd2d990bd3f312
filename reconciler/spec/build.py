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
        mode=Mode(document.get("mode", "enforce")),
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
        pauses=tuple(
            SpecPause(tuple(map(canonical, one["fields"])), _day(one["until"]), one["reason"])
            for one in document.get("pauses", ())
        ),
        path=path,
        blob=blob,
        lines=lines,
    )


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
    places = [one["project"].partition("/") for one in access.get("withoutQueue", ())]
    names = {organization.lower() for organization, _, _ in places}
    return {name: frozenset(p.casefold() for o, _, p in places if o.lower() == name) for name in names}


def _permissions(given: JsonObject | None) -> PermissionProfile | None:
    if given is None:
        return None
    kind = PermissionKind(given["kind"])
    return PermissionProfile(kind, tuple(given.get("users", ())), tuple(given.get("groups", ())))


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
        open_access=tuple(
            OpenAccessException(
                **projects(one["project"]),
                allow=one["allow"],
                until=_day(one.get("until")),
                reason=one.get("reason", ""),
            )
            for one in given.get("openAccess", ())
        ),
        pipelines=tuple(
            PipelineGrant(
                **projects(one["project"]), pipelines=tuple(one["pipelines"]), exclusive=one.get("exclusive", False)
            )
            for one in given.get("pipelines", ())
        ),
        roles=tuple(_pool_roles(one) for one in given.get("roles", ())),
        queue_roles=tuple(
            QueueRoles(
                **projects(one["project"]),
                roles={role: tuple(one[field]) for field, role in QUEUE_ROLES.items() if field in one},
                exclusive=one.get("exclusive", False),
            )
            for one in given.get("queueRoles", ())
        ),
    )


def _pool_roles(given: JsonObject) -> PoolRoles:
    administrators = given.get("administrators")
    return PoolRoles(
        organization=given["organization"].lower(),
        administrators=None if administrators is None else tuple(administrators),
        exclusive=given.get("exclusive", False),
        inherit=given.get("inherit"),
    )

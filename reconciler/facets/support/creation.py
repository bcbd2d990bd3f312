"""What creates a pool: the document that is put, and its fields as lines of the plan. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from reconciler.documents import Json
from reconciler.facets.support import arm_document, mutability
from reconciler.plan.model import Detail, Risk
from reconciler.spec import effective
from reconciler.spec.model import PermissionKind, Spec
from reconciler.spec.names import organization_key


def document(spec: Spec, now: datetime, guarded: Collection[str] = ()) -> dict[str, Json]:
    """The spec's document, narrowed to what holds for every organization and every project from the first moment.

    Creation knows one `openAccess` for an organization and one `permissionProfile` for all. Where an exception closes
    one project or leaves one without a queue (ARM creates a queue there all the same), a queue needs checks first, or
    one organization inherits nothing, the narrower value is sent and the other facets widen the rest.
    """
    body: dict[str, Json] = deepcopy(dict(spec.body))
    closed = {
        one.name
        for one in spec.organizations
        if one.without_queue
        or one.name in guarded
        or not all(e.allow for e in effective.exceptions(spec, one.name, now).values())
    }
    profile: Mapping[str, Json] = (body.get("properties") or {}).get("organizationProfile") or {}
    for item in profile.get("organizations") or ():
        if item.get("openAccess") and organization_key(str(item.get("url", ""))) in closed:
            item["openAccess"] = False
    permissions = spec.permission_profile
    alone = any(effective.inheritance(spec, one.name) is False for one in spec.organizations)
    if permissions and permissions.kind is PermissionKind.INHERIT and alone:
        body["properties"]["organizationProfile"]["permissionProfile"] = {"kind": PermissionKind.CREATOR_ONLY.value}
    return body


def lines(body: Mapping[str, Json], *, newer: bool = False) -> tuple[Detail, ...]:
    """Every field of the document, from nothing; what gives a right counts as granting.

    `newer`: for an api-version that is newer than this release's own, whose fields may grant anything.
    """
    found = tuple(Detail(path, None, value, _risk(path, value)) for path, value in _fields(body, ()))
    return tuple(replace(mutability.beyond_this_release(one), note="") for one in found) if newer else found


def _fields(value: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    for key, item in value.items():
        here = (*path, key)
        if isinstance(item, Mapping) and item and key not in ("userAssignedIdentities", "resourcePredictions"):
            yield from _fields(item, here)
        elif isinstance(item, list) and item and all(isinstance(one, Mapping) and one for one in item):
            for index, one in enumerate(item):
                yield from _fields(one, arm_document.place_of_entry(here, key, one, index))
        else:
            yield ".".join(here).removeprefix("properties."), item


def _risk(path: str, value: Json) -> Risk:
    """Open access, administrators, inherited roles and identities are rights; everything else is a new machine's."""
    if path.startswith("organizationProfile.permissionProfile."):
        grants = value == PermissionKind.INHERIT.value if path.endswith(".kind") else bool(value)
    elif path.endswith(".openAccess"):
        grants = value is True
    else:
        grants = path.startswith("identity.userAssignedIdentities") and bool(value)
    return Risk.WIDENS if grants else Risk.NEUTRAL

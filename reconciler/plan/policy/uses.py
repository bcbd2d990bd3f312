"""What an ARM body of a pool uses of what the policy limits: values by field of `PoolLimits`, as the body writes them.

Bodies come from specs and from ARM. ARM may spell the names of fields in another case, so they are found by any
spelling, and every one of them counts. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.plan.policy.model import folded
from reconciler.spec.names import organization_key

Uses: TypeAlias = dict[str, list[str]]

SYSTEM_ASSIGNED, NO_SUBNET, DEFAULT_LOGON = "SystemAssigned", "none", "Service"
"""What the policy calls the pool's own identity, the network that the service isolates, and ARM's default."""


def of_update(body: Mapping[str, Json]) -> Uses:
    """What counts whenever the body is put."""
    fabric = list(_inner(body, "properties", "fabricProfile"))
    return {
        "organizations": [organization_key(url) for _, url in _organizations(body)],
        "projects": [f"{organization_key(url)}/{name}" for one, url in _organizations(body) for name in places(one)],
        "identities": list(_identities(body)),
        "subnets": _or(NO_SUBNET, [one for part in fabric for one in _texts(part, "networkProfile", "subnetId")]),
        "images": [name for image in _images(fabric) for name in _texts_of(image, "resourceId", "wellKnownImageName")],
        "certificates": [
            url for part in fabric for one in _inner(part, "osProfile", "secretsManagementSettings")
            for url in _list(one, "observedCertificates") if isinstance(url, str)
        ],
        "skus": list(_skus(fabric)),
        "logon_types": _or(DEFAULT_LOGON, [one for part in fabric for one in _texts(part, "osProfile", "logonType")]),
        "provisioning_scripts": [name for image in _images(fabric) if (name := _script(image))],
    }  # fmt: skip


def of_creation(body: Mapping[str, Json]) -> Uses:
    """What counts while a pool is created: what an update counts, and what it gives to people and pipelines."""
    names = [(one, organization_key(url)) for one, url in _organizations(body)]
    given = {
        "open_access": [f"{name}/{place}" for one, name in names if _opens(one) for place in places(one)],
        "inheritance": [],
        "principals": [],
    }
    for profile in _inner(body, "properties", "organizationProfile", "permissionProfile"):
        if "inherit" in [folded(kind) for kind in _texts_of(profile, "kind")]:
            given["inheritance"] = [name for _, name in names]
        members = [*_list(profile, "users"), *_list(profile, "groups")]
        given["principals"] += [who for who in members if isinstance(who, str)]
    return {**of_update(body), **given}


def machines(body: Mapping[str, Json]) -> int | None:
    """`maximumConcurrency`; None where the body does not say a number."""
    numbers = [one for part in _inner(body, "properties") for one in _values(part, "maximumConcurrency")]
    found = [one for one in numbers if isinstance(one, int | float) and not isinstance(one, bool)]
    return int(max(found)) if found else None


def _identities(body: Mapping[str, Json]) -> Iterator[str]:
    for identity in _inner(body, "identity"):
        kinds = [folded(kind) for kind in _texts_of(identity, "type")]
        if any("systemassigned" in kind for kind in kinds):
            yield SYSTEM_ASSIGNED
        for assigned in _values(identity, "userAssignedIdentities"):
            yield from (str(name) for name in assigned or ()) if isinstance(assigned, Mapping | list) else ()
    for image in _images(list(_inner(body, "properties", "fabricProfile"))):
        yield from _texts_of(image, "provisioningScriptManagedIdentityClientId")


def _skus(fabric: list[Mapping[str, Json]]) -> Iterator[str]:
    for part in fabric:
        for sku in _inner(part, "sku"):
            yield from _texts_of(sku, "name")
            for size in _list(sku, "vmSizes"):
                yield from _texts_of(size, "name")


def _script(image: Mapping[str, Json]) -> str:
    """The script of an image by account and entry point; empty where it has none."""
    account = "".join(_texts_of(image, "provisioningScriptStorageAccountResourceId")).rstrip("/")
    entry = "".join(_texts_of(image, "provisioningScriptEntryPoint"))
    return f"{account}/{entry.lstrip('/')}" if account or entry else ""


def _images(fabric: list[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    for part in fabric:
        yield from (image for image in _list(part, "images") if isinstance(image, Mapping))


def _organizations(body: Mapping[str, Json]) -> Iterator[tuple[Mapping[str, Json], str]]:
    for profile in _inner(body, "properties", "organizationProfile"):
        for one in _list(profile, "organizations"):
            for url in _texts_of(one, "url"):
                yield one, url


def places(organization: Mapping[str, Json]) -> list[str]:
    """Projects of an organization of a body, or names of its repositories; ``*`` for all."""
    projects = [str(one) for one in _list(organization, "projects")]
    repositories = [str(one).rstrip("/").rpartition("/")[2] for one in _list(organization, "repositories")]
    return projects + repositories or ["*"]


def _opens(organization: Mapping[str, Json]) -> bool:
    return any(value not in (False, None) for value in _values(organization, "openAccess"))


# --- names of fields in any spelling ---------------------------------------------------------------------------


def _values(value: Json, name: str) -> list[Json]:
    """Every value that a mapping has under a name."""
    if not isinstance(value, Mapping):
        return []
    return [one for key, one in value.items() if key == name or folded(str(key)) == folded(name)]


def _inner(value: Json, *path: str) -> Iterator[Mapping[str, Json]]:
    """Every mapping at a path."""
    if not path:
        yield from (value,) if isinstance(value, Mapping) else ()
        return
    for one in _values(value, path[0]):
        yield from _inner(one, *path[1:])


def _list(value: Json, name: str) -> list[Json]:
    return [item for one in _values(value, name) if isinstance(one, list | tuple) for item in one]


def _texts_of(value: Json, *names: str) -> list[str]:
    return [one for name in names for one in _values(value, name) if isinstance(one, str) and one]


def _texts(value: Json, inner: str, name: str) -> list[str]:
    return [text for one in _inner(value, inner) for text in _texts_of(one, name)]


def _or(default: str, found: list[str]) -> list[str]:
    return found or [default]

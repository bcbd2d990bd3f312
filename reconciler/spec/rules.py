"""Rules between the properties of a pool, in the service's own words where it has some.

Each is a generator over data whose parts have the right types; a part that had not is missing, and a rule says nothing
about what is missing. Sources: Microsoft Learn, Managed DevOps Pools: configure security (parallelism, one
organization, permission profile, Key Vault, places of certificates), configure scaling (stand-by agents);
terraform-provider-azurerm, `managed_devops_pool_resource.go` (one source an image, scheduled counts); common-types v6
(identities).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.documents import JsonObject
from reconciler.spec import parts
from reconciler.spec.names import organization_key
from reconciler.spec.principals import folded
from reconciler.spec.problem import Finding, Path, listing, show

_NONE: JsonObject = {}
_PROPERTIES: Path = ("pool", "properties")
_PROFILE: Path = (*_PROPERTIES, "organizationProfile")
_FABRIC: Path = (*_PROPERTIES, "fabricProfile")
_AGENT: Path = (*_PROPERTIES, "agentProfile")
_SCRIPT = (
    "provisioningScriptStorageAccountResourceId",
    "provisioningScriptManagedIdentityClientId",
    "provisioningScriptEntryPoint",
)
_WEEK = (1, 7)
_STORES = ("localmachine", "currentuser")


def check(document: JsonObject) -> Iterator[Finding]:
    """All findings about `document`, whose pool is canonical."""
    yield from mode(document)
    if "pauses" in document:
        yield from pauses(document["pauses"])
    pool = document.get("pool", _NONE)
    yield from agreement(document, pool)
    properties = pool.get("properties", _NONE)
    profile = properties.get("organizationProfile", _NONE)
    yield from organizations(profile)
    yield from parallelism(properties, profile)
    yield from permissions(profile.get("permissionProfile", _NONE))
    if "identity" in pool:
        yield from identities(pool["identity"])
    fabric = properties.get("fabricProfile", _NONE)
    if "osProfile" in fabric:
        yield from key_vault(pool, fabric)
        yield from certificates(fabric)
    yield from images(fabric.get("images", ()))
    yield from standby(properties)


def mode(document: JsonObject) -> Iterator[Finding]:
    """A pause has an end and a reason."""
    paused = document.get("mode") == "pause"
    if paused:
        for name, what in (("until", "the last day of the pause"), ("reason", "why it is paused")):
            if name not in document:
                yield (name,), f"is missing; mode pause needs {what}"
    elif "until" in document and "mode" not in document:
        yield ("until",), "needs mode: pause; an enforced pool has no end"
    elif "until" in document:
        yield ("until",), f"is given, but mode is {show(document['mode'])}; only mode pause has an end"


def pauses(given: Sequence[JsonObject]) -> Iterator[Finding]:
    """What a pause holds back is something that there is."""
    for index, one in enumerate(given):
        for number, name in enumerate(one.get("fields", ())):
            if isinstance(name, str) and (problem := parts.wrong(name)):
                yield ("pauses", index, "fields", number), problem


def agreement(document: JsonObject, pool: JsonObject) -> Iterator[Finding]:
    """A pasted resource names itself; it has to be the pool that the spec is about."""
    if pool.keys().isdisjoint(("name", "type", "id", "resourceGroup")):
        return
    name, subscription, group = (str(document.get(key, "")) for key in ("name", "subscription", "resourceGroup"))
    kind = "Microsoft.DevOpsInfrastructure/pools"
    resource_id = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"
    for key, wanted in (("name", name), ("type", kind), ("id", resource_id), ("resourceGroup", group)):
        given = pool.get(key)
        if isinstance(given, str) and name and given.lower() != wanted.lower():
            yield ("pool", key), f"is {show(given)}, but this spec is about {wanted}; make them agree, or remove it"


def organizations(profile: JsonObject) -> Iterator[Finding]:
    """No organization and no project twice."""
    seen: dict[str, str] = {}
    for index, organization in enumerate(profile.get("organizations", ())):
        path = (*_PROFILE, "organizations", index)
        url = organization.get("url")
        if url is None:
            continue
        name = organization_key(url)
        if name in seen:
            yield (*path, "url"), f"names {name}, as {seen[name]} does; give each organization once"
        seen.setdefault(name, f"organizations[{index}]")
        yield from twice(organization.get("projects", ()), (*path, "projects"))


def twice(values: Sequence[Any], path: Path) -> Iterator[Finding]:
    """Equal entries of a list of names, case aside."""
    if len(values) < 2:  # noqa: PLR2004 - no two are equal
        return
    seen: dict[Any, int] = {}
    for index, value in enumerate(values):
        key = folded(value) if isinstance(value, str) else value
        if key in seen:
            yield (*path, index), f"is {show(value)}, as is entry {seen[key] + 1}; give it once"
        seen.setdefault(key, index)


def parallelism(properties: JsonObject, profile: JsonObject) -> Iterator[Finding]:
    """What the organizations may use adds up to what the pool has."""
    most = properties.get("maximumConcurrency")
    given = profile.get("organizations", ())
    if most is None or profile.get("kind") != "AzureDevOps":
        return
    if most == 1 and len(given) > 1:
        yield (
            (*_PROPERTIES, "maximumConcurrency"),
            f"is 1, but there are {len(given)} organizations; a pool of one machine takes one organization",
        )
        return
    shares = [share for organization in given if (share := organization.get("parallelism"))]
    if sum(shares) > most or (given and len(shares) == len(given) and sum(shares) != most):
        message = (
            f"is {most}, but the organizations' parallelism adds up to {sum(shares)}; "
            "the sum of parallelism for all organizations must equal the max concurrency"
        )
        yield (*_PROPERTIES, "maximumConcurrency"), message


def permissions(profile: JsonObject) -> Iterator[Finding]:
    """Accounts belong to SpecificAccounts, which needs some."""
    path, kind = (*_PROFILE, "permissionProfile"), profile.get("kind")
    named = [key for key in ("users", "groups") if key in profile]
    if kind == "SpecificAccounts" and not any(profile[key] for key in named):
        yield path, "is SpecificAccounts, but names no one; list at least one of users or groups"
    if kind in ("Inherit", "CreatorOnly"):
        for key in named:
            yield (*path, key), f"is given, but kind is {kind}; only SpecificAccounts has {key}"
    for key in named:
        yield from twice(profile[key], (*path, key))


def identities(identity: JsonObject) -> Iterator[Finding]:
    """The kind of identity and the list of them say the same."""
    path, kind, given = ("pool", "identity"), identity.get("type"), identity.get("userAssignedIdentities")
    if kind is None:
        return
    if "UserAssigned" in kind and not given:
        yield path, f"has type {show(kind)}, but no userAssignedIdentities; list their resource ids"
    if kind in ("None", "SystemAssigned") and given:
        yield (*path, "userAssignedIdentities"), f"is given, but type is {kind}; write type: UserAssigned"


def key_vault(pool: JsonObject, fabric: JsonObject) -> Iterator[Finding]:
    """Certificates are fetched with the pool's identity, of which there can be one only."""
    settings = fabric.get("osProfile", _NONE).get("secretsManagementSettings", _NONE)
    path = (*_FABRIC, "osProfile", "secretsManagementSettings", "observedCertificates")
    if not settings.get("observedCertificates"):
        return
    yield from twice(settings["observedCertificates"], path)
    identity = pool.get("identity", _NONE)
    kind = identity.get("type", "None")
    count = len(identity.get("userAssignedIdentities", ())) + ("SystemAssigned" in kind)
    if count != 1:
        yield (
            path,
            f"needs exactly one identity on the pool, to fetch from the key vault; pool.identity has {count or 'none'}",
        )


def certificates(fabric: JsonObject) -> Iterator[Finding]:
    """Where certificates are stored is a store on Windows and a directory on Ubuntu; other images say nothing of it."""
    settings = fabric.get("osProfile", _NONE).get("secretsManagementSettings", _NONE)
    location = settings.get("certificateStoreLocation")
    if location is None:
        return
    path = (*_FABRIC, "osProfile", "secretsManagementSettings", "certificateStoreLocation")
    names = [str(image.get("wellKnownImageName", "")).lower() for image in fabric.get("images", ())]
    windows = [name for name in names if name.startswith("windows")]
    ubuntu = [name for name in names if name.startswith("ubuntu")]
    if windows and ubuntu:
        yield path, f"is {show(location)}, but no place fits both {windows[0]} and {ubuntu[0]}; make two pools of them"
    elif windows and location.lower() not in _STORES:
        yield path, f"is {show(location)}, but {windows[0]} is Windows; write LocalMachine or CurrentUser"
    elif ubuntu and not location.startswith("/"):
        yield path, f"is {show(location)}, but {ubuntu[0]} is Linux; write a directory, which begins with /"


def images(given: Sequence[JsonObject]) -> Iterator[Finding]:
    """Where an image comes from, that none comes twice, and what its provisioning script needs."""
    for index, image in enumerate(given):
        path = (*_FABRIC, "images", index)
        sources = [key for key in ("resourceId", "wellKnownImageName") if key in image]
        if len(sources) != 1:
            both = "both resourceId and wellKnownImageName" if sources else "neither resourceId nor wellKnownImageName"
            yield path, f"has {both}; give exactly one"
        if image in given[:index]:
            yield path, f"is the same as entry {given.index(image) + 1}; give it once"
        scripted = any(key.startswith("provisioningScript") for key in image)
        if scripted and (missing := [key for key in _SCRIPT if key not in image]):
            yield path, f"has a provisioning script, but no {listing(missing)}; the three go together"


def standby(properties: JsonObject) -> Iterator[Finding]:
    """A schedule covers one day or a week, and requests no more than maximumConcurrency."""
    agent = properties.get("agentProfile", _NONE)
    predictions = agent.get("resourcePredictions", _NONE)
    path = (*_AGENT, "resourcePredictions")
    if predictions.get("daysData") and agent.get("resourcePredictionsProfile", _NONE).get("kind") == "Automatic":
        yield path, "is given, but resourcePredictionsProfile is Automatic; only Manual has a schedule"
    days = predictions.get("daysData")
    if days is not None and len(days) not in _WEEK:
        yield (*path, "daysData"), f"has {len(days)} maps; give one for every day, or seven beginning with Sunday"
    most = properties.get("maximumConcurrency")
    for index, day in enumerate(days or ()):
        for time, count in day.items():
            if most is not None and count > most:
                yield (*path, "daysData", index, time), f"is {count}, but maximumConcurrency is {most}; lower it"

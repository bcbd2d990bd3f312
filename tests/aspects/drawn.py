"""Random specs drawn from the published document, whatever properties it has, and fitted to what the service asks beyond.

Three parts: the document's own schema; `SAID`, what a value has to look like where the document says `string` and the
service says more (Microsoft Learn; terraform-provider-azurerm; the Azure Verified Module); `fitted`, the rules between
properties. A property that a newer document brings is drawn without a word here, and then has to be read and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from reconciler.spec.names import organization_key
from tests import openapi, published
from tests.aspects.bodies import SUB
from tests.aspects.bodies import bodies as written
from tests.aspects.shop import POOL, SUBSCRIPTION

PROJECTS = ["fabrikam-dev", "fabrikam-test", "Web", "fabrikam research"]
ORGANIZATIONS = ["fabrikam-tailspin", "fabrikam-prime"]
GROUP = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
Json = Any
Drawn = st.SearchStrategy[Json]


def _text(pattern: str) -> Drawn:
    return st.from_regex(pattern, fullmatch=True)


def _some(item: Drawn) -> Drawn:
    return st.lists(item, unique=True, max_size=3)


def _id(kind: str) -> Drawn:
    return st.sampled_from(["one", "Two"]).map(lambda name: f"{SUB}/{kind.replace('+', f'/{name}/')}/{name}")


def _map(keys: Drawn, items: Drawn, most: int = 3) -> Drawn:
    return st.dictionaries(keys, items, max_size=most)


IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
WORD = _text("[A-Za-z][A-Za-z0-9 .-]{0,12}[a-z0-9]")
LETTER, PATH = st.sampled_from("CdEfNn"), _text("/mnt/[a-z]{1,8}")
SPAN = _text("([0-6][.])?([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|7[.]00:00:00")
DAY = _map(_text("([01][0-9]|2[0-3]):[0-5][0-9]:00"), st.integers(0, 12))
URLS = ["https://dev.azure.com/{}", "https://{}.visualstudio.com", "https://dev.azure.com/{}/"]
SAID: dict[str, Drawn | None] = {
    "location": st.sampled_from(["eastus", "westeurope"]),
    "tags": _map(st.sampled_from(["team", "cost", "env"]), _text("[a-z ]{0,6}")),
    "identity.userAssignedIdentities": _map(_id(IDENTITIES), st.just({}), 2),
    "provisioningState": None,
    "maximumConcurrency": st.integers(1, 12),
    "devCenterProjectResourceId": _id("Microsoft.DevCenter/projects"),
    "runtimeConfiguration.workFolder": PATH,
    "AzureDevOps.organizations.url": st.sampled_from([url.format(name) for name in ORGANIZATIONS for url in URLS]),
    "AzureDevOps.organizations.projects": _some(st.sampled_from(PROJECTS)),
    "AzureDevOps.organizations.alias": _text("[a-z]{3,8}"),
    "AzureDevOps.alias": _text("[a-z]{3,8}"),
    "permissionProfile.users": _some(st.sampled_from(["ann@fabrikam.com", "bob@fabrikam.com"])),
    "permissionProfile.groups": _some(st.just(GROUP)),
    "GitHub.organizations.url": _text("https://github[.]com/[a-z]{3,6}"),
    "GitHub.organizations.repositories": _some(_text("https://github[.]com/fabrikam/[a-z]{3,6}")),
    "resourcePredictions": st.fixed_dictionaries(
        {},
        optional={
            "timeZone": WORD,
            "daysData": st.sampled_from([1, 7]).flatmap(lambda n: st.lists(DAY, min_size=n, max_size=n)),
        },
    ),
    "maxAgentLifetime": SPAN,
    "gracePeriodTimeSpan": SPAN,
    "sku.name": st.sampled_from(["Standard_D2ads_v5", "Standard_D4ads_v5"]),
    "sku.windowsNvmeDrive": LETTER,
    "sku.linuxNvmePath": PATH,
    "vmSizes.name": _text("Standard_D[248]ads_v5"),
    "images.resourceId": _id("Microsoft.Compute/galleries/fabrikam/images"),
    "images.wellKnownImageName": st.sampled_from(["ubuntu-24.04", "windows-2022", "ubuntu-22.04/latest"]),
    "images.aliases": _some(WORD),
    "images.buffer": _text("[*]|[0-9]|[1-9][0-9]|100"),
    "provisioningScriptStorageAccountResourceId": _id("Microsoft.Storage/storageAccounts"),
    "provisioningScriptManagedIdentityClientId": st.uuids().map(str),
    "provisioningScriptEntryPoint": _text("[a-z]{1,6}/[a-z]{1,6}[.]ps1"),
    "certificateStoreLocation": st.sampled_from(["LocalMachine", "CurrentUser", "/usr/local/share/ca-certificates"]),
    "observedCertificates": _some(_text("https://fabrikam[.]vault[.]azure[.]net/secrets/[a-z]{1,6}")),
    "diskSizeGiB": st.integers(1, 32767),
    "driveLetter": LETTER,
    "subnetId": _id("Microsoft.Network/virtualNetworks+subnets"),
    "staticIpAddressCount": st.integers(0, 16),
}


def document() -> Path | None:
    """The published document of the newest stable version, where the folder holds it."""
    return next((path for plane, path in openapi.documents() if plane == "arm"), None)


def resources(place: Path) -> Drawn:
    """Resources as the document has them, before they are fitted."""
    return published.values(place, {"$ref": "#/definitions/Pool"}, SAID).filter(lambda one: "properties" in one)


def strategies() -> dict[str, Drawn]:
    """Specs: the hand-written bodies always, those of the document where there is one."""
    place = document()
    drawn = {} if place is None else {"published": specs(resources(place))}
    return {"hand-written": written(), **drawn}


@st.composite
def specs(draw: st.DrawFn, drawn: Drawn) -> Json:
    """A whole spec around a drawn resource."""
    resource = draw(drawn)
    properties = resource["properties"]
    _fit_organizations(draw, properties)
    _fit_agents(properties)
    for image in _images(properties["fabricProfile"]):
        _fit_image(draw, image)
    _fit_certificates(properties["fabricProfile"])
    _fit_identity(draw, resource)
    head = {"apiVersion": "reconciler/v1", "kind": "ManagedDevOpsPool", "name": POOL}
    return {**head, "subscription": SUBSCRIPTION, "resourceGroup": "rg-build", "pool": resource}


def _fit_organizations(draw: st.DrawFn, properties: Json) -> None:
    """Each once, at least one, one alone for one machine; parallelism of all adds up, or none has any."""
    profile, most = properties["organizationProfile"], properties["maximumConcurrency"]
    known = {organization_key(one["url"]): one for one in profile["organizations"]}
    url = "https://dev.azure.com/fabrikam-prime" if profile["kind"] == "AzureDevOps" else "https://github.com/fabrikam"
    listed = list(known.values())[:most] or [{"url": url}]
    profile["organizations"] = listed
    if profile["kind"] != "AzureDevOps":
        return
    for one in listed:
        one.setdefault("projects", [])  # a creation has to name them
        one.pop("parallelism", None)
    if draw(st.booleans()):
        share(properties)
    if permissions := profile.get("permissionProfile"):
        _fit_accounts(permissions)


def share(properties: Json) -> None:
    """Parallelism for every organization: one each, and the rest for the first; none where there are too few."""
    listed, most = properties["organizationProfile"]["organizations"], properties["maximumConcurrency"]
    for index, one in enumerate(listed if most >= len(listed) else ()):
        one["parallelism"] = 1 if index else most - len(listed) + 1


def _fit_accounts(permissions: Json) -> None:
    """Accounts belong to SpecificAccounts, which names people."""
    if permissions["kind"] != "SpecificAccounts":
        permissions.pop("users", None)
        permissions.pop("groups", None)
    elif not permissions.get("users") and not permissions.get("groups"):
        permissions["users"] = ["ann@fabrikam.com"]


def _fit_agents(properties: Json) -> None:
    """A schedule is for Manual alone, and asks for no more than there is."""
    agents, most = properties["agentProfile"], properties["maximumConcurrency"]
    schedule = agents.get("resourcePredictions", {})
    if agents.get("resourcePredictionsProfile", {}).get("kind") == "Automatic":
        schedule.pop("daysData", None)
    for day in schedule.get("daysData", ()):
        day.update({moment: min(count, most) for moment, count in day.items()})


def _images(fabric: Json) -> Iterator[Json]:
    """At least one image, and an alias of its own for each where there are several."""
    fabric["images"] = fabric["images"] or [{}]
    for index, image in enumerate(fabric["images"]):
        if len(fabric["images"]) > 1:
            image["aliases"] = [*image.get("aliases", ()), f"image {index}"]
        yield image


def _fit_image(draw: st.DrawFn, image: Json) -> None:
    """One source; a script whole or not at all."""
    sources = {"resourceId", "wellKnownImageName"} & image.keys()
    if not sources:
        image["wellKnownImageName"] = "ubuntu-24.04"
    elif len(sources) > 1:
        del image[draw(st.sampled_from(sorted(sources)))]
    script = [name for name in image if name.startswith("provisioningScript")]
    needed = {"StorageAccountResourceId", "ManagedIdentityClientId", "EntryPoint"}
    if not {f"provisioningScript{name}" for name in needed} <= set(script):
        for name in script:
            del image[name]


def _fit_certificates(fabric: Json) -> None:
    """A store on Windows, a directory on Ubuntu, neither where there are both."""
    settings = fabric.get("osProfile", {}).get("secretsManagementSettings", {})
    if "certificateStoreLocation" in settings:
        systems = {image.get("wellKnownImageName", "").partition("-")[0] for image in fabric["images"]} - {""}
        settings["certificateStoreLocation"] = "LocalMachine" if "windows" in systems else "/var/certificates"
        if len(systems) > 1:
            del settings["certificateStoreLocation"]


def _fit_identity(draw: st.DrawFn, resource: Json) -> None:
    """The type and the list say the same; certificates are fetched by one identity."""
    secrets = resource["properties"]["fabricProfile"].get("osProfile", {}).get("secretsManagementSettings", {})
    one: Json = {f"{SUB}/{IDENTITIES}/one": {}}
    if secrets.get("observedCertificates"):
        resource["identity"] = {"type": "UserAssigned", "userAssignedIdentities": one}
        if draw(st.booleans()):
            resource["identity"] = {"type": "SystemAssigned"}
    identity = resource.get("identity", {})
    if "UserAssigned" not in identity.get("type", ""):
        identity.pop("userAssignedIdentities", None)
    elif not identity.get("userAssignedIdentities"):
        identity["userAssignedIdentities"] = one

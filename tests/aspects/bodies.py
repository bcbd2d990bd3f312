"""Random specs whose bodies the published document allows: every property that it has at 2026-06-02, now and then."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.aspects.shop import POOL, SUBSCRIPTION

SUB = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-build/providers"
IDENTITY = f"{SUB}/Microsoft.ManagedIdentity/userAssignedIdentities/"


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Each field there or not."""
    return st.fixed_dictionaries({}, optional=fields)


def maybe_cased(*words: str) -> st.SearchStrategy[str]:
    """Enumerations as the document spells them."""
    return st.sampled_from(words)


def organizations(parallelism: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """One or two of the estate's, whose parallelism adds up where it is given."""
    projects = st.lists(st.sampled_from(["fabrikam-dev", "fabrikam-test", "Web"]), unique=True)

    def one(name: str, share: int, form: str) -> st.SearchStrategy[dict[str, Any]]:
        url = f"https://dev.azure.com/{name}" if form == "new" else f"https://{name}.visualstudio.com"
        return st.fixed_dictionaries(
            {"url": st.just(url), "parallelism": st.just(share), "projects": projects},
            optional={"openAccess": st.booleans()},
        )

    single = st.tuples(one("fabrikam-prime", parallelism, "new"))
    both = st.tuples(one("fabrikam-tailspin", 1, "old"), one("fabrikam-prime", parallelism - 1, "new"))
    return st.one_of(single, both).map(list)


permissions = st.sampled_from(
    [
        {"kind": "CreatorOnly"},
        {"kind": "Inherit"},
        {"kind": "SpecificAccounts", "users": ["ann@fabrikam.com"]},
    ]
)
predictions: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"resourcePredictionsProfile": {"kind": "Automatic", "predictionPreference": "Balanced"}},
        {
            "resourcePredictionsProfile": {"kind": "Manual"},
            "resourcePredictions": {"timeZone": "UTC", "daysData": [{"08:00:00": 1, "18:00:00": 0}]},
        },
    ]
)
agents = st.one_of(
    predictions.map(lambda more: {"kind": "Stateless", **more}),
    st.tuples(
        predictions,
        optional(
            maxAgentLifetime=st.sampled_from(["7.00:00:00", "1.00:00:00", "12:00:00"]),
            gracePeriodTimeSpan=st.sampled_from(["00:00:00", "00:30:00"]),
        ),
    ).map(lambda parts: {"kind": "Stateful", **parts[0], **parts[1]}),
)
image: st.SearchStrategy[dict[str, Any]] = st.tuples(
    st.sampled_from(
        [
            {"wellKnownImageName": "ubuntu-24.04"},
            {"wellKnownImageName": "windows-2022"},
            {"resourceId": f"{SUB}/Microsoft.Compute/galleries/fabrikam/images/linux/versions/latest"},
        ]
    ),
    optional(
        buffer=st.sampled_from(["*", "0", "50", "100"]),
        ephemeralType=maybe_cased("Automatic", "CacheDisk", "ResourceDisk"),
    ),
).map(lambda parts: {**parts[0], **parts[1]})
disk = optional(
    caching=maybe_cased("None", "ReadOnly", "ReadWrite"),
    storageAccountType=maybe_cased("Standard_LRS", "Premium_LRS", "StandardSSD_LRS"),
    driveLetter=st.sampled_from(["F", "g"]),
).map(lambda fields: {"diskSizeGiB": 64, **fields})
fabric = st.fixed_dictionaries(
    {
        "kind": st.just("Vmss"),
        "sku": optional(
            windowsNvmeDrive=st.sampled_from(["N", "E"]),
            linuxNvmePath=st.sampled_from(["/mnt/azure_nvme_temp", "/mnt/x"]),
        ).map(lambda more: {"name": "Standard_D2ads_v5", **more}),
        "images": st.lists(image, min_size=1, max_size=1),
    },
    optional={
        "osProfile": optional(logonType=maybe_cased("Service", "Interactive")),
        "storageProfile": optional(
            osDiskStorageAccountType=maybe_cased("Standard", "Premium", "StandardSSD"),
            dataDisks=st.lists(disk, max_size=1),
        ),
        "networkProfile": optional(staticIpAddressCount=st.sampled_from([0, 2])),
    },
)
tags = st.dictionaries(st.sampled_from(["team", "cost", "env"]), st.text("abc", max_size=4), max_size=2)
identity = st.lists(st.sampled_from(["one", "two"]), min_size=1, unique=True).map(
    lambda names: {"type": "UserAssigned", "userAssignedIdentities": {f"{IDENTITY}{name}": {} for name in names}}
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A whole spec."""
    most = draw(st.integers(2, 8))
    profile: dict[str, Any] = {"kind": "AzureDevOps", "organizations": draw(organizations(most))}
    profile |= draw(
        optional(permissionProfile=permissions, description=st.just("Builds"), updateDescription=st.booleans())
    )
    properties = {
        "maximumConcurrency": most,
        "organizationProfile": profile,
        "agentProfile": draw(agents),
        "fabricProfile": draw(fabric),
        **draw(optional(runtimeConfiguration=optional(workFolder=st.just("/mnt/work")))),
    }
    resource = {"location": "eastus", "properties": properties, **draw(optional(tags=tags, identity=identity))}
    return {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": POOL,
        "subscription": SUBSCRIPTION,
        "resourceGroup": "rg-build",
        "pool": resource,
    }

"""The ARM body of a pool at api-version 2026-06-02: every property, with what an editor and the reference say of it.

Names, types, ranges and enumerations are those of azure-rest-api-specs, devopsinfrastructure 2026-06-02; forms that it
leaves open are those of Microsoft Learn (Managed DevOps Pools), of terraform-provider-azurerm and of the Azure Verified
Module. These are types of plain data, not classes with behaviour: what was read from git is checked and then goes to
ARM as it is, so nothing is filled in, dropped or reordered on the way. Rules between properties are in `rules`.

What ARM requires of the resource itself (`location` and four of `properties`) is optional here: a field that a spec
does not name is not managed. Inside an object ARM's own requirements hold.
"""

from typing import Annotated, Any, Literal, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from reconciler.spec.forms import (
    AbsolutePath,
    Buffer,
    CertificateUrl,
    DevCenterProjectId,
    DriveLetter,
    Guid,
    IdentityId,
    ResourceId,
    Span,
    StorageAccountId,
    SubnetId,
    Text,
    TimeOfDay,
    one_of,
)
from reconciler.spec.names import Account, GitHubUrl, OrganizationUrl, PoolName, ProjectName

MAXIMUM_CONCURRENCY = 10_000
INT32 = 2**31 - 1

STRICT = ConfigDict(extra="forbid", strict=True)


def _f(description: str, *examples: Any, default: Any = None, **limits: Any) -> Any:
    """What is said of a field; `default` is what the service takes where the field is absent."""
    extra = None if default is None else {"default": default}
    return Field(description=description, examples=list(examples) or None, json_schema_extra=extra, **limits)


def _read_only(description: str) -> Any:
    return Field(description=f"{description} Read-only: accepted from a pasted answer, and dropped.")


class Closed(TypedDict):
    """Unknown fields are errors, and nothing is converted."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict


class Organization(Closed, total=False):
    """One Azure DevOps organization that may use the pool."""

    url: Required[
        Annotated[
            OrganizationUrl,
            _f("The organization's URL, in either published form.", "https://dev.azure.com/fabrikam-tailspin"),
        ]
    ]
    projects: Annotated[
        list[ProjectName],
        _f(
            "Names of the projects that may use the pool. Empty: all projects, also those created tomorrow.",
            ["fabrikam-dev", "fabrikam-test"],
        ),
    ]
    parallelism: Annotated[
        int,
        _f(
            "Machines that this organization may use at once; all organizations add up to maximumConcurrency.",
            2,
            ge=0,
            le=MAXIMUM_CONCURRENCY,
        ),
    ]
    openAccess: Annotated[
        bool,
        _f(
            "Whether all pipelines of these projects may use the pool without an approval. ARM heeds it at creation "
            "alone; the reconciler keeps it true for ever, in every project. Absent: not managed.",
            True,
        ),
    ]
    alias: Annotated[
        Text, _f("Name of the agent pool in this organization, where it differs from the pool's.", "build-linux")
    ]


class PermissionProfile(Closed, total=False):
    """Who administers the agent pools in Azure DevOps. ARM heeds it at creation alone; the reconciler keeps it true."""

    kind: Required[
        Annotated[
            Literal["Inherit", "CreatorOnly", "SpecificAccounts"],
            _f(
                "Inherit: permissions of the organization hold. CreatorOnly: inheritance is off. "
                "SpecificAccounts: the users and groups below are administrators.",
                "CreatorOnly",
            ),
        ]
    ]
    users: Annotated[
        list[Account],
        _f("Addresses, user principal names or Entra object ids; with SpecificAccounts only.", ["ann@fabrikam.com"]),
    ]
    groups: Annotated[
        list[Account],
        _f(
            "Addresses or Entra object ids of groups; with SpecificAccounts only.",
            ["aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"],
        ),
    ]


class AzureDevOpsOrganizationProfile(Closed, total=False):
    """Azure DevOps organizations that may use the pool."""

    kind: Required[Annotated[Literal["AzureDevOps"], _f("The platform.")]]
    organizations: Required[Annotated[list[Organization], _f("The organizations, each at most once.", min_length=1)]]
    permissionProfile: Annotated[
        PermissionProfile, _f("Who administers the agent pools in these organizations.", {"kind": "CreatorOnly"})
    ]
    alias: Annotated[
        Text, _f("Name of the agent pools in Azure DevOps, where it differs from the pool's.", "build-linux")
    ]
    description: Annotated[
        str, _f("Text added to the agent pools' description in Azure DevOps.", "Linux builds of Fabrikam")
    ]
    updateDescription: Annotated[bool, _f("Whether the service writes that description.", True)]


class GitHubOrganization(Closed, total=False):
    """One GitHub organization that may use the pool."""

    url: Required[Annotated[GitHubUrl, _f("The organization's URL.", "https://github.com/fabrikam")]]
    repositories: Annotated[
        list[Text], _f("Repositories that may use the pool. Empty or absent: all.", ["https://github.com/fabrikam/web"])
    ]


class GitHubOrganizationProfile(Closed, total=False):
    """GitHub organizations that may use the pool; the reconciler manages the ARM resource alone."""

    kind: Required[Annotated[Literal["GitHub"], _f("The platform.")]]
    organizations: Required[
        Annotated[list[GitHubOrganization], _f("The organizations, each at most once.", min_length=1)]
    ]


OrganizationProfile = Annotated[AzureDevOpsOrganizationProfile | GitHubOrganizationProfile, Field(discriminator="kind")]

Standby = Annotated[int, Field(ge=0, le=MAXIMUM_CONCURRENCY)]


class ResourcePredictions(Closed, total=False):
    """The schedule of stand-by agents (Microsoft Learn: configure scaling)."""

    timeZone: Annotated[Text, _f("A Windows time zone.", "Eastern Standard Time", default="UTC")]
    daysData: Annotated[
        list[dict[TimeOfDay, Standby]],
        _f(
            "One map for every day, or seven beginning with Sunday: from a time on, that many agents stand by. "
            "At most maximumConcurrency.",
            [{}, {"09:00:00": 2, "17:00:00": 0}, {}, {}, {}, {}, {}],
        ),
    ]


class ManualPredictions(Closed, total=False):
    """Stand-by agents follow the schedule in resourcePredictions."""

    kind: Required[Annotated[Literal["Manual"], _f("The schedule is given.")]]


class AutomaticPredictions(Closed, total=False):
    """Stand-by agents follow earlier demand."""

    kind: Required[Annotated[Literal["Automatic"], _f("The schedule follows earlier demand.")]]
    predictionPreference: Annotated[
        str,
        one_of("Balanced", "MostCostEffective", "MoreCostEffective", "MorePerformance", "BestPerformance"),
        _f("Between cost and performance.", "Balanced"),
    ]


Predictions = Annotated[ManualPredictions | AutomaticPredictions, Field(discriminator="kind")]


class _Agent(Closed, total=False):
    resourcePredictions: Annotated[ResourcePredictions, _f("When how many agents stand by.")]
    resourcePredictionsProfile: Annotated[Predictions, _f("How it is decided that agents stand by.")]


class StatelessAgentProfile(_Agent, total=False):
    """A fresh agent for every job."""

    kind: Required[Annotated[Literal["Stateless"], _f("Machines are cleaned after each job.")]]


class StatefulAgentProfile(_Agent, total=False):
    """Agents serve several jobs."""

    kind: Required[Annotated[Literal["Stateful"], _f("Machines return to the pool after a job.")]]
    maxAgentLifetime: Annotated[
        Span,
        _f("How long a machine may serve, d.hh:mm:ss, at most one week.", "1.00:00:00", default="7.00:00:00"),
    ]
    gracePeriodTimeSpan: Annotated[
        Span,
        _f(
            "How long a machine without stand-by waits for another job, d.hh:mm:ss, at most one week.",
            "00:30:00",
            default="00:00:00",
        ),
    ]


AgentProfile = Annotated[StatelessAgentProfile | StatefulAgentProfile, Field(discriminator="kind")]


class VmSize(Closed, total=False):
    """One size of an instance mix."""

    name: Annotated[Text, _f("Name of the VM size.", "Standard_D4ads_v5")]


class Sku(Closed, total=False):
    """The machines' size."""

    name: Required[Annotated[Text, _f("Name of the Azure SKU.", "Standard_D4ads_v5")]]
    windowsNvmeDrive: Annotated[DriveLetter, _f("Drive letter of the striped NVMe volume.", default="N")]
    linuxNvmePath: Annotated[AbsolutePath, _f("Mount path of the striped NVMe volume.", default="/mnt/azure_nvme_temp")]
    vmSizes: Annotated[
        list[VmSize], _f("Sizes among which machines are allocated (instance mix).", [{"name": "Standard_D4ads_v5"}])
    ]


class Image(Closed, total=False):
    """One image of the machines; exactly one of resourceId and wellKnownImageName."""

    resourceId: Annotated[
        ResourceId,
        _f(
            "Resource id of the image: of a gallery, or of the marketplace.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Compute"
            "/galleries/fabrikam/images/linux/versions/latest",
        ),
    ]
    wellKnownImageName: Annotated[Text, _f("An image that the service knows.", "ubuntu-24.04", "windows-2022/latest")]
    aliases: Annotated[list[Text], _f("Names by which pipelines may ask for the image.", ["ubuntu-24.04"])]
    buffer: Annotated[
        Buffer, _f("Share of the stand-by agents, in percent, as text; '*' for what is left.", "50", default="*")
    ]
    ephemeralType: Annotated[
        str,
        one_of("Automatic", "CacheDisk", "ResourceDisk"),
        _f("Which ephemeral disk the operating system uses.", "Automatic"),
    ]
    isEphemeral: Annotated[Any, _read_only("Whether the image is ephemeral.")]
    provisioningScriptStorageAccountResourceId: Annotated[
        StorageAccountId,
        _f(
            "The storage account that holds provisioning scripts. Needs an entry point and an identity beside it.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Storage"
            "/storageAccounts/fabrikamscripts",
        ),
    ]
    provisioningScriptManagedIdentityClientId: Annotated[
        Guid,
        _f("Client id of the identity that reads the scripts.", "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"),
    ]
    provisioningScriptShouldRestart: Annotated[bool, _f("Whether the machine restarts after the script.", True)]
    provisioningScriptEntryPoint: Annotated[Text, _f("The script that is started.", "scripts/setup-agent.ps1")]


class SecretsManagementSettings(Closed, total=False):
    """Certificates of a Key Vault that are installed on the machines; the pool then has exactly one identity."""

    observedCertificates: Required[
        Annotated[
            list[CertificateUrl],
            _f("Secret URLs of the certificates.", ["https://fabrikam-build.vault.azure.net/secrets/signing"]),
        ]
    ]
    keyExportable: Required[Annotated[bool, _f("Whether private keys can be exported.", False)]]
    certificateStoreLocation: Annotated[
        Text,
        _f(
            "Windows: LocalMachine or CurrentUser. Ubuntu: a directory.",
            "LocalMachine",
            "/usr/local/share/ca-certificates",
        ),
    ]
    certificateStoreName: Annotated[
        str, one_of("My", "Root"), _f("The certificate store; not used on Linux.", "Root", default="My")
    ]


class OsProfile(Closed, total=False):
    """The machines' operating system."""

    secretsManagementSettings: Annotated[SecretsManagementSettings, _f("Certificates from a Key Vault.")]
    logonType: Annotated[
        str,
        one_of("Service", "Interactive"),
        _f("Interactive: the agent runs in a desktop session, for UI tests.", "Interactive", default="Service"),
    ]


class DataDisk(Closed, total=False):
    """An empty disk that is attached to every machine."""

    caching: Annotated[
        str,
        one_of("None", "ReadOnly", "ReadWrite"),
        _f("Host caching. Quote 'None' in YAML where other readers see it too.", "ReadOnly", default="ReadWrite"),
    ]
    diskSizeGiB: Annotated[int, _f("Size in GiB.", 256, ge=1, le=32_767)]
    storageAccountType: Annotated[
        str,
        one_of("Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS"),
        _f("Kind of disk.", "Premium_LRS", default="Standard_LRS"),
    ]
    driveLetter: Annotated[DriveLetter, _f("Drive letter on Windows; absent: the first that is free.", "F")]


class StorageProfile(Closed, total=False):
    """The machines' disks."""

    osDiskStorageAccountType: Annotated[
        str,
        one_of("Standard", "Premium", "StandardSSD"),
        _f("Kind of the operating system's disk.", "StandardSSD", default="Standard"),
    ]
    dataDisks: Annotated[list[DataDisk], _f("Empty disks to attach.", [{"diskSizeGiB": 256}])]


class NetworkProfile(Closed, total=False):
    """The machines' network."""

    subnetId: Annotated[
        SubnetId,
        _f(
            "Resource id of the subnet. It is delegated to Microsoft.DevOpsInfrastructure/pools.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Network"
            "/virtualNetworks/build/subnets/agents",
        ),
    ]
    staticIpAddressCount: Annotated[int, _f("Static public addresses for outgoing connections.", 2, ge=0, le=INT32)]
    ipAddresses: Annotated[Any, _read_only("The addresses that the service assigned.")]


class VmssFabricProfile(Closed, total=False):
    """Agents run on a virtual machine scale set."""

    kind: Required[Annotated[Literal["Vmss"], _f("The only kind there is.")]]
    sku: Required[Annotated[Sku, _f("The machines' size.", {"name": "Standard_D4ads_v5"})]]
    images: Required[
        Annotated[
            list[Image],
            _f("The machines' images.", [{"wellKnownImageName": "ubuntu-24.04", "buffer": "*"}], min_length=1),
        ]
    ]
    osProfile: Annotated[OsProfile, _f("Log-on and certificates.")]
    storageProfile: Annotated[StorageProfile, _f("Disks.")]
    networkProfile: Annotated[NetworkProfile, _f("Network; absent: one that the service isolates.")]


class RuntimeConfiguration(Closed, total=False):
    """How the agent runs."""

    workFolder: Annotated[Text, _f("The agent's work folder on the machine.", "/mnt/work")]


class Properties(Closed, total=False):
    """The pool's own properties."""

    maximumConcurrency: Annotated[int, _f("Most machines at any time.", 4, ge=1, le=MAXIMUM_CONCURRENCY)]
    organizationProfile: Annotated[OrganizationProfile, _f("Who may use the pool.")]
    agentProfile: Annotated[
        AgentProfile, _f("What becomes of a machine after a job, and how many stand by.", {"kind": "Stateless"})
    ]
    fabricProfile: Annotated[VmssFabricProfile, _f("The machines.")]
    devCenterProjectResourceId: Annotated[
        DevCenterProjectId,
        _f(
            "Resource id of the Dev Center project that the pool belongs to.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.DevCenter"
            "/projects/fabrikam",
        ),
    ]
    runtimeConfiguration: Annotated[RuntimeConfiguration, _f("How the agent runs.", {"workFolder": "/mnt/work"})]
    provisioningState: Annotated[Any, _read_only("State of the service's last operation.")]


class UserAssignedIdentity(Closed, total=False):
    """Nothing to say: the resource id is the key."""

    principalId: Annotated[Any, _read_only("The identity's object id.")]
    clientId: Annotated[Any, _read_only("The identity's client id.")]


class Identity(Closed, total=False):
    """Managed identities of the pool."""

    type: Required[
        Annotated[
            str,
            one_of("None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"),
            _f("Which kinds of identity the pool has.", "UserAssigned"),
        ]
    ]
    userAssignedIdentities: Annotated[
        dict[IdentityId, UserAssignedIdentity],
        _f(
            "Resource ids of the identities, each with an empty mapping; a plain list of ids is read as well.",
            {
                "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers"
                "/Microsoft.ManagedIdentity/userAssignedIdentities/build": {}
            },
        ),
    ]
    principalId: Annotated[Any, _read_only("Object id of the system-assigned identity.")]
    tenantId: Annotated[Any, _read_only("Tenant of the system-assigned identity.")]


TagName = Annotated[str, Field(min_length=1, max_length=512)]
TagValue = Annotated[str, Field(max_length=256)]


class Pool(Closed, total=False):
    """The ARM resource, as one writes it in a template, in Bicep, or for `az mdp`."""

    location: Annotated[Text, _f("The Azure region; a change needs a new pool.", "eastus")]
    tags: Annotated[
        dict[TagName, TagValue], _f("Tags; the service passes up to 20 on to the machines.", {"team": "build"})
    ]
    identity: Annotated[Identity, _f("Managed identities of the pool.")]
    properties: Annotated[Properties, _f("The pool's own properties.")]
    id: Annotated[str, _f("From a pasted resource: has to agree with name, subscription and resourceGroup.")]
    name: Annotated[PoolName, _f("From a pasted resource: has to agree with the spec's name.")]
    resourceGroup: Annotated[str, _f("From a pasted answer of az: has to agree with the spec's resourceGroup.")]
    type: Annotated[str, _f("From a pasted resource.", "Microsoft.DevOpsInfrastructure/pools")]
    apiVersion: Annotated[str, _f("From a pasted template; the reconciler always speaks 2026-06-02.", "2026-06-02")]
    systemData: Annotated[Any, _read_only("Who made and changed the resource.")]

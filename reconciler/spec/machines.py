"""The machines of a pool: `properties.agentProfile` and `properties.fabricProfile` of the ARM body.

Sources: azure-rest-api-specs, devopsinfrastructure 2026-06-02; Microsoft Learn, Managed DevOps Pools: configure scaling
(schedules), configure security (certificates); terraform-provider-azurerm (sizes of disks, buffers, time spans).
"""

# ruff: noqa: N815 - the names are ARM's
from typing import Annotated, Any, Literal, Required

from pydantic import Field

from reconciler.spec.fields import Closed, read_only, said
from reconciler.spec.forms import (
    AbsolutePath,
    Buffer,
    CertificateUrl,
    DriveLetter,
    Guid,
    ResourceId,
    Span,
    StorageAccountId,
    SubnetId,
    Text,
    TimeOfDay,
    one_of,
)
from reconciler.spec.organizations import MAXIMUM_CONCURRENCY

INT32 = 2**31 - 1

Standby = Annotated[int, Field(ge=0, le=MAXIMUM_CONCURRENCY)]


class ResourcePredictions(Closed, total=False):
    """The schedule of stand-by agents (Microsoft Learn: configure scaling)."""

    timeZone: Annotated[Text, said("A Windows time zone.", "Eastern Standard Time", default="UTC")]
    daysData: Annotated[
        list[dict[TimeOfDay, Standby]],
        said(
            "One map for every day, or seven beginning with Sunday: from a time on, that many agents stand by. "
            "At most maximumConcurrency.",
            [{}, {"09:00:00": 2, "17:00:00": 0}, {}, {}, {}, {}, {}],
        ),
    ]


class ManualPredictions(Closed, total=False):
    """Stand-by agents follow the schedule in resourcePredictions."""

    kind: Required[Annotated[Literal["Manual"], said("The schedule is given.")]]


class AutomaticPredictions(Closed, total=False):
    """Stand-by agents follow earlier demand."""

    kind: Required[Annotated[Literal["Automatic"], said("The schedule follows earlier demand.")]]
    predictionPreference: Annotated[
        str,
        one_of("Balanced", "MostCostEffective", "MoreCostEffective", "MorePerformance", "BestPerformance"),
        said("Between cost and performance.", "Balanced"),
    ]


Predictions = Annotated[ManualPredictions | AutomaticPredictions, Field(discriminator="kind")]


class _Agent(Closed, total=False):
    resourcePredictions: Annotated[ResourcePredictions, said("When how many agents stand by.")]
    resourcePredictionsProfile: Annotated[Predictions, said("How it is decided that agents stand by.")]


class StatelessAgentProfile(_Agent, total=False):
    """A fresh agent for every job."""

    kind: Required[Annotated[Literal["Stateless"], said("Machines are cleaned after each job.")]]


class StatefulAgentProfile(_Agent, total=False):
    """Agents serve several jobs."""

    kind: Required[Annotated[Literal["Stateful"], said("Machines return to the pool after a job.")]]
    maxAgentLifetime: Annotated[
        Span,
        said("How long a machine may serve, d.hh:mm:ss, at most one week.", "1.00:00:00", default="7.00:00:00"),
    ]
    gracePeriodTimeSpan: Annotated[
        Span,
        said(
            "How long a machine without stand-by waits for another job, d.hh:mm:ss, at most one week.",
            "00:30:00",
            default="00:00:00",
        ),
    ]


AgentProfile = Annotated[StatelessAgentProfile | StatefulAgentProfile, Field(discriminator="kind")]


class VmSize(Closed, total=False):
    """One size of an instance mix."""

    name: Annotated[Text, said("Name of the VM size.", "Standard_D4ads_v5")]


class Sku(Closed, total=False):
    """The machines' size."""

    name: Required[Annotated[Text, said("Name of the Azure SKU.", "Standard_D4ads_v5")]]
    windowsNvmeDrive: Annotated[DriveLetter, said("Drive letter of the striped NVMe volume.", default="N")]
    linuxNvmePath: Annotated[
        AbsolutePath, said("Mount path of the striped NVMe volume.", default="/mnt/azure_nvme_temp")
    ]
    vmSizes: Annotated[
        list[VmSize], said("Sizes among which machines are allocated (instance mix).", [{"name": "Standard_D4ads_v5"}])
    ]


class Image(Closed, total=False):
    """One image of the machines; exactly one of resourceId and wellKnownImageName."""

    resourceId: Annotated[
        ResourceId,
        said(
            "Resource id of the image: of a gallery, or of the marketplace.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Compute"
            "/galleries/fabrikam/images/linux/versions/latest",
        ),
    ]
    wellKnownImageName: Annotated[Text, said("An image that the service knows.", "ubuntu-24.04", "windows-2022/latest")]
    aliases: Annotated[list[Text], said("Names by which pipelines may request the image.", ["ubuntu-24.04"])]
    buffer: Annotated[
        Buffer, said("Share of the stand-by agents, in percent, as text; '*' for what is left.", "50", default="*")
    ]
    ephemeralType: Annotated[
        str,
        one_of("Automatic", "CacheDisk", "ResourceDisk"),
        said("Which ephemeral disk the operating system uses.", "Automatic"),
    ]
    isEphemeral: Annotated[Any, read_only("Whether the image is ephemeral.")]
    provisioningScriptStorageAccountResourceId: Annotated[
        StorageAccountId,
        said(
            "The storage account that holds provisioning scripts. Needs an entry point and an identity beside it.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Storage"
            "/storageAccounts/fabrikamscripts",
        ),
    ]
    provisioningScriptManagedIdentityClientId: Annotated[
        Guid,
        said("Client id of the identity that reads the scripts.", "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"),
    ]
    provisioningScriptShouldRestart: Annotated[bool, said("Whether the machine restarts after the script.", True)]
    provisioningScriptEntryPoint: Annotated[Text, said("The script that is started.", "scripts/setup-agent.ps1")]


class SecretsManagementSettings(Closed, total=False):
    """Certificates of a Key Vault that are installed on the machines; the pool then has exactly one identity."""

    observedCertificates: Required[
        Annotated[
            list[CertificateUrl],
            said(
                "Secret URLs of the certificates. Machines get their newest version, and do not start where one cannot "
                "be fetched.",
                ["https://fabrikam-build.vault.azure.net/secrets/signing"],
            ),
        ]
    ]
    keyExportable: Required[Annotated[bool, said("Whether private keys can be exported.", False)]]
    certificateStoreLocation: Annotated[
        Text,
        said(
            "Windows: LocalMachine or CurrentUser. Ubuntu: a directory; what lies in /usr/local/share/ca-certificates "
            "is trusted. Other Linux: not supported.",
            "LocalMachine",
            "/usr/local/share/ca-certificates",
        ),
    ]
    certificateStoreName: Annotated[
        str,
        one_of("My", "Root", strict=False),
        said("The certificate store; Root is trusted. Not used on Linux.", "Root", default="My"),
    ]


class OsProfile(Closed, total=False):
    """The machines' operating system."""

    secretsManagementSettings: Annotated[SecretsManagementSettings, said("Certificates from a Key Vault.")]
    logonType: Annotated[
        str,
        one_of("Service", "Interactive"),
        said("Interactive: the agent runs in a desktop session, for UI tests.", "Interactive", default="Service"),
    ]


class DataDisk(Closed, total=False):
    """An empty disk that is attached to every machine."""

    caching: Annotated[
        str,
        one_of("None", "ReadOnly", "ReadWrite"),
        said("Host caching.", "ReadOnly", default="ReadWrite"),
    ]
    diskSizeGiB: Annotated[int, said("Size in GiB.", 256, ge=1, le=32_767)]
    storageAccountType: Annotated[
        str,
        one_of("Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS"),
        said("Kind of disk.", "Premium_LRS", default="Standard_LRS"),
    ]
    driveLetter: Annotated[DriveLetter, said("Drive letter on Windows; absent: the first that is free.", "F")]


class StorageProfile(Closed, total=False):
    """The machines' disks."""

    osDiskStorageAccountType: Annotated[
        str,
        one_of("Standard", "Premium", "StandardSSD"),
        said("Kind of the operating system's disk.", "StandardSSD", default="Standard"),
    ]
    dataDisks: Annotated[list[DataDisk], said("Empty disks to attach.", [{"diskSizeGiB": 256}])]


class NetworkProfile(Closed, total=False):
    """The machines' network."""

    subnetId: Annotated[
        SubnetId,
        said(
            "Resource id of the subnet. It is delegated to Microsoft.DevOpsInfrastructure/pools.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Network"
            "/virtualNetworks/build/subnets/agents",
        ),
    ]
    staticIpAddressCount: Annotated[int, said("Static public addresses for outgoing connections.", 2, ge=0, le=INT32)]
    ipAddresses: Annotated[Any, read_only("The addresses that the service assigned.")]


class VmssFabricProfile(Closed, total=False):
    """Agents run on a virtual machine scale set."""

    kind: Required[Annotated[Literal["Vmss"], said("The only kind there is.")]]
    sku: Required[Annotated[Sku, said("The machines' size.", {"name": "Standard_D4ads_v5"})]]
    images: Required[
        Annotated[
            list[Image],
            said("The machines' images.", [{"wellKnownImageName": "ubuntu-24.04", "buffer": "*"}], min_length=1),
        ]
    ]
    osProfile: Annotated[OsProfile, said("Log-on and certificates.")]
    storageProfile: Annotated[StorageProfile, said("Disks.")]
    networkProfile: Annotated[NetworkProfile, said("Network; absent: one that the service isolates.")]

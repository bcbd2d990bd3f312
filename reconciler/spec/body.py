"""The ARM body of a pool at api-version 2026-06-02: every property, with what an editor and the reference say of it.

Names, types, ranges and enumerations are those of azure-rest-api-specs, devopsinfrastructure 2026-06-02; forms that it
leaves open are those of Microsoft Learn (Managed DevOps Pools), of terraform-provider-azurerm and of the Azure Verified
Module. Rules between properties are in `rules`.

What ARM requires of the resource itself (`location` and four of `properties`) is optional here: a field that a spec
does not name is not managed. Inside an object ARM's own requirements hold.
"""

# ruff: noqa: N815 - the names are ARM's
from typing import Annotated, Any, Required

from pydantic import Field

from reconciler.spec.fields import Closed, read_only, said
from reconciler.spec.forms import DevCenterProjectId, IdentityId, Text, one_of
from reconciler.spec.machines import AgentProfile, VmssFabricProfile
from reconciler.spec.names import PoolName
from reconciler.spec.organizations import MAXIMUM_CONCURRENCY, OrganizationProfile


class RuntimeConfiguration(Closed, total=False):
    """How the agent runs."""

    workFolder: Annotated[Text, said("The agent's work folder on the machine.", "/mnt/work")]


class Properties(Closed, total=False):
    """The pool's own properties."""

    maximumConcurrency: Annotated[int, said("Most machines at any time.", 4, ge=1, le=MAXIMUM_CONCURRENCY)]
    organizationProfile: Annotated[OrganizationProfile, said("Who may use the pool.")]
    agentProfile: Annotated[
        AgentProfile, said("What becomes of a machine after a job, and how many stand by.", {"kind": "Stateless"})
    ]
    fabricProfile: Annotated[VmssFabricProfile, said("The machines.")]
    devCenterProjectResourceId: Annotated[
        DevCenterProjectId,
        said(
            "Resource id of the Dev Center project that the pool belongs to.",
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.DevCenter"
            "/projects/fabrikam",
        ),
    ]
    runtimeConfiguration: Annotated[RuntimeConfiguration, said("How the agent runs.", {"workFolder": "/mnt/work"})]
    provisioningState: Annotated[Any, read_only("State of the service's last operation.")]


class UserAssignedIdentity(Closed, total=False):
    """Nothing to say: the resource id is the key."""

    principalId: Annotated[Any, read_only("The identity's object id.")]
    clientId: Annotated[Any, read_only("The identity's client id.")]


class IdentityBody(Closed, total=False):
    """Managed identities of the pool."""

    type: Required[
        Annotated[
            str,
            one_of("None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"),
            said("Which kinds of identity the pool has.", "UserAssigned"),
        ]
    ]
    userAssignedIdentities: Annotated[
        dict[IdentityId, UserAssignedIdentity],
        said(
            "Resource ids of the identities, each with an empty mapping; a plain list of ids is read as well.",
            {
                "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers"
                "/Microsoft.ManagedIdentity/userAssignedIdentities/build": {}
            },
        ),
    ]
    principalId: Annotated[Any, read_only("Object id of the system-assigned identity.")]
    tenantId: Annotated[Any, read_only("Tenant of the system-assigned identity.")]


TagName = Annotated[str, Field(min_length=1, max_length=512)]
TagValue = Annotated[str, Field(max_length=256)]


class PoolBody(Closed, total=False):
    """The ARM resource, as one writes it in a template, in Bicep, or for `az mdp`."""

    location: Annotated[Text, said("The Azure region; a change needs a new pool.", "eastus")]
    tags: Annotated[
        dict[TagName, TagValue], said("Tags; the service passes up to 20 on to the machines.", {"team": "build"})
    ]
    identity: Annotated[IdentityBody, said("Managed identities of the pool.")]
    properties: Annotated[Properties, said("The pool's own properties.")]
    id: Annotated[str, said("From a pasted resource: has to agree with name, subscription and resourceGroup.")]
    name: Annotated[PoolName, said("From a pasted resource: has to agree with the spec's name.")]
    resourceGroup: Annotated[str, said("From a pasted answer of az: has to agree with the spec's resourceGroup.")]
    type: Annotated[str, said("From a pasted resource.", "Microsoft.DevOpsInfrastructure/pools")]
    apiVersion: Annotated[str, said("From a pasted template, and not used: see armApiVersion.", "2026-06-02")]
    systemData: Annotated[Any, read_only("Who made and changed the resource.")]

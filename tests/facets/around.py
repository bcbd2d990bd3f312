"""What lies around one pool, in memory: everything right, until a test says otherwise; a read may be refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.documents import Json
from reconciler.errors import Forbidden
from reconciler.facets.support.prerequisites.vaults import RANGES, SECRETS_USER
from reconciler.ports.azure_resources import Assignment, Right

GROUP = "/subscriptions/1111/resourceGroups/rg-build/providers"
IDENTITY = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/build"
VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/build-vault"
SUBNET = f"{GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/agents"
TENANT = "7a394543-62fd-4274-a7d2-8fac775942b6"
PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
DELEGATED = {"properties": {"serviceName": "Microsoft.DevOpsInfrastructure/pools"}}

BODY: dict[str, Json] = {
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
    "properties": {
        "fabricProfile": {
            "osProfile": {
                "secretsManagementSettings": {
                    "observedCertificates": ["https://build-vault.vault.azure.net/secrets/signing"]
                }
            },
            "networkProfile": {"subnetId": SUBNET},
        }
    },
}
"""A pool that names all three."""


@dataclass
class Around:
    """Implements `reconciler.ports.azure_resources.Surroundings`."""

    tenant_of_identity: str = TENANT
    delegations: list[Json] = field(default_factory=lambda: [DELEGATED])
    vault: dict[str, Json] = field(
        default_factory=lambda: {
            "enableRbacAuthorization": True,
            "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": one} for one in RANGES]},
        }
    )
    assigned: list[Assignment] = field(default_factory=lambda: [Assignment(SECRETS_USER, VAULT)])
    roles: dict[str, Right] = field(default_factory=dict)
    own: Right = field(default_factory=lambda: Right((), (), ("Microsoft.KeyVault/vaults/*",)))
    refused: set[str] = field(default_factory=set)
    """Reads that the operator may not make."""
    asked: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.refused:
            raise Forbidden(f"{what}: the identity lacks a right")

    def resource(self, resource_id: str, api_version: str) -> dict[str, Json] | None:  # noqa: ARG002 - one document each
        self._ask("subnet" if resource_id == SUBNET else "identity")
        if resource_id == SUBNET:
            return {"properties": {"delegations": self.delegations}}
        return {"properties": {"tenantId": self.tenant_of_identity, "principalId": PRINCIPAL}}

    def vaults(self, subscription: str) -> Sequence[dict[str, Json]]:  # noqa: ARG002 - there is one
        self._ask("vaults")
        return [{"id": VAULT, "name": "build-vault", "properties": self.vault}]

    def assignments(self, scope: str, principal: str) -> Sequence[Assignment]:  # noqa: ARG002 - there is one of each
        self._ask("assignments")
        return self.assigned

    def role(self, scope: str, role: str) -> Sequence[Right]:  # noqa: ARG002 - roles are the same everywhere
        self._ask("role")
        return [self.roles[role]]

    def rights(self, scope: str) -> Sequence[Right]:  # noqa: ARG002 - there is one
        self._ask("rights")
        return [self.own]

    def tenant(self, organization: str, identity_id: str) -> str:  # noqa: ARG002 - there is one
        self._ask("tenant")
        return TENANT

"""What has to hold around a pool before its machines start: identities, and the key vault of its certificates.

Machines do not start where a secret cannot be fetched, and ARM says so only then (Microsoft Learn: managed-devops-
pools/configure-security, configure-identity). So it is looked at here, where it blocks nothing: what cannot be seen is
unknown, and says what to look at. Roles are compared by id, since names change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import urlsplit

from reconciler.doctor.azure import fits, subnet_of
from reconciler.doctor.check import Check, Subject, asked
from reconciler.errors import NotFound, ReconcilerError, Unavailable
from reconciler.inspection import ArmInspector, DevOpsInspector, Right
from reconciler.rights import Grant
from reconciler.spec.model import Mode, Spec
from reconciler.survey import Survey

SECRETS = {
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
}
"""Roles that may read a secret; the first is the one to give (Microsoft Learn: Key Vault RBAC guide)."""
CERTIFICATES = "Microsoft.KeyVault/vaults/certificates/read"
"""What Key Vault Certificate User (db79e9a7-68ee-4b58-9aeb-b90e7c24fcba) has and Secrets User has not."""
RANGES = (
    *("4.198.194.192/28", "74.163.143.32/28", "130.107.66.0/28", "98.70.255.112/28", "72.152.33.16/28"),
    *("72.153.21.192/28", "131.189.121.128/28", "72.145.24.48/28", "135.171.33.48/28", "74.161.82.192/28"),
    *("131.145.107.64/28", "57.154.125.208/28"),
)
"""The service's ranges, tag DevOpsInfrastructure (Microsoft Learn: configure-security, key vault)."""
_IDENTITY_VERSION = "2023-01-31"
_NETWORK_VERSION = "2024-05-01"
DELEGATE = "Microsoft.DevOpsInfrastructure/pools"
"""What a subnet has to be delegated to (Microsoft Learn: managed-devops-pools/configure-networking)."""


class Surroundings:
    """Around one pool."""

    def __init__(self, spec: Spec, survey: Survey, arm: ArmInspector, devops: DevOpsInspector) -> None:
        self._spec = spec
        self._survey = survey
        self._arm = arm
        self._devops = devops

    def checks(self) -> Iterator[Check]:
        """Of every identity, then of every vault."""
        identities = sorted((self._spec.body.get("identity") or {}).get("userAssignedIdentities") or {})
        for identity in identities:
            for organization in self._spec.organizations:
                yield self._same_tenant(identity, organization.name)
        if subnet := subnet_of(self._spec):
            yield self._delegated(subnet)
        for vault in _vaults(self._spec):
            yield from self._vault(vault, identities)

    # --- the subnet --------------------------------------------------------------------------------------

    def _delegated(self, subnet: str) -> Check:
        network, _, name = subnet.rpartition("/subnets/")
        command = f"az network vnet subnet update --ids {subnet} --delegations {DELEGATE}"
        grant = Grant(f"a delegation to {DELEGATE}", network, f"subnet {name}", command)
        subject = Subject(subnet, "be delegated to the service", Mode.REPORT, grant)
        return _told(asked(subject, partial(self._delegations, subnet)))

    def _delegations(self, subnet: str) -> bool:
        try:
            document = self._arm.resource(subnet, _NETWORK_VERSION)
        except ReconcilerError as error:
            raise Unavailable(f"the subnet cannot be read: {error}") from None
        if document is None:
            raise NotFound("there is no such subnet")
        given = (document.get("properties") or {}).get("delegations") or ()
        names = {str((one.get("properties") or {}).get("serviceName", "")).casefold() for one in given}
        return DELEGATE.casefold() in names

    # --- identities --------------------------------------------------------------------------------------

    def _same_tenant(self, identity: str, organization: str) -> Check:
        remedy = (
            f"https://dev.azure.com/{organization}/_settings/organizationAad shows the organization's directory; "
            "create the identity in a subscription of that directory"
        )
        grant = Grant("an identity of the organization's tenant", organization, identity, remedy)
        subject = Subject(identity, f"be in the tenant of {organization}", Mode.REPORT, grant)
        return _told(asked(subject, partial(self._tenants_agree, identity, organization)))

    def _tenants_agree(self, identity: str, organization: str) -> None:
        ours = self._properties(identity)
        theirs = self._devops.tenant(organization, self._survey.me(organization).id)
        tenant = str(ours.get("tenantId", "")).lower()
        if not tenant or not theirs:
            raise Unavailable("the tenant is not told; compare it by hand")
        if tenant != theirs:
            raise NotFound(f"the identity is of tenant {tenant}, the organization of {theirs}")

    def _properties(self, identity: str) -> Mapping[str, Any]:
        try:
            document = self._arm.resource(identity, _IDENTITY_VERSION)
        except ReconcilerError as error:
            raise Unavailable(f"the identity cannot be read: {error}") from None
        if document is None:
            raise NotFound("there is no such identity")
        properties: Mapping[str, Any] = document.get("properties") or {}
        return properties

    # --- vaults ------------------------------------------------------------------------------------------

    def _vault(self, name: str, identities: Sequence[str]) -> Iterator[Check]:
        place = f"key vault {name}"
        see = Grant("Reader", place, "the operator's identity", f"az role assignment create --role Reader … for {name}")
        subject = Subject(place, "see the vault", Mode.REPORT, see)
        found: list[Mapping[str, Any]] = []
        check = asked(subject, partial(self._find, name, found))
        yield check
        for document in found:
            id_ = str(document["id"])
            properties = document.get("properties") or {}
            if properties.get("enableRbacAuthorization") is True:
                for identity in identities:
                    yield self._secrets(place, id_, identity)
                yield self._certificates(place, id_)
            else:
                yield self._policies(place)
            yield _network(place, name, properties)

    def _find(self, name: str, found: list[Mapping[str, Any]]) -> None:
        """By name: a vault's address is its name; the vault may lie in a subscription that is not the pool's."""
        try:
            vaults = self._arm.vaults(self._spec.subscription)
        except ReconcilerError as error:
            raise Unavailable(f"vaults cannot be listed: {error}") from None
        found += [one for one in vaults if str(one.get("name", "")).lower() == name]
        if not found:
            why = f"it is none of the visible vaults of subscription {self._spec.subscription}; look at it by hand"
            raise Unavailable(why)

    def _secrets(self, place: str, vault: str, identity: str) -> Check:
        role = next(iter(SECRETS.values()))
        grant = _grant(role, vault, identity)
        subject = Subject(place, f"let {identity.rpartition('/')[2]} read secrets", Mode.REPORT, grant)

        def assigned() -> bool:
            principal = str(self._properties(identity).get("principalId", ""))
            try:
                roles = self._arm.roles(vault, principal)
            except ReconcilerError as error:
                raise Unavailable(f"role assignments cannot be read: {error}") from None
            return any(id_ in SECRETS and _above(scope, vault) for id_, scope in roles)

        return asked(subject, assigned)

    def _certificates(self, place: str, vault: str) -> Check:
        grant = _grant("Key Vault Certificate User", vault, "the operator's identity, which configures it")
        subject = Subject(place, "read certificates while the pool is written", Mode.ENFORCE, grant)
        return asked(subject, lambda: any(_reads(one) for one in self._arm.rights(vault)))

    def _policies(self, place: str) -> Check:
        grant = Grant("", place, "", "")
        subject = Subject(place, "let the pool's identity read secrets", Mode.REPORT, grant)
        return asked(
            subject, partial(_unseen, "it works with access policies; the identity needs Get on secrets there")
        )


def _network(place: str, name: str, properties: Mapping[str, Any]) -> Check:
    missing = _shut_out(properties)
    command = f"az keyvault network-rule add --name {name} --ip-address {' '.join(missing)}"
    grant = Grant("the ranges of tag DevOpsInfrastructure in the vault's firewall", place, "the service", command)
    subject = Subject(place, "admit the service's addresses", Mode.REPORT, grant)
    if str(properties.get("publicNetworkAccess", "")).casefold() == "disabled":
        return asked(
            subject, partial(_unseen, "public access is disabled; whether a private endpoint serves is not seen")
        )
    return _told(asked(subject, lambda: not missing))


def _shut_out(properties: Mapping[str, Any]) -> list[str]:
    """Ranges that a closed firewall does not admit."""
    rules = properties.get("networkAcls") or {}
    if str(rules.get("defaultAction", "Allow")).casefold() != "deny":
        return []
    admitted = [found for one in rules.get("ipRules") or () if (found := _range(str(one.get("value", ""))))]
    return [text for text in RANGES if not any(IPv4Network(text).subnet_of(one) for one in admitted)]


def _range(text: str) -> IPv4Network | None:
    """A rule of the firewall; one that is none admits nobody."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def _vaults(spec: Spec) -> list[str]:
    """Names of the vaults that certificates come from."""
    properties: Mapping[str, Any] = spec.body.get("properties") or {}
    os_profile = (properties.get("fabricProfile") or {}).get("osProfile") or {}
    urls = (os_profile.get("secretsManagementSettings") or {}).get("observedCertificates") or ()
    return sorted({(urlsplit(str(url)).hostname or "").partition(".")[0].lower() for url in urls} - {""})


def _above(scope: str, resource: str) -> bool:
    """Whether an assignment counts for the resource: there or above it."""
    return f"{resource}/".casefold().startswith(f"{scope.rstrip('/')}/".casefold())


def _reads(right: Right) -> bool:
    return fits(right.data_actions, CERTIFICATES) and not fits(right.not_data_actions, CERTIFICATES)


def _grant(role: str, scope: str, whom: str) -> Grant:
    return Grant(
        role, scope, whom, f'az role assignment create --assignee-object-id OBJECT_ID --role "{role}" --scope {scope}'
    )


def _unseen(why: str) -> None:
    raise Unavailable(why)


def _told(check: Check) -> Check:
    return replace(check, advice=True)

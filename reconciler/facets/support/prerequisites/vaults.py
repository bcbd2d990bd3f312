"""The key vault of a pool's certificates: who may read them, and which addresses its firewall admits.

Sources: Microsoft Learn, managed-devops-pools/configure-security (Secrets User for the pool's identity, Certificate
User for the identity that configures it, ranges of the service), Key Vault RBAC guide (ids and actions of the roles).
Roles are known by id. An unknown role is judged by its definition: it may be a custom role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from ipaddress import IPv4Network
from typing import Any

from reconciler.errors import Unavailable
from reconciler.facets.support.prerequisites.identities import properties
from reconciler.facets.support.prerequisites.named import named
from reconciler.plan.rights.checks import Check, Subject, as_advice, read_or_unavailable, run_check
from reconciler.plan.rights.required import Grant
from reconciler.ports.azure_resources import Assignment, AzureResourcesReader, allows_data
from reconciler.spec.model import Mode, Spec
from reconciler.survey import Survey

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
CERTIFICATE_USER = "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba"
_SECRETS = frozenset(
    {
        SECRETS_USER,
        CERTIFICATE_USER,
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",  # Key Vault Secrets Officer
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",  # Key Vault Administrator
    }
)
"""Roles of which it is known that they may read a secret."""
_READ_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"  # noqa: S105 - the name of an action
_READ_CERTIFICATE = "Microsoft.KeyVault/vaults/certificates/read"
RANGES = (
    *("4.198.194.192/28", "74.163.143.32/28", "130.107.66.0/28", "98.70.255.112/28", "72.152.33.16/28"),
    *("72.153.21.192/28", "131.189.121.128/28", "72.145.24.48/28", "135.171.33.48/28", "74.161.82.192/28"),
    *("131.145.107.64/28", "57.154.125.208/28"),
)
"""The service's ranges, tag DevOpsInfrastructure (Microsoft Learn: configure-security, key vault)."""
_OPERATOR = "the operator's identity"

Document = Mapping[str, Any]


class Vault:
    """One vault, as one pool needs it."""

    def __init__(self, name: str, spec: Spec, survey: Survey, around: AzureResourcesReader) -> None:
        self._name = name
        self._place = f"key vault {name}"
        self._spec = spec
        self._survey = survey
        self._around = around

    def checks(self) -> Iterator[Check]:
        """Who may read, and which addresses are admitted; nothing more is checked of a vault that cannot be read."""
        grant = Grant("Reader", self._place, _OPERATOR, f"az role assignment create --role Reader … for {self._name}")
        found: list[Document] = []
        subject = Subject(self._place, "see the vault", Mode.REPORT, grant)
        yield run_check(subject, lambda: found.append(self._found()))
        for document in found:
            yield from self._readers(document)
            yield self._admits(document.get("properties") or {})

    def _found(self) -> Document:
        """By name; it may lie in another subscription than the pool, and then it is not found."""
        subscription = self._spec.subscription
        for one in read_or_unavailable("the list of vaults", lambda: self._around.vaults(subscription)):
            if str(one.get("name", "")).lower() == self._name:
                return one
        raise Unavailable(f"it is none of the visible vaults of subscription {subscription}; check it by hand")

    # --- who may read ------------------------------------------------------------------------------------

    def _readers(self, document: Document) -> Iterator[Check]:
        """One check an identity, and one of the operator where it configures the pool."""
        wanted = named(self._spec)
        for identity in wanted.identities:
            yield self._secrets(document, identity, lambda one=identity: _principal(properties(one, self._around)))
        if wanted.system:
            yield self._secrets(document, self._spec.pool_id, self._system)
        if self._spec.mode is Mode.ENFORCE and _by_roles(document):
            vault = str(document["id"])
            grant = _grant("Key Vault Certificate User", CERTIFICATE_USER, vault, f"{_OPERATOR}, which configures it")
            subject = Subject(self._place, "read certificates while the pool is written", Mode.ENFORCE, grant)
            yield run_check(subject, partial(self._configures, vault))

    def _system(self) -> str:
        """Principal of the pool's own identity, out of the pool; there is none before there is a pool."""
        pool = read_or_unavailable("the pool", lambda: self._survey.arm_pool(self._spec)) or {}
        return _principal(pool.get("identity") or {})

    def _secrets(self, document: Document, identity: str, principal: Any) -> Check:
        vault = str(document["id"])
        grant = _grant("Key Vault Secrets User", SECRETS_USER, vault, identity)
        subject = Subject(self._place, f"let {identity.rpartition('/')[2]} read secrets", Mode.REPORT, grant)
        reads = self._role_reads if _by_roles(document) else self._policy_reads
        return run_check(subject, lambda: reads(document, principal()))

    def _role_reads(self, document: Document, principal: str) -> bool:
        vault = str(document["id"])
        assigned = read_or_unavailable("role assignments", lambda: self._around.assignments(vault, principal))
        counting = [one for one in assigned if _above(one.scope, vault)]
        known = any(one.role in _SECRETS for one in counting)
        return known or any(self._defined(one, vault) for one in counting)

    def _defined(self, assignment: Assignment, vault: str) -> bool:
        rights = read_or_unavailable(f"role {assignment.role}", lambda: self._around.role(vault, assignment.role))
        return allows_data(rights, _READ_SECRET)

    def _policy_reads(self, document: Document, principal: str) -> bool:
        """A vault without roles has policies; one for a group of the identity would not be recognised."""
        for one in (document.get("properties") or {}).get("accessPolicies") or ():
            secrets = {str(word).casefold() for word in (one.get("permissions") or {}).get("secrets") or ()}
            if str(one.get("objectId", "")).lower() == principal and secrets & {"get", "all"}:
                return True
        raise Unavailable("it works with access policies, and none names the identity; it needs Get on secrets there")

    def _configures(self, vault: str) -> bool:
        return allows_data(
            read_or_unavailable("the operator's rights", lambda: self._around.rights(vault)), _READ_CERTIFICATE
        )

    # --- who is admitted -----------------------------------------------------------------------------------

    def _admits(self, given: Document) -> Check:
        missing = _shut_out(given)
        command = f"az keyvault network-rule add --name {self._name} --ip-address {' '.join(missing)}"
        grant = Grant(
            "the ranges of tag DevOpsInfrastructure in the vault's firewall", self._place, "the service", command
        )
        subject = Subject(self._place, "admit the service's addresses", Mode.REPORT, grant)
        return as_advice(run_check(subject, lambda: _public(given) and not missing))


def _public(given: Document) -> bool:
    if str(given.get("publicNetworkAccess", "")).casefold() == "disabled":
        raise Unavailable("public access is disabled; whether a private endpoint serves cannot be read")
    return True


def _shut_out(given: Document) -> list[str]:
    """Ranges that a closed firewall does not admit."""
    rules = given.get("networkAcls") or {}
    if str(rules.get("defaultAction", "Allow")).casefold() != "deny":
        return []
    admitted = [found for one in rules.get("ipRules") or () if (found := _range(str(one.get("value", ""))))]
    return [text for text in RANGES if not any(IPv4Network(text).subnet_of(one) for one in admitted)]


def _range(text: str) -> IPv4Network | None:
    """A rule of the firewall; None where it is malformed, and so admits nothing."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def _by_roles(document: Document) -> bool:
    return (document.get("properties") or {}).get("enableRbacAuthorization") is True


def _principal(document: Document) -> str:
    found = str(document.get("principalId") or "").lower()
    if not found:
        raise Unavailable("the identity has no principal id")
    return found


def _above(scope: str, resource: str) -> bool:
    """Whether an assignment counts for the resource: there or above it, a group of subscriptions included."""
    management = "/providers/microsoft.management/"
    return f"{resource}/".casefold().startswith(f"{scope.rstrip('/')}/".casefold()) or scope.casefold().startswith(
        management
    )


def _grant(role: str, role_id: str, scope: str, whom: str) -> Grant:
    command = f"az role assignment create --assignee-object-id OBJECT_ID --role {role_id} --scope {scope}"
    return Grant(role, scope, whom, command)

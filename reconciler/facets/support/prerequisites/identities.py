"""Identities of a pool, and that each belongs to the tenant of every organization.

A pool's identity signs in to Azure DevOps, so it has to be of the Entra tenant that the organization is connected to
(Microsoft Learn: managed-devops-pools/configure-identity). No interface for programs returns the
tenant of an organization; it is that of the operator itself, which the organization knows by its tenant.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from reconciler.errors import NotFound, Unavailable
from reconciler.plan.rights.checks import Check, Subject, as_advice, read_or_unavailable, run_check
from reconciler.plan.rights.required import Grant
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.spec.model import Mode
from reconciler.survey import Survey

_VERSION = "2023-01-31"
"""Of Microsoft.ManagedIdentity."""


def same_tenant(identity: str, organization: str, survey: Survey, around: AzureResourcesReader) -> Check:
    """Whether an identity, by its resource id, is of an organization's tenant."""
    remedy = (
        f"https://dev.azure.com/{organization}/_settings/organizationAad shows the organization's directory; "
        "create the identity in a subscription of that directory"
    )
    grant = Grant("an identity of the organization's tenant", organization, identity, remedy)
    subject = Subject(identity, f"be in the tenant of {organization}", Mode.REPORT, grant)
    return as_advice(run_check(subject, partial(_agree, identity, organization, survey, around)))


def properties(identity: str, around: AzureResourcesReader) -> Mapping[str, Any]:
    """`tenantId` and `principalId` of an identity. `NotFound` where there is none, `Unavailable` where it is hidden."""
    document = read_or_unavailable("the identity", lambda: around.resource(identity, _VERSION))
    if document is None:
        raise NotFound("there is no such identity")
    found: Mapping[str, Any] = document.get("properties") or {}
    return found


def _agree(identity: str, organization: str, survey: Survey, around: AzureResourcesReader) -> None:
    ours = str(properties(identity, around).get("tenantId", "")).lower()
    theirs = read_or_unavailable(
        "the organization's tenant", lambda: around.tenant(organization, survey.me(organization).id)
    )
    if not ours or not theirs:
        raise Unavailable("the tenant cannot be read; compare it by hand")
    if ours != theirs:
        raise NotFound(f"the identity is of tenant {ours}, the organization of {theirs}")

"""Prerequisites of a pool, without which its machines do not start: identities, key vault, subnet.

::

    named        what a spec names (`Named`)
    identities   each belongs to the tenant of every organization
    vaults       who may read secrets and certificates, and which addresses the firewall admits
    networks     the subnet is delegated to the service

Machines do not start where one of these does not hold, and ARM says so only then (Microsoft Learn: managed-devops-
pools/configure-security, configure-identity, configure-networking). Nothing here can be written by the operator, and
much of it may be hidden from it. So a check has three results: met, missing, and not readable, which is neither.
`reconciler.facets.prerequisites` and `reconciler.tools.doctor` run the same checks.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.facets.support.prerequisites import identities, networks, vaults
from reconciler.facets.support.prerequisites.named import Named, named
from reconciler.plan.rights.checks import Check
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.spec.model import Spec
from reconciler.survey import Survey

__all__ = ["Named", "checks", "named"]


def checks(spec: Spec, survey: Survey, around: AzureResourcesReader) -> Iterator[Check]:
    """Of every identity, of the subnet, then of every vault; nothing where the spec points to nothing."""
    wanted = named(spec)
    for identity in wanted.identities:
        for organization in spec.organizations:
            yield identities.same_tenant(identity, organization.name, survey, around)
    if wanted.subnet:
        yield networks.delegated(wanted.subnet, around)
    for vault in wanted.vaults:
        yield from vaults.Vault(vault, spec, survey, around).checks()

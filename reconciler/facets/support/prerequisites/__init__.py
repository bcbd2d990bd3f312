"""What has to hold around a pool before its machines start: identities, the key vault of its certificates, the subnet.

::

    named        what a spec points to (`Named`)
    identities   each is of the tenant of every organization
    vaults       who may read secrets and certificates, and whom the firewall admits
    networks     the subnet is delegated to the service

Machines do not start where one of these does not hold, and ARM says so only then (Microsoft Learn: managed-devops-
pools/configure-security, configure-identity, configure-networking). Nothing here can be written by the operator, and
much of it may be hidden from it. So an answer has three values: what was seen to hold, what was seen to be missing,
and what could not be seen, which is neither. `reconciler.facets.prerequisites` and `reconciler.tools.doctor` ask the
same.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.facets.support.prerequisites import identities, networks, vaults
from reconciler.facets.support.prerequisites.named import Named, named
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.rights.checks import Check
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

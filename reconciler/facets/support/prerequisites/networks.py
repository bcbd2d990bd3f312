"""The subnet of a pool: delegated to the service (Microsoft Learn: managed-devops-pools/configure-networking).

What the service's own principal, DevOpsInfrastructure, may do in the network is not checked: only the directory
knows its object id. ARM names what is missing when a pool is put, and the adapter adds which role it needs.
"""

from __future__ import annotations

from functools import partial

from reconciler.errors import NotFound
from reconciler.plan.rights.checks import Check, Subject, as_advice, read_or_unavailable, run_check
from reconciler.plan.rights.required import Grant
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.spec.model import Mode

DELEGATE = "Microsoft.DevOpsInfrastructure/pools"
"""What a subnet has to be delegated to."""
_VERSION = "2024-05-01"
"""Of Microsoft.Network."""


def delegated(subnet: str, around: AzureResourcesReader) -> Check:
    """Whether a subnet, by its resource id, is delegated."""
    network, _, name = subnet.rpartition("/subnets/")
    command = f"az network vnet subnet update --ids {subnet} --delegations {DELEGATE}"
    grant = Grant(f"a delegation to {DELEGATE}", network, f"subnet {name}", command)
    subject = Subject(subnet, "be delegated to the service", Mode.REPORT, grant)
    return as_advice(run_check(subject, partial(_delegations, subnet, around)))


def _delegations(subnet: str, around: AzureResourcesReader) -> bool:
    document = read_or_unavailable("the subnet", lambda: around.resource(subnet, _VERSION))
    if document is None:
        raise NotFound("there is no such subnet")
    given = (document.get("properties") or {}).get("delegations") or ()
    names = {str((one.get("properties") or {}).get("serviceName", "")).casefold() for one in given}
    return DELEGATE.casefold() in names

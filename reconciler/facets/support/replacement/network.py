"""Whether the service may take a pool out of its subnet; without that a deletion would fail half-way.

With a custom role in the network, the service's principal needs the right to delete its association links (Microsoft
Learn: managed-devops-pools/configure-networking; azure-devops-docs PR 14134). Which principal that is only the
directory knows. Actions on these links are given to services alone, so each principal that may write them has to be
able to delete them, and there has to be one that may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.documents import Json
from reconciler.errors import ReconcilerError
from reconciler.ports.azure_resources import Assignment, AzureResourcesReader, Right, allows

_LINKS = "Microsoft.Network/virtualNetworks/subnets/serviceAssociationLinks"
_WRITE, _DELETE = f"{_LINKS}/write", f"{_LINKS}/delete"
_REMEDY = f"give DevOpsInfrastructure a role with {_DELETE} there, such as Network Contributor"


def holds_back(document: Mapping[str, Json], around: AzureResourcesReader | None) -> str:
    """What in the network would hold back the deletion of this pool, for people; empty where nothing does."""
    fabric = (document.get("properties") or {}).get("fabricProfile") or {}
    subnet = str((fabric.get("networkProfile") or {}).get("subnetId") or "")
    if not subnet:
        return ""
    if around is None:
        return f"whether the service may leave {subnet} is not read: RECONCILER_PREREQUISITES is 0"
    try:
        rights = _rights(subnet, around)
    except ReconcilerError as error:
        return f"whether the service may leave {subnet} cannot be read ({error})"
    short = sorted(one for one, given in rights.items() if allows(given, _WRITE) and not allows(given, _DELETE))
    if short:
        return f"{', '.join(short)} may write service association links of {subnet} and not delete them: {_REMEDY}"
    if not any(allows(given, _DELETE) for given in rights.values()):
        return f"no role lets a principal delete service association links of {subnet}: {_REMEDY}"
    return ""


def _rights(subnet: str, around: AzureResourcesReader) -> dict[str, list[Right]]:
    """Principal → what all its roles at the subnet or above it allow together."""
    assigned: Sequence[Assignment] = around.assignments(subnet, "")
    found: dict[str, list[Right]] = {}
    for one in assigned:
        found.setdefault(one.principal, []).extend(around.role(subnet, one.role))
    return found

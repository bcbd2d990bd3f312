"""Rights in Azure: what the pools require, compared with what the caller may do at a scope.

Sources: Microsoft Learn, Managed DevOps Pools prerequisites; Azure built-in roles; the caller that writes a resource
needs `…/userAssignedIdentities/*/assign/action` for its identity and `…/subnets/join/action` for its subnet (Microsoft
Learn, Managed identities: manage user-assigned; Virtual network permissions).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reconciler.facets.support.prerequisites import named
from reconciler.plan.rights.checks import Check, Subject, run_check
from reconciler.plan.rights.required import Grant
from reconciler.ports.azure import ArmReader
from reconciler.ports.azure_resources import AzureResourcesReader, allows
from reconciler.spec.model import Mode, Spec

READ = "Microsoft.DevOpsInfrastructure/pools/read"
WRITE = "Microsoft.DevOpsInfrastructure/pools/write"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
WHOM = "the operator's identity"


def checks(spec: Spec, reader: ArmReader, around: AzureResourcesReader) -> Iterator[Check]:
    """What one pool requires in Azure."""
    group = f"/subscriptions/{spec.subscription}/resourceGroups/{spec.resource_group}"
    yield run_check(
        _subject(spec.pool_id, "read the pool", Mode.REPORT, _grant("Reader", group)), lambda: _read(reader, spec)
    )
    if spec.mode is not Mode.ENFORCE:
        return
    write = _grant("DevOps Infrastructure Contributor", group)
    yield run_check(_subject(group, "write pools", Mode.ENFORCE, write), partial(_may, around, group, WRITE))
    for scope in named(spec).identities:
        grant = _grant("Managed Identity Operator", scope)
        subject = _subject(scope, "attach the identity to the pool", Mode.ENFORCE, grant)
        yield run_check(subject, partial(_may, around, scope, ASSIGN))
    if subnet := named(spec).subnet:
        network = subnet.rpartition("/subnets/")[0]
        subject = _subject(subnet, "join the subnet", Mode.ENFORCE, _grant("Network Contributor", network))
        yield run_check(subject, partial(_may, around, subnet, JOIN))


def _may(around: AzureResourcesReader, scope: str, action: str) -> bool:
    return allows(around.rights(scope), action)


def _read(reader: ArmReader, spec: Spec) -> bool:
    reader.pool(spec.pool_id)
    return True  # a pool that does not exist is no missing right


def _subject(place: str, what: str, mode: Mode, grant: Grant) -> Subject:
    return Subject(place, what, mode, grant)


def _grant(role: str, scope: str) -> Grant:
    command = (
        f"az role assignment create --assignee-object-id OBJECT_ID --assignee-principal-type ServicePrincipal "
        f'--role "{role}" --scope {scope}'
    )
    return Grant(role, scope, WHOM, command)

"""Rights in Azure: what the pools need, held against the list of what the caller may do at a scope.

Sources: Microsoft Learn, Managed DevOps Pools prerequisites; Azure built-in roles; an identity given to a resource
needs `…/userAssignedIdentities/*/assign/action`, a subnet `…/subnets/join/action` at the one who writes the resource
(Microsoft Learn, Managed identities: manage user-assigned; Virtual network permissions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from reconciler.doctor.check import Check, Subject, asked
from reconciler.inspection import ArmInspector, Right
from reconciler.ports import ArmReader
from reconciler.rights import Grant
from reconciler.spec.model import Mode, Spec

READ = "Microsoft.DevOpsInfrastructure/pools/read"
WRITE = "Microsoft.DevOpsInfrastructure/pools/write"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
WHOM = "the operator's identity"


def checks(spec: Spec, reader: ArmReader, inspector: ArmInspector) -> Iterator[Check]:
    """What one pool needs in Azure."""
    group = f"/subscriptions/{spec.subscription}/resourceGroups/{spec.resource_group}"
    yield asked(
        _subject(spec.pool_id, "read the pool", Mode.REPORT, _grant("Reader", group)), lambda: _read(reader, spec)
    )
    if spec.mode is not Mode.ENFORCE:
        return
    write = _grant("DevOps Infrastructure Contributor", group)
    yield asked(_subject(group, "write pools", Mode.ENFORCE, write), partial(_may, inspector, group, WRITE))
    for scope in _identities(spec):
        grant = _grant("Managed Identity Operator", scope)
        subject = _subject(scope, "give the identity to the pool", Mode.ENFORCE, grant)
        yield asked(subject, partial(_may, inspector, scope, ASSIGN))
    if subnet := subnet_of(spec):
        network = subnet.rpartition("/subnets/")[0]
        subject = _subject(subnet, "join the subnet", Mode.ENFORCE, _grant("Network Contributor", network))
        yield asked(subject, partial(_may, inspector, subnet, JOIN))


def allows(rights: Sequence[Right], action: str) -> bool:
    """Whether one entry has the action and does not except it; patterns have ``*``, and no case."""
    return any(fits(one.actions, action) and not fits(one.not_actions, action) for one in rights)


def _may(inspector: ArmInspector, scope: str, action: str) -> bool:
    return allows(inspector.rights(scope), action)


def fits(patterns: Sequence[str], action: str) -> bool:
    """An action of a kind without a name in it is also that of `kind/*/…`, as built-in roles write it."""
    named = f"{action.rpartition('/')[0].rpartition('/')[0]}/*/{'/'.join(action.rsplit('/', 2)[-2:])}"
    return any(fnmatchcase(one.casefold(), pattern.casefold()) for pattern in patterns for one in (action, named))


def _read(reader: ArmReader, spec: Spec) -> bool:
    reader.pool(spec.pool_id)
    return True  # absent is an answer, and the operator may create it


def _subject(place: str, what: str, mode: Mode, grant: Grant) -> Subject:
    return Subject(place, what, mode, grant)


def _grant(role: str, scope: str) -> Grant:
    command = (
        f"az role assignment create --assignee-object-id OBJECT_ID --assignee-principal-type ServicePrincipal "
        f'--role "{role}" --scope {scope}'
    )
    return Grant(role, scope, WHOM, command)


def _identities(spec: Spec) -> list[str]:
    identity: Mapping[str, Any] = spec.body.get("identity") or {}
    return sorted(identity.get("userAssignedIdentities") or {})


def subnet_of(spec: Spec) -> str:
    """Resource id of the subnet that the spec names; empty where it names none."""
    properties: Mapping[str, Any] = spec.body.get("properties") or {}
    fabric: Mapping[str, Any] = properties.get("fabricProfile") or {}
    return str((fabric.get("networkProfile") or {}).get("subnetId") or "")

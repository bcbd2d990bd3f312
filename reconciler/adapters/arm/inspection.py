"""Reads beside the pools on the pipeline of `Arm`, as raw documents.

This is `reconciler.ports.azure.SubscriptionReader` and, but for the tenant,
`reconciler.ports.azure_resources.AzureResourcesReader`.

Routes: Microsoft Learn, Azure Resource Manager REST: subscriptions (2022-12-01), Permissions - List for resource group
and for resource (Microsoft.Authorization, 2022-04-01): «gets all permissions the caller has», without any effect;
Role Assignments - List for scope (2022-04-01; «List Azure role assignments using the REST API» for the filters) and
Role Definitions - Get (2022-04-01); Vaults - List by subscription (2023-07-01).
The package azure-mgmt-authorization would add a dependency for three reads that this pipeline makes in a few lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reconciler.adapters.arm.document import resource_document
from reconciler.adapters.arm.pools import Arm
from reconciler.adapters.boundary import port
from reconciler.adapters.devops import identities
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import object_of, text_of, text_or_none
from reconciler.documents import Json
from reconciler.errors import NotFound, SpecInvalid, Unavailable
from reconciler.ports.azure import SubscriptionReader
from reconciler.ports.azure_resources import Assignment, AzureResourcesReader, Right

_KINDS = ("actions", "notActions", "dataActions", "notDataActions")
_SCOPE = re.compile(r"/subscriptions/([0-9a-fA-F-]{36})(?:/[\w.()-]+)*", re.ASCII)


@port("ARM", SubscriptionReader)
class ArmInspection:
    """See the module."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def subscriptions(self) -> Sequence[str]:
        """GET subscriptions, all pages."""
        return self._arm.subscriptions()

    def rights(self, scope: str) -> Sequence[Right]:
        """GET permissions at a scope."""
        path = f"{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
        pages = self._pages(path, f"rights at {scope}", _subscription(scope))
        return [_right(one, f"rights at {scope}") for one in pages]

    def vaults(self, subscription: str) -> Sequence[dict[str, Json]]:
        """GET vaults of a subscription, all pages."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01"
        where = f"key vaults of subscription {subscription}"
        return [resource_document(one, where) for one in self._pages(path, where, subscription)]

    def assignments(self, scope: str, principal: str) -> Sequence[Assignment]:
        """GET roleAssignments of a principal at or above a scope; `assignedTo` counts its groups, `principalId` not."""
        condition = quote(f"atScope() and assignedTo('{principal}')" if principal else "atScope()")
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments?$filter={condition}&api-version=2022-04-01"
        pages = self._pages(path, f"role assignments at {scope}", _subscription(scope))
        where = f"role assignments at {scope}"
        found = [object_of(one, "properties", where) for one in pages]
        return [
            Assignment(
                text_of(one, "roleDefinitionId", where).rpartition("/")[2].lower(),
                text_of(one, "scope", where),
                text_or_none(one, "principalId", where).lower(),
            )
            for one in found
        ]

    def role(self, scope: str, role: str) -> Sequence[Right]:
        """GET one roleDefinition."""
        path = (
            f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{quote(role, safe='')}?api-version=2022-04-01"
        )
        document = self._read(f"{self._arm.origin}{path}", f"role {role}", _subscription(scope))
        given = object_of(document, "properties", f"role {role}").get("permissions")
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise Unavailable(f"role {role}: ARM answered a definition without permissions")
        return [_right(one, f"role {role}") for one in given]

    def resource(self, resource_id: str, api_version: str) -> dict[str, Json] | None:
        """GET one resource; None for 404."""
        url = f"{self._arm.origin}{resource_id}?api-version={api_version}"
        try:
            found = self._read(url, f"resource {resource_id}", _subscription(resource_id))
        except NotFound:
            return None
        return resource_document(found, f"resource {resource_id}")

    def _pages(self, path: str, where: str, subscription: str) -> list[dict[str, Json]]:
        return self._arm.pages(path, where=where, route="Inspection_Get", subscription=subscription)

    def _read(self, url: str, where: str, subscription: str) -> dict[str, Json]:
        reply: Any = self._arm.get(url, where=where, route="Inspection_Get", subscription=subscription)
        document = json.loads(reply.content.decode("utf-8-sig"))
        if not isinstance(document, dict):
            raise Unavailable(f"{where}: ARM answered no object")
        return document


def _subscription(scope: str) -> str:
    found = _SCOPE.fullmatch(scope)
    if not found:
        raise SpecInvalid(f"scope: {scope!r} is no resource id")
    return found[1].lower()


def _right(entry: Mapping[str, Json], where: str) -> Right:
    return Right(*(_texts(entry.get(name), where) for name in _KINDS))


def _texts(value: Json, where: str) -> tuple[str, ...]:
    """Patterns; a list that cannot be read may be one of exclusions, so it is no empty one."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Unavailable(f"{where}: ARM answered patterns that are no list of texts")
    return tuple(value)


@port("ARM", AzureResourcesReader)
class AzureResources(ArmInspection):
    """Both planes, read only."""

    def __init__(self, arm: Arm, session: Session) -> None:
        super().__init__(arm)
        self._session = session

    def tenant(self, organization: str, identity_id: str) -> str:
        """GET identities by id."""
        return identities.tenant(self._session, organization, identity_id)

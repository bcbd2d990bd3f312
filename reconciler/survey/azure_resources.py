"""Reads of prerequisites through the memo: pools share vaults, identities and organizations, so each is read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from reconciler.documents import Json
from reconciler.ports.azure_resources import Assignment, AzureResourcesReader, Right
from reconciler.survey.memo import Key, Memo

T = TypeVar("T")


def remembered(reads: AzureResourcesReader | None, memo: Memo) -> AzureResourcesReader | None:
    """The same reads, each made once; None where there are none."""
    return None if reads is None else CachedAzureResources(reads, memo)


class CachedAzureResources:
    """`AzureResourcesReader` of one batch of pools. No write of the reconciler changes what it caches."""

    def __init__(self, reads: AzureResourcesReader, memo: Memo) -> None:
        self._reads = reads
        self._memo = memo

    def resource(self, resource_id: str, api_version: str) -> dict[str, Json] | None:
        """Any resource, or None where there is none."""
        return self._once(lambda: self._reads.resource(resource_id, api_version), "resource", resource_id.casefold())

    def vaults(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All visible key vaults of a subscription."""
        return self._once(lambda: self._reads.vaults(subscription), "vaults", subscription)

    def assignments(self, scope: str, principal: str) -> Sequence[Assignment]:
        """Roles of a principal at a scope or above it."""
        return self._once(lambda: self._reads.assignments(scope, principal), "assignments", scope.casefold(), principal)

    def role(self, scope: str, role: str) -> Sequence[Right]:
        """What a role allows; the same at every scope."""
        return self._once(lambda: self._reads.role(scope, role), "role", role)

    def rights(self, scope: str) -> Sequence[Right]:
        """What the caller may do at a scope."""
        return self._once(lambda: self._reads.rights(scope), "rights", scope.casefold())

    def tenant(self, organization: str, identity_id: str) -> str:
        """The tenant of an identity that the organization knows."""
        return self._once(lambda: self._reads.tenant(organization, identity_id), "tenant", organization, identity_id)

    def _once(self, fetch: Callable[[], T], *about: Any) -> T:
        found: T = self._memo.get(Key("azure resources", detail=about), fetch)
        return found

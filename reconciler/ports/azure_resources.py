"""Azure resources that a pool needs: identities, key vaults, networks, and role assignments on them. Never written.

Optional: a deployment whose operator has no permissions beyond its pools leaves this port out, and prerequisites are
then not checked. Each method is one request, or the pages of one list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from reconciler.documents import Json


@dataclass(frozen=True, slots=True)
class Right:
    """One entry of the permissions at a scope of ARM; patterns such as ``*/read``."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role of a principal."""

    role: str
    """Id of its definition, lower-case GUID: names change."""
    scope: str
    principal: str = ""
    """Object id of the principal that has it, lower case."""


class AzureResourcesReader(Protocol):
    """Reads of prerequisites."""

    def resource(self, resource_id: str, api_version: str) -> dict[str, Json] | None:
        """Any resource, raw, or None where ARM answers 404."""

    def vaults(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All key vaults of a subscription that the caller can see, raw."""

    def assignments(self, scope: str, principal: str) -> Sequence[Assignment]:
        """Roles of a principal at a scope or above it, with those of its groups; of every principal for ``""``."""

    def role(self, scope: str, role: str) -> Sequence[Right]:
        """What a role allows, by its id; `scope` is one at which it is assigned, or below."""

    def rights(self, scope: str) -> Sequence[Right]:
        """Permissions of the caller at a resource group or resource."""

    def tenant(self, organization: str, identity_id: str) -> str:
        """The Entra tenant of an identity that the organization knows, lower case; empty where it does not say."""


def allows(rights: Sequence[Right], action: str) -> bool:
    """Whether one entry includes the action and does not exclude it; patterns have ``*``, case is ignored."""
    return any(_fits(one.actions, action) and not _fits(one.not_actions, action) for one in rights)


def allows_data(rights: Sequence[Right], action: str) -> bool:
    """The same for an action on data of a resource, as a secret of a vault."""
    return any(_fits(one.data_actions, action) and not _fits(one.not_data_actions, action) for one in rights)


def _fits(patterns: Sequence[str], action: str) -> bool:
    """Actions without a resource name also match patterns of the form `kind/*/…`, as built-in roles have them."""
    named = f"{action.rpartition('/')[0].rpartition('/')[0]}/*/{'/'.join(action.rsplit('/', 2)[-2:])}"
    return any(fnmatchcase(one.casefold(), pattern.casefold()) for pattern in patterns for one in (action, named))

"""What lies around a pool and is never written here: identities, key vaults, networks, and who may do what there.

A port like those of `reconciler.ports.readers_writers`, and optional: a deployment that gives the operator no rights
beyond its pools leaves it out, and then nothing of it is looked at. Each method is one request, or the pages of one
list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from reconciler.documents import Json


@dataclass(frozen=True, slots=True)
class Right:
    """One entry of what somebody may do at a scope of ARM; patterns such as ``*/read``."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role that somebody has."""

    role: str
    """Id of its definition, lower-case guid: names change."""
    scope: str


class AzureResourcesReader(Protocol):
    """Reads around pools."""

    def resource(self, resource_id: str, api_version: str) -> dict[str, Json] | None:
        """Any resource, raw, or None where ARM answers 404."""

    def vaults(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All key vaults of a subscription that the caller can see, raw."""

    def assignments(self, scope: str, principal: str) -> Sequence[Assignment]:
        """Roles of a principal at a scope or above it, those of its groups among them."""

    def role(self, scope: str, role: str) -> Sequence[Right]:
        """What a role allows, by its id; `scope` is one at which it is assigned, or below."""

    def rights(self, scope: str) -> Sequence[Right]:
        """What the caller may do at a resource group or resource."""

    def tenant(self, organization: str, identity_id: str) -> str:
        """The Entra tenant of an identity that the organization knows, lower case; empty where it does not say."""


def allows(rights: Sequence[Right], action: str) -> bool:
    """Whether one entry has the action and does not except it; patterns have ``*``, and no case."""
    return any(_fits(one.actions, action) and not _fits(one.not_actions, action) for one in rights)


def allows_data(rights: Sequence[Right], action: str) -> bool:
    """The same of an action on what a resource holds, as a secret of a vault."""
    return any(_fits(one.data_actions, action) and not _fits(one.not_data_actions, action) for one in rights)


def _fits(patterns: Sequence[str], action: str) -> bool:
    """An action of a kind without a name in it is also that of `kind/*/…`, as built-in roles write it."""
    named = f"{action.rpartition('/')[0].rpartition('/')[0]}/*/{'/'.join(action.rsplit('/', 2)[-2:])}"
    return any(fnmatchcase(one.casefold(), pattern.casefold()) for pattern in patterns for one in (action, named))

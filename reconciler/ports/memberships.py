"""Who is a member of an organization, with which access level, in which groups: read, and given, for `onboard` alone.

No facet and no run holds these: the operator never makes itself a member of anything. A person does, once, with rights
of their own. Kept apart from `reconciler.ports.readers_writers` for that reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """A service principal or managed identity that an organization knows, with or without an access level."""

    object_id: str
    """Of the enterprise application in Entra ID, lower case."""
    application_id: str
    """Client id, lower case; empty where the organization does not say."""
    display_name: str
    descriptor: str
    """Subject descriptor; opaque."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The access level of one member."""

    license: str
    """`accountLicenseType` as the service spells it: ``express`` (Basic), ``stakeholder``, ``none`` …"""
    source: str
    """`licensingSource`: ``account``, ``msdn`` …"""
    status: str
    """``active``, ``pending`` (has not signed in yet), ``disabled`` …"""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of Azure DevOps."""

    name: str
    r"""``[scope]\name``."""
    id: str = ""
    """Local id, lower case, where it was asked for."""
    descriptor: str = ""
    """Subject descriptor, where it was asked for."""
    project: str = ""
    """Id of the project that it belongs to, lower case; empty for one of the organization."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody whom the directory search found."""

    object_id: str
    """Lower case."""
    display_name: str
    kind: str
    """``user``, ``group`` or ``serviceprincipal``."""


class MembershipReader(Protocol):
    """Questions to organizations."""

    def service_principals(self, organization: str) -> Sequence[ServicePrincipal]:
        """All that the organization knows, all pages; also those that were made known and have no access level."""

    def local_id(self, organization: str, descriptor: str) -> str:
        """Local id of a subject, lower case: what roles are given to."""

    def entitlement(self, organization: str, identity_id: str) -> Entitlement | None:
        """The access level of a service principal, None where it has none."""

    def groups(self, organization: str) -> Sequence[Group]:
        """All groups of Azure DevOps, with descriptor and project, all pages; those of hidden projects included."""

    def groups_of(self, organization: str, identity_id: str) -> Sequence[Group]:
        """Every group that somebody is in, through other groups too, with local id and name."""

    def search(self, organization: str, text: str) -> Sequence[Entry]:
        """What the search of the web pages finds in the organization and its directory; nothing proves nothing."""


class MembershipWriter(Protocol):
    """Gives; nothing here can take away."""

    def add(self, organization: str, object_id: str, license_type: str) -> None:
        """Make a service principal a member. Only for who has no access level: it may replace a higher one.

        `Rejected` with the service's words where the directory has no such service principal.
        """

    def set_license(self, organization: str, identity_id: str, license_type: str) -> None:
        """Give a member this access level in place of the one it has."""

    def join(self, organization: str, member: str, group: str) -> None:
        """Put a subject into a group, both by descriptor."""

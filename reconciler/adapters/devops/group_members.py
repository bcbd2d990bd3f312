"""Who is in which group, as the identities route shows it: upwards for one identity, downwards for several groups.

The service resolves groups of Azure DevOps. Whether it lists the members of an Entra group is not documented, so an
empty list of such a group does not prove that it has none.

Route: MicrosoftDocs/vsts-rest-api-specs 7.2, ims (`queryMembership`, `memberOf`, `memberIds`, `isContainer`).
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.adapters.devops.identities import identities
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import flag_or_none, shown
from reconciler.documents import Json
from reconciler.errors import Unavailable
from reconciler.ports.devops import Group

_DESCRIPTORS = 15
"""Identity descriptors in one request; some hundred characters each keep the URL below 2,000."""
_IDS = 40
"""Local ids in one request: 37 characters each."""


def groups_of(session: Session, organization: str, identity_id: str) -> list[Group]:
    """GET the identity with all memberships upwards, then those groups by their descriptors."""
    what = f"groups of identity {identity_id}"
    found = identities(session, organization, what, identityIds=identity_id, queryMembership="expandedUp")
    descriptors = found[0].get("memberOf") if found else None
    if not isinstance(descriptors, list) or not all(isinstance(one, str) for one in descriptors):
        raise Unavailable(f"organization {organization}: {what}: the response contains no list of groups")
    descriptors = list(dict.fromkeys(descriptors))
    named: list[Group] = []
    for begin in range(0, len(descriptors), _DESCRIPTORS):
        some = descriptors[begin : begin + _DESCRIPTORS]
        listed = identities(session, organization, what, descriptors=",".join(some))
        if len(listed) != len(some):
            raise Unavailable(f"organization {organization}: {what}: {len(some)} requested, {len(listed)} returned")
        named += [_container(one) for one in listed]
    return named


def members_of(session: Session, organization: str, identity_ids: Sequence[str]) -> dict[str, tuple[str, ...] | None]:
    """GET identities with their direct members; None for what is no group, and for an Entra group without a list."""
    what, found = "members of groups", dict[str, tuple[str, ...] | None]()
    for begin in range(0, len(identity_ids), _IDS):
        some = ",".join(identity_ids[begin : begin + _IDS])
        for one in identities(session, organization, what, absent=True, identityIds=some, queryMembership="direct"):
            found[one["id"].lower()] = _members(one, organization, what)
    return found


def _members(one: Json, organization: str, what: str) -> tuple[str, ...] | None:
    if not flag_or_none(one, "isContainer", f"organization {organization}: {what}"):
        return None
    listed = one.get("memberIds")
    if not isinstance(listed, list) or not all(isinstance(member, str) for member in listed):
        raise Unavailable(f"organization {organization}: {what}: the response contains no list of members")
    if not listed and shown(one, "subjectDescriptor").startswith("aadgp."):
        return None
    return tuple(dict.fromkeys(member.lower() for member in listed))


def _container(one: Json) -> Group:
    """A group as the identities route shows it."""
    name, descriptor = shown(one, "providerDisplayName"), shown(one, "subjectDescriptor")
    return Group(name, id=one["id"].lower(), descriptor=descriptor)

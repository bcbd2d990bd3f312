"""Project memberships as entitlements name them (vsts-rest-api-specs memberEntitlementManagement 7.2).

A project and a kind of group: the published example makes a service principal a `projectReader`. Which group a kind
stands for follows from the documented default groups of a project (Microsoft Learn: default permissions and access).
"""

from __future__ import annotations

from emulator.devops import access, refusals
from emulator.documents import Json
from emulator.frame import ApiError
from emulator.state.devops import Identity

_GROUPS = {
    "projectReader": "Readers",
    "projectContributor": "Contributors",
    "projectAdministrator": "Project Administrators",
}
_KINDS = {title: kind for kind, title in _GROUPS.items()}


def requested_groups(place: access.RequestScope, raw: Json) -> list[Identity]:
    """The groups that a body names; a kind or a project that there is not is an error."""
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise refusals.bad_argument("The value is not valid for projectEntitlements.")
    return [_group(place, one) for one in raw]


def _group(place: access.RequestScope, raw: dict[str, Json]) -> Identity:
    project = place.find_project(str(access.mapping(raw.get("projectRef"), "projectRef").get("id", "")))
    kind = access.mapping(raw.get("group"), "group")
    title = _GROUPS.get(str(kind.get("groupType", "")), str(kind.get("displayName") or ""))
    found = place.organization.group_of(project.id, title)
    if found is None:
        raise ApiError(400, "ArgumentException", f"The group {title or kind.get('groupType')} is not valid.")
    return found


def bodies(place: access.RequestScope, one: Identity) -> list[Json]:
    """The projects in whose groups an identity is directly."""
    groups = [group for group in place.organization.groups() if group.scope and one.id in group.members]
    return [_body(place, group) for group in groups if group.scope in place.organization.projects]


def _body(place: access.RequestScope, group: Identity) -> Json:
    project = place.organization.projects[group.scope]
    return {
        "group": {"groupType": _KINDS.get(group.display_name, "custom"), "displayName": group.display_name},
        "projectRef": {"id": project.id, "name": project.name},
        "assignmentSource": "unknown",
        "projectPermissionInherited": "notInherited",
        "teamRefs": [],
    }

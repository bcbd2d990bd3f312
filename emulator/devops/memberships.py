"""Who is in which group (vsts-rest-api-specs graph 7.2, memberships).

Groups of a project are changed by its administrators too (Microsoft Learn: add users or groups to a team or project).
"""

from __future__ import annotations

from emulator.devops import access, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Identity
from emulator.world import World


def _subject(place: access.RequestScope, name: str) -> Identity:
    key = place.request.params[name]
    found = place.organization.by_descriptor.get(key)
    if found is None:
        raise refusals.no_identity(key)
    return found


def list_all(world: World, request: Request) -> Response:
    """One step up (the groups a subject is in) or down (the members of a group)."""
    place = access.enter(world, request)
    subject = _subject(place, "subjectDescriptor")
    direction = request.query.get("direction", "up").lower()
    if direction not in ("up", "down"):
        raise refusals.bad_argument(f"The value '{direction}' is not valid for direction.")
    known = place.organization.identities
    if direction == "up":
        found = [_body(place, subject, group) for group in place.organization.groups() if subject.id in group.members]
    else:
        found = [_body(place, known[one], subject) for one in sorted(subject.members) if one in known]
    return responses.wrapped(found)


def _body(place: access.RequestScope, member: Identity, container: Identity) -> Json:
    graph = f"{place.base}/_apis/Graph"
    return {
        "containerDescriptor": container.descriptor,
        "memberDescriptor": member.descriptor,
        "_links": {
            "self": {"href": f"{graph}/Memberships/{member.descriptor}/{container.descriptor}"},
            "member": {"href": f"{graph}/Users/{member.descriptor}"},
            "container": {"href": f"{graph}/Groups/{container.descriptor}"},
        },
    }


def _both(place: access.RequestScope) -> tuple[Identity, Identity]:
    return _subject(place, "subjectDescriptor"), _subject(place, "containerDescriptor")


def get(world: World, request: Request) -> Response:
    """One membership."""
    place = access.enter(world, request)
    member, container = _both(place)
    if member.id not in container.members:
        text = f"VS860019: {member.descriptor} is not a member of {container.descriptor}."
        raise ApiError(404, "GraphMembershipNotFoundException", text)
    return Response(body=_body(place, member, container))


def check(world: World, request: Request) -> Response:
    """The same question, answered by the status alone."""
    member, container = _both(access.enter(world, request))
    return Response(status=200 if member.id in container.members else 404)


def _changed(place: access.RequestScope, container: Identity) -> None:
    """403 for who may not change the members of a group."""
    project = place.organization.projects.get(container.scope)
    if project is None or not rights.administers_project(place.organization, place.caller, project):
        place.require_administrator("group memberships")


def add(world: World, request: Request) -> Response:
    """Add an identity to a group."""
    place = access.enter(world, request)
    member, container = _both(place)
    _changed(place, container)
    if not container.is_group:
        raise refusals.bad_argument(f"{container.descriptor} is not a group.\r\nParameter name: containerDescriptor")
    container.members.add(member.id)
    place.organization.closures.clear()
    return Response(status=201, body=_body(place, member, container))


def remove(world: World, request: Request) -> Response:
    """Remove an identity from a group."""
    place = access.enter(world, request)
    member, container = _both(place)
    _changed(place, container)
    container.members.discard(member.id)
    place.organization.closures.clear()
    return Response()


def state(world: World, request: Request) -> Response:
    """Active: licensed, or a group."""
    subject = _subject(access.enter(world, request), "subjectDescriptor")
    return Response(body={"active": bool(subject.license) or subject.is_group})

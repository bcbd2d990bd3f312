"""Approvals and checks on agent queues (vsts-rest-api-specs approvalsAndChecks 7.2, pipelinesChecks).

A check belongs to a resource, and goes with it. Settings are returned with ``$expand=settings`` alone, and with what
was just written. The service fills in what an approval leaves out, or does not: a switch. Whether it takes an approver
that it does not know is another. An update that names another resource: the document has the field and says nothing of
it; here it is rejected. Types other than ``queue`` have no checks in the emulator.
"""

from __future__ import annotations

from copy import deepcopy

from emulator.devops import access, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Check, Organization, Project, Queue
from emulator.world import World

TYPES = {
    "Approval": "8c6f20a7-a545-4486-9777-f762fafe0d4d",
    "Task Check": "fe1de3ee-a436-41b4-bb20-f6eb4cb879a7",
    "ExclusiveLock": "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563",
}
"""Ids of the types by name: two of the published examples, and that of terraform-provider-azuredevops."""
_APPROVAL: dict[str, Json] = {
    "executionOrder": "anyOrder",
    "instructions": "",
    "blockedApprovers": [],
    "requesterCannotBeApprover": False,
}
"""What an approval may leave out (ApprovalConfigSettings)."""
_NAMES = frozenset({*_APPROVAL, "approvers", "definitionRef", "minRequiredApprovers"})
"""All that an approval has (ApprovalConfigSettings)."""
TIMEOUT = 43200
"""Minutes, where none is given (published examples)."""


def list_all(world: World, request: Request) -> Response:
    """The checks of one resource; what an onlooker without Administrator gets is a switch."""
    place = access.enter(world, request)
    project = place.project()
    kind, key = request.query.get("resourcetype", ""), request.query.get("resourceid", "")
    queues = _queues(place, project)
    if kind and kind.lower() != "queue":
        queues = []
    if key:
        queues = [queue for queue in queues if str(queue.id) == key]
    found = [(queue, check) for queue in queues for check in _shown(place, queue)]
    return responses.wrapped(_body(place, project, queue, check) for queue, check in found)


def get(world: World, request: Request) -> Response:
    """One check by its id."""
    place = access.enter(world, request)
    project = place.project()
    queue, check = _find(place, project)
    return Response(body=_body(place, project, queue, check))


def add(world: World, request: Request) -> Response:
    """Another check on a queue, by an administrator of it."""
    place = access.enter(world, request)
    project = place.project()
    fields = place.fields("configuration")
    queue = place.queue(project, _resource(fields))
    _require_writer(place, queue)
    kind = _type(fields)
    settings = _settings(place, fields, kind[0])
    timeout, disabled = access.number(fields.get("timeout", TIMEOUT), "timeout"), _disabled(fields)
    _known_approvers(place, settings)
    check = make(world, place.organization, queue, kind, settings, by=place.caller.id)
    check.timeout, check.disabled = timeout, disabled
    return Response(body=_body(place, project, queue, check, settings=True))


def update(world: World, request: Request) -> Response:
    """Other settings or another timeout; a check keeps its type and its resource."""
    place = access.enter(world, request)
    project = place.project()
    queue, check = _find(place, project)
    _require_writer(place, queue)
    fields = place.fields("configuration")
    timeout = access.number(fields.get("timeout", check.timeout), "timeout")
    if "resource" in fields and _resource(fields) != str(queue.id):
        raise refusals.bad_argument(f"The check {check.id} is on the resource {queue.id}.")
    if "type" in fields and _type(fields)[0] != check.type_id:
        raise refusals.bad_argument(f"The check {check.id} is of type {check.type_id}.")
    settings = _settings(place, fields, check.type_id) if "settings" in fields else check.settings
    check.disabled = _disabled(fields) if "isDisabled" in fields else check.disabled
    _known_approvers(place, settings)
    check.settings, check.timeout = settings, timeout
    check.changed_by, check.changed_on = place.caller.id, world.clock.stamp()
    return Response(body=_body(place, project, queue, check, settings=True))


def delete(world: World, request: Request) -> Response:
    """The check goes; the published example answers 204, the document says 200."""
    place = access.enter(world, request)
    queue, check = _find(place, place.project())
    _require_writer(place, queue)
    del queue.checks[check.id]
    return Response(status=204)


def make(
    world: World, organization: Organization, queue: Queue, kind: tuple[str, str], settings: dict[str, Json], *, by: str
) -> Check:
    """A check on a queue; `kind` is id and name of its type."""
    number = organization.next_id("check")
    queue.checks[number] = Check(number, *kind, deepcopy(settings), TIMEOUT, by, world.clock.stamp())
    return queue.checks[number]


def _queues(place: access.RequestScope, project: Project) -> list[Queue]:
    found = place.organization.queues_of_project.get(project.id, {}).values()
    return [queue for queue in found if rights.sees_queue(place.organization, place.caller, queue)]


def _shown(place: access.RequestScope, queue: Queue) -> list[Check]:
    answer = place.world.switches.word("devops.checks-without-administrator")
    if queue.checks and answer != "listed" and not place.may(rights.queue_token(queue), rights.ADMINISTER):
        if answer == "refused":
            raise refusals.denied(place.caller, "View checks", f"queue {queue.name}")
        return []
    return [queue.checks[number] for number in sorted(queue.checks)]


def _find(place: access.RequestScope, project: Project) -> tuple[Queue, Check]:
    number = access.number(place.request.params["checkId"], "id")
    for queue in _queues(place, project):
        if number in queue.checks:
            return queue, queue.checks[number]
    raise ApiError(404, "CheckConfigurationNotFoundException", f"The check configuration {number} does not exist.")


def _require_writer(place: access.RequestScope, queue: Queue) -> None:
    place.require(rights.queue_token(queue), rights.ADMINISTER, right="Administer", what=f"queue {queue.name}")


def _resource(fields: dict[str, Json]) -> str:
    resource = access.mapping(fields.get("resource"), "resource")
    if str(resource.get("type", "")).lower() != "queue" or resource.get("id") is None:
        raise refusals.bad_argument(f"The value '{resource}' is not valid for resource.")
    return str(resource["id"])


def _type(fields: dict[str, Json]) -> tuple[str, str]:
    kind = access.mapping(fields.get("type"), "type")
    number = kind.get("id") or TYPES.get(str(kind.get("name")))
    if not access.is_guid(number):
        raise refusals.bad_argument(f"The value '{number}' is not valid for type.id.")
    known = next((name for name, id_ in TYPES.items() if id_ == str(number).lower()), "")
    return str(number).lower(), str(kind.get("name") or known)


def _settings(place: access.RequestScope, fields: dict[str, Json], type_id: str) -> dict[str, Json]:
    found = access.mapping(fields.get("settings"), "settings")
    unknown = sorted(found.keys() - _NAMES) if type_id == TYPES["Approval"] else []
    answer = place.world.switches.word("devops.check-unknown-settings")
    if unknown and answer == "refused":
        raise refusals.bad_argument(f"The value '{unknown[0]}' is not valid for settings.")
    return {name: value for name, value in found.items() if answer == "kept" or name not in unknown}


def _disabled(fields: dict[str, Json]) -> bool:
    given = fields.get("isDisabled", False)
    if not isinstance(given, bool):
        raise refusals.bad_argument(f"The value '{given}' is not valid for isDisabled.")
    return given


def _known_approvers(place: access.RequestScope, settings: dict[str, Json]) -> None:
    if place.world.switches.word("devops.check-approvers") == "taken":
        return
    for name in ("approvers", "blockedApprovers"):
        for one in settings.get(name) or ():
            number = str(one.get("id")) if isinstance(one, dict) else ""
            if number.lower() not in place.organization.identities:
                raise refusals.bad_argument(f"The identity '{number}' of {name} is unknown.")


def _shown_settings(place: access.RequestScope, check: Check) -> dict[str, Json]:
    found = deepcopy(check.settings)
    if check.type_id == TYPES["Approval"] and place.world.switches.word("devops.check-settings") == "completed":
        return {**_APPROVAL, **found}
    return found


def _body(
    place: access.RequestScope, project: Project, queue: Queue, check: Check, *, settings: bool = False
) -> dict[str, Json]:
    url = f"{place.base}/{project.id}/_apis/pipelines/checks/configurations/{check.id}"
    author = responses.person(place.organization, check.by)
    changer = responses.person(place.organization, check.changed_by or check.by)
    body: dict[str, Json] = {
        "createdBy": author,
        "createdOn": check.on,
        "modifiedBy": changer,
        "modifiedOn": check.changed_on or check.on,
        "timeout": check.timeout,
        "_links": {"self": {"href": url}},
        "id": check.id,
        "type": {"id": check.type_id, "name": check.type_name},
        "url": url,
        "resource": {"type": "queue", "id": str(queue.id), "name": queue.name},
    }
    if settings or place.request.query.get("$expand", "").lower() == "settings":
        body["settings"] = _shown_settings(place, check)
    if check.disabled:
        body["isDisabled"] = True
    return body

"""Which pipelines may use a resource: one state, which two APIs read and write.

Open access (all pipelines) and the list of single pipelines are independent: open access wins, the list survives.
A write of the list merges (vsts-rest-api-specs pipelinePermissions examples).
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.devops import access, audit_log, refusals, rights
from emulator.documents import Json
from emulator.frame import ApiError
from emulator.state.devops import Authorization, PipelinePermit, Project, Queue
from emulator.visible import Visible
from emulator.world import World

TYPES = ("queue", "endpoint", "securefile", "variablegroup", "environment", "repository", "agentpool")


@dataclass(frozen=True, slots=True)
class AuthorizableResource:
    """A resource of a project that can be authorized."""

    project: Project
    type: str
    id: str
    cell: Visible[Authorization]
    queue: Queue | None = None
    """Set where the type is ``queue``."""


@dataclass(frozen=True, slots=True)
class AuthorizationChange:
    """What one write requests, checked."""

    everyone: bool | None
    """Open, closed, or not mentioned."""
    pipelines: tuple[tuple[int, bool], ...] = ()


def find(place: access.RequestScope, project: Project, kind: Json, key: Json) -> AuthorizableResource:
    """A resource by type and id; a queue that the caller cannot see does not exist."""
    kind = str(kind).lower()
    if kind not in TYPES:
        raise refusals.bad_argument(f"The value '{kind}' is not valid for resourceType.")
    if kind == "queue":
        queue = place.queue(project, str(key))
        return AuthorizableResource(project, kind, str(queue.id), queue.authorization, queue)
    others = place.organization.authorizations
    cell = others.get((project.id, kind, str(key)))
    if cell is None:
        cell = others[project.id, kind, str(key)] = place.world.visible(Authorization())
    return AuthorizableResource(project, kind, str(key), cell)


def require_writer(place: access.RequestScope, target: AuthorizableResource) -> None:
    """Administrator of the queue; of other resources an administrator of the project."""
    if target.queue is not None:
        token = rights.queue_token(target.queue)
        place.require(token, rights.ADMINISTER, right="Administer", what=f"queue {target.queue.name}")
    elif not rights.administers_project(place.organization, place.caller, target.project):
        raise refusals.denied(place.caller, "Administer", f"{target.type} {target.id}")


def flag(value: Json, name: str) -> bool:
    """``authorized`` has to be true or false."""
    if not isinstance(value, bool):
        raise refusals.bad_argument(f"The value '{value}' is not valid for {name}.")
    return value


def check_pipeline(place: access.RequestScope, project: Project, number: int) -> None:
    """Whether pipelines that do not exist can be authorized is a switch."""
    if number in project.pipelines or place.world.switches.word("devops.permissions-of-missing-pipeline") == "accepted":
        return
    raise ApiError(404, "DefinitionNotFoundException", f"The definition {number} does not exist.")


def apply(place: access.RequestScope, target: AuthorizableResource, change: AuthorizationChange) -> Authorization:
    """Write a checked change; returns the full state after it, as the service's response does."""
    wanted = merged(place.world, target.cell.written, change, by=place.caller.id)
    if change.everyone is not None and _is_lost(place.world, target.queue):
        return wanted
    before = target.cell.written
    if wanted != before:
        target.cell.write(wanted)
        _record(place, target, change, before)
    return wanted


def merged(world: World, found: Authorization, change: AuthorizationChange, *, by: str) -> Authorization:
    """The state after a change; what is authorized already keeps its author and its date."""
    fresh = PipelinePermit(by, world.clock.stamp())
    everyone = found.everyone
    if change.everyone is not None:
        everyone = (found.everyone or fresh) if change.everyone else None
    pipelines = dict(found.pipelines)
    for number, authorized in change.pipelines:
        if authorized:
            pipelines.setdefault(number, fresh)
        else:
            pipelines.pop(number, None)
    return Authorization(everyone, pipelines)


def _is_lost(world: World, queue: Queue | None) -> bool:
    if queue is None or queue.lost or world.switches.word("devops.open-access-write") == "applied":
        return False
    queue.lost = True
    return True


def _record(
    place: access.RequestScope, target: AuthorizableResource, change: AuthorizationChange, before: Authorization
) -> None:
    key = (target.type, target.id)
    after = target.cell.written
    if change.everyone is not None and bool(before.everyone) != bool(after.everyone):
        word = "Authorized" if after.everyone else "Unauthorized"
        audit_log.resource(
            place.world, place.organization, place.caller, target.project, word=word, to="Project", key=key
        )
    for number, authorized in change.pipelines:
        if (number in before.pipelines) != authorized:
            word = "Authorized" if authorized else "Unauthorized"
            audit_log.resource(
                place.world, place.organization, place.caller, target.project, word=word, to="Pipeline", key=key
            )

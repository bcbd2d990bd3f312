"""Who made the drift that a change corrects, merged from what the services say, with how sure that is.

================  ===========================================================  ===========
source            what it says                                                 confidence
================  ===========================================================  ===========
``authorizedBy``  who authorized exactly what is taken away                    by
audit log         who switched open access of exactly this queue, this way     by
audit log         who changed a single authorization, or an access list        probably by
ARM event         who wrote the pool since the operator did last               probably by
``systemData``    which user wrote the pool last                               probably by
================  ===========================================================  ===========

An ARM event and ``systemData`` that name one user, the only one since the operator, make it *by*. Where the newest that
is known is the operator's own write, the drift is younger than what was reported, and no one is named. Nothing is
decided by this but whether two owners fight (`reconciler.engine.fights`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from reconciler.documents import Json, JsonObject, moment_of, text_of
from reconciler.engine.sightings import Sighting, StateReads, load, of_organization, of_pool
from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change, Plan, Remark
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import (
    AgentPoolPlace,
    ArmTarget,
    Inheritance,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    Place,
    ProjectPlace,
    RoleAssignmentChange,
    UpdatePool,
)
from reconciler.ports.devops import PipelinePermissions, Queue
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey

BY, PROBABLY, UNKNOWN = "by", "probably by", "unknown"
TOGETHER = timedelta(minutes=10)
"""How far the moment of an event may be from that in the resource: an event may be sent at the end of the operation."""
_SWITCHED = re.compile(r"pipelines\.resource(?P<off>un|not)?authorizedfor(?P<what>project|pipeline)")


@dataclass(frozen=True, slots=True)
class DriftActor:
    """Who made a drift."""

    confidence: str
    id: str = ""
    name: str = ""
    kind: str = ""
    at: str = ""
    via: tuple[str, ...] = ()
    client: str = ""
    network: str = ""

    def to_json(self) -> dict[str, Json]:
        """The documented JSON form: what is known."""
        fields = {"confidence": self.confidence, "id": self.id, "name": self.name, "kind": self.kind, "at": self.at,
                  "via": list(self.via), "client": self.client, "network": self.network}  # fmt: skip
        return {name: value for name, value in fields.items() if value}

    def __str__(self) -> str:
        """``probably by eve@fabrikam.com (audit log, 2026-11-29T00:48:00Z)``."""
        about = ", ".join(filter(None, [*self.via, self.at]))
        return f"{self.confidence} {self.name or self.id}" + (f" ({about})" if about else "")


NO_ACTOR = DriftActor(UNKNOWN)


@dataclass
class Attribution:
    """Attributes the drift of one pool, on reads of one run."""

    state: StateReads
    spec: Spec
    survey: SharedSurvey
    cause: SyncCause

    def blame(self, change: Change) -> JsonObject | None:
        """As an entry of the record has it; None where the change corrects no drift."""
        return self.of(change).to_json() if self.cause is SyncCause.DRIFT else None

    def of(self, change: Change) -> DriftActor:
        """Who made the drift; errors of reads leave it unknown."""
        try:
            if isinstance(change.target, ArmTarget):
                return self._in_arm(change)
            return NO_ACTOR if change.place is None else self._in_devops(change, change.place)
        except ReconcilerError:
            return NO_ACTOR

    def remarks(self, plan: Plan) -> Plan:
        """The plan with a remark for each change, refused or not, whose drift can be attributed."""
        if self.cause is not SyncCause.DRIFT:
            return plan
        found = [(change, self.of(change)) for change in plan.differing]
        said = {Remark(c.facet, c.subject, f"{c.kind}: changed {who}") for c, who in found if who.confidence != UNKNOWN}
        return replace(plan, remarks=tuple(sorted({*plan.remarks, *said})))

    def _in_devops(self, change: Change, place: Place) -> DriftActor:
        granted = self._authorized_by(change)
        exact = isinstance(change.target, OpenAccess)
        seen = [one for one in self._of_organization(place.organization) if _about(one, change)]
        own = self._own(place.organization) if seen or granted else frozenset()
        if granted is not None and granted.id in own:
            return NO_ACTOR
        heard = _judged(seen, own, BY if exact else PROBABLY)
        if seen and not _explains(seen[-1], change):
            heard = NO_ACTOR  # what was reported last is another change than the one that is taken back
        if granted is None or heard.confidence == UNKNOWN:
            return granted or heard
        if heard.id != granted.id:
            return granted
        return replace(granted, via=(*granted.via, *heard.via), client=heard.client, network=heard.network)

    def _authorized_by(self, change: Change) -> DriftActor | None:
        """Who authorized what a change takes away."""
        match change.target:
            case OpenAccess(place=place, allow=False):
                number = None
            case PipelineAuthorization(place=place, authorized=False, pipeline_id=number):
                pass
            case _:
                return None
        queue = Queue(place.queue_id, "", place.project_id, place.pool_id)
        answer = self.survey.permissions(place.organization, [queue])[queue]
        if not isinstance(answer, PipelinePermissions):
            return None
        given = next((one for one in answer.authorizations if one.pipeline == number), None)
        if given is None or not (given.by or given.by_id):
            return None
        return DriftActor(BY, given.by_id, given.by, at=given.on, via=("authorizedBy",))

    def _in_arm(self, change: Change) -> DriftActor:
        if not isinstance(change.target, UpdatePool):
            return NO_ACTOR  # a pool that is gone: the event of its deletion names no actor for its creation
        seen = load(self.state, of_pool(self.spec.key))
        system = (self.survey.arm_pool(self.spec) or {}).get("systemData")
        user = _user_of(system if isinstance(system, dict) else {})
        if not seen and user is None:
            return NO_ACTOR
        own = frozenset(id_ for one in self.spec.organizations for id_ in self._own(one.name))
        # Without its own ids, its own writes could not be told from those of others.
        return _of_pool(seen, user, own) if own else NO_ACTOR

    @cached_property
    def _documents(self) -> dict[str, tuple[Sighting, ...]]:
        return {}

    def _of_organization(self, organization: str) -> tuple[Sighting, ...]:
        if organization not in self._documents:
            self._documents[organization] = load(self.state, of_organization(organization))
        return self._documents[organization]

    def _own(self, organization: str) -> frozenset[str]:
        """Every id and name of the operator, and of who runs this, in lower case."""
        with suppress(ReconcilerError):
            known = self.survey.people(organization).operators()
            found = [known.caller, *known.identities]
            texts = [text for one in found for text in (one.id, one.origin_id, one.unique_name) if text]
            return frozenset(text.casefold() for text in texts)
        return frozenset()


def _judged(seen: Sequence[Sighting], own: frozenset[str], confidence: str) -> DriftActor:
    """The newest of these sightings, where it is not the operator's own."""
    if not seen or seen[-1].id in own:
        return NO_ACTOR
    last = seen[-1]
    return DriftActor(
        confidence, last.id, last.name, last.kind, last.at, (last.via,), last.client, last.network
    )  # fmt: skip


def _of_pool(seen: Sequence[Sighting], user: DriftActor | None, own: frozenset[str]) -> DriftActor:
    """What ARM's events and `systemData` say together; either names the last writer of the whole pool."""
    heard = _judged(seen, own, PROBABLY)
    if user is None or user.name.casefold() in own:
        return heard
    newest = max((one.at for one in seen), default="")
    if heard.confidence == UNKNOWN or not _same_write(user, heard):
        return user if _later(user.at, newest) else heard
    since = _since_own(seen, own)
    alone = len(since) < len(seen) and len({one.id for one in since}) == 1
    return replace(heard, confidence=BY if alone else PROBABLY, name=user.name, via=(*heard.via, *user.via))


def _same_write(user: DriftActor, heard: DriftActor) -> bool:
    """Whether both tell of one write: one has an address and the other a display name, so mostly by the moment."""
    if user.name.casefold() in (heard.name.casefold(), heard.id):
        return True
    first, second = moment_of(user.at), moment_of(heard.at)
    return first is not None and second is not None and abs(first - second) <= TOGETHER


def _since_own(seen: Sequence[Sighting], own: frozenset[str]) -> list[Sighting]:
    found: list[Sighting] = []
    for one in reversed(seen):
        if one.id in own:
            break
        found.append(one)
    return found


def _about(seen: Sighting, change: Change) -> bool:
    """Whether a sighting may be about what a change corrects."""
    place, target = change.place, change.target
    switched = _SWITCHED.fullmatch(seen.action)
    match target:
        case OpenAccess(place=queue):
            what = "project"
        case PipelineAuthorization(place=queue):
            what = "pipeline"
        case RoleAssignmentChange() | Inheritance() if place is not None:
            return seen.action.startswith("security.") and seen.token.casefold() in ("", _token(place).casefold())
        case _:
            return False
    if switched is None or switched["what"] != what:
        return False
    return seen.project == queue.project_id.lower() and seen.resource == str(queue.queue_id)


def _explains(seen: Sighting, change: Change) -> bool:
    """Whether it went the way that the change takes back: what was opened is closed."""
    switched = _SWITCHED.fullmatch(seen.action)
    match change.target:
        case OpenAccess(allow=allow) | PipelineAuthorization(authorized=allow):
            return switched is not None and bool(switched["off"]) is allow
        case _:
            return True


def _token(place: Place) -> str:
    """Of the place's access control list (community scripts, several agree)."""
    match place:
        case OrganizationPlace():
            return "AgentPools"
        case AgentPoolPlace(pool_id=number):
            return f"AgentPools/{number}"
        case ProjectPlace(project_id=project):
            return f"AgentQueues/{project}"
        case _:
            return f"AgentQueues/{place.project_id}/{place.queue_id}"


def _user_of(system: JsonObject) -> DriftActor | None:
    """The user who wrote a pool last; an application is named by an id that its events do not have."""
    name = text_of(system, "lastModifiedBy")
    if text_of(system, "lastModifiedByType").casefold() != "user" or not name:
        return None
    return DriftActor(PROBABLY, "", name, "user", text_of(system, "lastModifiedAt"), ("systemData",))


def _later(one: str, other: str) -> bool:
    first, second = moment_of(one), moment_of(other)
    return first is not None and (second is None or first > second)

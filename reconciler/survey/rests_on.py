"""The facts that changes rest on: what is read afresh before they are written, and not more than that.

Every change rests on ARM's word that the pool uses the organization, on which agent pools there are, and on which
projects: whose a queue is, and what a name of the spec stands for. A change in a project rests on what is known of that
project; one of a role also on who people are and what they may do through groups. What makes or replaces a pool rests
on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reconciler.plan.model import Change
from reconciler.plan.targets import (
    AgentPoolPlace,
    NewQueue,
    OpenAccess,
    PipelineAuthorization,
    ProjectPlace,
    QueuePlace,
    UpdatePool,
)
from reconciler.spec.effective import POOL_SCOPE
from reconciler.spec.model import Spec
from reconciler.survey import scopes
from reconciler.survey.memo import Key

_ALWAYS = {"agent pools", "projects"}
_WITHOUT_PEOPLE = (NewQueue, OpenAccess, PipelineAuthorization)


def of(specs: Sequence[Spec] | None, changes: Iterable[Change] | None) -> Callable[[Key], bool]:
    """Whether one of the changes rests on a fact; without them, or for several specs, every fact counts."""
    if specs is None or changes is None or len(specs) != 1:
        return lambda _: True
    spec, batch = specs[0], tuple(changes)
    of_arm = scopes.of_spec(scopes.arm(spec.key), spec)
    in_arm = [change for change in batch if change.place is None]
    if any(change.destroys or not isinstance(change.target, UpdatePool) for change in in_arm):
        return lambda _: True
    places = [(change, change.place) for change in batch if change.place is not None]
    organizations = {place.organization for _, place in places}
    projects = {(p.organization, p.project_id) for _, p in places if isinstance(p, ProjectPlace | QueuePlace)}
    people = {place.organization for change, place in places if not isinstance(change.target, _WITHOUT_PEOPLE)}
    pools = {(p.organization, str(p.pool_id)) for _, p in places if isinstance(p, AgentPoolPlace | QueuePlace)}

    def holds(key: Key) -> bool:
        if not key.organization:
            return of_arm.holds(key) or bool(in_arm)
        if key.project:
            return (key.organization, key.project) in projects
        if key.kind == "roles" and key.detail[0] == POOL_SCOPE:
            return key.organization in people and (key.organization, key.detail[1]) in pools
        return key.organization in (organizations if key.kind in _ALWAYS else people)

    return holds

"""What facets that give roles have in common: members to be made, assignments to be written, objections to be told.

Whom a role is given to, and from whom it is taken, each of them decides for itself. Here is what follows from it, and
what is the same on an agent pool and on a queue because the organization's people and its service are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.errors import NotFound
from reconciler.facets.support import principals
from reconciler.facets.support.observing import gap
from reconciler.plan.model import Action, Change, Gap, Refusal, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.ports.devops import DevOpsWriter
from reconciler.spec import effective

MEMBER = "member"
"""Kind of the change that makes somebody known to an organization."""

Objection: TypeAlias = tuple[str, str]
"""Rule and reason, without the subject."""


def refused(changes: Sequence[Change], object_to: Callable[[Change], Objection | None]) -> list[Refusal]:
    """A refusal for each change that something speaks against."""
    answers = ((change, object_to(change)) for change in changes)
    return [Refusal(change, answer[0], f"{change.subject}: {answer[1]}") for change, answer in answers if answer]


def member(facet: str, organization: str, principal: str, **place: Json) -> Change:
    """Make a principal known to the organization; `place` is what the facet's other changes are about."""
    return Change(
        facet=facet,
        kind=MEMBER,
        subject=f"{organization} {principal}",
        action=Action.CREATE,
        before=None,
        after="member of the organization",
        risk=Risk.WIDENS,
        route=Route.DEVOPS,
        args={"organization": organization, **place, "principal": principal, "materialise": True},
        note="the role follows once it is known",
    )


def against_member(change: Change, unknown: Iterable[str], policy: Policy) -> Objection | None:
    """Only one of the unknown is made a member, and only where the policy lets somebody be made one."""
    if change.args["principal"] not in unknown:
        return "unknown-identity", "nothing that was read asks for this member"
    if policy.materialise:
        return None
    advice = "add the account there, correct the spelling, or let the policy materialise it"
    return "policy-materialise", f"the organization knows nobody of this name; {advice}"


def unknown_groups(facet: str, organization: str, unknown: Iterable[str]) -> list[Gap]:
    """Groups of Azure DevOps among the unknown: nobody could make them known, so somebody has to act."""
    return [
        gap(facet, f"{organization} {name}", NotFound(f"{organization} {name}: no group of this name is known there"))
        for name in unknown
        if principals.is_local_group(name)
    ]


def write(change: Change, devops: DevOpsWriter) -> None:
    """Make a member, give a role or take it; each may be repeated."""
    args = change.args
    if change.kind == MEMBER:
        devops.materialise(args["organization"], args["principal"])
        return
    scope, resource = _resource(change)
    if change.action is Action.REMOVE:
        devops.remove_role(args["organization"], scope, resource, args["identityId"])
    else:
        role = args.get("role", effective.ADMINISTRATOR)
        devops.assign_role(args["organization"], scope, resource, args["identityId"], role)


def _resource(change: Change) -> tuple[str, str]:
    """Scope and resource of the assignment: a queue where the change names one, else the agent pool."""
    args = change.args
    if "queueId" in args:
        return effective.QUEUE_SCOPE, f"{args['projectId']}_{args['queueId']}"
    return effective.POOL_SCOPE, str(args["poolId"])

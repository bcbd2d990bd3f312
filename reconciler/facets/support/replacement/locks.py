"""The change that deletes a pool for the next run to create it again, and every objection to it. Pure.

The change carries what will be created afterwards and every line of what it costs, so that an approval covers both. The
locks trust neither the diff nor the spec: they compare the change with what was read and with the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

from reconciler.documents import Json
from reconciler.facets.support import mutability
from reconciler.facets.support.arm_document import differences, merged
from reconciler.facets.support.mutability import Way
from reconciler.facets.support.replacement.dependents import Dependents
from reconciler.plan.model import Change, Detail
from reconciler.plan.policy import Policy, allows, rules
from reconciler.plan.targets import ReplacePool
from reconciler.spec.model import PermissionKind
from reconciler.spec.names import organization_key
from reconciler.survey.owed import Owed, OwedCheck

KIND = "replacement"
"""What a person calls it."""

CREATOR_ONLY = PermissionKind.CREATOR_ONLY.value

_CHECKS = (
    "they go with their queue, and the new one would be used without them: note their settings, "
    "close these projects in the spec (openAccess, pipelines), remove the checks, and after the replacement add them "
    "again before the spec opens the projects"
)

Finding = tuple[str, str]
"""Rule and what is wrong."""

Lines = tuple[Sequence[Detail], Sequence[Detail]]
"""What only a new pool can have, and what it costs."""


def change(name: str, resource_id: str, body: Mapping[str, Json], lines: Lines, owed: Sequence[Owed] = ()) -> Change:
    """Of the pool's facet; `body` is put when the old pool is gone, and `owed` put right with its queues."""
    moved, costs = lines
    return Change(
        facet="pool",
        kind=KIND,
        subject=name,
        before=", ".join(f"{detail.path} {detail.before}" for detail in moved),
        after=", ".join(f"{detail.path} {detail.after}" for detail in moved),
        target=ReplacePool(
            resource_id, body, tuple(detail.path for detail in moved), tuple(one.to_json() for one in owed)
        ),
        details=(*moved, *costs),
        note="the pool is deleted and created again",
    )


def objections(
    planned: Change,
    target: ReplacePool,
    document: Mapping[str, Json] | None,
    counted: Dependents | None,
    policy: Policy,
) -> Iterator[Finding]:
    """Rule and reason of every objection to a replacement, by what was read; believes no diff."""
    if not allows(policy.replace_pools, planned.subject):
        message = "the policy of this deployment does not let this pool be deleted and created again"
        yield rules.refusal(policy, "replace_pools", message)
    if not policy.create_pools:
        message = "the policy of this deployment does not allow creating pools, so none is deleted"
        yield rules.refusal(policy, "create_pools", message)
    if document is None or _id(document) != target.resource_id.casefold():
        yield "unseen-pool", f"{target.resource_id} was not read"
        return
    state = str((document.get("properties") or {}).get("provisioningState") or "")
    if state.casefold() != "succeeded":
        yield "in-progress", f"provisioningState is {state or 'absent'}, and only a pool in state Succeeded is deleted"
    body = target.body
    if sorted(target.replaces) != _moved(body, document):
        yield "not-a-replacement", "an update can do this"
    missing = forgotten(body, document)
    if missing:
        yield "incomplete-spec", f"the pool has {', '.join(missing)}, and the spec does not name it: it would be lost"
    yield from _against_loss(planned, target, counted)


def _against_loss(planned: Change, target: ReplacePool, counted: Dependents | None) -> Iterator[Finding]:
    """What is lost has to be counted, listed, and nothing that guards a queue and cannot be added again."""
    if counted is None or counted.unread:
        why = "; ".join(counted.unread) if counted else "it was not read"
        yield "uncounted", f"what would be lost cannot be counted: {why}"
    elif counted.guarded:
        yield "checks-lost", f"{'; '.join(counted.guarded)}: {_CHECKS}"
    elif counted.network:
        yield "network-role", counted.network
    elif counted.busy:
        yield "not-quiet", counted.busy
    elif not all(line in planned.details for line in counted.lines):
        yield "untold-loss", "something would be lost that no line of the plan lists"
    elif list(target.restores) != [one.to_json() for one in counted.owed]:
        yield "checks-lost", "the checks and pipelines that would be put right are not those that were read"
    else:
        yield from _open_without_checks(target, counted)


def _open_without_checks(target: ReplacePool, counted: Dependents) -> Iterator[Finding]:
    """A new pool is not created open where checks have to be added first."""
    guarded = {one.organization for one in counted.owed if isinstance(one, OwedCheck)}
    for one in _profile(target.body).get("organizations") or ():
        if one.get("openAccess") and organization_key(str(one.get("url") or "")) in guarded:
            yield "checks-lost", f"{one['url']}: its queues would be open before their checks are added again"


def forgotten(body: Mapping[str, Json], document: Mapping[str, Json]) -> list[str]:
    """Paths of the observed resource that the new pool would not have, because the body does not name them.

    They are what an update would keep beside the body. Tags are left out: policies of a subscription add their own. So
    is what the service sets by itself.
    """
    observed = deepcopy({key: value for key, value in document.items() if key in ("identity", "properties")})
    for name in ("principalId", "tenantId"):
        (observed.get("identity") or {}).pop(name, None)
    missing = [one for one in differences(merged(body, observed), body) if one.before in (None, "", [], {})]
    paths = {".".join(one.path).removeprefix("properties.") for one in missing}
    given = _profile(document).get("permissionProfile") or {}
    # What is left out at creation is CreatorOnly (Microsoft Learn: managed-devops-pools/configure-security).
    if given.get("kind", CREATOR_ONLY) != CREATOR_ONLY and not _profile(body).get("permissionProfile"):
        paths.add("organizationProfile.permissionProfile")
    return sorted(paths)


def _moved(body: Mapping[str, Json], document: Mapping[str, Json]) -> list[str]:
    paths = [".".join(one.path).removeprefix("properties.") for one in differences(body, document)]
    return sorted(path for path in paths if mutability.row_for(path).way is Way.REPLACE)


def _id(document: Mapping[str, Json]) -> str:
    return str(document.get("id") or "").casefold()


def _profile(document: Mapping[str, Json]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = (document.get("properties") or {}).get("organizationProfile") or {}
    return found

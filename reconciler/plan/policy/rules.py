"""What a change uses against what the policy of its pool allows: rule and reason of each refusal, with the line.

Of a body the difference is judged: what it merely carries on is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.plan.policy import uses
from reconciler.plan.policy.fields import BY_ATTRIBUTE
from reconciler.plan.policy.model import (
    Policy,
    allows,
    allows_principal,
    allows_project,
    allows_role,
    folded,
)

Finding: TypeAlias = tuple[str, str]
"""Rule and what is wrong, without the subject."""

_NOUNS = {
    "identities": "identity",
    "subnets": "subnet",
    "images": "image",
    "certificates": "certificate",
    "skus": "size of machines",
    "logon_types": "logon type",
    "provisioning_scripts": "provisioning script",
}
ADMINISTRATOR = "Administrator"


def refusal(policy: Policy, attribute: str, message: str) -> Finding:
    """Rule, and the message with the line of the policy; where no entry is about the pool, that is the reason."""
    if policy.resolved and not policy.unnamed:
        return BY_ATTRIBUTE["pools"].rule, f"no entry of the policy is about this pool{policy.where('pools')}"
    return BY_ATTRIBUTE[attribute].rule, f"{message}{policy.where(attribute)}"


# --- where, and by whom ------------------------------------------------------------------------------------------


def place(policy: Policy, pool: str, subscription: str, resource_group: str) -> Iterator[Finding]:
    """Whether anything may be written for this pool."""
    if not allows(policy.pools, pool):
        yield refusal(policy, "pools", f"the policy does not allow the pool {pool}")
    if not allows(policy.subscriptions, subscription):
        yield refusal(policy, "subscriptions", f"the policy does not allow the subscription {subscription}")
    if not allows(policy.resource_groups, resource_group):
        yield refusal(policy, "resource_groups", f"the policy does not allow the resource group {resource_group}")


def organization(policy: Policy, name: str) -> Iterator[Finding]:
    """Whether anything may be written in the organization."""
    if not allows(policy.organizations, name):
        yield refusal(policy, "organizations", f"the policy does not allow the organization {name}")


def project(policy: Policy, organization: str, name: str) -> Iterator[Finding]:
    """Whether anything may be written in the project; ``*`` for all projects."""
    if not allows_project(policy.projects, organization, name):
        yield refusal(policy, "projects", f"the policy does not allow the project {organization}/{name}")


def agent_pool(policy: Policy, organization: str, name: str, number: int) -> Iterator[Finding]:
    """Whether the agent pool may be taken for the pool's own, where a proof of that is missing."""
    if not allows(policy.agent_pools, f"{organization}/{name}#{number}"):
        message = f"the policy does not let the agent pool {organization}/{name}#{number} be taken for the pool's own"
        yield refusal(policy, "agent_pools", message)


def principal(policy: Policy, name: str) -> Iterator[Finding]:
    """Whether the principal may be granted anything."""
    if not allows_principal(policy.principals, name, version=policy.version):
        yield refusal(policy, "principals", f"the policy does not let {name} be granted anything")


def role(policy: Policy, where: str, name: str, principal_name: str) -> Iterator[Finding]:
    """Whether the role may be granted on ``organization`` or ``organization/project``."""
    if not allows_role(policy.roles, where, name, principal_name):
        yield refusal(policy, "roles", f"the policy does not let {principal_name} have the role {name} in {where}")


def open_access(policy: Policy, organization: str, name: str) -> Iterator[Finding]:
    """Whether all pipelines of the project may be let in; ``*`` for all projects."""
    if not allows_project(policy.open_access, organization, name):
        yield refusal(policy, "open_access", f"the policy does not let open access be granted in {organization}/{name}")


def pipeline(policy: Policy, where: str, written: str | int, number: int) -> Iterator[Finding]:
    """Whether a pipeline may be let in: by its id, or as the spec writes it."""
    names = dict.fromkeys((f"{where}/{written}", f"{where}/{number}"))
    if not any(allows(policy.pipelines, name) for name in names):
        yield refusal(policy, "pipelines", f"the policy does not let the pipeline {written} in, in {where}")


def inheritance(policy: Policy, organization: str) -> Iterator[Finding]:
    """Whether the agent pool may inherit roles in the organization."""
    if not allows(policy.inheritance, organization):
        yield refusal(policy, "inheritance", f"the policy does not let roles be inherited in {organization}")


# --- bodies ------------------------------------------------------------------------------------------------------


def update(policy: Policy, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Finding]:
    """What a body has that the one before it has not."""
    yield from _body(policy, uses.of_update(before), uses.of_update(after))
    yield from _machines(policy, uses.machines(before) or 0, uses.machines(after))


def creation(policy: Policy, body: Mapping[str, Json]) -> Iterator[Finding]:
    """Everything that a new pool has, and what its creation gives to people and pipelines."""
    if not policy.create_pools:
        yield refusal(policy, "create_pools", "the policy does not let pools be created")
    used = uses.of_creation(body)
    yield from _body(policy, {}, used)
    yield from _machines(policy, 0, uses.machines(body))
    for where in used["open_access"]:
        yield from open_access(policy, *_split(where))
    for name in used["inheritance"]:
        yield from inheritance(policy, name)
    for who in used["principals"]:
        yield from principal(policy, who)
        for name in dict.fromkeys(used["organizations"]):
            yield from role(policy, name, ADMINISTRATOR, who)


def _body(policy: Policy, before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> Iterator[Finding]:
    known = {attribute: _known(names) for attribute, names in before.items()}
    for name in _new(after["organizations"], known.get("organizations", set())):
        yield from organization(policy, name)
    had = known.get("projects", set())
    for where in _new(after["projects"], had):
        name, one = _split(where)
        if folded(f"{name}/*") not in had:
            yield from project(policy, name, one)
    for attribute, noun in _NOUNS.items():
        for name in _new(after[attribute], known.get(attribute, set())):
            if not allows(getattr(policy, attribute), name.rstrip("/")):
                yield refusal(policy, attribute, f"the policy does not allow the {noun} {name}")


def _machines(policy: Policy, before: int, after: int | None) -> Iterator[Finding]:
    most = policy.max_concurrency
    if most is not None and after is not None and after > max(before, most):
        yield refusal(policy, "max_concurrency", f"the policy allows {most} machines at most, not {after}")


def _known(names: Iterable[str]) -> set[str]:
    return {folded(name.rstrip("/")) for name in names}


def _new(names: Iterable[str], known: set[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if folded(name.rstrip("/")) not in known]


def _split(where: str) -> tuple[str, str]:
    """Organization and project; an organization of GitHub has a slash of its own."""
    name, _, one = where.rpartition("/")
    return name, one

"""What a request is about: the facts that have to be read after it was put, out of all that are known.

A scope holds facts by what they are about, so a message carries a short text and no list of facts. Where it cannot be
told which facts a scope means, it holds more of them: a fact read once too often costs a call, one that was not read
costs a request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from reconciler.ports.devops import Project
from reconciler.spec.effective import POOL_SCOPE
from reconciler.spec.model import Spec
from reconciler.spec.principals import is_id
from reconciler.survey.memo import Key


class ScopeKind(StrEnum):
    """What a scope names."""

    POOL = "pool"
    """A whole pool: its ARM body, and every fact of its organizations."""
    ARM = "arm"
    """What ARM says of a pool."""
    ORGANIZATION = "organization"
    PROJECT = "project"
    """One project of an organization, or one queue of it."""
    PROJECTS = "projects"
    """Which projects an organization has."""
    AGENT_POOLS = "agent-pools"
    """Which agent pools an organization has, and whether they inherit roles."""
    ROLES = "roles"
    """Who has roles on agent pools and queues of an organization, and who these people are."""
    MEMBERS = "members"
    """Who is in which group of an organization."""


PROJECT_LISTS = frozenset({"projects", "groups of projects", "deleted projects"})
_PEOPLE = frozenset({"me", "identity", "names", "memberships", "members", "groups of projects"})
_KINDS = {
    ScopeKind.PROJECTS: PROJECT_LISTS,
    ScopeKind.AGENT_POOLS: frozenset({"agent pools", "inheritance"}),
    ScopeKind.ROLES: frozenset({"roles", "inheritance"}) | _PEOPLE,
    ScopeKind.MEMBERS: _PEOPLE,
}
_OF_A_QUEUE = frozenset({"permissions", "checks"})


@dataclass(frozen=True, slots=True)
class Scope:
    """One place; two of the same place are equal. Made by the functions of this module."""

    kind: ScopeKind
    organization: str = ""
    project: str = ""
    """Id, or name as an event has it."""
    pool: str = ""
    """Key of the pool in the specs."""
    agent_pool: int = 0
    """Id; 0: all."""
    queue: int = 0
    """Id; 0: all."""
    resources: frozenset[str] = frozenset()
    """Of a pool whose spec is known: its resource id in lower case, and its subscription."""
    organizations: frozenset[str] | None = None
    """The same: its organizations; None: not known, so all."""

    def text(self) -> str:
        """The form in messages; what the spec says is left out, since another commit may say it differently."""
        parts = {
            "organization": self.organization,
            "project": self.project,
            "pool": self.pool,
            "agentPool": self.agent_pool,
            "queue": self.queue,
        }
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"{self.kind.value}?{query}" if query else self.kind.value

    @classmethod
    def read(cls, text: str) -> Scope | None:
        """From its text; None where another release wrote what this one does not know: then all facts are meant."""
        kind, _, query = text.partition("?")
        if kind not in {one.value for one in ScopeKind}:
            return None
        parts = dict(parse_qsl(query))
        if parts.keys() - {"organization", "project", "pool", "agentPool", "queue"}:
            return None
        numbers = [parts.get(name, "0") for name in ("agentPool", "queue")]
        if not all(number.isdecimal() and number.isascii() for number in numbers):
            return None
        places = (parts.get("organization", "").lower(), parts.get("project", ""), parts.get("pool", ""))
        return cls(ScopeKind(kind), *places, agent_pool=int(numbers[0]), queue=int(numbers[1]))

    def holds(self, key: Key) -> bool:
        """Whether a fact is of this place."""
        if self.kind is ScopeKind.POOL or self.kind is ScopeKind.ARM:
            return self._holds_for_pool(key)
        if key.organization != self.organization:
            return False
        if self.kind is ScopeKind.PROJECT:
            return self._holds_in_project(key)
        if key.kind == "roles" and self.kind is ScopeKind.ROLES and self.agent_pool:
            return bool(key.detail == (POOL_SCOPE, str(self.agent_pool)))
        return self.kind is ScopeKind.ORGANIZATION or key.kind in _KINDS[self.kind]

    def _holds_for_pool(self, key: Key) -> bool:
        if key.organization:
            return self.kind is ScopeKind.POOL and (
                self.organizations is None or key.organization in self.organizations
            )
        if key.kind in {"arm pool", "arm pools"}:
            return not self.resources or key.detail in self.resources
        return self.kind is ScopeKind.POOL

    def _holds_in_project(self, key: Key) -> bool:
        if not self.project:
            return bool(key.project)
        if key.project != self.project:
            return False
        if not self.queue:
            return True
        if key.kind in _OF_A_QUEUE:
            return bool(key.detail == self.queue)
        return key.kind != "roles" or bool(key.detail[1] == f"{self.project}_{self.queue}")


def pool(key: str) -> Scope:
    """All facts of a pool."""
    return Scope(ScopeKind.POOL, pool=key)


def arm(key: str) -> Scope:
    """What ARM says of a pool."""
    return Scope(ScopeKind.ARM, pool=key)


def organization(name: str) -> Scope:
    """All facts of an organization."""
    return Scope(ScopeKind.ORGANIZATION, name)


def project(organization: str, name: str, *, queue: int = 0) -> Scope:
    """One project by id or name, or one queue of it."""
    return Scope(ScopeKind.PROJECT, organization, name.lower() if is_id(name) else name, queue=queue)


def projects(organization: str) -> Scope:
    """Which projects there are."""
    return Scope(ScopeKind.PROJECTS, organization)


def agent_pools(organization: str) -> Scope:
    """Which agent pools there are."""
    return Scope(ScopeKind.AGENT_POOLS, organization)


def roles(organization: str, *, agent_pool: int = 0) -> Scope:
    """Roles of one agent pool, or all roles of an organization; and who the people are that have them."""
    return Scope(ScopeKind.ROLES, organization, agent_pool=agent_pool)


def members(organization: str) -> Scope:
    """Who is in which group."""
    return Scope(ScopeKind.MEMBERS, organization)


def placed(
    scopes: Iterable[Scope], specs: Iterable[Spec], known: Callable[[str], Collection[Project] | None]
) -> tuple[Scope, ...]:
    """The scopes with what their names mean: of pools by their specs, of projects by the projects that are known.

    A project that is not known may be new, so the lists of projects are in the scope too; one that only a name tells
    may be a known one that was renamed, so the scope becomes the whole organization.
    """
    by_key = {spec.key: spec for spec in specs}
    found: dict[Scope, None] = {}
    for one in scopes:
        found |= dict.fromkeys(_placed(one, by_key.get(one.pool), known))
    return tuple(found)


def _placed(scope: Scope, spec: Spec | None, known: Callable[[str], Collection[Project] | None]) -> tuple[Scope, ...]:
    if scope.kind in {ScopeKind.POOL, ScopeKind.ARM}:
        return (scope if spec is None else of_spec(scope, spec),)
    if scope.kind is not ScopeKind.PROJECT or not scope.project:
        return (scope,)
    there = known(scope.organization) or ()
    if any(one.id == scope.project for one in there):
        return (scope,)
    if is_id(scope.project):
        return scope, projects(scope.organization)
    by_name = next((one for one in there if one.name.casefold() == scope.project.casefold()), None)
    return (organization(scope.organization),) if by_name is None else (replace(scope, project=by_name.id),)


def of_spec(scope: Scope, spec: Spec) -> Scope:
    """A scope of a pool, with what its spec says of it."""
    resources = frozenset({spec.pool_id.casefold(), spec.subscription})
    return replace(scope, resources=resources, organizations=frozenset(one.name for one in spec.organizations))

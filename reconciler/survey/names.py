"""What a spec's names stand for: by name where there is one, else by the id that the name was last known to have.

A renamed project or agent pool is then still the same thing, and is reported as renamed instead of created again.
The name always comes first: where something else has it by now, that is what the spec names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.documents import moment, moment_of
from reconciler.ports.devops import AgentPool, Project
from reconciler.spec.model import Spec
from reconciler.spec.settled import settled
from reconciler.survey.memo import Key, Memo


def named_by_spec(spec: Spec, remembered: RememberedNames) -> RememberedNames:
    """What is remembered of names that the spec still has, or leaves to ARM."""
    pools = {key(one.name, one.agent_pool) for one in spec.organizations}
    projects = {key(*name) for name in projects_of(spec)}
    pools_of = {one.name for one in spec.organizations if "alias" in one.silent}
    projects_in = {one.name for one in spec.organizations if "projects" in one.silent}

    def kept(name: str, named: set[str], left_to_arm: set[str]) -> bool:
        return name.casefold() in named or name.partition("/")[0].casefold() in left_to_arm

    return replace(
        remembered,
        pools={name: number for name, number in remembered.pools.items() if kept(name, pools, pools_of)},
        projects={name: number for name, number in remembered.projects.items() if kept(name, projects, projects_in)},
    )


def projects_of(spec: Spec) -> set[tuple[str, str]]:
    """Organization and project of every project that the spec names anywhere."""
    access = spec.access
    named = {(one.name, project) for one in spec.organizations for project in one.projects}
    named |= {(one.organization, one.project) for one in access.open_access}
    named |= {(one.organization, one.project) for one in access.pipelines}
    return named | {(one.organization, one.project) for one in access.queue_roles}


def settled_by(memo: Memo, spec: Spec) -> Spec:
    """The spec with what ARM has where it is silent, as far as ARM was read; reads nothing."""
    listed = memo.peek(Key("arm pools", detail=spec.subscription)) or {}
    own = memo.peek(Key("arm pool", detail=spec.pool_id.casefold()))
    document = own or listed.get(spec.pool_id.casefold())
    return spec if document is None else settled(spec, document)


def names_in(memo: Memo, spec: Spec | None) -> Callable[[], set[str]]:
    """Keys of the projects that the spec names; where it leaves them to ARM, as ARM was last read."""
    if spec is None:
        return set
    if any(one.silent for one in spec.organizations):
        return lambda: {key(*one) for one in projects_of(settled_by(memo, spec))}
    named = {key(*one) for one in projects_of(spec)}
    return lambda: named


def key(organization: str, name: str) -> str:
    """How names are compared."""
    return f"{organization}/{name}".casefold()


def renamed_pool(
    remembered: RememberedNames, organization: str, name: str, pools: Sequence[AgentPool]
) -> AgentPool | None:
    """The agent pool that had this name, under the one it has now."""
    known = {spelt.casefold(): number for spelt, number in remembered.pools.items()}
    number = known.get(key(organization, name))
    return next((pool for pool in pools if pool.id == number), None)


def as_the_spec_names_them(
    remembered: RememberedNames, organization: str, named: set[str], visible: Sequence[Project]
) -> tuple[Project, ...]:
    """The projects; one that was renamed, and that no name of the spec finds, under the name that the spec knows."""
    if not remembered.projects:
        return tuple(visible)
    taken = {project.name.casefold() for project in visible}
    former = {
        number: spelt.partition("/")[2]
        for spelt, number in remembered.projects.items()
        if spelt.casefold().startswith(f"{organization}/") and spelt.partition("/")[2].casefold() not in taken
    }
    return tuple(
        replace(one, name=former[one.id], now=one.name)
        if one.id in former and key(organization, one.name) not in named
        else one
        for one in visible
    )


def learned(
    spec: Spec,
    before: RememberedNames,
    pools: Mapping[str, Sequence[AgentPool]],
    projects: Mapping[str, Sequence[Project]],
) -> RememberedNames:
    """Ids of the spec's names; what could not be read, or resolves to nothing now, keeps the id it had."""
    by_name = {key(name, pool.name): pool.id for name, found in pools.items() for pool in found}
    by_project = {key(name, project.name): project.id for name, found in projects.items() for project in found}
    known = named_by_spec(spec, before)
    numbers = dict(known.pools)
    for one in spec.organizations:
        if (number := by_name.get(key(one.name, one.agent_pool))) is not None:
            numbers[f"{one.name}/{one.agent_pool}"] = number
    ids = dict(known.projects)
    for organization, project in sorted(projects_of(spec)):
        if (found_id := by_project.get(key(organization, project))) is not None:
            ids[f"{organization}/{project}"] = found_id
    return RememberedNames(numbers, ids, before.busy_since)


@dataclass(frozen=True, slots=True)
class RememberedNames:
    """What the spec's names stood for when they last resolved, so that a renamed thing is recognised by its id."""

    pools: Mapping[str, int] = field(default_factory=dict)
    """``organization/agent pool`` as the spec writes it → pool id."""
    projects: Mapping[str, str] = field(default_factory=dict)
    """``organization/project`` as the spec writes it → project id."""
    busy_since: datetime | None = None
    """Since when agents at work hold a change back."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        busy = None if self.busy_since is None else moment(self.busy_since)
        return {"agentPools": dict(self.pools), "projects": dict(self.projects), "busySince": busy}

    @classmethod
    def from_json(cls, body: Any) -> RememberedNames:
        """From the stored form; what is not of its type counts as never known."""
        if not isinstance(body, Mapping):
            return cls()
        pools, projects = body.get("agentPools"), body.get("projects")
        return cls(
            {name: n for name, n in pools.items() if type(n) is int} if isinstance(pools, Mapping) else {},
            {name: i for name, i in projects.items() if isinstance(i, str)} if isinstance(projects, Mapping) else {},
            moment_of(body.get("busySince")),
        )

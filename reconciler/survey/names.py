"""What a spec's names stand for: by name where there is one, else by the id that the name was last known to have.

A renamed project or agent pool is then still the same thing, and is reported as renamed instead of created again.
The name always comes first: where something else has it by now, that is what the spec names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.documents import moment, moment_of
from reconciler.errors import ReconcilerError
from reconciler.ports.devops import AgentPool, Project
from reconciler.spec.model import Spec
from reconciler.spec.principals import is_id, scope_of
from reconciler.spec.settled import settled
from reconciler.survey.memo import Key, Memo


def named_by_spec(spec: Spec, remembered: RememberedNames) -> RememberedNames:
    """What is remembered of names that the spec still has, or leaves to ARM."""
    pools = {key(one.name, one.agent_pool) for one in spec.organizations}
    projects = {key(*name) for name in projects_of(spec) | scopes_of(spec)}
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
    """Organization and project of every project that the spec names anywhere, each name once."""
    access = spec.access
    named = {(one.name, project) for one in spec.organizations for project in one.projects}
    named |= {(one.organization, one.project) for one in access.open_access}
    named |= {(one.organization, one.project) for one in access.pipelines}
    named |= {(one.organization, one.project) for one in access.queue_roles}
    known = {key(*name) for name in named}
    excepted = {(one.name, project) for one in spec.organizations for project in one.without_queue}
    return named | {name for name in excepted if key(*name) not in known}


def scopes_of(spec: Spec) -> set[tuple[str, str]]:
    """Organization and project of every group and build service that the spec names by the project's name."""
    principals = [(one.organization, name) for one in spec.access.roles for name in one.administrators or ()]
    principals += [
        (one.organization, name) for one in spec.access.queue_roles for names in one.roles.values() for name in names
    ]
    found = {(organization, scope_of(name, organization)) for organization, name in principals}
    return {(organization, project) for organization, project in found if project and not is_id(project)}


def exceptions_of(spec: Spec) -> set[str]:
    """Keys of the names that keep something from a project: a rename must not lift such an exception."""
    without = {key(one.name, project) for one in spec.organizations for project in one.without_queue}
    return without | {key(one.organization, one.project) for one in spec.access.open_access if not one.allow}


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
        return lambda: {key(*one) for one in projects_of(settled_by(memo, spec)) | scopes_of(spec)}
    named = {key(*one) for one in projects_of(spec) | scopes_of(spec)}
    return lambda: named


def key(organization: str, name: str) -> str:
    """How names are compared."""
    return f"{organization}/{name}".casefold()


def renamed_pool(
    remembered: RememberedNames, organization: str, name: str, pools: Iterable[AgentPool]
) -> AgentPool | None:
    """The agent pool that had this name, under the one it has now."""
    known = {spelt.casefold(): number for spelt, number in remembered.pools.items()}
    number = known.get(key(organization, name))
    return next((pool for pool in pools if pool.id == number), None)


def as_the_spec_names_them(
    remembered: RememberedNames, organization: str, names: Callable[[], set[str]], visible: Sequence[Project]
) -> tuple[Project, ...]:
    """The projects by name; one that was renamed, and that no name of the spec finds, under the name it knows.

    `visible` is sorted; `names`: keys of all names in the spec, asked only where a remembered one is gone.
    """
    if not remembered.projects:
        return tuple(visible)
    taken = {project.name.casefold() for project in visible}
    former = {
        number: spelt.partition("/")[2]
        for spelt, number in remembered.projects.items()
        if spelt.casefold().startswith(f"{organization}/") and spelt.partition("/")[2].casefold() not in taken
    }
    if not former:
        return tuple(visible)
    named = names()
    known = [
        replace(one, name=former[one.id], now=one.name)
        if one.id in former and key(organization, one.name) not in named
        else one
        for one in visible
    ]
    return tuple(sorted(known, key=lambda one: (one.name.casefold(), one.id)))


@dataclass(frozen=True, slots=True)
class Excepted:
    """What the names of a list of exceptions stand for in one organization."""

    ids: frozenset[str] = frozenset()
    """Projects with such a name, and projects that are remembered to have had one."""
    unresolved: tuple[str, ...] = ()
    """Names that stand for no project: any project may be meant."""
    unread: ReconcilerError | None = None
    """Why hidden projects, which might have these names, could not be read."""
    taken: tuple[tuple[Project, Project], ...] = ()
    """Projects that have an excepted name now, each with the project that had it, under its present name."""


NOTHING_EXCEPTED = Excepted()


def excepted(
    remembered: RememberedNames,
    organization: str,
    exceptions: Collection[str],
    *,
    named: Collection[str],
    visible: Sequence[Project],
    hidden: Callable[[], Sequence[Project]],
) -> Excepted:
    """Resolve names of exceptions: by name, by remembered id, else to a hidden project, which is read only then.

    Where another project has the name by now, both are excepted, until the spec names the former one as well.
    `visible`: as the spec names them; `named`: keys of all names in the spec.
    """
    if not exceptions:
        return NOTHING_EXCEPTED
    former = {spelt.casefold(): number for spelt, number in remembered.projects.items()}
    by_name, by_id = {one.name.casefold(): one for one in visible}, {one.id: one for one in visible}
    ids: set[str] = set()
    unresolved: list[str] = []
    taken: list[tuple[Project, Project]] = []
    for name in sorted(exceptions):
        found, known = by_name.get(name.casefold()), former.get(key(organization, name))
        holder = by_id.get(known or "")
        if found is not None:
            ids.add(found.id)
        if found is not None and holder is not None and holder.id != found.id:
            if key(organization, holder.name) in named:
                continue
            taken.append((found, holder))
        if known is not None:
            ids.add(known)
        elif found is None:
            unresolved.append(name)
    try:
        unseen = {one.name.casefold() for one in hidden()} if unresolved else set()
    except ReconcilerError as error:
        return Excepted(frozenset(ids), tuple(unresolved), error, tuple(taken))
    open_names = tuple(name for name in unresolved if name.casefold() not in unseen)
    return Excepted(frozenset(ids), open_names, None, tuple(taken))


def learned(
    spec: Spec,
    before: RememberedNames,
    pools: Mapping[str, Sequence[AgentPool]],
    projects: Mapping[str, Sequence[Project]],
) -> RememberedNames:
    """Ids of the spec's names; what could not be read, or resolves to nothing now, keeps the id it had.

    So does an exception whose name another project took over, because the project that had it is still excepted, and
    the scope of a group or build service: another project's group of the same name is not what the spec means.
    """
    by_name = {key(name, pool.name): pool.id for name, found in pools.items() for pool in found}
    by_project = {key(name, project.name): project.id for name, found in projects.items() for project in found}
    known = named_by_spec(spec, before)
    numbers = dict(known.pools)
    for one in spec.organizations:
        if (number := by_name.get(key(one.name, one.agent_pool))) is not None:
            numbers[f"{one.name}/{one.agent_pool}"] = number
    former = {name.casefold(): number for name, number in known.projects.items()}
    present = {(name, project.id): project.name for name, found in projects.items() for project in found}
    named, exceptions = {key(*name) for name in projects_of(spec)}, exceptions_of(spec)
    scopes = {key(*name) for name in scopes_of(spec)}
    ids: dict[str, str] = {}
    for organization, project in sorted(projects_of(spec) | scopes_of(spec)):
        name = key(organization, project)
        found_id, known_id = by_project.get(name), former.get(name)
        now = present.get((organization, known_id or ""))
        kept = now is not None and (name in scopes or (name in exceptions and key(organization, now) not in named))
        if (chosen := known_id if kept or found_id is None else found_id) is not None:
            ids[f"{organization}/{project}"] = chosen
    return RememberedNames(numbers, ids, before.busy_since, before.created)


@dataclass(frozen=True, slots=True)
class RememberedNames:
    """What the spec's names stood for when they last resolved, so that a renamed thing is recognised by its id."""

    pools: Mapping[str, int] = field(default_factory=dict)
    """``organization/agent pool`` as the spec writes it → pool id."""
    projects: Mapping[str, str] = field(default_factory=dict)
    """``organization/project`` as the spec writes it → project id."""
    busy_since: datetime | None = None
    """Since when agents at work hold a change back."""
    created: str = ""
    """When ARM says that the pool was created (`systemData.createdAt`), to recognise one that was moved."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        busy = None if self.busy_since is None else moment(self.busy_since)
        stored = {"agentPools": dict(self.pools), "projects": dict(self.projects), "busySince": busy}
        return {**stored, "createdAt": self.created} if self.created else stored

    @classmethod
    def from_json(cls, body: Any) -> RememberedNames:
        """From the stored form; what is not of its type counts as never known."""
        if not isinstance(body, Mapping):
            return cls()
        pools, projects, created = body.get("agentPools"), body.get("projects"), body.get("createdAt")
        return cls(
            {name: n for name, n in pools.items() if type(n) is int} if isinstance(pools, Mapping) else {},
            {name: i for name, i in projects.items() if isinstance(i, str)} if isinstance(projects, Mapping) else {},
            moment_of(body.get("busySince")),
            created if isinstance(created, str) else "",
        )

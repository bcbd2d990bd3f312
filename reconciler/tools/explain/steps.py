"""The path from the ARM resource to the roles, step by step, until one is missing or cannot be read.

What a run needs are the first five steps; roles say who could change the answer. That a project which ARM does not
list can run where a queue is open follows from what each plane keeps, and nothing published says otherwise: such a
step is doubtful, not missing (Microsoft Learn: managed-devops-pools/configure-security).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reconciler.documents import Json
from reconciler.errors import NotFound, NotReady, ReconcilerError
from reconciler.facets.support.observing import require_settled
from reconciler.ports.devops import AgentPool, Authorization, Identity, Pipeline, Project, Queue, RoleAssignment
from reconciler.spec import effective
from reconciler.spec.names import organization_key
from reconciler.survey import Survey
from reconciler.tools.explain.question import Question

T = TypeVar("T")

NAMES = ("ARM resource", "agent pool", "project", "queue", "authorization", "roles")

_FORMER = "; renamed, recognised by its id"


class State(StrEnum):
    """What was found at a step."""

    HOLDS = "holds"
    MISSING = "missing"
    DOUBTFUL = "doubtful"
    """It holds, as far as is published; check it by hand."""
    UNKNOWN = "unknown"
    """It could not be read; that is no absence."""


@dataclass(frozen=True, slots=True)
class ExplainStep:
    """One step of the way."""

    name: str
    """One of `NAMES`."""
    state: State
    says: str
    by: str = ""
    """Who opened it, where the service says."""
    on: str = ""
    found: bool = True
    """False where the question names a pipeline that does not exist."""


def follow(question: Question, survey: Survey) -> tuple[ExplainStep, ...]:
    """The steps, in order; behind one that is missing or unknown only those that can be read without it."""
    steps: list[ExplainStep] = []
    try:
        for step in _walk(question, survey):
            steps.append(step)  # noqa: PERF402 - what was seen counts, also where the next step cannot be read
    except (NotReady, NotFound) as error:
        name = NAMES[len(steps)]
        steps.append(ExplainStep(name, State.MISSING, str(error), found=name != NAMES[4]))
    except ReconcilerError as error:
        steps.append(ExplainStep(NAMES[len(steps)], State.UNKNOWN, str(error)))
    return tuple(steps)


def _walk(question: Question, survey: Survey) -> Iterator[ExplainStep]:
    organization = question.organization.name
    first = _resource(question, survey)
    yield first
    if first.state is State.MISSING:
        return
    require_settled(question.spec, survey, question.organization)
    pool = survey.agent_pool(organization, question.organization.agent_pool)
    former = "" if pool.name.casefold() == question.organization.agent_pool.casefold() else _FORMER
    yield ExplainStep(NAMES[1], State.HOLDS, f"{pool.name} in {organization}, id {pool.id}{former}")
    project = _project(question, survey.projects(organization))
    now = f"; called {project.now} now, recognised by its id" if project.now else ""
    yield ExplainStep(NAMES[2], State.HOLDS, f"{project.name}, id {project.id}{now}")
    queue = _queue(question, survey.queues(organization, [project], pool)[project.id])
    yield ExplainStep(NAMES[3], State.HOLDS, f"{queue.name} in {project.name}, id {queue.id}")
    yield _authorization(question, project, queue, survey)
    yield _roles(question, survey, pool, queue)


def _resource(question: Question, survey: Survey) -> ExplainStep:
    """The first step; where it cannot be read the others still can, in Azure DevOps."""
    try:
        document = survey.arm_pool(question.spec)
    except ReconcilerError as error:
        return ExplainStep(NAMES[0], State.UNKNOWN, str(error))
    if document is None:
        return ExplainStep(NAMES[0], State.MISSING, f"{question.spec.pool_id} does not exist")
    return _lists(question, document)


def _lists(question: Question, document: Mapping[str, Json]) -> ExplainStep:
    """Whether ARM lists the organization and the project."""
    name = NAMES[0]
    properties = document.get("properties") or {}
    listed = (properties.get("organizationProfile") or {}).get("organizations") or ()
    own = [one for one in listed if organization_key(str(one.get("url", ""))) == question.organization.name]
    if not own:
        return ExplainStep(name, State.MISSING, f"does not list the organization {question.organization.name}")
    projects = own[0].get("projects") or ()
    state = str(properties.get("provisioningState") or "Succeeded")
    if projects and question.project.casefold() not in {str(one).casefold() for one in projects}:
        says = f"lists {', '.join(map(str, projects))} and not {question.project}; a queue would work all the same"
        return ExplainStep(name, State.DOUBTFUL, f"{says}, as far as is published")
    says = f"lists {question.project}" if projects else f"takes all projects of {question.organization.name}"
    good = state.casefold() == "succeeded"
    return ExplainStep(name, State.HOLDS if good else State.DOUBTFUL, f"{says}; provisioningState {state}")


def _project(question: Question, visible: Sequence[Project]) -> Project:
    for project in visible:
        if question.project.casefold() in (project.name.casefold(), project.now.casefold()):
            return project
    raise NotFound(f"{question.place} does not exist, or the operator may not see it")


def _read(fact: T | ReconcilerError) -> T:
    if isinstance(fact, ReconcilerError):
        raise fact
    return fact


def _queue(question: Question, fact: Queue | ReconcilerError | None) -> Queue:
    queue = _read(fact)
    if queue is None:
        raise NotFound(f"the pool was not added to {question.place}, so no pipeline there can name it")
    return queue


def _authorization(question: Question, project: Project, queue: Queue, survey: Survey) -> ExplainStep:
    organization = question.organization.name
    given = _read(survey.permissions(organization, [queue])[queue]).authorizations
    everyone = next((one for one in given if one.pipeline is None), None)
    if everyone:
        return _held("open access: all pipelines of the project may use it", everyone)
    singles = [one for one in given if one.pipeline is not None]
    known: Mapping[int, str] = {}
    if _named(question, given):
        known = {one.id: one.path for one in _read(survey.pipelines(organization, [project])[project.id])}
    if question.pipeline is not None:
        wanted = _pipeline(question, known)
        own = next((one for one in singles if one.pipeline == wanted.id), None)
        if own:
            return _held(f"open access is off; pipeline {wanted.id} {wanted.path} is authorized by itself", own)
    names = ", ".join(f"{one.pipeline} {known.get(one.pipeline or 0, '')}".strip() for one in singles)
    only = f"only these pipelines may use it: {names}" if singles else "no pipeline is authorized"
    return ExplainStep(NAMES[4], State.MISSING, f"open access is off; {only}; who closed it only the audit log says")


def _named(question: Question, given: Sequence[Authorization]) -> bool:
    """Whether names of pipelines are needed at all."""
    return question.pipeline is not None or any(one.pipeline is not None for one in given)


def _held(says: str, line: Authorization) -> ExplainStep:
    return ExplainStep(NAMES[4], State.HOLDS, says, line.by, line.on)


def _pipeline(question: Question, known: Mapping[int, str]) -> Pipeline:
    """By id, by path, or by a bare name that only one pipeline has."""
    named = question.pipeline
    if isinstance(named, int):
        return Pipeline(named, known.get(named, "(not among the visible pipelines)"))
    text = str(named).casefold()
    fits = [id_ for id_, path in known.items() if text in (path.casefold(), path.rpartition("\\")[2].casefold())]
    if len(fits) == 1:
        return Pipeline(fits[0], known[fits[0]])
    many = ", ".join(f"{id_} {known[id_]}" for id_ in sorted(fits))
    why = f"fits {many}; give the id" if fits else "is no pipeline that the operator can see there"
    raise NotFound(f"{question.place}: {named} {why}")


def _roles(question: Question, survey: Survey, pool: AgentPool, queue: Queue) -> ExplainStep:
    organization = question.organization.name
    project = survey.role_assignments(organization, effective.QUEUE_SCOPE, f"{queue.project_id}_{queue.id}")
    whole = survey.role_assignments(organization, effective.POOL_SCOPE, str(pool.id))
    says = (
        f"who may open the queue: {_administrators(project)}; who administers the agent pool: {_administrators(whole)}"
    )
    return ExplainStep(NAMES[5], State.HOLDS, says)


def _administrators(assignments: Sequence[RoleAssignment]) -> str:
    found = {
        f"{_name(one.identity)}{' (inherited)' if one.inherited else ''}"
        for one in assignments
        if effective.is_administrator(one.role)
    }
    return (
        ", ".join(sorted(found, key=str.casefold)) or "no identity by role; project and collection administrators may"
    )


def _name(who: Identity) -> str:
    r"""An address or a group as it is; the unique name of all others is a guid, or ``domain\name``."""
    plain = ("@" in who.unique_name and "\\" not in who.unique_name) or who.unique_name.startswith("[")
    return who.unique_name if plain else who.display_name or who.unique_name or who.id

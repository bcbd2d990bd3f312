"""How facets read alike: organization after organization, machines at work, and what could not be read becomes a gap.

Here one unreachable organization or hidden project is kept from stopping the others. It decides nothing about changes,
it only names their places; what follows from a reading is for the facet to decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from reconciler.documents.spelling import nearest_of
from reconciler.engine.facet import Observation
from reconciler.errors import Immutable, NotFound, NotReady, ReconcilerError, Refused, Rejected
from reconciler.plan.model import Change, Gap, GapKind
from reconciler.plan.targets import QueuePlace
from reconciler.ports.devops import Project, Queue
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey
from reconciler.survey.names import NOTHING_EXCEPTED, Excepted, key, projects_of

T = TypeVar("T")
D = TypeVar("D")

_IDLE = frozenset(
    {
        *("ready", "notready", "pendingreturn", "returned"),
        *("provisioning", "updating", "starting", "pendingreimage", "reimaging"),
    }
)
"""Words for a machine without a job (ARM document, ResourceStatus); an unknown one counts as at work.

`NotReady`: a stateful machine ended a job and is not ready for another. `PendingReturn`: it is shutting down.
`Allocated`: it is running a job (Microsoft Learn: Managed DevOps Pools, view agents).
"""
_READ_AND_BAD = (NotFound, Rejected, Immutable)


def gap(facet: str, subject: str, error: ReconcilerError) -> Gap:
    """The error as a gap.

    ===================================  =========  =============================================
    error                                kind       why
    ===================================  =========  =============================================
    NotReady                             not ready  it comes with time alone
    NotFound, Rejected, Immutable        degraded   the service answered, and a person has to act
    all others, Forbidden among them     unknown    nothing was read, so nothing may be written
    ===================================  =========  =============================================
    """
    kind = GapKind.UNKNOWN
    if isinstance(error, NotReady):
        kind = GapKind.NOT_READY
    elif isinstance(error, _READ_AND_BAD):
        kind = GapKind.DEGRADED
    return Gap(facet, subject, kind, error.reason, str(error), error.retry_after)


def each(
    facet: str,
    run: tuple[Spec, Survey],
    desired: Iterable[tuple[Organization, D]],
    read: Callable[[D], Observation[tuple[T, ...]]],
) -> Observation[tuple[T, ...]]:
    """Read one organization after another, by name; an error of one is a gap of that one alone."""
    found: list[Observation[tuple[T, ...]]] = []
    for organization, wanted in sorted(desired, key=_name):
        try:
            if organization.leaving:
                raise _leaving(run[0])
            if organization.silent:
                require_settled(*run, organization)
            found.append(read(wanted))
        except ReconcilerError as error:
            found.append(Observation((), (gap(facet, organization.name, error),)))
    if len(found) == 1:
        return found[0]  # most pools have one organization
    return Observation(
        tuple(state for one in found for state in one.value),
        tuple(gap for one in found for gap in one.gaps),
        tuple(remark for one in found for remark in one.remarks),
    )


def _leaving(spec: Spec) -> NotReady:
    """While ARM deletes the pool its agent pools and their queues go at any moment.

    Facts that are read on both sides of that moment look like drift of queues that are no longer there.
    """
    return NotReady(f"{spec.name}: ARM deletes the pool; nothing is written to its agent pools until that has ended")


def require_settled(spec: Spec, survey: Survey, organization: Organization) -> None:
    """Raise where the spec is silent and ARM has not said in this run which projects, or which agent pool, are meant.

    The error is that of the read, or `NotReady` where ARM does not have the organization yet.
    """
    if organization.silent:
        with suppress(NotFound):  # the resource group is gone: the facet of the pool says so, or where the pool is now
            survey.arm_pool(spec)
        raise NotReady(
            f"{organization.name}: the spec does not name {' and '.join(sorted(organization.silent, reverse=True))} of "
            "this organization, so what ARM has counts, and ARM does not have the organization yet"
        )


def reach(
    facet: str, organization: Organization, visible: Sequence[Project], excepted: Excepted | None = None
) -> Observation[tuple[Project, ...]]:
    """Projects in which the organization uses the pool, sorted by name: the listed ones, or all visible ones.

    A hidden project and a project that does not exist look the same, so a listed name that resolves to nothing is a
    gap. Where all projects use the pool, hidden ones cannot be counted; none visible at all is a gap too. Projects
    that the spec leaves without a queue are out of reach; `excepted`: what their names stand for. `visible` is sorted.
    """
    left_out, ids = organization.without_queue, excepted.ids if excepted else frozenset()
    if organization.projects:
        named = [name for name in organization.projects if name.casefold() not in left_out]
        return pick(facet, organization.name, named, visible)
    if not visible:
        nothing = NotFound(f"{organization.name}: all projects use the pool, and the operator can see none")
        return Observation((), (gap(facet, organization.name, nothing),))
    if left_out or ids:
        visible = [one for one in visible if one.name.casefold() not in left_out and one.id not in ids]
    return Observation(tuple(visible))


def left_alone(organization: Organization, visible: Sequence[Project], survey: Survey) -> Excepted:
    """What `access.withoutQueue` stands for; where projects are listed, a name that stands for none opens nothing."""
    names = organization.without_queue
    if not names:
        return NOTHING_EXCEPTED
    if organization.projects:
        names &= {project.name.casefold() for project in visible}
    return survey.excepted(organization.name, names)


def withheld(spec: Spec, organization: Organization, visible: Iterable[Project]) -> frozenset[str]:
    """Ids of the projects that one unresolved name of an exception may mean: those that the spec does not name."""
    if organization.projects:
        return frozenset()
    named = {key(*place) for place in projects_of(spec)}
    return frozenset(one.id for one in visible if key(organization.name, one.name) not in named)


def unresolved(
    facet: str, place: tuple[str, str], excepted: Excepted, visible: Sequence[Project], effect: str
) -> Iterable[Gap]:
    """What a person has to correct in a list of exceptions. `place`: organization, and section of the spec."""
    if not excepted.unresolved and not excepted.taken:
        return ()
    return _unresolved(facet, place, excepted, visible, effect)


def _unresolved(
    facet: str, place: tuple[str, str], excepted: Excepted, visible: Sequence[Project], effect: str
) -> Iterator[Gap]:
    organization, section = place
    meant = _nearest(excepted.unresolved, visible)
    for name in excepted.unresolved:
        subject = f"{organization}/{name}"
        said = f"{subject}: {section} names it, and no visible or hidden project has this name"
        near = meant.get(name)
        advice = f"correct the name (nearest is {near}) or remove the entry" if near else "correct or remove the entry"
        error: ReconcilerError = NotFound(f"{said}; {effect} until it is known which project is meant; {advice}")
        if excepted.unread is not None:
            error = excepted.unread
        yield gap(facet, f"{subject} in {section}", error)
    for found, former in excepted.taken:
        subject = f"{organization}/{found.name}"
        message = (
            f"{subject}: {section} names it, and the project that had this name (id {former.id}) is called "
            f"{former.name} now; both are excepted: write {former.name} as well, or in its place"
        )
        yield gap(facet, f"{subject} in {section}", NotFound(message))


def pick(
    facet: str, organization: str, names: Collection[str], visible: Sequence[Project]
) -> Observation[tuple[Project, ...]]:
    """Resolve project names, case aside; two spellings of one project are one."""
    if not names:
        return Observation(())
    known = {project.name.casefold(): project for project in visible}
    found = {known[name.casefold()] for name in names if name.casefold() in known}
    missing = {name.casefold(): name for name in sorted(names) if name.casefold() not in known}
    meant = _nearest(missing.values(), visible)
    gaps = (_missing(facet, organization, name, meant.get(name)) for name in missing.values())
    return Observation(tuple(sorted(found, key=_by_name)), tuple(gaps))


def readable(
    facet: str, organization: str, projects: Iterable[Project], answers: Mapping[str, T | ReconcilerError]
) -> Observation[tuple[tuple[Project, T], ...]]:
    """Separate the projects with a result from those with an error; `answers` go by project id."""
    states: list[tuple[Project, T]] = []
    gaps: list[Gap] = []
    for project in projects:
        answer = answers[project.id]
        if isinstance(answer, ReconcilerError):
            gaps.append(gap(facet, f"{organization}/{project.name}", answer))
        else:
            states.append((project, answer))
    return Observation(tuple(states), tuple(gaps))


def on_queues(
    facet: str,
    organization: Organization,
    projects: Observation[tuple[Project, ...]],
    survey: Survey,
    absent: Callable[[str, Project], ReconcilerError | None],
) -> Observation[tuple[tuple[Project, Queue], ...]]:
    """The queue of each of these projects; `absent` says, of a subject and its project, why one has to be there."""
    pool = survey.agent_pool(organization.name, organization.agent_pool)
    answers = survey.queues(organization.name, projects.value, pool)
    there: list[tuple[Project, Queue]] = []
    unread: list[Gap] = []
    gaps: list[Gap] = []
    for project in projects.value:
        answer = answers[project.id]
        if isinstance(answer, Queue):
            there.append((project, answer))
            continue
        subject = f"{organization.name}/{project.name}"
        if answer is not None:
            unread.append(gap(facet, subject, answer))
        elif error := absent(subject, project):
            gaps.append(gap(facet, subject, error))
    return Observation(tuple(there), (*projects.gaps, *unread, *gaps))


def require_checks(survey: Survey, organization: str, project: Project) -> None:
    """Raise where the project's queue had approvals or checks before its pool was replaced, and lacks one now."""
    if survey.debts.guards(organization, project.id):
        subject = f"{organization}/{project.name}"
        raise NotReady(f"{subject}: gets access after the approvals and checks that its queue had are there again")


def queue_place(organization: str, project: Project, queue: Queue) -> QueuePlace:
    """The queue as changes name it."""
    return QueuePlace(organization, project.id, project.name, queue.id, queue.pool_id)


def target_of(change: Change, kind: type[T]) -> T:
    """The change's target, of the one type that the facet writes. Raises `Refused` for any other."""
    if isinstance(change.target, kind):
        return change.target
    raise Refused(f"{change.subject}: facet {change.facet} does not write a {type(change.target).__name__}")


def at_work(spec: Spec, survey: Survey) -> str:
    """What keeps the pool from being quiet, for people; empty where nothing does. Not knowing is not quiet."""
    try:
        machines = survey.machines(spec)
    except ReconcilerError as error:
        return f"whether machines are at work cannot be read ({error})"
    busy = Counter(word for word in machines if word.casefold() not in _IDLE)
    words = ", ".join(f"{count} {word}" for word, count in sorted(busy.items()))
    return f"{busy.total()} of {len(machines)} machines are at work ({words})" if busy else ""


def _nearest(names: Collection[str], visible: Sequence[Project]) -> Mapping[str, str | None]:
    """Name that resolves to nothing → the visible project that may be meant, for the first of them."""
    return nearest_of(names, [project.name for project in sorted(visible, key=_by_name)]) if names else {}


def _missing(facet: str, organization: str, name: str, near: str | None) -> Gap:
    advice = f"nearest is {near}" if near else "it does not exist or is hidden from the operator"
    subject = f"{organization}/{name}"
    return gap(facet, subject, NotFound(f"{subject}: no visible project has this name; {advice}"))


def _name(desired: tuple[Organization, object]) -> str:
    return desired[0].name


def _by_name(project: Project) -> tuple[str, str]:
    return project.name.casefold(), project.id

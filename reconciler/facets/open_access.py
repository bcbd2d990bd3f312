"""Open access: whether all pipelines of a project may use the pool without an authorization of their own.

ARM takes `openAccess` while a pool is created and ignores it afterwards, also for projects that are added later
(Microsoft Learn: managed-devops-pools/configure-security), and its responses do not echo it. The effective value is
one switch on every project queue in Azure DevOps, `allPipelines` of its pipeline permissions; this facet keeps it.

Desired for a project, the first that applies: an exception of `access.openAccess` that is in effect, the
organization's `openAccess`, nothing. An exception counts to the end of its last day in UTC. When it ends and the
organization has no flag to fall back to, the switch is no longer managed and stays as it is. Single authorizations of
pipelines are not touched: the service keeps that list apart (vsts-rest-api-specs, pipelinePermissions).

Where all projects use the pool, and the name of a closing exception or of `access.withoutQueue` resolves to nothing,
the organization's flag opens no project that the spec does not name: any of them may be meant. Closing goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotFound, NotReady, ReconcilerError
from reconciler.facets.support.observing import (
    each,
    gap,
    left_alone,
    on_queues,
    pick,
    queue_place,
    reach,
    require_checks,
    target_of,
    unresolved,
    withheld,
)
from reconciler.plan.model import Change, Gap, Refusal
from reconciler.plan.policy import Policy, rules
from reconciler.plan.targets import OpenAccess
from reconciler.ports.devops import Project, Queue
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import OpenAccessException, Organization, Spec
from reconciler.survey import Survey
from reconciler.survey.names import NOTHING_EXCEPTED, Excepted

NAME = "open_access"
OPEN = "all pipelines"
_EFFECT = "no access is opened in projects that the spec does not name"


class Flags(NamedTuple):
    """Desired state of one organization."""

    organization: Organization
    exceptions: Mapping[str, OpenAccessException] = MappingProxyType({})
    """Case-folded project name → the exception in effect."""

    def wanted(self, project: str) -> bool | None:
        """Whether the project's queue has to be open; None: not managed."""
        exception = self.exceptions.get(project.casefold()) if self.exceptions else None
        return exception.allow if exception else self.organization.open_access

    def until(self, project: str) -> date | None:
        """Last day of the exception, where it has one."""
        exception = self.exceptions.get(project.casefold())
        return exception.until if exception else None


Desired = tuple[Flags, ...]


class Opening(NamedTuple):
    """One project's queue, its switch, and its desired value."""

    organization: str
    project: Project
    queue: Queue
    open: bool
    wanted: bool
    """Written down when it was read: `guard` checks `diff` against it."""

    @property
    def subject(self) -> str:
        """``organization/project``."""
        return f"{self.organization}/{self.project.name}"

    def target(self, *, allow: bool) -> OpenAccess:
        """The write that sets the switch."""
        return OpenAccess(queue_place(self.organization, self.project, self.queue), allow)


Observed = tuple[Opening, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:
    """Flags of the organizations that have one, or an exception in effect; None where none has."""
    flags = [Flags(one, effective.exceptions(spec, one.name, now)) for one in spec.organizations]
    return tuple([one for one in flags if one.organization.open_access is not None or one.exceptions]) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """The switch of every queue that is managed; a project without a queue is not ready."""
    return each(
        NAME, (spec, survey), [(one.organization, one) for one in desired], lambda one: _read(spec, one, survey)
    )


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One change for each switch that is not as desired."""
    flags = {one.organization.name: one for one in desired}
    wrong = [
        (state, flag, wanted)
        for state in observed
        if (flag := flags.get(state.organization)) is not None
        and (wanted := flag.wanted(state.project.name)) is not None
        and wanted != state.open
    ]
    return [
        _change(state, allow=wanted, until=flag.until(state.project.name))
        for state, flag, wanted in sorted(wrong, key=lambda one: one[0].subject)
    ]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """Refuse every write but those that the reading requires, and to grant open access against the policy."""
    required = {opening.target(allow=opening.wanted) for opening in observed}
    refusals = []
    for change in changes:
        if change.target not in required:
            message = f"{change.subject}: nothing that was read requires this"
            refusals.append(Refusal(change, "open-access-not-wanted", message))
        elif not change.narrows:
            place = target_of(change, OpenAccess).place
            found = next(rules.open_access(policy, place.organization, place.project), None)
            refusals += [Refusal(change, found[0], f"{change.subject}: {found[1]}")] if found else []
    return refusals


def apply(change: Change, writers: Writers) -> None:
    """Set the switch; absolute, so repeating it does no harm."""
    target = target_of(change, OpenAccess)
    place = target.place
    writers.devops.set_open_access(place.organization, place.project_id, place.queue_id, target.allow)


def _read(spec: Spec, flags: Flags, survey: Survey) -> Observation[Observed]:
    organization = flags.organization
    visible = survey.projects(organization.name)
    apart = left_alone(organization, visible, survey)
    closing = _closing(flags, survey)
    doubtful = withheld(spec, organization, visible) if apart.unresolved or closing.unresolved else frozenset()
    inside, managed = _managed(flags, visible, apart)
    kept = managed.value
    if held := doubtful | closing.ids:
        kept = tuple(one for one in kept if one.id not in held or flags.wanted(one.name) is not True)
    notices = unresolved(NAME, (organization.name, "access.openAccess"), closing, visible, _EFFECT)
    projects = Observation(kept, (*managed.gaps, *notices))

    def absent(subject: str, project: Project) -> ReconcilerError | None:
        if project.id in inside - doubtful:
            return NotReady(f"{subject}: open access is set after its queue exists")
        if project.id in doubtful | apart.ids and flags.wanted(project.name) is False:
            return None  # none is created, and there is none to close
        if project.id in apart.ids:
            return NotFound(
                f"{subject}: access.openAccess opens it, and access.withoutQueue names it; remove one entry"
            )
        return NotFound(
            f"{subject}: access.openAccess names it, but the project is not listed and has no queue; list it"
        )

    found = on_queues(NAME, organization, projects, survey, absent)
    wanted = {queue: flags.wanted(project.name) is True for project, queue in found.value}
    states = _switches(organization.name, found.value, wanted, survey)
    return Observation(states.value, found.gaps + states.gaps)


def _closing(flags: Flags, survey: Survey) -> Excepted:
    """What closing exceptions stand for, where the organization's flag would open the projects that they mean."""
    names = [one.project for one in flags.exceptions.values() if not one.allow]
    organization = flags.organization
    opens = organization.open_access is True and not organization.projects
    return survey.excepted(organization.name, names) if names and opens else NOTHING_EXCEPTED


def _managed(
    flags: Flags, visible: Sequence[Project], apart: Excepted
) -> tuple[frozenset[str], Observation[tuple[Project, ...]]]:
    """Ids of the projects in reach, and all projects whose switch is managed."""
    within = reach(NAME, flags.organization, visible, apart)
    inside = frozenset([p.id for p in within.value])
    if not flags.exceptions:
        return inside, within  # the organization's own flag, which is for all that is in reach
    named = pick(NAME, flags.organization.name, [one.project for one in flags.exceptions.values()], visible)
    strays = [p for p in named.value if p.id not in inside]
    of_interest = [*(p for p in within.value if flags.wanted(p.name) is not None), *strays]
    ordered = tuple(sorted(of_interest, key=lambda p: (p.name.casefold(), p.id)))
    gaps = tuple(sorted({one.message: one for one in (*within.gaps, *named.gaps)}.values()))
    return inside, Observation(ordered, gaps)


def _switches(
    organization: str, queues: Sequence[tuple[Project, Queue]], wanted: Mapping[Queue, bool], survey: Survey
) -> Observation[Observed]:
    answers = survey.open_access(organization, wanted)
    states: list[Opening] = []
    gaps: list[Gap] = []
    for project, queue in queues:
        answer, allow = answers[queue], wanted[queue]
        try:
            if isinstance(answer, ReconcilerError):
                raise answer
            if allow and not answer:
                require_checks(survey, organization, project)
            states.append(Opening(organization, project, queue, answer, allow))
        except ReconcilerError as error:
            gaps.append(gap(NAME, f"{organization}/{project.name}", error))
    return Observation(tuple(states), tuple(gaps))


def _change(state: Opening, *, allow: bool, until: date | None) -> Change:
    return Change(
        facet=NAME,
        kind="open access",
        subject=state.subject,
        before=None if allow else OPEN,
        after=OPEN if allow else None,
        target=state.target(allow=allow),
        note=f"until {until.isoformat()}" if until else "",
    )


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="open access for all pipelines of a project",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)

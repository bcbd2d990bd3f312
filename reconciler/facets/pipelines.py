r"""Single pipelines that may use the pool: what `access.pipelines` lists is authorized, one pipeline at a time.

Pipelines are named by path from the top (``\release\nightly``) or by id, and resolved through the project's build
definitions each time: a path follows the name, an id the pipeline. A write names one pipeline and the service
merges it into the list (vsts-rest-api-specs approvalsAndChecks 7.2, pipelinePermissions), so no other authorization is
touched. Only ``exclusive: true`` removes authorizations.

- **Open access overrides the list, and the list outlives it.** So pipelines are authorized also while the queue is
  open, and count from the day on which it is closed. An exclusive list beside open access that is not managed
  restricts no pipeline: that is a gap which a person has to act on.
- **A name that resolves to nothing** is a gap with the nearest pipeline, and stops no other. While there is one, an
  exclusive list keeps what may be that pipeline: ids that the operator cannot see, and the nearest name. While there
  are more than are compared (`reconciler.documents.spelling`), it keeps everything.
- **An id that no visible pipeline has** is not authorized, although the service accepts any number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.documents.spelling import nearest_of
from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotFound, NotReady, ReconcilerError, Rejected
from reconciler.facets.support.observing import each, gap, on_queues, pick, queue_place, require_checks, target_of
from reconciler.plan.model import Change, Gap, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import PipelineAuthorization
from reconciler.ports.devops import Pipeline, PipelinePermissions, Project, Queue
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, PipelineGrant, Spec
from reconciler.survey import Survey

NAME = "pipelines"
AUTHORIZED = "authorized"


@dataclass(frozen=True, slots=True)
class DesiredPipelines:
    """Desired state of one organization."""

    organization: Organization
    grants: tuple[PipelineGrant, ...]
    opens: Mapping[str, bool | None] = field(default_factory=dict)
    """Case-folded project → whether open access is desired there; None: not managed."""


Desired = tuple[DesiredPipelines, ...]


@dataclass(frozen=True, slots=True)
class ObservedPipelines:
    """One project's queue, its authorizations, and the pipelines that the spec's names resolve to."""

    organization: str
    project: Project
    queue: Queue
    open: bool
    authorized: frozenset[int]
    wanted: Mapping[int, str | int]
    """Pipeline id → as the spec writes it."""
    paths: Mapping[int, str] = field(default_factory=dict)
    """Pipeline id → path, of all that can be seen."""
    surplus: frozenset[int] = frozenset()
    """Authorized, not listed, and the list is exclusive."""

    @property
    def subject(self) -> str:
        """``organization/project``."""
        return f"{self.organization}/{self.project.name}"

    def target(self, number: int, *, authorized: bool) -> PipelineAuthorization:
        """The write that authorizes the pipeline, or removes its authorization."""
        name = self.wanted[number] if authorized else self.paths.get(number) or number
        place = queue_place(self.organization, self.project, self.queue)
        return PipelineAuthorization(place, number, name, authorized)


Observed = tuple[ObservedPipelines, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:
    """Organizations with a list of pipelines; None where there is none."""
    if not spec.access.pipelines:
        return None
    found = []
    for organization in spec.organizations:
        grants = tuple(one for one in spec.access.pipelines if one.organization.casefold() == organization.name)
        exceptions = effective.exceptions(spec, organization.name, now)
        opens = {
            key: exceptions[key].allow if key in exceptions else organization.open_access
            for key in (grant.project.casefold() for grant in grants)
        }
        if grants:
            found.append(DesiredPipelines(organization, grants, opens))
    return tuple(found) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """Queue, authorizations and pipelines of every project with a list: three reads each, the first one shared."""
    return each(NAME, (spec, survey), [(one.organization, one) for one in desired], lambda one: _read(one, survey))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One authorization for each listed pipeline that lacks it, one removal for each that is surplus."""
    ours = {one.organization.name for one in desired}
    changes: list[Change] = []
    for state in observed:
        if state.organization in ours:
            changes += [_change(state, one, authorized=True) for one in state.wanted.keys() - state.authorized]
            changes += [_change(state, one, authorized=False) for one in state.surplus]
    return sorted(changes, key=lambda change: change.id)


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse to authorize what no name of the spec resolved to, and to remove what was not read as surplus."""
    required = {target for state in observed for target in _required(state)}
    return [
        Refusal(change, "pipeline-not-wanted", f"{change.subject}: nothing that was read requires this")
        for change in changes
        if change.target not in required
    ]


def apply(change: Change, writers: Writers) -> None:
    """Authorize one pipeline or remove its authorization; absolute, so repeating it does no harm."""
    target = target_of(change, PipelineAuthorization)
    place = target.place
    writers.devops.authorize_pipeline(
        place.organization, place.project_id, place.queue_id, target.pipeline_id, target.authorized
    )


def _required(state: ObservedPipelines) -> Iterator[PipelineAuthorization]:
    """Every write that the reading allows."""
    yield from (state.target(number, authorized=True) for number in state.wanted)
    yield from (
        state.target(number, authorized=False) for number in state.surplus & state.authorized - state.wanted.keys()
    )


# --- observe ------------------------------------------------------------------------------------------


def _read(wanted: DesiredPipelines, survey: Survey) -> Observation[Observed]:
    name = wanted.organization.name
    grants = {grant.project.casefold(): grant for grant in wanted.grants}
    projects = pick(NAME, name, [grant.project for grant in wanted.grants], survey.projects(name))
    found_queues = on_queues(NAME, wanted.organization, projects, survey, _no_queue)
    gaps = list(found_queues.gaps)
    queues = {queue: project for project, queue in found_queues.value}
    permissions = survey.permissions(name, list(queues))
    pipelines = survey.pipelines(name, list(queues.values()))
    states: list[ObservedPipelines] = []
    for queue, project in queues.items():
        answers = permissions[queue], pipelines[project.id]
        failed = [answer for answer in answers if isinstance(answer, ReconcilerError)]
        gaps += [gap(NAME, f"{name}/{project.name}", error) for error in failed[:1]]
        if isinstance(answers[0], PipelinePermissions) and not isinstance(answers[1], ReconcilerError):
            found = _resolve(name, (project, queue), grants[project.name.casefold()], answers[0], answers[1])
            try:
                if found.value[0].wanted.keys() - answers[0].pipelines:
                    require_checks(survey, name, project)
                states += found.value
            except ReconcilerError as error:
                gaps.append(gap(NAME, f"{name}/{project.name}", error))
            gaps += found.gaps
            if _pointless(found.value[0], grants, wanted):
                gaps.append(_open_anyway(found.value[0].subject))
    return Observation(tuple(states), tuple(gaps))


def _no_queue(subject: str, _project: Project) -> ReconcilerError:
    return NotReady(f"{subject}: pipelines are authorized after its queue exists")


def _resolve(
    organization: str,
    place: tuple[Project, Queue],
    grant: PipelineGrant,
    permissions: PipelinePermissions,
    pipelines: Sequence[Pipeline],
) -> Observation[Observed]:
    project, queue = place
    paths = {one.id: one.path for one in pipelines}
    by_path = {path.casefold(): number for number, path in paths.items()}
    found = {name: _resolved(name, paths, by_path) for name in grant.pipelines}
    unknown = [name for name, number in found.items() if number is None]
    wanted = {number: name for name, number in sorted(found.items(), key=str, reverse=True) if number is not None}
    paths_meant = nearest_of([name for name in unknown if isinstance(name, str)], sorted(by_path)) if unknown else {}
    near: dict[str | int, int] = {name: by_path[alike] for name, alike in paths_meant.items() if alike}
    compared = all(isinstance(name, int) or name in paths_meant for name in unknown)
    surplus: frozenset[int] = frozenset()
    if grant.exclusive and compared:  # otherwise any line may be one that is meant
        kept = set(near.values())
        kept |= permissions.pipelines - paths.keys() if unknown else set()
        surplus = permissions.pipelines - wanted.keys() - kept
    subject = f"{organization}/{project.name}"
    gaps = tuple(_missing(subject, name, paths.get(near.get(name, 0))) for name in unknown)
    state = ObservedPipelines(
        organization, project, queue, permissions.all_pipelines, permissions.pipelines, wanted, paths, surplus
    )
    return Observation((state,), gaps)


def _resolved(name: str | int, paths: Mapping[int, str], by_path: Mapping[str, int]) -> int | None:
    if isinstance(name, int):
        return name if name in paths else None
    return by_path.get(name.casefold())


def _missing(subject: str, name: str | int, near: str | None) -> Gap:
    advice = f"nearest is {near}" if near else "it does not exist or is hidden from the operator"
    what = f"has the id {name}" if isinstance(name, int) else f"is called {name}"
    return gap(NAME, f"{subject} {name}", NotFound(f"{subject}: no visible pipeline {what}; {advice}"))


def _pointless(state: ObservedPipelines, grants: Mapping[str, PipelineGrant], wanted: DesiredPipelines) -> bool:
    key = state.project.name.casefold()
    return state.open and grants[key].exclusive and wanted.opens.get(key) is None


def _open_anyway(subject: str) -> Gap:
    message = (
        f"{subject}: the list of pipelines is exclusive, but open access is on and the spec does not manage it, so all "
        "pipelines may use the pool; set openAccess: false for the organization, or except the project"
    )
    return gap(NAME, f"{subject} exclusive", Rejected(message))


# --- diff ---------------------------------------------------------------------------------------------


def _change(state: ObservedPipelines, number: int, *, authorized: bool) -> Change:
    path = state.paths.get(number)
    shown = f"{path} (#{number})" if path else f"#{number}"
    return Change(
        facet=NAME,
        kind="pipeline",
        subject=f"{state.subject} {shown}",
        before=None if authorized else AUTHORIZED,
        after=AUTHORIZED if authorized else None,
        target=state.target(number, authorized=authorized),
        note="all pipelines may use the queue now: open access is on" if state.open else "",
    )


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="single pipelines that may use the pool",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)

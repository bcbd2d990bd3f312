r"""Single pipelines that may use the pool: what `access.pipelines` lists is authorized, one pipeline at a time.

Pipelines are named by path from the top (``\release\nightly``) or by id, and resolved through the project's build
definitions at every look: a path follows the name, an id the pipeline. A write names one pipeline and the service
merges it into the list (vsts-rest-api-specs approvalsAndChecks 7.2, pipelinePermissions), so nobody else's
authorization is touched. Only ``exclusive: true`` takes authorizations away.

- **Open access wins over the list, and the list survives it.** So pipelines are authorized also while the queue is
  open, and count from the day on which it is closed. An exclusive list beside open access that nobody wants closed
  keeps nobody out: that is a gap which somebody has to act on.
- **A name that resolves to nothing** is a gap with the nearest pipeline, and stops no other. While there is one, an
  exclusive list leaves alone what may be it: pipelines that the operator cannot see, and the nearest name.
- **An id that no visible pipeline has** is authorized by nobody: the service takes any number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.documents.spelling import nearest
from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotFound, NotReady, ReconcilerError, Rejected
from reconciler.facets.support.observing import each, gap, on_queues, pick, queue_args
from reconciler.plan.model import Action, Change, Gap, Refusal, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.ports.devops import Pipeline, PipelinePermissions, Project, Queue
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, PipelineGrant, Spec
from reconciler.survey import Survey

NAME = "pipelines"
AUTHORIZED = "authorized"


@dataclass(frozen=True, slots=True)
class DesiredPipelines:
    """What one organization wants."""

    organization: Organization
    grants: tuple[PipelineGrant, ...]
    opens: Mapping[str, bool | None] = field(default_factory=dict)
    """Case-folded project → whether the spec wants open access there; None: not managed."""


Desired = tuple[DesiredPipelines, ...]


@dataclass(frozen=True, slots=True)
class ObservedPipelines:
    """One project's queue, who is authorized there, and which pipelines the spec's names are."""

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
    """Authorized, not wanted, and the list is exclusive."""

    @property
    def subject(self) -> str:
        """As people name the place."""
        return f"{self.organization}/{self.project.name}"


Observed = tuple[ObservedPipelines, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:
    """Organizations with a list of pipelines; None where there is none."""
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


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:  # noqa: ARG001 - a facet's shape
    """Queue, authorizations and pipelines of every project with a list: three reads each, the first one shared."""
    wanted = {one.organization.name: one for one in desired}
    return each(NAME, [one.organization for one in desired], lambda one: _look(wanted[one.name], survey))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One authorization for each wanted pipeline without, one removal for each that is too many."""
    ours = {one.organization.name for one in desired}
    changes: list[Change] = []
    for seen in observed:
        if seen.organization in ours:
            changes += [_change(seen, one, authorized=True) for one in seen.wanted.keys() - seen.authorized]
            changes += [_change(seen, one, authorized=False) for one in seen.surplus]
    return sorted(changes, key=lambda change: change.id)


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse to authorize what no name of the spec resolved to, and to take what was not seen to be too many."""
    places = {(seen.organization, seen.project.id, seen.queue.id): seen for seen in observed}
    return [
        Refusal(change, "pipeline-not-wanted", f"{change.subject}: nothing that was read asks for this")
        for change in changes
        if not _asked(
            change, places.get((change.args["organization"], change.args["projectId"], change.args["queueId"]))
        )
    ]


def apply(change: Change, writers: Writers) -> None:
    """Authorize one pipeline, or no longer; absolute, so repeating it does no harm."""
    args = change.args
    writers.devops.authorize_pipeline(
        args["organization"], args["projectId"], args["queueId"], args["pipelineId"], args["authorized"]
    )


def _asked(change: Change, seen: ObservedPipelines | None) -> bool:
    if seen is None:
        return False
    one = change.args["pipelineId"]
    if change.args["authorized"]:
        return one in seen.wanted and seen.wanted[one] == change.args["pipeline"]
    return one in seen.surplus and one in seen.authorized and one not in seen.wanted


# --- observe ------------------------------------------------------------------------------------------


def _look(wanted: DesiredPipelines, survey: Survey) -> Observation[Observed]:
    name = wanted.organization.name
    grants = {grant.project.casefold(): grant for grant in wanted.grants}
    projects = pick(NAME, name, [grant.project for grant in wanted.grants], survey.projects(name))
    found_queues = on_queues(NAME, wanted.organization, projects, survey, _no_queue)
    gaps = list(found_queues.gaps)
    queues = {queue: project for project, queue in found_queues.value}
    permissions = survey.permissions(name, list(queues))
    pipelines = survey.pipelines(name, list(queues.values()))
    seen: list[ObservedPipelines] = []
    for queue, project in queues.items():
        answers = permissions[queue], pipelines[project.id]
        failed = [answer for answer in answers if isinstance(answer, ReconcilerError)]
        gaps += [gap(NAME, f"{name}/{project.name}", error) for error in failed[:1]]
        if isinstance(answers[0], PipelinePermissions) and not isinstance(answers[1], ReconcilerError):
            found = _seen(name, (project, queue), grants[project.name.casefold()], answers[0], answers[1])
            seen += found.value
            gaps += found.gaps
            if _pointless(found.value[0], grants, wanted):
                gaps.append(_open_anyway(found.value[0].subject))
    return Observation(tuple(seen), tuple(gaps))


def _no_queue(subject: str, _project: Project) -> ReconcilerError:
    return NotReady(f"{subject}: pipelines are authorized after its queue exists")


def _seen(
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
    near = {name: _nearest(name, by_path) for name in unknown}
    surplus: frozenset[int] = frozenset()
    if grant.exclusive:
        kept = {number for number in near.values() if number is not None}
        kept |= permissions.pipelines - paths.keys() if unknown else set()
        surplus = permissions.pipelines - wanted.keys() - kept
    subject = f"{organization}/{project.name}"
    gaps = tuple(_missing(subject, name, paths.get(near[name] or 0)) for name in unknown)
    seen = ObservedPipelines(
        organization, project, queue, permissions.all_pipelines, permissions.pipelines, wanted, paths, surplus
    )
    return Observation((seen,), gaps)


def _resolved(name: str | int, paths: Mapping[int, str], by_path: Mapping[str, int]) -> int | None:
    if isinstance(name, int):
        return name if name in paths else None
    return by_path.get(name.casefold())


def _nearest(name: str | int, by_path: Mapping[str, int]) -> int | None:
    if isinstance(name, int):
        return None
    alike = nearest(name, sorted(by_path))
    return by_path[alike] if alike else None


def _missing(subject: str, name: str | int, near: str | None) -> Gap:
    advice = f"nearest is {near}" if near else "it does not exist or is hidden from the operator"
    what = f"has the id {name}" if isinstance(name, int) else f"is called {name}"
    return gap(NAME, f"{subject} {name}", NotFound(f"{subject}: no visible pipeline {what}; {advice}"))


def _pointless(seen: ObservedPipelines, grants: Mapping[str, PipelineGrant], wanted: DesiredPipelines) -> bool:
    key = seen.project.name.casefold()
    return seen.open and grants[key].exclusive and wanted.opens.get(key) is None


def _open_anyway(subject: str) -> Gap:
    message = (
        f"{subject}: the list of pipelines is exclusive, but open access is on and the spec does not manage it, so all "
        "pipelines may use the pool; set openAccess: false for the organization, or except the project"
    )
    return gap(NAME, f"{subject} exclusive", Rejected(message))


# --- diff ---------------------------------------------------------------------------------------------


def _change(seen: ObservedPipelines, number: int, *, authorized: bool) -> Change:
    path = seen.paths.get(number)
    shown = f"{path} (#{number})" if path else f"#{number}"
    return Change(
        facet=NAME,
        kind="pipeline",
        subject=f"{seen.subject} {shown}",
        action=Action.CREATE if authorized else Action.REMOVE,
        before=None if authorized else AUTHORIZED,
        after=AUTHORIZED if authorized else None,
        risk=Risk.WIDENS if authorized else Risk.NARROWS,
        route=Route.DEVOPS,
        args={
            **queue_args(seen.organization, seen.project, seen.queue),
            "pipeline": seen.wanted[number] if authorized else path or number,
            "pipelineId": number,
            "authorized": authorized,
        },
        note="all pipelines may use the queue now: open access is on" if seen.open else "",
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

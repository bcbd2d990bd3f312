"""Rights in Azure DevOps: the list of requirements, evaluated as the caller, and the reads that planning makes.

A role is evaluated by the caller's bits at a token of the security namespace DistributedTask (vsts-rest-api-specs,
security 7.2): for all agent pools, as the list requires it, then for the agent pool and the queues of the spec, which
the role does not reach where their inheritance is off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.engine.facet import Facet
from reconciler.engine.proofs import agent_pools_of
from reconciler.errors import Forbidden, NotFound, ReconcilerError, Rejected, Unavailable
from reconciler.facets.restoration import NAME as RESTORATION
from reconciler.facets.support.observing import reach, require_settled
from reconciler.plan.rights import required
from reconciler.plan.rights.checks import Check, CheckResult, Subject, as_advice, run_check
from reconciler.plan.rights.required import Grant, Requirement
from reconciler.plan.targets import ProjectPlace
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import AgentPool, DevOpsReader, MembershipReader, Project, Queue
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import Survey

_SERVICE_PRINCIPAL = "aadsp."
"""How subject descriptors of service principals and managed identities begin."""
_PER_QUEUE = frozenset({"open_access", "pipelines", "queue_roles"})
"""Facets that read or write a queue's own permissions."""


@dataclass(frozen=True, slots=True)
class DoctorReaders:
    """What the checks read from. Nothing of it can write."""

    survey: Survey
    around: AzureResourcesReader
    devops: DevOpsReader
    members: MembershipReader
    facets: Sequence[Facet[Any, Any]]
    """They say what of a spec is managed, and so which rights it requires."""
    now: datetime


class OrganizationChecks:
    """One organization of one pool."""

    def __init__(self, spec: Spec, organization: Organization, readers: DoctorReaders) -> None:
        self._spec = spec
        self._organization = organization
        self._name = organization.name
        self._survey = readers.survey
        self._readers = readers
        self._whom = "the operator's identity"

    def checks(self) -> Iterator[Check]:
        """All of them; only the first where the caller cannot sign in."""
        access, pools = required.in_organization(self._name, self._spec.mode, self._managed())
        try:
            me = self._survey.me(self._name)
        except ReconcilerError as error:
            yield self._evaluated(access, partial(_raise_if, error))
            return
        self._whom = f"{me.display_name or me.unique_name} ({me.id})"
        yield self._evaluated(access, self._access_level)
        yield from self._pool(pools)
        yield from self._projects()

    # --- the list ----------------------------------------------------------------------------------------

    def _evaluated(self, requirement: Requirement, read: Callable[[], object]) -> Check:
        return run_check(Subject.of_requirement(requirement, self._whom), read)

    def _role(self, requirement: Requirement) -> Check:
        return self._evaluated(requirement, partial(self._may, requirement.token, requirement.bits))

    def _may(self, token: str, bits: int) -> bool:
        return self._readers.devops.may(self._name, token, bits)

    def _access_level(self) -> bool:
        """Signing in proves membership; the level is evaluated where the caller may read it."""
        me = self._survey.me(self._name)
        if not me.descriptor.startswith(_SERVICE_PRINCIPAL):
            return True  # a person; only entitlements of service principals are read
        try:
            found = self._readers.members.entitlement(self._name, me.id)
        except (Forbidden, NotFound, Rejected, Unavailable):
            return True
        verdict = required.level_verdict(found.license, found.source, found.status) if found else None
        if verdict is None or verdict.enough is False:
            raise NotFound(verdict.detail if verdict else "no access level")
        if verdict.enough is None:
            raise Unavailable(verdict.detail)
        return True

    def _managed(self, project: str = "") -> frozenset[str]:
        """Names of the facets that this organization uses; with a project, those that it uses there."""
        access = self._spec.access
        if project:
            access = replace(
                access,
                open_access=tuple(one for one in access.open_access if one.project.casefold() == project.casefold()),
                pipelines=tuple(one for one in access.pipelines if one.project.casefold() == project.casefold()),
                queue_roles=tuple(one for one in access.queue_roles if one.project.casefold() == project.casefold()),
            )
        spec = replace(self._spec, organizations=(self._organization,), access=access)
        named = frozenset(one.name for one in self._readers.facets if one.parse(spec, self._readers.now) is not None)
        return named if spec.replace else named - {RESTORATION}  # checks are added again only after a replacement

    # --- the agent pool ----------------------------------------------------------------------------------

    def _pool(self, requirement: Requirement) -> Iterator[Check]:
        role = self._role(requirement)
        yield role
        place = f"{self._name} agent pool {self._organization.agent_pool}"
        _, reader = required.in_organization(self._name, Mode.REPORT)
        found = run_check(
            Subject(place, "read the agent pool", Mode.REPORT, reader.grant(self._whom)), self._agent_pool
        )
        if found.verdict is CheckResult.MISSING and role.verdict is CheckResult.OK and self._in_arm():
            yield as_advice(replace(found, what="the agent pool exists", grant=self._deleted(place)))
        elif found.verdict is CheckResult.OK or not self._to_come():
            yield found
        if found.verdict is CheckResult.OK and self._spec.mode is Mode.ENFORCE:
            yield self._reaches(requirement, place, f"AgentPools/{self._agent_pool().id}")

    def _in_arm(self) -> bool:
        """Whether ARM has a pool that uses this agent pool, so that it was there."""
        try:
            names = agent_pools_of(self._spec.name, self._survey.arm_pool(self._spec))
        except ReconcilerError:
            return False
        return names.get(self._name, "").casefold() == self._organization.agent_pool.casefold()

    def _deleted(self, place: str) -> Grant:
        """What brings an agent pool back that is gone although no right is missing."""
        remedy = (
            f"it was deleted or renamed in Azure DevOps, or its inheritance is off and it does not name {self._whom}; "
            f"to have ARM create it again, take {self._name} out of the spec, apply, put it back, and apply; where it "
            "is the only organization, delete the pool in Azure and apply"
        )
        return Grant("the agent pool that ARM's pool uses", place, self._whom, remedy)

    def _reaches(self, requirement: Requirement, place: str, token: str) -> Check:
        """The role on all agent pools, at one of them."""
        page = requirement.grant(self._whom)
        remedy = f"{page.remedy.partition(',')[0]}, {place}, Security, Add: role {requirement.role}"
        grant = Grant(requirement.role, f"{place}, whose inheritance is off", self._whom, remedy)
        subject = Subject(place, f"{requirement.role} through inheritance", requirement.mode, grant)
        return run_check(subject, partial(self._may, token, requirement.bits))

    def _agent_pool(self) -> AgentPool:
        require_settled(self._spec, self._survey, self._organization)
        return self._survey.agent_pool(self._name, self._organization.agent_pool)

    def _to_come(self) -> bool:
        """Whether ARM has no pool yet, so that there is no agent pool to read."""
        try:
            return self._survey.arm_pool(self._spec) is None
        except ReconcilerError:
            return False

    # --- projects ----------------------------------------------------------------------------------------

    def _projects(self) -> Iterator[Check]:
        url = f"{required.site(self._name)}/{{project}}/_settings/permissions, Readers, Members, Add"
        grant = Grant("Readers of each project", f"projects of {self._name}", self._whom, url)
        try:
            if "projects" in self._organization.silent:
                require_settled(self._spec, self._survey, self._organization)
            visible = self._survey.projects(self._name)
            hidden = () if self._organization.projects else self._survey.hidden_projects(self._name)
        except ReconcilerError as error:
            yield run_check(Subject(self._name, "read the projects", Mode.REPORT, grant), partial(_raise_if, error))
            return
        reached = reach("doctor", self._organization, visible)
        unseen = [(gap.subject.partition("/")[2], gap.message) for gap in reached.gaps]
        unseen += [
            (one.name, f"{self._name}/{one.name}: exists and is hidden from the operator")
            for one in hidden
            if one.name.casefold() not in self._organization.without_queue
        ]
        for name, message in unseen:
            missing = partial(_raise_if, NotFound(message))
            if name:
                yield self._evaluated(self._reader(Project("", name)), missing)
            elif not hidden:
                yield run_check(Subject(self._name, "read the projects", Mode.REPORT, grant), missing)
        for project in reached.value:
            yield self._evaluated(self._reader(project), lambda: True)
            yield self._role(self._queue_role(project))
        yield from self._queues(reached.value)

    def _reader(self, project: Project) -> Requirement:
        return required.in_project(self._place(project), Mode.REPORT)[0]

    def _queue_role(self, project: Project, mode: Mode | None = None) -> Requirement:
        return required.in_project(self._place(project), mode or self._spec.mode, self._managed(project.name))[1]

    def _place(self, project: Project) -> ProjectPlace:
        return ProjectPlace(self._name, project.id, project.name)

    def _queues(self, projects: Sequence[Project]) -> Iterator[Check]:
        try:
            pool = self._agent_pool()
        except ReconcilerError:
            return  # reported above
        answers = self._survey.queues(self._name, projects, pool)
        for project in projects:
            answer = answers[project.id]
            subject = self._queue_subject(project, "read queues")
            yield run_check(subject, partial(_raise_if, answer))
            if isinstance(answer, Queue) and self._managed(project.name) & _PER_QUEUE:
                yield from self._queue(project, answer)

    def _queue(self, project: Project, queue: Queue) -> Iterator[Check]:
        subject = self._queue_subject(project, "read the permissions of the queue")
        yield run_check(subject, lambda: _raise_if(self._survey.permissions(self._name, [queue])[queue]))
        if self._spec.mode is Mode.ENFORCE:
            place = f"{self._name}/{project.name} agent pool {queue.name}"
            yield self._reaches(self._queue_role(project), place, f"AgentQueues/{project.id}/{queue.id}")

    def _queue_subject(self, project: Project, what: str) -> Subject:
        requirement = self._queue_role(project, Mode.REPORT)
        return Subject(requirement.subject, what, Mode.REPORT, requirement.grant(self._whom))


def _raise_if(answer: object) -> bool:
    if isinstance(answer, ReconcilerError):
        raise answer
    return True

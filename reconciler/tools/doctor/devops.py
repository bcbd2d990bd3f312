"""Rights in Azure DevOps: reads that planning makes, and bits of the caller's own rights for what applying would do.

Bits and tokens are those of the security namespace DistributedTask (vsts-rest-api-specs, security 7.2); which role has
which: Microsoft Learn, Create and manage agent pools: roles; Managed DevOps Pools, configure security: «Administrator
on the project agent pool» for open access.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from reconciler.errors import NotFound, ReconcilerError
from reconciler.facets.support.observing import reach
from reconciler.ports.devops import AgentPool, DevOpsReader, Project, Queue
from reconciler.rights import required
from reconciler.rights.checks import Check, CheckResult, Subject, asked
from reconciler.rights.required import ADMINISTER, CREATE, USE, Grant
from reconciler.spec import effective
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import Survey


class OrganizationChecks:
    """One organization of one pool, under examination."""

    def __init__(
        self, spec: Spec, organization: Organization, survey: Survey, inspector: DevOpsReader, now: datetime
    ) -> None:
        self._spec = spec
        self._organization = organization
        self._name = organization.name
        self._survey = survey
        self._inspector = inspector
        self._now = now
        self._whom = "the operator's identity"

    def checks(self) -> Iterator[Check]:
        """All of them; behind a door that is shut nothing is asked."""
        member = required.membership(self._name, self._whom)
        first = asked(Subject(self._name, "sign in", Mode.REPORT, member), lambda: self._survey.me(self._name))
        yield first
        if first.verdict is not CheckResult.OK:
            return
        me = self._survey.me(self._name)
        self._whom = f"{me.display_name or me.unique_name} ({me.id})"
        yield from self._pool()
        yield from self._projects()

    # --- the agent pool ----------------------------------------------------------------------------------

    def _pool(self) -> Iterator[Check]:
        place = f"{self._name} agent pool {self._organization.agent_pool}"
        subject = Subject(place, "see the agent pool", Mode.REPORT, self._on_pools("Reader"))
        found = asked(subject, self._agent_pool)
        if found.verdict is CheckResult.OK or not self._to_come():
            yield found
        if self._spec.mode is not Mode.ENFORCE:
            return
        token = f"AgentPools/{self._agent_pool().id}" if found.verdict is CheckResult.OK else "AgentPools"
        if self._manages_people():
            yield self._bits(place, "give roles and switch inheritance", (token, ADMINISTER), "Administrator")
        yield self._bits(place, "add the pool to projects", (token, USE), "Administrator")

    def _agent_pool(self) -> AgentPool:
        return self._survey.agent_pool(self._name, self._organization.agent_pool)

    def _to_come(self) -> bool:
        """Whether there is no agent pool to see yet, because ARM has no pool."""
        try:
            return self._survey.arm_pool(self._spec) is None
        except ReconcilerError:
            return False

    def _manages_people(self) -> bool:
        spec, name = self._spec, self._name
        return bool(effective.administrators(spec, name)) or effective.inheritance(spec, name) is not None

    def _bits(self, place: str, what: str, right: tuple[str, int], role: str) -> Check:
        subject = Subject(place, what, Mode.ENFORCE, self._on_pools(role))
        return asked(subject, lambda: self._inspector.may(self._name, *right))

    def _on_pools(self, role: str) -> Grant:
        return required.on_pools(self._name, role, self._whom)

    # --- projects ----------------------------------------------------------------------------------------

    def _projects(self) -> Iterator[Check]:
        subject = Subject(self._name, "see the projects", Mode.REPORT, self._on_project("", "Readers of each project"))
        try:
            reached = reach("doctor", self._organization, self._survey.projects(self._name))
        except ReconcilerError as error:
            yield asked(subject, partial(_raise_if, error))
            return
        for gap in reached.gaps:
            hidden = NotFound(gap.message)
            yield asked(subject, partial(_raise_if, hidden))
        if not reached.gaps:
            yield asked(subject, lambda: True)
        yield from self._queues(reached.value)

    def _queues(self, projects: Sequence[Project]) -> Iterator[Check]:
        try:
            pool = self._agent_pool()
        except ReconcilerError:
            return  # said above
        answers = self._survey.queues(self._name, projects, pool)
        for project in projects:
            place, answer = f"{self._name}/{project.name}", answers[project.id]
            reader = self._on_project(project.name, "Reader")
            yield asked(Subject(place, "read queues", Mode.REPORT, reader), partial(_raise_if, answer))
            if not isinstance(answer, ReconcilerError):
                yield from self._queue(place, project, answer)

    def _queue(self, place: str, project: Project, queue: Queue | None) -> Iterator[Check]:
        enforced = self._spec.mode is Mode.ENFORCE
        administrator = self._on_project(project.name, "Administrator")
        if queue is None and enforced:
            creator = self._on_project(project.name, "Creator")
            token = f"AgentQueues/{project.id}"
            subject = Subject(place, "add a queue", Mode.ENFORCE, creator)
            yield asked(subject, lambda: self._inspector.may(self._name, token, CREATE))
        if queue is None or not self._manages_access(project.name):
            return
        subject = Subject(place, "read who may use the queue", Mode.REPORT, self._on_project(project.name, "Reader"))
        yield asked(subject, lambda: _raise_if(self._survey.permissions(self._name, [queue])[queue]))
        if enforced:
            token = f"AgentQueues/{project.id}/{queue.id}"
            subject = Subject(place, "open and close the queue", Mode.ENFORCE, administrator)
            yield asked(subject, lambda: self._inspector.may(self._name, token, ADMINISTER))

    def _manages_access(self, project: str) -> bool:
        flag = self._organization.open_access is not None
        return flag or project.casefold() in effective.exceptions(self._spec, self._name, self._now)

    def _on_project(self, project: str, role: str) -> Grant:
        if not project:
            url = f"https://dev.azure.com/{self._name}/{{project}}/_settings/permissions"
            return Grant(role, f"projects of {self._name}", self._whom, f"{url}, Readers, Members, Add")
        return required.on_queues(self._name, project, role, self._whom)


def _raise_if(answer: object) -> bool:
    if isinstance(answer, ReconcilerError):
        raise answer
    return True

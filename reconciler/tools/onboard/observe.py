"""The reads behind onboarding, for one organization. Each is made once, until something is written there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from reconciler.errors import NotFound, ReconcilerError, Refused, Throttled
from reconciler.plan.policy import Policy, allows
from reconciler.ports.devops import DevOpsReader, Entry, Group, MembershipReader, Project, ServicePrincipal
from reconciler.rights.required import ADMINISTER, COLLECTION_ADMINISTRATORS, PROJECT_ADMINISTRATORS
from reconciler.survey.parallel_reads import Lanes
from reconciler.tools.onboard import requirements
from reconciler.tools.onboard.diff import excess, hidden, shut, steps
from reconciler.tools.onboard.requirements import Answer, OnboardRequest, OrganizationState
from reconciler.tools.onboard.step import Assign, Leave, OnboardStep, Standing, StepKind, View

T = TypeVar("T")
_PARALLEL = 4


@dataclass(frozen=True, slots=True)
class OnboardingReaders:
    """What looking reads from; nothing of it can write."""

    devops: DevOpsReader
    members: MembershipReader


class OrganizationReader:
    """One organization, looked at as the caller."""

    def __init__(self, asked: OnboardRequest, organization: str, sources: OnboardingReaders, policy: Policy) -> None:
        self.organization = organization
        self.seen = OrganizationState(organization)
        """What the last look found."""
        self._asked = asked
        self._sources = sources
        self._policy = policy
        self._memo: dict[Hashable, Any] = {}
        self._lanes = Lanes(_PARALLEL)

    def look(self) -> View:
        """Every step as it stands. An organization that cannot be read is one step that is not known.

        `Refused` where the id is none of a service principal, or the policy leaves the organization out; `Throttled`
        where the service wants to be left alone for longer than a call waits.
        """
        if not allows(self._policy.organizations, self.organization):
            raise Refused(f"organization {self.organization}: the policy does not allow it")
        try:
            return self._looked()
        except (Throttled, Refused):
            raise
        except ReconcilerError as error:
            return self.shut(error)

    def shut(self, error: ReconcilerError) -> View:
        """An organization where nothing could be read."""
        return View(self.organization, "", (shut(self._asked, self.organization, error),))

    def forget(self, step: OnboardStep) -> None:
        """Something was written there, or was not seen yet: the next look reads it again."""
        if isinstance(step.act, Assign):
            self._memo.pop(("roles", step.act.scope, step.act.resource), None)
            return
        gone = {"principals", "id", "entitlement", "groups", "found"}
        self._memo = {key: answer for key, answer in self._memo.items() if key not in gone}

    def matched(self) -> frozenset[str] | None:
        """Which of the projects asked for this organization has; None where it could not be read. After a look."""
        visible: Sequence[Project] | None = self._memo.get("projects")
        if visible is None:
            return None
        return frozenset(one for one in self._asked.projects if any(self._fits(one, each) for each in visible))

    # --- a look --------------------------------------------------------------------------------------

    def _looked(self) -> View:
        me = self._once("me", lambda: self._sources.devops.me(self.organization))
        principal = self._principal()
        found = self._entry() if principal is None else None
        id_ = self._once("id", partial(self._local_id, principal)) if principal else ""
        if id_ and id_ == me.id:
            raise Refused(
                f"organization {self.organization}: you are signed in as the identity itself, which cannot give itself "
                "anything; sign in as an administrator of the organization, for example by az login"
            )
        chosen = self._chosen()
        self.seen = self._observed(principal, id_, chosen)
        unseen = [hidden(self._asked, self.organization, one) for one in self._hidden()]
        told = [*map(self._with_leave, steps(self._asked, self.seen)), *unseen]
        name = principal.display_name if principal else found.display_name if found else ""
        return View(self.organization, name, tuple(told), tuple(self._notes(principal, found, chosen)))

    def _observed(self, principal: ServicePrincipal | None, id_: str, chosen: Sequence[Project]) -> OrganizationState:
        members = self._sources.members
        return OrganizationState(
            organization=self.organization,
            principal=principal,
            identity_id=id_,
            entitlement=self._asked_once(
                "entitlement", lambda: members.entitlement(self.organization, id_) if id_ else None
            ),
            groups=self._asked_once("groups", lambda: members.groups_of(self.organization, id_) if id_ else ()),
            projects=chosen,
            directory=self._directory(),
            pools=self._roles(requirements.POOL_SCOPE, requirements.ALL_POOLS),
            queues=self._queues(chosen),
        )

    def _principal(self) -> ServicePrincipal | None:
        known = self._once("principals", lambda: self._sources.members.service_principals(self.organization))
        for one in known:
            if one.object_id == self._asked.object_id:
                return one
        for one in known:
            if one.application_id == self._asked.object_id:
                raise Refused(
                    f"organization {self.organization}: {self._asked.object_id} is the application (client) id of "
                    f"{one.display_name}; the object id of its enterprise application is {one.object_id}"
                )
        return None

    def _entry(self) -> Entry | None:
        """Who has this object id, where the search finds it: it may look at names alone."""
        answer = self._asked_once(
            "found", lambda: self._sources.members.search(self.organization, self._asked.object_id)
        )
        entries = () if isinstance(answer, ReconcilerError) else answer
        found = next((one for one in entries if one.object_id == self._asked.object_id), None)
        if found and found.kind in {"user", "group"}:
            raise Refused(
                f"organization {self.organization}: {self._asked.object_id} is the {found.kind} {found.display_name}, "
                "not a service principal or managed identity"
            )
        return found

    def _local_id(self, principal: ServicePrincipal) -> str:
        return self._sources.members.local_id(self.organization, principal.descriptor)

    def _roles(self, scope: str, resource: str) -> Answer[Any]:
        devops = self._sources.devops
        return self._asked_once(
            ("roles", scope, resource), lambda: devops.role_assignments(self.organization, scope, resource)
        )

    def _queues(self, chosen: Sequence[Project]) -> dict[str, Answer[Any]]:
        found: dict[str, Answer[Any]] = {}

        def read(project: Project) -> None:
            found[project.id] = self._roles(requirements.QUEUE_SCOPE, project.id)

        self._lanes.each(self.organization, read, chosen)
        return found

    def _directory(self) -> Answer[Sequence[Group]]:
        return self._asked_once("directory", lambda: self._sources.devops.groups(self.organization))

    # --- projects ------------------------------------------------------------------------------------

    def _visible(self) -> Sequence[Project]:
        return self._once("projects", lambda: self._sources.devops.projects(self.organization))

    def _chosen(self) -> list[Project]:
        found = sorted(self._visible(), key=lambda one: one.name.casefold())
        if self._asked.projects:
            found = [one for one in found if any(self._fits(asked, one) for asked in self._asked.projects)]
            for one in found:
                if not self._allowed(one):
                    raise Refused(f"project {self.organization}/{one.name}: the policy does not allow it")
        return [one for one in found if self._allowed(one)]

    def _fits(self, asked: str, project: Project) -> bool:
        head, slash, tail = asked.casefold().rpartition("/")
        here = not slash or head == self.organization.casefold()
        return here and tail in {project.id, project.name.casefold()}

    def _allowed(self, project: Project) -> bool:
        return allows(self._policy.projects, f"{self.organization}/{project.name}")

    def _hidden(self) -> list[Project]:
        """Projects whose groups are listed and that are not: deleted ones are none of them."""
        listed = self._directory()
        if self._asked.projects or isinstance(listed, ReconcilerError):
            return []
        visible = {one.id for one in self._visible()}
        found = {one.project: _project(one) for one in listed if one.project and one.project not in visible}
        if not found:
            return []
        answer = self._asked_once("deleted", lambda: self._sources.devops.deleted_projects(self.organization))
        deleted = frozenset[str]() if isinstance(answer, ReconcilerError) else answer
        return [one for one in found.values() if one.id not in deleted and self._allowed(one)]

    # --- who may give it -----------------------------------------------------------------------------

    def _with_leave(self, step: OnboardStep) -> OnboardStep:
        if step.standing is not Standing.MISSING or step.act is None:
            return step
        return replace(step, leave=self._leave(step))

    def _leave(self, step: OnboardStep) -> Leave:
        groups = self._caller_groups()
        if any(one.name.rpartition("]\\")[2] == COLLECTION_ADMINISTRATORS for one in groups):
            return Leave.YES
        if step.token:
            ask = partial(self._sources.devops.may, self.organization, step.token, ADMINISTER)
            answer = self._asked_once(("may", step.token), ask)
            return Leave.UNKNOWN if isinstance(answer, ReconcilerError) else Leave.YES if answer else Leave.NO
        if step.kind is StepKind.PROJECT:
            mine = f"[{step.place.partition('/')[2]}]\\{PROJECT_ADMINISTRATORS}"
            return Leave.YES if any(one.name == mine for one in groups) else Leave.UNKNOWN
        return Leave.UNKNOWN

    def _caller_groups(self) -> Sequence[Group]:
        me = self._once("me", lambda: self._sources.devops.me(self.organization))
        answer = self._asked_once("mine", lambda: self._sources.members.groups_of(self.organization, me.id))
        return () if isinstance(answer, ReconcilerError) else answer

    # --- words ---------------------------------------------------------------------------------------

    def _notes(
        self, principal: ServicePrincipal | None, found: Entry | None, chosen: Sequence[Project]
    ) -> Iterator[str]:
        if principal is None and found is None:
            yield (
                f"{self.organization}: nobody here has the object id {self._asked.object_id} yet, and the directory "
                "search does not find it (it may know names alone). It has to be that of the enterprise application: "
                f"az ad sp show --id {self._asked.object_id} --query id"
            )
        yield from excess(self._asked, self.seen)
        if not self._asked.projects and (left := len(self._visible()) - len(chosen)):
            yield f"{self.organization}: the policy leaves out {left} of {len(self._visible())} projects"

    # --- memory --------------------------------------------------------------------------------------

    def _once(self, key: Hashable, question: Callable[[], T]) -> T:
        if key not in self._memo:
            self._memo[key] = question()
        answer: T = self._memo[key]
        return answer

    def _asked_once(self, key: Hashable, question: Callable[[], T]) -> Answer[T]:
        """An error is an answer too, and is asked for again; but who throttles wants to hear nothing for a while."""
        try:
            return self._once(key, question)
        except Throttled:
            raise
        except ReconcilerError as error:
            return error


def _project(group: Group) -> Project:
    return Project(group.project, group.name.removeprefix("[").rpartition("]\\")[0])


def unknown_projects(asked: OnboardRequest, lookouts: Sequence[OrganizationReader]) -> None:
    """`NotFound` where a project was named that none of the organizations shows; after all of them were looked at."""
    matched = [one.matched() for one in lookouts]
    found: frozenset[str] = frozenset().union(*(one for one in matched if one is not None))
    missing = [one for one in asked.projects if one not in found]
    if missing and None not in matched:
        where = ", ".join(one.organization for one in lookouts)
        raise NotFound(f"project {', '.join(missing)}: not in {where}, or hidden from you")

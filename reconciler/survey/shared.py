"""The survey over the readers: one memo for a batch of pools, bounded parallel reads, cheap lists for open access.

Calls of a converged batch of P pools in an organization of N projects: one list of agent pools, one of projects, N
lists of queues, N of authorized resources, P lists of roles, one ACL, one of identities for each new set of
principals. It grows with projects plus pools, not with projects times pools.

Safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.documents import Json
from reconciler.errors import NotReady, ReconcilerError, Rejected
from reconciler.plan.model import Change
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import AgentPool, Identity, Pipeline, PipelinePermissions, Project, Queue, RoleAssignment
from reconciler.ports.readers_writers import Readers
from reconciler.spec.effective import POOL_SCOPE
from reconciler.spec.model import Spec
from reconciler.spec.principals import folded
from reconciler.survey import (
    access,
    ahead,
    arm_pools,
    azure_resources,
    hidden,
    moves,
    names,
    organization_queues,
    rests_on,
    scope,
    side_by_side,
    touched,
)
from reconciler.survey import principals as spec_principals
from reconciler.survey.capabilities import CAREFUL, Beliefs
from reconciler.survey.evidence import Evidence
from reconciler.survey.list_completeness import Ledger, ListEvidence
from reconciler.survey.memo import Key, Memo, key_of
from reconciler.survey.moves import PoolElsewhere
from reconciler.survey.names import RememberedNames
from reconciler.survey.operators import UNNAMED, OperatorNames, PeopleReads
from reconciler.survey.owed import Debts, Owed
from reconciler.survey.parallel_reads import Lanes
from reconciler.survey.queue_uses import QueueUses, queue_uses


class SharedSurvey:
    """See `reconciler.survey.port.Survey` for what facets may request."""

    def __init__(
        self,
        readers: Readers,
        interest: Mapping[str, Collection[str]],
        evidence: Mapping[str, ListEvidence] | None = None,
        *,
        listed: Collection[str] = (),
        administered: Mapping[str, Collection[str]] | None = None,
        sample: int = 1,
        memo: Memo | None = None,
    ) -> None:
        """`interest`: organization → names of its agent pools that the batch is about.

        `listed`: subscriptions whose pools are read by one list. `administered`: organization → agent pools of the
        batch whose roles are managed, which are read side by side. `sample`: pairs of each pool on which an
        organization's list of authorized resources, once shown to be complete, is tried again. `memo`: with a clock.
        """
        self._readers = readers
        self._interest = {name: frozenset(map(folded, pools)) for name, pools in interest.items()}
        self._listed = frozenset(listed)
        self._administered = {name: frozenset(pools) for name, pools in (administered or {}).items()}
        self._beliefs: Mapping[str, Beliefs] = {}
        self._operators = UNNAMED
        self._memo, self._lanes, self._ledger = memo or Memo(), Lanes(readers.parallel), Ledger(evidence or {}, sample)
        self._written: set[tuple[str, str]] = set()
        self._remembered, self.debts = RememberedNames(), Debts()
        self._spec: Spec | None = None
        self._known: Evidence | None = None
        self._single = False
        self.requested: datetime | None = None
        self._named: Callable[[], set[str]] = set
        self._busy_since: datetime | None = None

    @classmethod
    def about(
        cls,
        readers: Readers,
        specs: Iterable[Spec],
        evidence: Mapping[str, ListEvidence] | None = None,
        *,
        sample: int = 1,
        memo: Memo | None = None,
        known: Evidence | None = None,
    ) -> SharedSurvey:
        """The survey for a batch of specs; `known`: whose facts `memo` shares, about the pools of all specs."""
        batch = tuple(specs)
        pools, listed, roles = scope.scope_of(batch)
        pools = pools if known is None else known.interest(pools)
        made = cls(readers, pools, evidence, listed=listed, administered=roles, sample=sample, memo=memo)
        made._known, made._single = known, len(batch) == 1
        return made

    def believing(self, beliefs: Mapping[str, Beliefs], operators: OperatorNames | None = None) -> SharedSurvey:
        """This survey, with what `probe` found about its organizations, and the operators of the deployment."""
        self._beliefs, self._operators = beliefs, operators or self._operators
        return self

    @property
    def oldest(self) -> datetime | None:
        """When the read of the oldest fact began that this view of the survey used; None: it used none."""
        return self._memo.oldest

    @property
    def shares(self) -> bool:
        """Whether facts that other messages read are used."""
        return self._known is not None

    @property
    def trusting(self) -> bool:
        """Whether a cheap read is used for an organization of the batch that no decision to write may rest on."""
        return any(self._beliefs.get(name, CAREFUL).trusting for name in self._interest)

    def fresh(
        self,
        specs: Iterable[Spec] | None = None,
        changes: Sequence[Change] | None = None,
        before: datetime | None = None,
    ) -> SharedSurvey:
        """A survey that remembers nothing, about these specs (or the same batch), for a decision to write.

        `changes`: only what these rest on is read again, and what was read `before`; None: everything.
        List evidence and lanes are shared; beliefs that such a decision must not rest on are left behind.
        """
        batch = None if specs is None else tuple(specs)
        about = (self._interest, self._listed, self._administered) if batch is None else scope.scope_of(batch)
        # Others use what is read here, so its lists are about all pools that theirs are about.
        interest = self._interest if self.shares else about[0]
        other = SharedSurvey(self._readers, interest, listed=about[1], administered=about[2])
        other.believing({name: beliefs.precise for name, beliefs in self._beliefs.items()}, self._operators)
        memo = self._memo.afresh(rests_on.of(batch, changes), before, keeps_own=changes is not None and self._single)
        shared = self._lanes, self._ledger, self._written, memo, Debts(self.debts.owed), self._known, self._single
        other._lanes, other._ledger, other._written, other._memo, other.debts, other._known, other._single = shared
        other._know(self._remembered, self._spec)
        return other

    def knowing(self, spec: Spec, remembered: RememberedNames, owed: Iterable[Owed] = ()) -> SharedSurvey:
        """The same reads, seen with what is remembered of one pool: its renamed things, and what it is owed."""
        view = copy(self)
        view._memo, view.debts = self._memo.view(), Debts(owed)  # noqa: SLF001 - a copy of this very survey
        view._know(names.named_by_spec(spec, remembered), spec)  # noqa: SLF001 - as above
        return view

    def _know(self, remembered: RememberedNames, spec: Spec | None) -> None:
        self._remembered, self._spec, self._busy_since = remembered, spec, None
        self._named = names.names_in(self._memo, spec)

    def remembers(self, spec: Spec) -> RememberedNames:
        """What to remember of the pool, out of what was read; reads nothing."""
        spec = names.settled_by(self._memo, spec)
        organizations, kinds = [one.name for one in spec.organizations], ("projects", "hidden projects")
        pools = {name: tuple((self._memo.peek(Key("agent pools", name)) or {}).values()) for name in organizations}
        projects = {
            name: [p for kind in kinds for p in self._memo.peek(Key(kind, name)) or ()] for name in organizations
        }
        learned = names.learned(spec, self._remembered, pools, projects)
        created = moves.created(arm_pools.known(self._memo, spec)) or learned.created
        return replace(learned, busy_since=self._busy_since, created=created)

    def forget(
        self, organization: str | None = None, project_id: str | None = None, queue_id: int | None = None
    ) -> None:
        """Empty what a write touched; see `reconciler.survey.touched`."""
        if organization is not None and project_id is not None:
            self._written.add((organization, project_id))
        about = ["", *self._interest] if organization is None else [organization]
        self._memo.forget(touched.by_write(organization, project_id, queue_id), about)
        if organization is not None and project_id is None:
            self._memo.forget_missing("identity", organization)

    def forget_arm(self, spec: Spec) -> None:
        """Empty what ARM says of one pool, after a write that reaches no organization."""
        self._memo.forget(touched.in_arm(spec), [""])

    def judged(self, spec: Spec) -> None:
        """A run of the pool left no work: what this view used was judged, and may cover further requests."""
        if self._known is not None:
            self._known.judged(spec, self._memo.used())

    def learned(self) -> dict[str, ListEvidence]:
        """Evidence that changed since the last call, by organization; the caller stores it."""
        return self._ledger.changed()

    # --- ARM ---------------------------------------------------------------------------------------------

    def arm_pool(self, spec: Spec) -> Mapping[str, Json] | None:
        """The raw ARM body, or None where there is no such pool."""
        self._begin(spec)
        return arm_pools.pool(self._readers.arm, self._memo, self._listed, spec)

    def elsewhere(self, spec: Spec) -> PoolElsewhere | None:
        """The pool of this name at another place; for one that is missing where the spec says."""
        found = arm_pools.of_this_name(self._readers.arm, self._memo, spec)
        return moves.elsewhere(spec, found[0], self._remembered, self._agent_pools) if found else None

    def begin(self, specs: Iterable[Spec]) -> None:
        """Send the first requests of these specs without waiting for a response."""
        for spec in specs:
            self._begin(spec)

    def _begin(self, spec: Spec) -> None:
        ahead.begin(spec, self._first_reads, self._memo, self._lanes)

    def _first_reads(self) -> ahead.FirstReads:
        later = self._hidden_ahead, self._roles_ahead
        return ahead.FirstReads(self._agent_pools, self.projects, self.me, self._switches, *later)

    def _hidden_ahead(self, organization: str) -> None:
        if self._interest.get(organization, frozenset()) & self._agent_pools(organization).keys():
            self.hidden_projects(organization)

    def _roles_ahead(self, organization: str) -> Mapping[Key, Callable[[], Any]]:
        read = self._readers.devops.role_assignments
        return {key: partial(read, organization, *key.detail) for key in self._role_keys(organization)}

    def machines(self, spec: Spec) -> Sequence[str]:
        """Status of each machine of the pool."""
        key = Key("machines", detail=spec.pool_id.casefold())
        return self._memo.get(key, lambda: self._readers.arm.machines(spec.pool_id))

    def waiting_since(self, now: datetime) -> datetime:
        """Since when the pool of this view is waited for; calling it stores the moment."""
        self._busy_since = self._remembered.busy_since or now
        return self._busy_since

    def azure_resources(self) -> AzureResourcesReader | None:
        """Reads of prerequisites in Azure, each fact once; None where none are checked."""
        return azure_resources.remembered(self._readers.azure_resources, self._memo)

    # --- organizations -----------------------------------------------------------------------------------

    def agent_pool(self, organization: str, name: str) -> AgentPool:
        """By name, case aside, else by the id it was known to have, else one that looks alike; `NotReady` if none."""
        pools = self._agent_pools(organization)
        found = pools.get(folded(name)) or names.renamed_pool(self._remembered, organization, name, pools.values())
        found = found or next((one for one in pools.values() if one.name.casefold() == name.casefold()), None)
        if found is None:
            raise NotReady(f"{organization}: there is no agent pool {name}, or the identity may not view it")
        return found

    def _agent_pools(self, organization: str) -> Mapping[str, AgentPool]:
        return self._memo.get(
            key_of("agent pools", organization),
            lambda: {folded(pool.name): pool for pool in self._readers.devops.agent_pools(organization)},
        )

    def projects(self, organization: str) -> Sequence[Project]:
        """All visible projects, sorted by name; a renamed one under the name that the spec knows."""
        visible = self._visible(organization)
        return names.as_the_spec_names_them(self._remembered, organization, self._named, visible)

    def _visible(self, organization: str) -> Sequence[Project]:
        return self._memo.get(
            key_of("projects", organization),
            lambda: tuple(sorted(self._readers.devops.projects(organization), key=lambda p: (p.name.casefold(), p.id))),
        )

    def hidden_projects(self, organization: str) -> Sequence[Project]:
        """Projects that the directory of groups knows and the identity cannot see; named as `projects` names them."""
        reads, visible = self._readers.devops, partial(self._visible, organization)
        read = partial(hidden.projects, reads, self._memo, organization, visible)
        found = self._memo.get(key_of("hidden projects", organization), read)
        return names.as_the_spec_names_them(self._remembered, organization, self._named, found)

    def excepted(self, organization: str, exceptions: Collection[str]) -> names.Excepted:
        """What these names of a list of exceptions stand for."""
        visible, hidden = self.projects(organization), partial(self.hidden_projects, organization)
        known, named = self._remembered, self._named()
        return names.excepted(known, organization, exceptions, named=named, visible=visible, hidden=hidden)

    def me(self, organization: str) -> Identity:
        """The identity that we are in this organization."""
        return self._memo.get(key_of("me", organization), lambda: self._readers.devops.me(organization))

    def people(self, organization: str) -> PeopleReads:
        """Who the operators are there, and what they and others may do through groups."""
        return PeopleReads(organization, self._readers.devops, self._memo, self, self._operators)

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """Role assignments of one resource; that of a queue is `{project id}_{queue id}`."""
        project, read = resource.rpartition("_")[0], self._readers.devops.role_assignments
        key = Key("roles", organization, project, (scope, resource))
        if not project and self._memo.began(key) is None:
            # The first pool of a batch reads all of them, side by side.
            keys = self._role_keys(organization)
            if key in keys:
                self._each(organization, keys, lambda key: read(organization, *key.detail))
        return self._memo.get(key, lambda: read(organization, scope, resource))

    def _role_keys(self, organization: str) -> list[Key]:
        """Roles of the agent pools of the batch whose roles are managed."""
        pools, named = self._agent_pools(organization), sorted(self._administered.get(organization, ()))
        ids = [str(pools[name].id) for name in named if name in pools]
        return [Key("roles", organization, detail=(POOL_SCOPE, one)) for one in ids]

    def inheritance(self, organization: str, pool: AgentPool) -> bool:
        """Whether the agent pool inherits roles; one read answers for all pools of the organization."""
        return bool(self._switches(organization).get(pool.id, True))

    def _switches(self, organization: str) -> Mapping[int, bool]:
        return self._memo.get(
            key_of("inheritance", organization), lambda: self._readers.devops.inheritance(organization)
        )

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity | ReconcilerError]:
        """Principal as written → identity, or why this one cannot be told; an unknown principal is missing."""
        visible, hidden = partial(self.projects, organization), partial(self.hidden_projects, organization)
        found = spec_principals.scopes(organization, principals, self._remembered, visible=visible, hidden=hidden)
        return spec_principals.identities(self._readers.devops, self._memo, organization, found)

    # --- projects ----------------------------------------------------------------------------------------

    def queues(
        self, organization: str, projects: Sequence[Project], pool: AgentPool
    ) -> Mapping[str, Queue | ReconcilerError | None]:
        """Project id → its queue of this pool, None where it has none. One read a project for all pools of interest."""
        group = self._group(organization, pool.id)
        everywhere = self._beliefs.get(organization, CAREFUL).queues_everywhere
        untouched = [p for p in projects if (organization, p.id) not in self._written] if everywhere else []
        read = organization_queues.Reads(self._readers.devops, self._memo, self._lanes)
        return organization_queues.queues(read, organization, projects, pool.id, group=group, untouched=untouched)

    def permissions(
        self, organization: str, queues: Sequence[Queue]
    ) -> Mapping[Queue, PipelinePermissions | ReconcilerError]:
        """Full authorization state, one read a queue."""
        keys = {Key("permissions", organization, queue.project_id, queue.id): queue for queue in queues}
        read = self._readers.devops.pipeline_permissions
        found = self._each(organization, list(keys), lambda key: read(organization, key.project, key.detail))
        return {keys[key]: value for key, value in found.items()}

    def pipelines(
        self, organization: str, projects: Sequence[Project]
    ) -> Mapping[str, Sequence[Pipeline] | ReconcilerError]:
        """Project id → the pipelines that can be seen there."""
        keys = [Key("pipelines", organization, project.id) for project in projects]
        found = self._each(organization, keys, lambda key: self._readers.devops.pipelines(organization, key.project))
        return {key.project: value for key, value in found.items()}

    def queue_uses(self, organization: str, queue: Queue, *, only: str = "") -> QueueUses:
        """Checks on the queue, and pipelines that name it by id."""
        return queue_uses(self._readers.devops, self._memo, organization, queue, only=only)

    def open_access(self, organization: str, desired: Mapping[Queue, bool]) -> Mapping[Queue, bool | ReconcilerError]:
        """Whether all pipelines of the project may use the queue; see `reconciler.survey.access`."""
        sources = access.AccessSources(
            lists=lambda projects: self._authorized(organization, projects),
            pairs=lambda queues: self.permissions(organization, queues),
            again=lambda project: self._authorized_again(organization, project),
            touched=lambda project: (organization, project) in self._written,
            capability=self._beliefs.get(organization, CAREFUL).authorized,
        )
        return access.settle(organization, desired, sources=sources, ledger=self._ledger)

    def _authorized(self, organization: str, projects: Sequence[str]) -> access.Lists:
        if self._beliefs.get(organization, CAREFUL).listless:
            return dict.fromkeys(projects, Rejected(f"{organization}: its list of authorized resources was refused"))
        keys = [key_of("authorized", organization, project) for project in projects]
        found = self._each(
            organization, keys, lambda key: self._readers.devops.authorized_queues(organization, key.project)
        )
        return {key.project: value for key, value in found.items()}

    def _authorized_again(self, organization: str, project: str) -> access.Lists:
        again = Key("authorized", organization, project)
        self._memo.forget(lambda key: key == again, [organization])
        return self._authorized(organization, [project])

    def _group(self, organization: str, pool_id: int) -> scope.Group:
        """The agent pools that share one list of queues with this one."""
        interest = self._interest.get(organization, frozenset())

        def cut() -> Mapping[int, scope.Group]:
            return scope.cuts(pool.id for name, pool in self._agent_pools(organization).items() if name in interest)

        return self._memo.get(key_of("groups", organization), cut).get(pool_id) or scope.cuts([pool_id])[pool_id]

    def _each(self, organization: str, keys: Sequence[Key], fetch: Callable[[Key], Any]) -> dict[Key, Any]:
        return side_by_side.facts(self._memo, self._lanes, organization, keys, fetch)

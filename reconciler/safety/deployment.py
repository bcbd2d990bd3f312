"""The safety facts of a deployment: read for one run, checked again before each write, and written by the owner."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from reconciler.errors import ReconcilerError
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.safety import agent_pools, approvals, modes, operators, pauses, undone
from reconciler.safety.agent_pools import (
    AgentPoolApproval,
    AgentPools,
    CreationIntent,
    RecordedAgentPool,
    Replacement,
)
from reconciler.safety.approvals import ApprovedPlan, ApprovedSpec
from reconciler.safety.documents import SafetyDocuments, SafetyIndex
from reconciler.safety.facts import SafetyFacts, Unknown
from reconciler.safety.modes import VARIABLE, Modes, ModeScope, ModeSetting
from reconciler.safety.operators import RecordedOperator
from reconciler.safety.undone import UndoneField
from reconciler.spec.model import WriteMode

T = TypeVar("T")

UNSET = "no mode is set in the safety store; the owner sets one with `mdp-reconciler mode set`"
NEW = ModeSetting(WriteMode.REPORT, "the safety store is new; the owner sets a mode with `mdp-reconciler mode set`")
"""Also for a person, whose `apply` creates the store first."""


class Safety:
    """The safety facts of one deployment."""

    def __init__(
        self, store: StateStore, clock: Clock, environment: WriteMode = WriteMode.ENFORCE, *, service: bool = False
    ) -> None:
        """`environment`: the mode of the settings. `service`: no person runs it, so the owner has to set a mode."""
        self.documents = SafetyDocuments(store)
        self.clock = clock
        self._environment = ModeSetting(environment, VARIABLE)
        self._unset = ModeSetting(WriteMode.REPORT, UNSET) if service else modes.UNGOVERNED

    def through(self, over: Callable[[StateStore], StateStore]) -> Safety:
        """The same facts, read through another store over this one: for many pools that are only planned."""
        other = copy(self)
        other.documents = self.documents.through(over)
        return other

    def read(self, key: str, organizations: Iterable[str], *, planning: bool = False) -> SafetyFacts:
        """The facts of one pool, with the organizations that its spec names. Raises nothing of the store.

        `planning`: for a plan alone; a store that is new then holds nothing back, since a person's `apply` creates it.
        """
        try:
            index = self.documents.index()
        except ReconcilerError as error:
            return SafetyFacts(Modes(modes.unreadable(error)), Unknown(str(error)), Unknown(str(error)), checked=False)
        if planning and index.new:
            return SafetyFacts(Modes(modes.strictest([self._environment, self._unset])))
        if not key:  # onboarding is about no pool
            return SafetyFacts(self._modes(index, key, organizations))
        return SafetyFacts(
            self._modes(index, key, organizations),
            _known(lambda: agent_pools.read_agent_pools(self.documents, index, key)),
            _known(lambda: approvals.read_approvals(self.documents, index, key)),
            undone=_known(lambda: undone.read_undone(self.documents, index, key)),
        )

    def modes(self, key: str, organizations: Iterable[str]) -> Modes:
        """The modes alone, read now: what is checked before each write. Raises nothing of the store."""
        try:
            return self._modes(self.documents.index(), key, organizations)
        except ReconcilerError as error:
            return Modes(modes.unreadable(error))

    def settings(self) -> tuple[ModeSetting, ...]:
        """Every setting: environment, deployment, organizations, pools. Raises nothing of the store."""
        try:
            index = self.documents.index()
        except ReconcilerError as error:
            return (self._environment, modes.unreadable(error))
        deployment = modes.read_setting(self.documents, index, ModeScope()) or self._unset
        scopes = [scope for name in sorted(index.names) if (scope := modes.scope_of(name)) is not None]
        found = [modes.read_setting(self.documents, index, scope) for scope in scopes]
        return (self._environment, deployment, *(one for one in found if one is not None))

    def pauses(self) -> tuple[ModeSetting, ...]:
        """Every pause that is not over, and what of them cannot be read. Raises nothing of the store."""
        try:
            index = self.documents.index()
        except ReconcilerError as error:
            return (modes.unreadable(error),)
        found: list[ModeSetting] = []
        for name in sorted(index.names):
            if (scope := modes.scope_of(name)) is not None:
                setting, paused = modes.read_scope(self.documents, index, scope, self.clock.now())
                found += [*([setting] if setting is not None and setting.unknown is not None else []), *paused]
        return tuple(found)

    def pause(self, scope: ModeScope, until: datetime, *, reason: str, by: str) -> None:
        """Pause an organization, a pool, or a field of one. The store decides who may: only the owner can write it."""
        now = self.clock.now()
        modes.write_pauses(self.documents, scope, {scope.field: pauses.entry(until, reason=reason, by=by, at=now)}, now)

    def resume(self, scope: ModeScope, *, every: bool = False) -> list[str]:
        """End a pause; `every`: those of single fields too. Returns the fields that were paused until now."""
        now = self.clock.now()
        wanted = [scope.field]
        if every or scope.field:
            index = self.documents.index()
            _, found = modes.read_scope(self.documents, index, replace(scope, field=""), now)
            stored = [one.scope.field for one in found]
            # A pause of Tags.team holds what tags.team names, so that name ends it.
            wanted += stored if every else [one for one in stored if one.casefold() == scope.field.casefold()]
        before = modes.write_pauses(self.documents, scope, dict.fromkeys(wanted), now)
        return [name for name in before if name in wanted]

    def create(self) -> None:
        """Mark a new store: a person's `apply` does."""
        self.documents.create()

    def set_mode(self, scope: ModeScope, mode: WriteMode | None, *, reason: str, by: str) -> None:
        """Set a mode, or clear it (None). The store decides who may: only the owner can write it."""
        modes.write_setting(self.documents, scope, mode, reason=reason, by=by, at=self.clock.now())

    def record_agent_pool(self, key: str, generation: str, organization: str, found: RecordedAgentPool) -> None:
        """Record the id of an agent pool, before anything is written there; `Refused` where another pool has it."""
        agent_pools.take(self.documents, key, organization, found.id)
        self._change_agent_pools(key, lambda known: known.with_recorded(generation, organization, found))

    def intend_agent_pool(self, key: str, intent: CreationIntent) -> None:
        """Record that an agent pool is about to be created, before the write to ARM that creates it."""
        self._change_agent_pools(key, lambda known: known.with_intent(intent))

    def replace_agent_pools(self, key: str, replacement: Replacement) -> None:
        """Record that the pool is about to be deleted to be created again, before the deletion."""
        self._change_agent_pools(key, lambda known: known.with_replacement(replacement))

    def approve_agent_pool(self, key: str, approval: AgentPoolApproval) -> str:
        """Record the owner's approval; returns the key of the pool that had the agent pool, if another one had.

        That one no longer has it: an agent pool belongs to one pool. It loses it first, so that an interruption leaves
        the agent pool with none, and the same approval again does the rest; then again, if it recorded it meanwhile.
        """
        organization, number = approval.organization, approval.id
        before = self.owner_of_agent_pool(organization, number)
        if before not in ("", key):
            self._change_agent_pools(before, lambda known: known.without(organization, number))
        former = agent_pools.take(self.documents, key, organization, number, approved=True)
        if former:
            self._change_agent_pools(former, lambda known: known.without(organization, number))
        self._change_agent_pools(key, lambda known: known.with_approval(approval))
        return former

    def owner_of_agent_pool(self, organization: str, number: int) -> str:
        """Key of the pool that has this agent pool; empty where none has."""
        return agent_pools.read_owner(self.documents, organization, number)

    def _change_agent_pools(self, key: str, edit: Callable[[AgentPools], AgentPools]) -> None:
        agent_pools.change_agent_pools(self.documents, key, edit)

    def record_operator(self, organization: str, identity: str, name: str) -> None:
        """Record the identity that this service has in an organization."""
        operators.record_operator(self.documents, organization, identity, name)

    def recorded_operators(self) -> Mapping[str, RecordedOperator]:
        """Organization → the identity that the deployed service recorded of itself. Raises where it is unreadable."""
        return operators.all_recorded(self.documents)

    def forget_operator(self, organization: str) -> RecordedOperator | None:
        """Drop what is recorded for an organization; None where nothing was. The store decides who may."""
        return operators.forget_operator(self.documents, organization)

    def approve_spec(self, key: str, *, blob: str, path: str, text: str, by: str) -> None:
        """Store the content of a spec as the approved one of its pool."""
        approvals.approve_spec(self.documents, key, blob=blob, path=path, text=text, by=by, at=self.clock.now())

    def approve_plan(self, key: str, plan: ApprovedPlan, spec: ApprovedSpec) -> None:
        """Store the approval of a plan, and its spec as the approved one."""
        approvals.approve_plan(self.documents, key, plan, spec)

    def undo_interrupted(self, key: str) -> bool:
        """Whether an undo of the pool ended before it held anything back: the next one starts from nothing."""
        return undone.interrupted(self.documents, key)

    def hold_undone(self, key: str, fields: Mapping[str, UndoneField]) -> None:
        """Hold back what is about to be undone, before it is. The store decides who may."""
        undone.hold(self.documents, key, fields)

    def release_undone(self, key: str, names: Collection[str]) -> None:
        """Hold these fields back no longer."""
        undone.release(self.documents, key, names)

    def _modes(self, index: SafetyIndex, key: str, organizations: Iterable[str]) -> Modes:
        environment, unset = self._environment, NEW if index.new else self._unset
        now = self.clock.now()
        return modes.read_modes(
            self.documents, index, key, organizations, environment=environment, unset=unset, now=now
        )


def _known(read: Callable[[], T]) -> T | Unknown:
    try:
        return read()
    except ReconcilerError as error:
        return Unknown(str(error))

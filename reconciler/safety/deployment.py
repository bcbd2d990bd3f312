"""The safety facts of a deployment: read for one run, checked again before each write, and written by the owner."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from reconciler.errors import ReconcilerError
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.safety import agent_pools, approvals, modes, operators
from reconciler.safety.agent_pools import RecordedAgentPool
from reconciler.safety.documents import SafetyDocuments, SafetyIndex
from reconciler.safety.facts import SafetyFacts, Unknown
from reconciler.safety.modes import VARIABLE, Modes, ModeScope, ModeSetting, WriteMode

T = TypeVar("T")

UNSET = "no mode is set in the safety store; the owner sets one with `reconciler mode set`"
NEW = ModeSetting(WriteMode.REPORT, "the safety store is new; the owner sets a mode with `reconciler mode set`")
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
        return SafetyFacts(
            self._modes(index, key, organizations),
            _known(lambda: agent_pools.read_recorded(self.documents, index, key)),
            _known(lambda: approvals.read_approvals(self.documents, index, key)),
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

    def create(self) -> None:
        """Mark a new store: a person's `apply` does."""
        self.documents.create()

    def set_mode(self, scope: ModeScope, mode: WriteMode | None, *, reason: str, by: str) -> None:
        """Set a mode, or clear it (None). The store decides who may: only the owner can write it."""
        modes.write_setting(self.documents, scope, mode, reason=reason, by=by, at=self.clock.now())

    def record_agent_pool(self, key: str, agent_pool: RecordedAgentPool) -> None:
        """Record the id of an agent pool, before anything is written there."""
        agent_pools.record(self.documents, key, agent_pool)

    def record_operator(self, organization: str, identity: str, name: str) -> None:
        """Record the identity that this service has in an organization."""
        operators.record_operator(self.documents, organization, identity, name)

    def approve_spec(self, key: str, *, blob: str, path: str, text: str, by: str) -> None:
        """Store the content of a spec as the approved one of its pool."""
        approvals.approve_spec(self.documents, key, blob=blob, path=path, text=text, by=by, at=self.clock.now())

    def _modes(self, index: SafetyIndex, key: str, organizations: Iterable[str]) -> Modes:
        environment, unset = self._environment, NEW if index.new else self._unset
        return modes.read_modes(self.documents, index, key, organizations, environment=environment, unset=unset)


def _known(read: Callable[[], T]) -> T | Unknown:
    try:
        return read()
    except ReconcilerError as error:
        return Unknown(str(error))

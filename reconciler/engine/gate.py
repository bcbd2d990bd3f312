"""What the owner's modes allow to be written in one run; read again before each write, so that a stop acts at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from reconciler.engine.written_fields import values_of
from reconciler.errors import ReconcilerError, Rejected
from reconciler.plan import guards
from reconciler.plan.model import Change, Plan, Route
from reconciler.safety import Modes, ModeScope, ModeSetting, SafetyFacts, Unknown, WriteMode
from reconciler.safety.approvals import Approvals
from reconciler.safety.modes import strictest
from reconciler.safety.undone import Undone
from reconciler.spec.loader import load
from reconciler.spec.model import Mode, Spec

_LISTED = re.compile(r"^organizationProfile\.organizations\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class WriteGate:
    """The modes of one pool, as they are now: deployment, pool, organizations and the spec's own."""

    spec: Spec
    """The spec that the run applies."""
    modes: Modes = field(default_factory=Modes)
    approvals: Approvals | Unknown = field(default_factory=Approvals)
    waiting: ModeSetting | None = None
    """In mode `approved`, where git has another spec than the approved one, which the run applies instead."""
    undone: Undone | Unknown = field(default_factory=Undone)
    """What was undone, and is not made again until the spec agrees."""
    git: Spec | None = None
    """That other spec: where it says `mode: report`, the approved one is not applied either."""

    @property
    def closed(self) -> ModeSetting | None:
        """The setting for which nothing of the pool is written at all; None: some changes may be."""
        own = [setting for spec in (self.spec, self.git) if spec is not None for setting in _of_spec(spec)]
        setting = strictest([self.modes.of_pool(), *own])
        if not setting.mode.writes:
            return setting
        approved = approved_mode(self.spec, self.modes)
        return None if approved is None else self._unapproved(approved)

    def held(self, change: Change) -> ModeSetting | None:
        """The setting for which this change is not written; None: it may be."""
        closed = self.closed or self._undone(change)
        if closed is not None:
            return closed
        setting = self.modes.for_organizations(_reached(self.spec, change))
        if setting.mode is WriteMode.APPROVED:  # of an organization that the spec no longer lists
            return self._unapproved(setting)
        return None if setting.mode.writes else setting

    def _undone(self, change: Change) -> ModeSetting | None:
        """The setting for a change that would make again what was undone; None: it would not."""
        if isinstance(self.undone, Unknown):
            return ModeSetting(WriteMode.REPORT, "what was undone", unknown=Rejected(self.undone.reason))
        found = self.undone.holding(values_of(change))
        if found is None:
            return None
        return ModeSetting(WriteMode.REPORT, str(found), reason=f"{change.kind} {change.subject} until the spec agrees")

    def _unapproved(self, setting: ModeSetting) -> ModeSetting | None:
        """The setting, which asks for an approved spec, where this one is not; None: it is."""
        if _is_approved(self.spec, self.approvals):
            return None
        if isinstance(self.approvals, Unknown):
            return replace(setting, unknown=Rejected(self.approvals.reason))
        return replace(setting, reason="this spec is not approved")

    def unreadable(self) -> tuple[ReconcilerError, ...]:
        """Why settings about this pool cannot be read, each once."""
        closed = self.closed
        settings = [self.modes.deployment, self.modes.pool, *self.modes.organizations.values(), closed]
        found = {str(one.unknown): one.unknown for one in settings if one is not None and one.unknown is not None}
        return tuple(found[text] for text in sorted(found))


def not_applied(setting: ModeSetting) -> str:
    """``not applied: mode report (RECONCILER_MODE)``."""
    return f"not applied: {setting}"


def annotated(plan: Plan, gate: WriteGate, *, checked: bool = True) -> Plan:
    """The plan with the settings that hold its changes back, each once, and whether ownership was checked."""
    closed = gate.closed if plan.changes or plan.refusals else None
    settings = [closed, gate.waiting, *map(gate.held, plan.changes)]
    texts = dict.fromkeys(not_applied(setting) for setting in settings if setting is not None)
    return replace(plan, not_applied=tuple(texts), checked=checked)


def gate_of(spec: Spec, facts: SafetyFacts) -> WriteGate:
    """The gate of a run: in mode `approved` with another approved spec, that one is applied, and `spec` waits."""
    approved = approved_mode(spec, facts.modes)
    if approved is None or isinstance(facts.approvals, Unknown) or _is_approved(spec, facts.approvals):
        return WriteGate(spec, facts.modes, facts.approvals, undone=facts.undone)
    other = _approved_spec(spec, facts.approvals)
    if other is None:
        return WriteGate(spec, facts.modes, facts.approvals, undone=facts.undone)
    waiting = replace(approved, reason="the spec in git is not approved; drift from the approved one is corrected")
    return WriteGate(other, facts.modes, facts.approvals, waiting, facts.undone, spec)


def approved_mode(spec: Spec, modes: Modes) -> ModeSetting | None:
    """The setting that asks for an approved spec; None where another mode counts."""
    own = [modes.organizations[one.name] for one in spec.organizations if one.name in modes.organizations]
    return next((one for one in (modes.of_pool(), *own) if one.mode is WriteMode.APPROVED), None)


def _of_spec(spec: Spec) -> list[ModeSetting]:
    if spec.mode is not Mode.REPORT:
        return []
    place = f"{spec.path}:{spec.mode_line}" if spec.mode_line else spec.path
    return [ModeSetting(WriteMode.REPORT, place, ModeScope(), spec.reason)]


def _reached(spec: Spec, change: Change) -> list[str]:
    """The organizations that a change reaches: a write to the ARM resource reaches all of them.

    Those too that its lines name: one that a spec no longer lists loses its agent pool by that write.
    """
    name = guards.organization_of(change)
    if name is not None:
        return [name]
    if change.route is not Route.ARM:
        return []
    named = [found[1].lower() for line in change.details if (found := _LISTED.search(line.path))]
    return [*(one.name for one in spec.organizations), *named]


def _is_approved(spec: Spec, approvals: Approvals | Unknown) -> bool:
    if isinstance(approvals, Unknown) or approvals.spec is None:
        return False
    return bool(spec.blob) and approvals.spec.blob == spec.blob


def _approved_spec(spec: Spec, approvals: Approvals) -> Spec | None:
    """The approved spec of the pool; None where there is none that this release reads as a spec of this pool."""
    if approvals.spec is None:
        return None
    loaded = load({approvals.spec.path or spec.path: approvals.spec.text.encode()})
    found = next((one for one in loaded.specs if one.key == spec.key and one.pool_id == spec.pool_id), None)
    # By the id that was approved: the stored text has lost a byte order mark, if there was one.
    return None if found is None else replace(found, blob=approvals.spec.blob)

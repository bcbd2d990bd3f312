"""What modes, pauses and windows allow to be written in one run.

Read again before each write, so that a stop or a pause acts at once, and nothing begins after a window has closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.engine.written_fields import values_of
from reconciler.errors import ReconcilerError, Rejected
from reconciler.plan import guards
from reconciler.plan.model import Change, Plan, Route
from reconciler.plan.policy import Window, closed
from reconciler.plan.targets import CreatePool, RestoredCheck
from reconciler.safety import HoldKind, Modes, ModeScope, ModeSetting, SafetyFacts, Unknown, WriteMode
from reconciler.safety.approvals import Approvals
from reconciler.safety.modes import strictest
from reconciler.safety.undone import Undone
from reconciler.spec.loader import load
from reconciler.spec.model import Mode, Spec, SpecPause
from reconciler.spec.parts import covers

if TYPE_CHECKING:
    from reconciler.engine.planner import Planner
    from reconciler.engine.status import PoolStatus

NEVER = datetime.min.replace(tzinfo=UTC)
"""Before everything: what has an end has not ended then."""
_LISTED = re.compile(r"^organizationProfile\.organizations\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Moment:
    """What of a gate goes by the clock and the policy."""

    at: datetime = NEVER
    windows: tuple[Window, ...] = ()
    policy: str = ""
    """Its digest, which approvals name."""
    recreating: bool = False
    """Whether the pool was deleted to be replaced: what creates it again waits for no window."""


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
    now: Moment = field(default_factory=Moment)

    def at(self, now: datetime) -> WriteGate:
        """The same gate at this moment."""
        return replace(self, now=replace(self.now, at=now))

    @property
    def closed(self) -> ModeSetting | None:
        """The setting for which nothing of the pool is written at all; None: some changes may be."""
        own = [setting for spec in self._specs() for setting in _of_spec(spec, self.now.at)]
        setting = strictest([self.modes.of_pool(), *own])
        if not setting.mode.writes:
            return setting
        approved = approved_mode(self.spec, self.modes)
        return None if approved is None else self._unapproved(approved)

    def held(self, change: Change) -> ModeSetting | None:
        """The setting for which this change is not written; None: it may be."""
        found = self.closed or self._undone(change)
        if found is not None:
            return found
        setting = self.modes.for_organizations(_reached(self.spec, change))
        if setting.mode is WriteMode.APPROVED:  # of an organization that the spec no longer lists
            unapproved = self._unapproved(setting)
            if unapproved is not None:
                return unapproved
        elif not setting.mode.writes:
            return setting
        paused = [one for one in self._paused_fields() if _is_about(one.scope.field, change)]
        return strictest(paused) if paused else self._outside_window(change)

    def held_with(self, change: Change, following: Iterable[Change]) -> ModeSetting | None:
        """The same; what destroys is held as well by what holds back what follows from it, so that it is made again."""
        found = self.held(change)
        if found is not None or not change.destroys:
            return found
        return next((setting for one in following if (setting := self.held(one)) is not None), None)

    def _specs(self) -> list[Spec]:
        return [spec for spec in (self.spec, self.git) if spec is not None]

    def _paused_fields(self) -> list[ModeSetting]:
        day = self.now.at.astimezone(UTC).date()
        own = [_pause(spec, one, name) for spec in self._specs() for one in spec.pauses_on(day) for name in one.fields]
        return [*self.modes.of_fields(), *own]

    def _outside_window(self, change: Change) -> ModeSetting | None:
        """The windows for which a change waits; None: one is open, or it needs none."""
        shut = closed(self.now.windows, change.risks, self.now.at)
        if shut is None or not self.needs_window(change):
            return None
        place = ", ".join(map(str, shut.windows))
        return ModeSetting(WriteMode.REPORT, place, kind=HoldKind.WINDOW, until=shut.until)

    def needs_window(self, change: Change) -> bool:
        """Whether a window has to be open for a change: one names it, and the owner did not approve it outside."""
        if self.now.recreating and isinstance(change.target, CreatePool | RestoredCheck):
            return False
        named = any(change.risks & set(window.risks) for window in self.now.windows)
        return named and not self._approved_outside(change)

    def _approved_outside(self, change: Change) -> bool:
        if isinstance(self.approvals, Unknown):
            return False
        return self.approvals.outside_windows(self.spec.blob, self.now.policy, self.now.at)(change)

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
        shut = self.closed
        settings = [self.modes.deployment, self.modes.pool, *self.modes.organizations.values(), shut]
        found = {str(one.unknown): one.unknown for one in settings if one is not None and one.unknown is not None}
        return tuple(found[text] for text in sorted(found))


def not_applied(setting: ModeSetting) -> str:
    """``not applied: mode report (RECONCILER_MODE)``."""
    return str(setting) if setting.kind is HoldKind.WINDOW else f"not applied: {setting}"


def annotated(plan: Plan, gate: WriteGate, *, checked: bool = True) -> Plan:
    """The plan with the settings that hold its changes back, each once, and whether ownership was checked."""
    shut = gate.closed if plan.changes or plan.refusals else None
    settings = [shut, gate.waiting, *(gate.held_with(change, plan.following) for change in plan.changes)]
    texts = dict.fromkeys(not_applied(setting) for setting in settings if setting is not None)
    return replace(plan, not_applied=tuple(texts), checked=checked)


def goes_out(gate: WriteGate, change: Change, plan: Plan) -> bool:
    """Whether nothing holds back a change of this plan."""
    return gate.held_with(change, plan.following) is None


def gate_now(planner: Planner, spec: Spec, facts: SafetyFacts, status: PoolStatus | None) -> WriteGate:
    """The gate of this moment, with the planner's policy and clock; `status`: of the pool's last run, None: no run."""
    recreating = status is not None and status.replacing is not None
    now = planner.clock.now()
    return gate_of(spec, facts, Moment(now, planner.policy.windows, planner.policy_digest, recreating))


def gate_of(spec: Spec, facts: SafetyFacts, now: Moment) -> WriteGate:
    """The gate of a run: in mode `approved` with another approved spec, that one is applied, and `spec` waits."""
    approved = approved_mode(spec, facts.modes)
    if approved is None or isinstance(facts.approvals, Unknown) or _is_approved(spec, facts.approvals):
        return WriteGate(spec, facts.modes, facts.approvals, undone=facts.undone, now=now)
    other = _approved_spec(spec, facts.approvals)
    if other is None:
        return WriteGate(spec, facts.modes, facts.approvals, undone=facts.undone, now=now)
    waiting = replace(approved, reason="the spec in git is not approved; drift from the approved one is corrected")
    return WriteGate(other, facts.modes, facts.approvals, waiting, facts.undone, spec, now)


def approved_mode(spec: Spec, modes: Modes) -> ModeSetting | None:
    """The setting that asks for an approved spec; None where another mode counts."""
    own = [modes.organizations[one.name] for one in spec.organizations if one.name in modes.organizations]
    return next((one for one in (modes.of_pool(), *own) if one.mode is WriteMode.APPROVED), None)


def _of_spec(spec: Spec, now: datetime) -> list[ModeSetting]:
    paused = [one for one in spec.pauses_on(now.astimezone(UTC).date()) if not one.fields]
    if paused:
        return [_pause(spec, one) for one in paused]
    return [ModeSetting(WriteMode.REPORT, _place(spec), ModeScope(), spec.reason)] if spec.mode is Mode.REPORT else []


def pauses_of(spec: Spec, now: datetime) -> list[ModeSetting]:
    """What a spec pauses at a moment: the pool, or fields of it."""
    found = spec.pauses_on(now.astimezone(UTC).date())
    whole = ModeScope(pool=spec.key)
    return [
        setting
        for one in found
        for setting in ([_pause(spec, one, name) for name in one.fields] or [replace(_pause(spec, one), scope=whole)])
    ]


def _place(spec: Spec) -> str:
    return f"{spec.path}:{spec.mode_line}" if spec.mode_line else spec.path


def _pause(spec: Spec, one: SpecPause, name: str = "") -> ModeSetting:
    place = spec.path if name else _place(spec)
    scope = ModeScope(pool=spec.key, field=name) if name else ModeScope()
    return ModeSetting(WriteMode.REPORT, place, scope, one.reason, kind=HoldKind.PAUSE, until=one.end)


def _is_about(name: str, change: Change) -> bool:
    """Whether a pause of a field holds a change: what destroys the pool is about all of its fields."""
    paths = tuple(line.path for line in change.details)
    return change.destroys or covers(name, change.facet, paths, whole=change.route is Route.ARM and not paths)


def _reached(spec: Spec, change: Change) -> list[str]:
    """The organizations that a change reaches: a write to the ARM resource reaches all of them.

    Those too that its lines name: one that a spec no longer lists loses its agent pool by that write.
    """
    name = guards.organization_of(change)
    if name is not None:
        return [name]
    if change.route is not Route.ARM:
        return []
    named = [found[1] for line in change.details if (found := _LISTED.search(line.path))]
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

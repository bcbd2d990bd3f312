"""A plan as a value: what would be done to one pool, in which order, and what cannot be known now.

A plan holds no code that could carry it out and no object that could write, so it can be printed, stored,
hashed and checked elsewhere. Guards and writers decide by targets alone; the texts are for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.documents import Json
from reconciler.plan import targets
from reconciler.plan.targets import Action, Place, Risk, Route, Target

__all__ = ["Action", "Change", "Detail", "Gap", "GapKind", "Plan", "Refusal", "Remark", "Risk", "Route", "in_order"]


QUEUE_EXISTS = "its queue exists"
"""What a change awaits (`Change.awaits`) that summaries count apart."""


class GapKind(StrEnum):
    """Why something could not be planned; in sync is claimed only where there is no gap at all."""

    NOT_READY = "not ready"
    """It does not exist yet: planned on a later pass, without any action."""
    UNKNOWN = "unknown"
    """A read failed. That is not an absence: nothing is written on it."""
    DEGRADED = "degraded"
    """It was read, and a person has to act: a hidden project, an unknown principal."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Something that could not be read or decided, and why."""

    facet: str
    subject: str
    """For example ``fabrikam-tailspin/Web``; empty where the whole facet is concerned."""
    kind: GapKind
    reason: str
    """The error's class name, CamelCase."""
    message: str
    retry_after: float | None = None
    """Seconds, where the service named them."""
    bounded: bool = False
    """Whether the wait has an end of its own: the spec waits for a quiet moment."""
    foreseen: bool = False
    """Whether the plan shows what is done once this is there (`Plan.following`), so that people need not read of it."""


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """Something worth saying that does not affect in sync: a prerequisite that could not be read."""

    facet: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One line of a change: a field, from what to what. A change without details is its own line."""

    path: str
    before: Json
    after: Json
    risk: Risk = Risk.NEUTRAL
    note: str = ""
    code: bool = False
    """Whether it brings code that runs under every job, which widens, whatever else it does."""
    grants: bool = False
    """Whether a list that takes away from some gives to others, which widens as well."""

    @property
    def widens(self) -> bool:
        """Whether people, pipelines or code may do more afterwards, beside what its risk says."""
        return self.code or self.grants or self.risk is Risk.WIDENS


def facet_of(change: str) -> str:
    """The facet in a change's id; stored ids have no change any more."""
    return change.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Change:
    """One write: applied whole or not at all, safe to repeat."""

    facet: str
    kind: str
    """What a person calls it: ``pool``, ``queue``, ``open access``, ``administrator``, ``inheritance``."""
    subject: str
    """Which one: ``fabrikam-tailspin/Web`` or ``fabrikam-prime ann@fabrikam.com``. Unique within facet and kind."""
    before: Json
    """Short value for people, None where there is nothing."""
    after: Json
    target: Target
    """What is written, and where: guards decide by it, and `apply` writes from it. No secret ever."""
    details: tuple[Detail, ...] = ()
    """Lines of a write to ARM that changes several fields."""
    note: str = ""
    """One clause for people: ``in place``, ``until 2026-12-31``."""
    wait_once: str = ""
    """Set where the service may still do this by itself: the first run only notes it, the second does it."""
    awaits: str = ""
    """Set where another change comes first, a text that follows *after*: ``grants are verified``. Not sent before."""
    needs: tuple[tuple[str, ...], ...] = field(default=(), compare=False)
    """Local ids, of each entry one at least: the same plan grants it a role in this place before this may be done."""

    @property
    def id(self) -> str:
        """Stable name of this change within its pool."""
        return f"{self.facet}:{self.kind}:{self.subject}"

    @property
    def action(self) -> Action:
        """What happens to the subject; follows from the target."""
        return targets.action_of(self.target)

    @property
    def risk(self) -> Risk:
        """What it does to people and machines: the most harmful of the target and the details."""
        return max((targets.risk_of(self.target), *(detail.risk for detail in self.details)), key=_HARM.index)

    @property
    def risks(self) -> frozenset[Risk]:
        """Everything that it does to people and machines: of itself, and of each of its lines."""
        widening = {Risk.WIDENS} if self.widens else set()
        return frozenset({self.risk, *(detail.risk for detail in self.details), *widening})

    @property
    def route(self) -> Route:
        """Over which API it goes; follows from the target."""
        return targets.route_of(self.target)

    @property
    def place(self) -> Place | None:
        """Where in Azure DevOps it is written; None for ARM."""
        return targets.place_of(self.target)

    @property
    def narrows(self) -> bool:
        """Whether it belongs to the last part of a run: one line that narrows is enough, whatever the others do."""
        last = (Risk.NARROWS, Risk.DESTROYS)
        return self.risk in last or any(detail.risk in last for detail in self.details)

    @property
    def widens(self) -> bool:
        """Whether anything of it widens: a change that restarts agents may bring them foreign code as well."""
        return self.risk is Risk.WIDENS or any(detail.widens for detail in self.details)

    @property
    def destroys(self) -> bool:
        """Whether anything of it is gone for good afterwards."""
        return self.risk is Risk.DESTROYS

    def content(self) -> dict[str, Json]:
        """What is approved and hashed: all but what it awaits, which changes within a run."""
        return {name: value for name, value in self.to_json().items() if name != "awaits"}

    def to_json(self) -> dict[str, Json]:
        """The documented JSON form."""
        from reconciler.plan.target_form import to_json  # noqa: PLC0415 - `validate` has no changes to show

        return {
            "facet": self.facet,
            "kind": self.kind,
            "subject": self.subject,
            "action": self.action.value,
            "before": self.before,
            "after": self.after,
            "risk": self.risk.value,
            "route": self.route.value,
            "target": to_json(self.target),
            "details": [
                {"path": d.path, "before": d.before, "after": d.after, "risk": d.risk.value, "note": d.note}
                | {name: True for name, there in (("code", d.code), ("grants", d.grants)) if there}
                for d in self.details
            ],
            "note": self.note,
            "waitOnce": self.wait_once,
            "awaits": self.awaits,
        }


_HARM = tuple(Risk)

AFTER_APPROVAL = "after-approval"
"""Rule of a change that nothing holds back but that it follows from one that a cap holds back."""
FIGHT = "fight"
"""Rule of a change that another owner keeps making undone."""
APPROVABLE = frozenset({
    FIGHT, "role-removals", "cap-removals", "cap-widenings", "cap-restarts", "cap-destructions", AFTER_APPROVAL,
})  # fmt: skip
"""Rules of caps: what they hold back waits for `approve HASH`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that a guard or the policy does not allow; it is shown, and not applied."""

    change: Change
    rule: str
    """Short name of the rule, kebab-case: ``last-administrator``, ``policy-organizations``."""
    message: str

    @property
    def approvable(self) -> bool:
        """Whether an approval of the plan allows the change: a cap alone holds it back."""
        return self.rule in APPROVABLE


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to one pool."""

    pool: str
    revision: str
    """Commit of the spec; empty for a folder without git."""
    changes: tuple[Change, ...] = ()
    """Allowed, in the order of application."""
    refusals: tuple[Refusal, ...] = ()
    gaps: tuple[Gap, ...] = ()
    remarks: tuple[Remark, ...] = ()
    spec: str = ""
    """Git's id of the content of the spec's file."""
    policy: str = ""
    """Digest of the policy."""
    following: tuple[Change, ...] = ()
    """Allowed, and possible only after some of `changes` took effect: each says in `awaits` what has to exist first."""
    not_applied: tuple[str, ...] = field(default=(), compare=False)
    """The modes that hold changes back: ``not applied: mode report (RECONCILER_MODE)``."""
    checked: bool = field(default=True, compare=False)
    """Whether the deployment's state was read: without it ownership is not checked, and the plan cannot be approved."""

    @property
    def in_sync(self) -> bool:
        """Only an empty and complete plan is in sync."""
        return not self.all_changes and not self.refusals and not self.gaps

    @property
    def all_changes(self) -> tuple[Change, ...]:
        """Everything that the plan shows: what can be written now, then what follows from it."""
        return (*self.changes, *self.following)

    @property
    def differing(self) -> tuple[Change, ...]:
        """What differs now, refused changes too; what only follows from others is no difference yet."""
        return (*self.changes, *(refusal.change for refusal in self.refusals))

    @property
    def hash(self) -> str:
        """What an approval binds (`reconciler.plan.hashing`): equal plans, equal hashes, on any machine, in any order.

        Changes that wait for nothing but an approval count, so the hash stays the same when they are approved.
        """
        from reconciler.plan.hashing import plan_hash  # noqa: PLC0415 - `validate` makes no plan

        changes = [change.to_json() for change in (*self.all_changes, *self.approvable)]
        return plan_hash(self.pool, self.spec, self.policy, changes)

    @property
    def approvable(self) -> tuple[Change, ...]:
        """Changes that a cap holds back, and an approval of this plan allows."""
        return tuple([refusal.change for refusal in self.refusals if refusal.approvable])

    @property
    def counts(self) -> dict[Risk, int]:
        """How many changes of each risk there are, harmless first; risks without a change are left out."""
        found = Counter(change.risk for change in self.all_changes)
        return {risk: found[risk] for risk in Risk if found[risk]}

    def with_allowed(self, changes: Sequence[Change], refusals: Sequence[Refusal] = ()) -> Plan:
        """The same plan with other changes, and with further refusals."""
        return replace(self, changes=tuple(changes), refusals=(*self.refusals, *refusals))


def in_order(changes: Sequence[Change], facets: Sequence[str]) -> tuple[Change, ...]:
    """Sort for application: grant before revoke, within that by facet, kind and subject.

    A run that dies half-way then leaves too many rights, never too few.
    """
    if not changes:
        return ()
    place = {name: index for index, name in enumerate(facets)}
    return tuple(sorted(changes, key=lambda c: (c.narrows, place[c.facet], c.kind, c.subject)))

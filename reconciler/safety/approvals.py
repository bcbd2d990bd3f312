"""What the owner approved for a pool: plans, which lift caps for a day, and the last approved spec.

In mode `approved`, drift is corrected to that spec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.documents import list_of, moment, moment_of, text_of
from reconciler.errors import Rejected
from reconciler.plan import hashing
from reconciler.plan.model import Change, Plan
from reconciler.safety.documents import SafetyDocuments, SafetyIndex

VALID = timedelta(hours=24)
"""How long an approved plan counts."""


@dataclass(frozen=True, slots=True)
class ApprovedSpec:
    """The content of a spec file that the owner approved."""

    blob: str
    """Git's id of the content."""
    path: str
    """File below the prefix."""
    text: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan that the owner approved: it counts for 24 hours, for this content of the spec and this policy."""

    hash: str
    blob: str
    policy: str
    by: str
    at: datetime
    lines: frozenset[str]
    """Digests of its changes (`reconciler.plan.hashing`)."""
    to_come: frozenset[str] = frozenset()
    """Digests of what follows from its creations, which later runs write."""
    outside_windows: bool = False
    """Whether its changes wait for no window of the policy either."""

    @classmethod
    def of_plan(cls, plan: Plan, by: str, at: datetime, *, outside_windows: bool = False) -> ApprovedPlan:
        """The approval of everything that this plan shows, with what its caps hold back."""
        changes = [change.to_json() for change in (*plan.all_changes, *plan.approvable)]
        lines = frozenset(map(hashing.line_of_change, changes))
        later = [one for one in changes if one["awaits"] or one["target"]["type"] in hashing.CREATIONS]
        created = frozenset(line for one in later for line in hashing.lines_to_come(one))
        return cls(plan.hash, plan.spec, plan.policy, by, at, lines, created, outside_windows)

    def counts(self, blob: str, policy: str, now: datetime) -> bool:
        """Whether it counts now for a run with this spec and policy. A moment in the future is not believed."""
        return (self.blob, self.policy) == (blob, policy) and timedelta(0) <= now - self.at <= VALID

    def shows(self, change: Change) -> bool:
        """Whether the plan showed this change: to the letter, or as what follows."""
        document = change.to_json()
        to_come = list(hashing.lines_to_come(document))
        return hashing.line_of_change(document) in self.lines or (bool(to_come) and self.to_come.issuperset(to_come))

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "hash": self.hash, "blob": self.blob, "policy": self.policy, "by": self.by, "at": moment(self.at),
            "lines": sorted(self.lines), "toCome": sorted(self.to_come), "outsideWindows": self.outside_windows,
        }  # fmt: skip

    @classmethod
    def from_json(cls, body: Any) -> ApprovedPlan | None:
        """From the stored form; None for what cannot be read: it approves nothing."""
        if not isinstance(body, Mapping) or (at := moment_of(body.get("at"))) is None:
            return None
        lines, to_come = (frozenset(map(str, list_of(body, name))) for name in ("lines", "toCome"))
        digest, blob, policy, by = (text_of(body, name) for name in ("hash", "blob", "policy", "by"))
        return cls(digest, blob, policy, by, at, lines, to_come, body.get("outsideWindows") is True)


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was approved for one pool."""

    spec: ApprovedSpec | None = None
    plans: tuple[ApprovedPlan, ...] = ()
    """Oldest first; those that no longer count are dropped with the next approval."""

    def of_now(self, blob: str, policy: str, now: datetime) -> Callable[[Change], bool]:
        """Whether a plan that counts now shows a change."""
        valid = [plan for plan in self.plans if plan.counts(blob, policy, now)]
        return lambda change: any(plan.shows(change) for plan in valid)

    def outside_windows(self, blob: str, policy: str, now: datetime) -> Callable[[Change], bool]:
        """The same of the plans whose changes wait for no window."""
        return replace(self, plans=tuple(one for one in self.plans if one.outside_windows)).of_now(blob, policy, now)


def document_of(key: str) -> str:
    """Name of the document of a pool."""
    return f"approvals/{key}"


def read_approvals(documents: SafetyDocuments, index: SafetyIndex, key: str) -> Approvals:
    """What was approved for a pool; an error where it cannot be read."""
    body = documents.load(document_of(key), index)
    if body is None:
        return Approvals()
    plans = tuple(plan for one in list_of(body, "plans") if (plan := ApprovedPlan.from_json(one)) is not None)
    found = body.get("spec")
    if found is None:
        return Approvals(None, plans)
    if not isinstance(found, Mapping) or not text_of(found, "blob") or not text_of(found, "text"):
        raise Rejected(f"safety store: the document {document_of(key)} is damaged; approve the plan again")
    names = ("blob", "path", "text", "by", "at")
    return Approvals(ApprovedSpec(*(text_of(found, name) for name in names)), plans)


def approve_spec(
    documents: SafetyDocuments, key: str, *, blob: str, path: str, text: str, by: str, at: datetime
) -> None:
    """Store a spec as the approved one; `approve` calls it together with its own entry."""
    spec = asdict(ApprovedSpec(blob, path, text, by, moment(at)))

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "spec": spec}

    documents.change(document_of(key), edit)


def approve_plan(documents: SafetyDocuments, key: str, plan: ApprovedPlan, spec: ApprovedSpec | None = None) -> None:
    """Store the approval of a plan, and with it the spec as the approved one."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        known = [one for entry in list_of(body, "plans") if (one := ApprovedPlan.from_json(entry)) is not None]
        kept = [one for one in known if one.hash != plan.hash and timedelta(0) <= plan.at - one.at <= VALID]
        plans = {"plans": [one.to_json() for one in (*kept, plan)]}
        return {**body, **plans, **({"spec": asdict(spec)} if spec is not None else {})}

    documents.change(document_of(key), edit)

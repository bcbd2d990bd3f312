"""What is known of one pool between runs: revisions, conditions that do not flap, and what is still in motion.

One JSON document for each pool, ``pools/{key}``. Conditions are `Ready`, `Reconciling` and `Stalled`; the same reason
keeps its `since`, whatever its details say, and a transient error is never `Stalled`. Unknown fields of a stored
document are ignored, so that an older program can read what a newer one wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler import errors
from reconciler.documents import list_of, moment, moment_of, number_of, text_of
from reconciler.documents.redaction import redact
from reconciler.engine.notice_state import NoticeState
from reconciler.engine.stored import Awaited, Ineffective, Replacing, Rest
from reconciler.plan.model import Plan
from reconciler.plan.sync import SyncCause, VerifiedSpec, spec_digest, sync_cause
from reconciler.spec.model import Spec
from reconciler.survey.names import RememberedNames
from reconciler.survey.owed import Owed

LONGEST = 1000
"""Characters of a condition's message."""


class ConditionKind(StrEnum):
    """The conditions of a pool."""

    READY = "Ready"
    """Both planes were verified to be as the spec says."""
    RECONCILING = "Reconciling"
    """Something is in motion, or will be tried again."""
    STALLED = "Stalled"
    """Nothing happens until an administrator changes something."""


class Truth(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


OUTSIDE_WINDOW = "OutsideWindow"
"""Reason of a pool whose changes wait for a window of the policy."""
REASONS = frozenset(
    {
        *("InSync", "OutOfSync", "Progressing", "Stalled", "Suspended", "Degraded", "Overdue", "Replacing"),
        OUTSIDE_WINDOW,
        "NotInSpecs",
        "Interrupted",
        *(
            name
            for name, kind in vars(errors).items()
            if isinstance(kind, type) and issubclass(kind, errors.ReconcilerError)
        ),
    }
)
"""Every reason that a condition may have: eleven words, and the names of the errors."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement about the pool: whether it is true, since when, and why."""

    kind: ConditionKind
    status: Truth
    reason: str
    message: str
    since: datetime
    """When this status with this reason began."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The conditions that one run found, before they are compared with those that were stored."""

    ready: Truth
    reason: str
    message: str
    in_motion: str = ""
    """Reason why the pool is read again without a request; empty where it is not."""
    stalled: str = ""
    """Reason why an administrator has to act; empty where none has to."""
    stalled_message: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended."""

    started: datetime
    ended: datetime
    outcome: str
    planned: int = 0
    """Changes of the plan with which the run began."""
    written: int = 0
    """Of them, sent and confirmed by the service."""
    verified: int = 0
    """Of them, read back as written."""
    trace: str = ""
    """W3C traceparent of the run; empty where none is recorded."""
    specs_read: datetime | None = None
    """When the read of the specs began; None: not known, so the run ends no request."""
    facts_read: datetime | None = None
    """When the read of the oldest fact began that the run used; None: it read none."""

    @property
    def seen(self) -> datetime | None:
        """What was put on a queue before this moment, the run has read: its specs, and every fact; None: not known."""
        return None if self.specs_read is None else min(self.specs_read, self.facts_read or self.started)


@dataclass(frozen=True, slots=True)
class InFlight:
    """A long operation that an earlier run began."""

    url: str = field(repr=False)
    """Signed: it may grant. Stored, because nothing else leads to the operation; never shown."""
    description: str
    facet: str
    change: str
    retry_after: float
    since: datetime
    lines: tuple[str, ...] = ()
    """Digests of the lines that it writes (`reconciler.engine.without_effect`)."""
    spec: str = ""
    """Digest of the spec's content that requires them."""
    record: str = ""
    """Where its intent is in the record of writes; empty where an earlier release began it."""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """The stored state of one pool."""

    key: str
    path: str = ""
    """Spec file below the prefix."""
    attempted: str = ""
    """Revision of the last run that began."""
    applied: str = ""
    """Revision that both planes were last verified to be in sync with."""
    verified: VerifiedSpec | None = None
    """Content of the spec that both planes were last verified to be in sync with; None: never, or not known."""
    cause: SyncCause | None = None
    """Why the pool is out of sync; None where it is in sync, or was never read."""
    conditions: tuple[Condition, ...] = ()
    run: Run | None = None
    covered: datetime | None = None
    """Moment of the oldest evidence of the last run that left nothing to read again: older requests are done."""
    seen: datetime | None = None
    """Moment of the oldest evidence on which the conditions rest; None: not known."""
    pending: InFlight | None = None
    waited: tuple[str, ...] = ()
    """Ids of changes that Azure had one run's time to make."""
    unverified: Mapping[str, int] = field(default_factory=dict)
    """Id of a change → how often it was written and not seen."""
    resting: Mapping[str, Rest] = field(default_factory=dict)
    """Id of a change that was rejected → until when it is not sent again."""
    ineffective: Ineffective | None = None
    """Lines of writes that were confirmed and changed nothing; None: none."""
    remembered: RememberedNames = field(default_factory=RememberedNames)
    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    """Message of a gap → since when that is missing."""
    replacing: Replacing | None = None
    attempts: int = 0
    """Failures in a row that were alike."""
    error: str = ""
    """Class name of that failure."""
    unready: datetime | None = None
    """Since when the pool is not verified in sync, whatever the reasons were; None: the last read verified it."""
    notices: NoticeState = field(default_factory=NoticeState)
    """What people were told (`reconciler.engine.notices`)."""

    @property
    def owed(self) -> tuple[Owed, ...]:
        """Checks of a replaced pool that its new queues do not have yet, as far as is known."""
        return () if self.replacing is None else self.replacing.owed

    def condition(self, kind: ConditionKind) -> Condition | None:
        """One condition, None before the first run."""
        return next((condition for condition in self.conditions if condition.kind is kind), None)

    def condition_true(self, kind: ConditionKind) -> bool:
        """Whether a condition is true."""
        found = self.condition(kind)
        return found is not None and found.status is Truth.TRUE

    def sync_cause(self, spec: Spec, now: datetime, plan: Plan) -> SyncCause:
        """Why a pool with this status and this plan is out of sync with its spec."""
        return sync_cause(self.verified, spec_digest(spec, now.date()), plan)

    def found(self, finding: Finding, now: datetime) -> PoolStatus:
        """With the conditions that a run leaves. Raises `ValueError` for a reason that is not in `REASONS`."""
        moving, stalled = bool(finding.in_motion), bool(finding.stalled)
        conditions = (
            self._mark(ConditionKind.READY, finding.ready, finding.reason, finding.message, now),
            self._mark(ConditionKind.RECONCILING, _truth(moving), finding.in_motion or finding.reason, "", now),
            self._mark(
                ConditionKind.STALLED, _truth(stalled), finding.stalled or finding.reason, finding.stalled_message, now
            ),
        )
        if finding.ready is Truth.TRUE:
            return replace(self, conditions=conditions, unready=None, cause=None)
        return replace(self, conditions=conditions, unready=self.unready or now, cause=self.cause or SyncCause.UNKNOWN)

    def _mark(self, kind: ConditionKind, status: Truth, reason: str, message: str, now: datetime) -> Condition:
        if reason not in REASONS:
            raise ValueError(f"{kind}: {reason} is no reason for a condition")
        known = self.condition(kind)
        # That a pool does not reconcile, or is not stalled, is no news when its Ready has another reason.
        quiet = status is Truth.FALSE and kind is not ConditionKind.READY
        same = known is not None and known.status is status and (quiet or known.reason == reason)
        since = known.since if known is not None and same else now
        return Condition(kind, status, reason, _one_line(message), since)

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        pending = self.pending
        return {
            **self.public(),
            "pending": None if pending is None else {**_pending(pending), "url": pending.url},
            "notices": self.notices.to_json(),
        }

    def public(self) -> dict[str, Any]:
        """What may be shown: the stored form without the operation's signed URL, and without notices."""
        return {
            "key": self.key,
            "path": self.path,
            "attemptedRevision": self.attempted,
            "appliedRevision": self.applied,
            "conditions": [
                {
                    "type": c.kind.value,
                    "status": c.status.value,
                    "reason": c.reason,
                    "message": redact(c.message),
                    "since": moment(c.since),
                }
                for c in self.conditions
            ],
            "lastRun": None
            if self.run is None
            else {
                "started": moment(self.run.started),
                "ended": moment(self.run.ended),
                "outcome": self.run.outcome,
                "planned": self.run.planned,
                "written": self.run.written,
                "verified": self.run.verified,
                "trace": self.run.trace,
                "specsRead": _moment(self.run.specs_read),
                "factsRead": _moment(self.run.facts_read),
            },
            "covered": _moment(self.covered),
            "seen": _moment(self.seen),
            "pending": None if self.pending is None else _pending(self.pending),
            "waited": list(self.waited),
            "unproven": dict(self.unverified),
            "resting": {name: rest.to_json() for name, rest in self.resting.items()},
            "ineffective": None if self.ineffective is None else self.ineffective.to_json(),
            "remembered": self.remembered.to_json(),
            "awaited": {what: one.to_json() for what, one in sorted(self.awaited.items())},
            "replacing": None if self.replacing is None else self.replacing.to_json(),
            "attempts": self.attempts,
            "error": self.error,
            "unreadySince": _moment(self.unready),
            "outOfSync": None if self.cause is None else self.cause.value,
            "verified": None if self.verified is None else self.verified.to_json(),
        }

    @classmethod
    def from_json(cls, key: str, body: Any) -> PoolStatus:
        """From the stored form; what is missing, unknown or not of its type counts as never stored."""
        if not isinstance(body, Mapping):
            return cls(key)
        unverified, resting, awaited = body.get("unproven"), body.get("resting"), body.get("awaited")
        rests = {k: Rest.from_json(v) for k, v in resting.items()} if isinstance(resting, Mapping) else {}
        awaits = {k: Awaited.from_json(v) for k, v in awaited.items()} if isinstance(awaited, Mapping) else {}
        return cls(
            key=key,
            path=text_of(body, "path"),
            attempted=text_of(body, "attemptedRevision"),
            applied=text_of(body, "appliedRevision"),
            conditions=tuple(c for c in map(_condition, list_of(body, "conditions")) if c is not None),
            run=_run(body.get("lastRun")),
            covered=moment_of(body.get("covered")),
            seen=moment_of(body.get("seen")),
            pending=_in_flight(body.get("pending")),
            waited=tuple(name for name in list_of(body, "waited") if isinstance(name, str)),
            unverified=(
                {k: n for k, n in unverified.items() if type(n) is int} if isinstance(unverified, Mapping) else {}
            ),
            resting={name: rest for name, rest in rests.items() if rest is not None},
            ineffective=Ineffective.from_json(body.get("ineffective")),
            remembered=RememberedNames.from_json(body.get("remembered")),
            awaited={what: one for what, one in awaits.items() if one is not None},
            replacing=Replacing.from_json(body.get("replacing")),
            attempts=int(number_of(body, "attempts")),
            error=text_of(body, "error"),
            unready=moment_of(body.get("unreadySince")),
            cause=SyncCause(cause) if (cause := text_of(body, "outOfSync")) in set(SyncCause) else None,
            verified=VerifiedSpec.from_json(body.get("verified")),
            notices=NoticeState.from_json(body.get("notices")),
        )


def _moment(when: datetime | None) -> str | None:
    return None if when is None else moment(when)


def _truth(value: bool) -> Truth:
    return Truth.TRUE if value else Truth.FALSE


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _pending(pending: InFlight) -> dict[str, Any]:
    return {
        "description": pending.description,
        "facet": pending.facet,
        "change": pending.change,
        "retryAfter": pending.retry_after,
        "since": moment(pending.since),
        "lines": list(pending.lines),
        "record": pending.record,
        "spec": pending.spec,
    }


# --- reading what was stored --------------------------------------------------------------------------------


def _condition(body: Any) -> Condition | None:
    if not isinstance(body, Mapping) or (since := moment_of(body.get("since"))) is None:
        return None
    if text_of(body, "type") not in set(ConditionKind) or text_of(body, "status") not in set(Truth):
        return None
    return Condition(
        ConditionKind(body["type"]), Truth(body["status"]), text_of(body, "reason"), text_of(body, "message"), since
    )


def _run(body: Any) -> Run | None:
    if not isinstance(body, Mapping):
        return None
    started, ended = moment_of(body.get("started")), moment_of(body.get("ended"))
    if started is None or ended is None:
        return None
    verified = int(number_of(body, "verified" if "verified" in body else "applied"))  # before 0.6: `applied`
    planned, written = (int(number_of(body, name)) if name in body else verified for name in ("planned", "written"))
    return Run(
        started, ended, text_of(body, "outcome"), planned, written, verified, text_of(body, "trace"),
        moment_of(body.get("specsRead")), moment_of(body.get("factsRead")),
    )  # fmt: skip


def _in_flight(body: Any) -> InFlight | None:
    if not isinstance(body, Mapping) or not text_of(body, "url") or (since := moment_of(body.get("since"))) is None:
        return None
    return InFlight(
        url=text_of(body, "url"),
        description=text_of(body, "description"),
        facet=text_of(body, "facet"),
        change=text_of(body, "change"),
        retry_after=number_of(body, "retryAfter"),
        since=since,
        lines=tuple(line for line in list_of(body, "lines") if isinstance(line, str)),
        record=text_of(body, "record"),
        spec=text_of(body, "spec"),
    )

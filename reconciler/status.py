"""What is known of one pool between runs: revisions, conditions that do not flap, and what is still in motion.

One JSON document a pool, ``pools/{key}``. Conditions are `Ready`, `Reconciling` and `Stalled`; the same trouble keeps
its `since`, whatever its details say, and the trouble of one run that time may heal is never `Stalled`. Unknown fields
of a stored document are left alone, so that an older program can read what a newer one wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler import errors

LONGEST = 1000
"""Characters of a condition's message."""


class Kind(StrEnum):
    """The conditions of a pool."""

    READY = "Ready"
    """Both planes were seen to be as the spec says."""
    RECONCILING = "Reconciling"
    """Something is in motion, or will be tried again by itself."""
    STALLED = "Stalled"
    """Nothing happens until somebody changes something."""


class Truth(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


def _names(kind: type[errors.ReconcilerError]) -> set[str]:
    return {kind.__name__}.union(*map(_names, kind.__subclasses__()))


REASONS = frozenset(
    {
        *("InSync", "OutOfSync", "Progressing", "Stalled", "Suspended", "Degraded", "Overdue", "Replacing"),
        *_names(errors.ReconcilerError),
    }
)
"""Every reason that a condition may have: eight words, and the names of the errors."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is true of the pool, or not, since when, and why."""

    kind: Kind
    status: Truth
    reason: str
    message: str
    since: datetime
    """When this status with this reason began."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run found, before it is told apart from what was known."""

    ready: Truth
    reason: str
    message: str
    in_motion: str = ""
    """Reason why somebody will look again by himself; empty where nobody will."""
    stalled: str = ""
    """Reason why a person has to act; empty where none has to."""
    stalled_message: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that came to its end."""

    started: datetime
    ended: datetime
    outcome: str
    applied: int
    """Changes that were written and seen."""
    trace: str = ""
    """W3C traceparent of the run; empty where nobody records."""


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


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the spec's names stood for when they last resolved, so that a renamed thing is recognised by its id."""

    pools: Mapping[str, int] = field(default_factory=dict)
    """``organization/agent pool`` as the spec writes it → pool id."""
    projects: Mapping[str, str] = field(default_factory=dict)
    """``organization/project`` as the spec writes it → project id."""
    busy_since: datetime | None = None
    """Since when agents at work hold a change back."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        busy = None if self.busy_since is None else _text(self.busy_since)
        return {"agentPools": dict(self.pools), "projects": dict(self.projects), "busySince": busy}

    @classmethod
    def from_json(cls, body: Any) -> Remembered:
        """From the stored form; what is not of its type counts as never known."""
        if not isinstance(body, Mapping):
            return cls()
        pools, projects = body.get("agentPools"), body.get("projects")
        return cls(
            {name: n for name, n in pools.items() if type(n) is int} if isinstance(pools, Mapping) else {},
            {name: i for name, i in projects.items() if isinstance(i, str)} if isinstance(projects, Mapping) else {},
            _time(body.get("busySince")),
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """A write that the service rejected for what it asks, and that is not asked again at every look."""

    message: str
    """What the service said; said again while it rests, so that conditions do not flap."""
    revision: str
    """With another one it is asked at once."""
    attempts: int
    until: datetime

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "message": self.message,
            "revision": self.revision,
            "attempts": self.attempts,
            "until": _text(self.until),
        }

    @classmethod
    def from_json(cls, body: Any) -> Rest | None:
        """From the stored form; None for what cannot be read: it is asked again."""
        if not isinstance(body, Mapping) or (until := _time(body.get("until"))) is None:
            return None
        return cls(_str(body, "message"), _str(body, "revision"), int(_number(body, "attempts")), until)


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something that is not there yet, and that time was expected to bring."""

    since: datetime
    looks: int
    """Runs that missed it."""
    spec: str = ""
    """Digest of the spec that asks for it: another spec is another wait."""


@dataclass(frozen=True, slots=True)
class Replacing:
    """A pool that is deleted to be made anew, from before the deletion until it is seen to be there again."""

    facet: str
    description: str
    """For people: what was replaced by what."""
    revision: str
    """Commit that asked for it."""
    since: datetime


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """The stored state of one pool."""

    key: str
    path: str = ""
    """Spec file below the prefix."""
    attempted: str = ""
    """Revision of the last run that began."""
    applied: str = ""
    """Revision that was last seen in force on both planes."""
    conditions: tuple[Condition, ...] = ()
    run: Run | None = None
    covered: datetime | None = None
    """Start of the last run after which nothing is left that a new look could bring: older wake-ups are answered."""
    pending: InFlight | None = None
    waited: tuple[str, ...] = ()
    """Ids of changes that the service had one run's time to do by itself."""
    unproven: Mapping[str, int] = field(default_factory=dict)
    """Id of a change → how often it was written and not seen."""
    resting: Mapping[str, Rest] = field(default_factory=dict)
    """Id of a change that was rejected → until when it is not asked again."""
    remembered: Remembered = field(default_factory=Remembered)
    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    """What is missing, as its gap says it → since when."""
    replacing: Replacing | None = None
    attempts: int = 0
    """Failures in a row that were alike."""
    error: str = ""
    """Class name of that failure."""
    unready: datetime | None = None
    """Since when the pool was not seen as its spec says, whatever the reasons were; None: the last look saw it so."""

    def condition(self, kind: Kind) -> Condition | None:
        """One condition, None before the first run."""
        return next((condition for condition in self.conditions if condition.kind is kind), None)

    def found(self, finding: Finding, now: datetime) -> PoolStatus:
        """With the conditions that a run leaves. Raises `ValueError` for a reason that is not in `REASONS`."""
        moving, stalled = bool(finding.in_motion), bool(finding.stalled)
        conditions = (
            self._mark(Kind.READY, finding.ready, finding.reason, finding.message, now),
            self._mark(Kind.RECONCILING, _truth(moving), finding.in_motion or finding.reason, "", now),
            self._mark(Kind.STALLED, _truth(stalled), finding.stalled or finding.reason, finding.stalled_message, now),
        )
        unready = None if finding.ready is Truth.TRUE else self.unready or now
        return replace(self, conditions=conditions, unready=unready)

    def _mark(self, kind: Kind, status: Truth, reason: str, message: str, now: datetime) -> Condition:
        if reason not in REASONS:
            raise ValueError(f"{kind}: {reason} is no reason for a condition")
        known = self.condition(kind)
        # That a pool does not reconcile, or is not stalled, is no news when its Ready has another reason.
        quiet = status is Truth.FALSE and kind is not Kind.READY
        same = known is not None and known.status is status and (quiet or known.reason == reason)
        since = known.since if known is not None and same else now
        return Condition(kind, status, reason, _one_line(message), since)

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        pending = self.pending
        return {
            **self.public(),
            "pending": None if pending is None else {**_pending(pending), "url": pending.url},
        }

    def public(self) -> dict[str, Any]:
        """For people: the stored form without the operation's signed URL."""
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
                    "message": c.message,
                    "since": _text(c.since),
                }
                for c in self.conditions
            ],
            "lastRun": None
            if self.run is None
            else {
                "started": _text(self.run.started),
                "ended": _text(self.run.ended),
                "outcome": self.run.outcome,
                "applied": self.run.applied,
                "trace": self.run.trace,
            },
            "covered": None if self.covered is None else _text(self.covered),
            "pending": None if self.pending is None else _pending(self.pending),
            "waited": list(self.waited),
            "unproven": dict(self.unproven),
            "resting": {name: rest.to_json() for name, rest in self.resting.items()},
            "remembered": self.remembered.to_json(),
            "awaited": {what: _awaited(one) for what, one in sorted(self.awaited.items())},
            "replacing": None if self.replacing is None else _replacing(self.replacing),
            "attempts": self.attempts,
            "error": self.error,
            "unreadySince": None if self.unready is None else _text(self.unready),
        }

    @classmethod
    def from_json(cls, key: str, body: Any) -> PoolStatus:
        """From the stored form; what is missing, unknown or not of its type counts as never stored."""
        if not isinstance(body, Mapping):
            return cls(key)
        unproven, resting, awaited = body.get("unproven"), body.get("resting"), body.get("awaited")
        rests = {k: Rest.from_json(v) for k, v in resting.items()} if isinstance(resting, Mapping) else {}
        return cls(
            key=key,
            path=_str(body, "path"),
            attempted=_str(body, "attemptedRevision"),
            applied=_str(body, "appliedRevision"),
            conditions=tuple(c for c in map(_condition, _list(body, "conditions")) if c is not None),
            run=_run(body.get("lastRun")),
            covered=_time(body.get("covered")),
            pending=_in_flight(body.get("pending")),
            waited=tuple(name for name in _list(body, "waited") if isinstance(name, str)),
            unproven={k: n for k, n in unproven.items() if type(n) is int} if isinstance(unproven, Mapping) else {},
            resting={name: rest for name, rest in rests.items() if rest is not None},
            remembered=Remembered.from_json(body.get("remembered")),
            awaited=_awaits(awaited) if isinstance(awaited, Mapping) else {},
            replacing=_replaced(body.get("replacing")),
            attempts=int(_number(body, "attempts")),
            error=_str(body, "error"),
            unready=_time(body.get("unreadySince")),
        )


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
        "since": _text(pending.since),
    }


def _awaited(one: Awaited) -> dict[str, Any]:
    return {"since": _text(one.since), "looks": one.looks, "spec": one.spec}


def _replacing(one: Replacing) -> dict[str, Any]:
    return {
        "facet": one.facet,
        "description": one.description,
        "revision": one.revision,
        "since": _text(one.since),
    }


# --- reading what was stored --------------------------------------------------------------------------------


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def _str(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _number(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else 0


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name)
    return value if isinstance(value, list) else []


def _condition(body: Any) -> Condition | None:
    if not isinstance(body, Mapping) or (since := _time(body.get("since"))) is None:
        return None
    if body.get("type") not in set(Kind) or body.get("status") not in set(Truth):
        return None
    return Condition(Kind(body["type"]), Truth(body["status"]), _str(body, "reason"), _str(body, "message"), since)


def _run(body: Any) -> Run | None:
    if not isinstance(body, Mapping):
        return None
    started, ended = _time(body.get("started")), _time(body.get("ended"))
    if started is None or ended is None:
        return None
    return Run(started, ended, _str(body, "outcome"), int(_number(body, "applied")), _str(body, "trace"))


def _awaits(body: Mapping[str, Any]) -> dict[str, Awaited]:
    found = {}
    for what, one in body.items():
        if isinstance(one, Mapping) and (since := _time(one.get("since"))) is not None:
            found[what] = Awaited(since, int(_number(one, "looks")), _str(one, "spec"))
    return found


def _replaced(body: Any) -> Replacing | None:
    if not isinstance(body, Mapping) or (since := _time(body.get("since"))) is None:
        return None
    return Replacing(_str(body, "facet"), _str(body, "description"), _str(body, "revision"), since)


def _in_flight(body: Any) -> InFlight | None:
    if not isinstance(body, Mapping) or not _str(body, "url") or (since := _time(body.get("since"))) is None:
        return None
    return InFlight(
        url=_str(body, "url"),
        description=_str(body, "description"),
        facet=_str(body, "facet"),
        change=_str(body, "change"),
        retry_after=_number(body, "retryAfter"),
        since=since,
    )

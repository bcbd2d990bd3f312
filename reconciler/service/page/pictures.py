"""What is stored about all pools, read at most once in some seconds however many browsers look.

An overview of a thousand pools is a thousand small documents: they are read side by side, and kept for longer the more
there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from reconciler.documents import Json, moment_of
from reconciler.engine import load_status, unnamed
from reconciler.engine.status import ConditionKind, PoolStatus, Truth
from reconciler.ports.budgets import document_name, rates
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.spec.model import Spec

FRESH = 5.0
"""Seconds for which what was read is shown again, at least."""
FRESH_PER_POOL = 0.03
"""The same for each pool: with 1,000 of them 30 seconds, so that open browsers cost few reads."""
_SIDE_BY_SIDE = 8
"""Documents that are read at the same time."""

STATES = ("stalled", "out of sync", "in motion", "unknown", "not read yet", "paused", "no spec", "in sync")
"""What a pool can be, in one word each; those first that need a person."""

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Line:
    """One pool, with its spec where there is one."""

    key: str
    name: str
    state: str
    """One of `STATES`."""
    status: PoolStatus
    spec: Spec | None


@dataclass(frozen=True, slots=True)
class OrganizationPicture:
    """What is stored of one organization."""

    name: str
    pools: int
    closed: datetime | None
    """Until when no call is made, because the service requested fewer; None: calls are made."""
    audit: str
    """``read``, ``refused`` or ``not read``."""
    audit_until: datetime | None = None
    """When a refused audit log is read again."""
    calls: int | None = None
    """Calls that the rate budget of five minutes allows; None: no limit is known."""
    left: int | None = None
    """How many of them are left, of the identity that has the fewest."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the overview shows, as of one moment."""

    at: datetime
    specs: Specs
    lines: tuple[Line, ...]
    """All pools: by how much they need a person, then by name."""
    feeds: tuple[OrganizationPicture, ...]
    """All organizations that specs name, sorted."""
    swept: datetime | None
    """When the last full resync was requested."""

    @property
    def counts(self) -> dict[str, int]:
        """How many pools are in each state that occurs, in the order of `STATES`."""
        found = [line.state for line in self.lines]
        return {state: found.count(state) for state in STATES if state in found}

    def line(self, key: str, state: StateStore) -> Line | None:
        """One pool by its key, with its status as it is stored now."""
        line = next((line for line in self.lines if line.key == key), None)
        if line is None:
            return None
        status = load_status(state, key)
        return Line(key, line.name, state_of(status, line.spec), status, line.spec)


class Pictures:
    """One process's memory of the last picture. Safe to share between threads."""

    def __init__(self, fresh: float = FRESH) -> None:
        self._fresh = fresh
        self._lock = threading.Lock()
        self._last: tuple[float, Picture] | None = None

    def picture(self, catalogue: Catalogue, state: StateStore, clock: Clock) -> Picture:
        """The last picture while it is fresh, else a new one; who comes meanwhile waits for it."""
        with self._lock:
            now = clock.monotonic()
            if self._last is None or not 0 <= now - self._last[0] < self._fresh_for(self._last[1]):
                self._last = now, _picture(catalogue, state, clock)
            return self._last[1]

    def _fresh_for(self, picture: Picture) -> float:
        return max(self._fresh, FRESH_PER_POOL * len(picture.lines))

    def forget(self) -> None:
        """Something changed that the next page should show."""
        with self._lock:
            self._last = None


def _picture(catalogue: Catalogue, state: StateStore, clock: Clock) -> Picture:
    now = clock.now()
    specs = catalogue.specs()
    statuses = dict(_each(tuple(specs.by_key), lambda key: (key, load_status(state, key))))
    lines = [
        Line(key, spec.name, state_of(statuses[key], spec), statuses[key], spec) for key, spec in specs.by_key.items()
    ]
    lines += [Line(one.key, one.key, state_of(one, None), one, None) for one in unnamed.gone(state, specs.by_key)]
    lines.sort(key=lambda line: (STATES.index(line.state), line.key))
    document = state.load("sweep")
    swept = moment_of(document.body.get("at")) if document is not None else None
    return Picture(now, specs, tuple(lines), _feeds(state, specs, now), swept)


def _each(items: Sequence[K], read: Callable[[K], T]) -> list[T]:
    if len(items) < _SIDE_BY_SIDE:
        return [read(item) for item in items]
    # Imported here: importing the triggers must not wait for it.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - see above

    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="page") as threads:
        return list(threads.map(read, items))


def state_of(status: PoolStatus, spec: Spec | None) -> str:
    """The one word for a pool; by its stored conditions, and never better than they say."""
    if spec is None:
        return "no spec"
    if _is_true(status, ConditionKind.STALLED):
        return "stalled"
    ready = status.condition(ConditionKind.READY)
    if ready is not None and ready.reason == "Suspended":
        return "paused"
    if ready is not None and ready.status is not Truth.TRUE and _is_true(status, ConditionKind.RECONCILING):
        return "in motion"
    return "not read yet" if ready is None else _BY_READY[ready.status]


_BY_READY = {Truth.TRUE: "in sync", Truth.FALSE: "out of sync", Truth.UNKNOWN: "unknown"}


def _is_true(status: PoolStatus, kind: ConditionKind) -> bool:
    condition = status.condition(kind)
    return condition is not None and condition.status is Truth.TRUE


def _feeds(state: StateStore, specs: Specs, now: datetime) -> tuple[OrganizationPicture, ...]:
    pools: dict[str, int] = {}
    for spec in specs.by_key.values():
        for organization in spec.organizations:
            pools[organization.name] = pools.get(organization.name, 0) + 1
    gates, audits = set(state.names("gates/")), set(state.names("audit/"))

    def feed(name: str) -> OrganizationPicture:
        gate = _body(state, document_name(name)) if document_name(name) in gates else {}
        audit = _body(state, f"audit/{name}") if f"audit/{name}" in audits else None
        known = rates(gate, now.timestamp()).values()
        budgets = [
            (int(one.budget.calls) - one.budget.made(now.timestamp()), int(one.budget.calls))
            for one in known
            if one.budget.calls is not None
        ]
        until = [one.until for one in known if one.until is not None and one.until > now]
        left, calls = min(budgets, default=(None, None))
        refused = moment_of(audit.get("refusedUntil")) if audit is not None else None
        word = "not read" if audit is None else "refused" if refused is not None and refused > now else "read"
        return OrganizationPicture(
            name, pools[name], max(until, default=None), word, refused if word == "refused" else None,
            calls, None if left is None else max(left, 0),
        )  # fmt: skip

    return tuple(_each(sorted(pools), feed))


def _body(state: StateStore, name: str) -> Mapping[str, Json]:
    document = state.load(name)
    return document.body if document is not None and isinstance(document.body, dict) else {}

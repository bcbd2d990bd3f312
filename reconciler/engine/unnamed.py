"""Pools with a stored status that no spec names any more: their status must not stay as their last run left it.

Nothing of such a pool is read or written. `forgotten` ends its condition where it was retired on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.documents import moment
from reconciler.engine import causes
from reconciler.engine.causes import Cause, Occurrence
from reconciler.engine.notices import with_finding
from reconciler.engine.packed import Statuses
from reconciler.engine.status import PoolStatus
from reconciler.errors import LeaseHeld, NotFound
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Leases, StateStore, pool_document

_SECONDS = 15.0
"""Lease for writing one status."""
FORGOTTEN = "forgottenAt"
"""Field of a document that stands for no pool any more; stores delete nothing."""


def statuses(state: StateStore, keys: Collection[str] | None = None) -> tuple[PoolStatus, ...]:
    """The stored statuses of all pools, or of these, sorted; none of forgotten ones."""
    names = state.names(pool_document("")) if keys is None else [pool_document(key) for key in sorted(keys)]
    stored = {name.removeprefix(pool_document("")): state.load(name) for name in names}
    known = {key: one for key, one in stored.items() if one is not None and not _forgotten(one.body)}
    return tuple(Statuses(state).every(known).values())


def mark(
    state: StateStore,
    leases: Leases,
    clock: Clock,
    named: Collection[str],
    problems: Mapping[str, str],
    *,
    listen: Callable[[PoolStatus], None] = lambda _: None,
) -> dict[str, str]:
    """Store `NotInSpecs` or `SpecInvalid` for the pools that are not named; returns key → reason, old ones included.

    `problems`: path of a spec file → its first problem. A pool whose run is under way is left for the next time.
    `listen`: called with every status that was stored.
    """
    store = _Store(state, leases, clock, listen)
    return {status.key: _marked(store, status, problems.get(status.path)) for status in gone(state, named)}


@dataclass(frozen=True, slots=True)
class _Store:
    state: StateStore
    leases: Leases
    clock: Clock
    listen: Callable[[PoolStatus], None]


def gone(state: StateStore, named: Collection[str]) -> tuple[PoolStatus, ...]:
    """The stored statuses of pools that are not named, sorted."""
    prefix = pool_document("")
    stored = [name.removeprefix(prefix) for name in state.names(prefix)]
    return statuses(state, [key for key in stored if key not in named])


def finding_of(status: PoolStatus, problems: Mapping[str, str]) -> tuple[str, str]:
    """Reason and text for a pool that is not named, as `mark` stores them."""
    cause, text = _cause(status, problems.get(status.path))
    return cause.reason, text


def _marked(store: _Store, status: PoolStatus, problem: str | None) -> str:
    cause, text = _cause(status, problem)
    finding = causes.finding([Occurrence(cause, text)])
    if status.found(finding, store.clock.now()).conditions == status.conditions:
        return cause.reason
    try:
        lease = store.leases.acquire(status.key, _SECONDS)
    except LeaseHeld:
        return cause.reason
    try:
        document = store.state.load(pool_document(status.key))
        if document is not None and not _forgotten(document.body):
            known = with_finding(PoolStatus.from_json(status.key, document.body), finding, store.clock.now())
            store.state.save(pool_document(status.key), known.to_json(), document.etag)
            store.listen(known)
    finally:
        lease.release()
    return cause.reason


def _cause(status: PoolStatus, problem: str | None) -> tuple[Cause, str]:
    if problem is not None:
        return causes.SPEC_BROKEN, f"{problem}; nothing of the pool is read or written until the file is valid"
    where = f" (it was in {status.path})" if status.path else ""
    return (
        causes.NOT_IN_SPECS,
        f"no spec names the pool{where}; nothing of it is removed. forget {status.key} ends this",
    )


def forget(state: StateStore, leases: Leases, clock: Clock, key: str) -> None:
    """The pool was retired on purpose: its status is dropped. `NotFound` where there is none; `LeaseHeld` in a run."""
    document = state.load(pool_document(key))
    if document is None or _forgotten(document.body):
        raise NotFound(f"pool {key}: no status is stored")
    lease = leases.acquire(key, _SECONDS)
    try:
        state.save(pool_document(key), {"key": key, FORGOTTEN: moment(clock.now())}, document.etag)
    finally:
        lease.release()


def _forgotten(body: Any) -> bool:
    return isinstance(body, Mapping) and FORGOTTEN in body and "conditions" not in body

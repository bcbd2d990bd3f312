"""What a message demands of the facts, and which requests are done by what was read for others.

A request is done when every fact of its scope, and the commit, were read after it was put, and a run of the pool judged
them without leaving work. For a whole pool that is in the pool's status. For a place it follows from the moments of the
facts that a run used, and this process remembers it for the runs that it made; another process judges the same facts
once more, which costs no request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime

from reconciler.engine import Outcome, Result
from reconciler.service.queue.messages import WorkMessage
from reconciler.spec.principals import is_id
from reconciler.survey import scopes
from reconciler.survey.demand import Demand
from reconciler.survey.scopes import Scope, ScopeKind

MOST = 4096
"""Pools and places that are remembered."""
_SETTLED = frozenset({Outcome.IN_SYNC, Outcome.APPLIED})


def scopes_of(work: WorkMessage) -> tuple[Scope, ...]:
    """What a message is about: its places, or the whole of each of its pools."""
    read = [Scope.read(text) for text in work.scopes]
    known = [one for one in read if one is not None]
    return tuple(known) if known and len(known) == len(read) else tuple(scopes.pool(key) for key in work.keys)


def is_whole(work: WorkMessage) -> bool:
    """Whether a message is about whole pools."""
    return not work.scopes or any(Scope.read(text) is None for text in work.scopes)


def holds(wide: Collection[str], narrow: Collection[str]) -> bool:
    """Whether what is about some places is also about others; no place at all is the whole pool."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def seen_of(result: Result, about: Collection[Scope]) -> datetime | None:
    """When the oldest fact of these scopes was read that a run judged without leaving work; None: not known."""
    if result.next_look is not None or result.outcome not in _SETTLED or result.seen is None:
        return None
    if any(one.kind is ScopeKind.PROJECT and not is_id(one.project) for one in about):
        return None  # which facts it names, the names of projects tell
    return result.seen(lambda fact: any(one.holds(fact) for one in about))


class Coverage:
    """By pool and places: from which moment on all facts there are that a run judged last. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, frozenset[str]], datetime] = OrderedDict()

    def note(self, key: str, places: Collection[str], seen: datetime) -> None:
        """A run of the pool left nothing to do, by facts of these places that were read then or later."""
        name = key, frozenset(places)
        with self._lock:
            self._known[name] = max(seen, self._known.get(name, seen))
            self._known.move_to_end(name)
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def of(self, key: str, places: Collection[str], now: datetime) -> datetime | None:
        """The moment for a request about these places; None where no run of this process judged them."""
        with self._lock:
            seen = self._known.get((key, frozenset(places)))
        return seen if seen is not None and seen <= now else None


def demand_of(work: WorkMessage, received: datetime, since: datetime, *, resync: bool) -> Demand:
    """How fresh facts have to be; `resync`: all of them, since the resync was put."""
    return Demand(received, since, () if resync else scopes_of(work), since if resync else None)

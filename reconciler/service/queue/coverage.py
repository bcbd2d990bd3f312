"""What a message is about, and what it demands of the facts.

A request is done when every fact of its scope, and the commit, were read after it was put, and a run of the pool judged
them without leaving work. For a whole pool that is in the pool's status; for a place it follows from the moments of the
facts that this process knows. Another process judges the same facts once more, which costs no request.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.service.queue.messages import WorkMessage
from reconciler.spec.model import Spec
from reconciler.survey import scopes
from reconciler.survey.demand import MAX_AGE, Demand
from reconciler.survey.scopes import Scope


def scopes_of(work: WorkMessage) -> tuple[Scope, ...]:
    """The places of a message, or the whole of each of its pools."""
    read = [Scope.read(text) for text in work.scopes]
    known = [one for one in read if one is not None]
    return tuple(known) if known and len(known) == len(read) else tuple(scopes.pool(key) for key in work.keys)


def is_whole(work: WorkMessage) -> bool:
    """Whether a message is about whole pools."""
    return not work.scopes or any(Scope.read(text) is None for text in work.scopes)


def holds(wide: Collection[str], narrow: Collection[str]) -> bool:
    """Whether what is about some places is also about others; no place at all is the whole pool."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def demand_of(work: WorkMessage, received: datetime, since: datetime, max_age: timedelta = MAX_AGE) -> Demand:
    """How fresh facts have to be for a request."""
    return Demand.of_request(received, since, scopes_of(work), max_age)


class SweepDemands(Protocol):
    """Which facts the sweeps of a deployment read again (`reconciler.service.events.sweeps`)."""

    def demand(self, specs: Sequence[Spec], received: datetime, since: datetime) -> Demand:
        """Of the sweep that was put then."""

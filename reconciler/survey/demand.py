"""How fresh facts have to be for a message: in its scope read after it was put, elsewhere within the maximum age.

A moment of this worker's clock at which it took the message lies after the message was put, whatever the clocks say;
the store's moment lies at most `MARGIN` before it. The earlier of both is enough, so that what was read while the
message waited is not read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.ports.clock import MARGIN
from reconciler.ports.devops import Project
from reconciler.spec.model import Spec
from reconciler.survey import scopes
from reconciler.survey.memo import Key
from reconciler.survey.rotation import Rotation
from reconciler.survey.scopes import Scope

MAX_AGE = timedelta(hours=4)
"""How old a fact may become before it is read again, where no setting says otherwise."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Of one message. Moments are aware, in UTC."""

    received: datetime
    """When this worker took the message, by its own clock."""
    since: datetime
    """When the message was first put, by the store's clock; one that is put back keeps it."""
    scopes: tuple[Scope, ...] = ()
    oldest: datetime | None = None
    """When facts outside the scopes may have been read; None: at most `MAX_AGE` before it was received."""
    until: float | None = None
    """By the clock's stopwatch: when no further read may begin; None: reading takes as long as it takes."""
    rotation: Rotation | None = None
    """Of a sweep: facts outside the scopes are read after it was put, but for those that rotation postpones."""

    @property
    def put(self) -> datetime:
        """A moment at which the message was on the queue, as early as is certain."""
        return min(self.received, self.since + MARGIN)

    def needed(self, key: Key) -> datetime:
        """A fact that was read earlier than this is read again."""
        if self.rotation is not None:
            # A sweep is about no change in particular, so what was read while it was put counts too.
            put = min(self.received, self.since)
            hot = any(scope.holds(key) for scope in self.scopes)
            return put if hot else self.rotation.needed(key, self.received, self.since) or put
        # A message that waited for longer than the maximum age is no reason to use facts beyond it.
        oldest = self.received - MAX_AGE if self.oldest is None else self.oldest
        return max(self.put, oldest) if any(scope.holds(key) for scope in self.scopes) else oldest

    @classmethod
    def of_sweep(cls, received: datetime, since: datetime, rotation: Rotation, hot: Iterable[Scope] = ()) -> Demand:
        """A full look, but for project facts of organizations whose feed counts; `hot`: scopes that are read whole.

        Hot are pools that are not in sync, were changed lately, or have another spec than at their last run.
        """
        return cls(received, since, tuple(hot), rotation=rotation)

    @classmethod
    def of_request(
        cls, received: datetime, since: datetime, scopes: Iterable[Scope], max_age: timedelta = MAX_AGE
    ) -> Demand:
        """An event, a commit, a follow-up or a person's request about these scopes."""
        return cls(received, since, tuple(scopes), received - max_age)

    def placed(self, specs: Iterable[Spec], known: Callable[[str], Collection[Project] | None]) -> Demand:
        """With scopes whose names are resolved; see `scopes.placed`."""
        return replace(self, scopes=scopes.placed(self.scopes, specs, known))

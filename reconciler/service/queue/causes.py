"""What several pools of a message suffer from the same cause: one later message for all of them.

An organization that throttles, or that does not answer, fails each of its pools by the same error. A retry for each of
them would read the organization as often as it has pools.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reconciler.engine import Result
from reconciler.errors import Throttled, Unavailable
from reconciler.plan.model import Change, GapKind
from reconciler.plan.targets import AgentPoolPlace, OrganizationPlace, ProjectPlace, QueuePlace
from reconciler.service.queue.messages import MAX_SCOPES, WorkMessage
from reconciler.spec.model import Spec
from reconciler.survey import scopes


def pause_of(result: Result | None) -> float | None:
    """Seconds until the organization of a pool may be called again, where it throttles; None: it does not."""
    if result is None or result.next_look is None:
        return None
    gaps = result.plan.gaps if result.plan is not None else ()
    pauses = [one.error.retry_after or 0.0 for one in result.failures if isinstance(one.error, Throttled)]
    pauses += [one.retry_after or 0.0 for one in gaps if one.reason == Throttled.__name__]
    return max(pauses, default=None)


def cause_of(result: Result) -> str | None:
    """The error of a read that may have failed for other pools too; None where there is none."""
    gaps = result.plan.gaps if result.plan is not None and result.next_look is not None else ()
    found = (one.message for one in gaps if one.kind is GapKind.UNKNOWN and one.reason == Unavailable.__name__)
    return min(found, default=None)


class Paused:
    """The pools of a message that wait for an organization that throttles; pools of other organizations do not."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.seconds = 0.0
        self._organizations: set[str] = set()

    def holds(self, key: str, spec: Spec | None) -> bool:
        """Whether a pool uses such an organization; then it waits."""
        waits = spec is not None and any(one.name in self._organizations for one in spec.organizations)
        if waits:
            self.keys.append(key)
        return waits

    def note(self, key: str, result: Result | None, spec: Spec | None) -> None:
        """Take note of a run: where it was throttled, its pool waits too."""
        pause = pause_of(result)
        if pause is None or result is None or spec is None:
            return
        names = {one.name for one in spec.organizations}
        gaps = result.plan.gaps if result.plan is not None else ()
        said = {one.subject.partition("/")[0] for one in gaps if one.reason == Throttled.__name__}
        for failure in result.failures:
            if isinstance(failure.error, Throttled):
                place = failure.change.place if failure.change is not None else None
                said.add("" if place is None else place.organization)
        # A gap of a whole facet does not say which organization: one that throttles may be any of them.
        self._organizations |= min(said, names)
        self.keys.append(key)
        self.seconds = max(self.seconds, pause)


class SharedCauses:
    """The pools of a message that failed by such an error."""

    def __init__(self) -> None:
        self._by_cause: dict[str, list[tuple[str, Result]]] = defaultdict(list)

    def note(self, trace: str, result: Result | None) -> None:
        """Take note of a run."""
        if result is not None and (cause := cause_of(result)) is not None:
            self._by_cause[cause].append((trace, result))

    def together(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Pools that share a cause, and when to read them again."""
        for members in self._by_cause.values():
            if len(members) > 1:
                keys = tuple(result.status.key for _, result in members)
                yield keys, max(result.next_look or 0.0 for _, result in members)

    def apart(self) -> Iterator[tuple[str, Result]]:
        """Pools with a cause of their own: the trace of the run, and its result."""
        yield from (members[0] for members in self._by_cause.values() if len(members) == 1)


def places_left(work: WorkMessage, result: Result) -> tuple[str, ...]:
    """What a follow-up is about: the places of its message, and what is left; empty for the whole pool.

    What is missing for another reason than a queue that is not there may be anywhere.
    """
    found = set(work.scopes)
    if result.plan is None:
        return ()
    for change in result.plan.all_changes:
        places = _of(change)
        if not places:
            return ()
        found.update(places)
    for gap in result.plan.gaps:
        organization, inside, project = gap.subject.partition("/")
        if inside:
            found.add(scopes.project(organization, project).text())
        elif gap.bounded:
            found.add(scopes.arm(result.status.key).text())
        elif gap.kind is not GapKind.DEGRADED:
            return ()
    return tuple(sorted(found)) if len(found) <= MAX_SCOPES else ()


def _of(change: Change) -> tuple[str, ...]:
    match change.place:
        case QueuePlace() | ProjectPlace() as place:
            return (scopes.project(place.organization, place.project_id).text(),)
        case AgentPoolPlace() | OrganizationPlace() as place:
            return scopes.agent_pools(place.organization).text(), scopes.roles(place.organization).text()
        case None:
            return ()

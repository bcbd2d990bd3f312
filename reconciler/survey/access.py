"""Open access of many queues from one cheap list a project, and pair by pair where the list does not suffice.

A queue that is in the list is open. One that is missing from it is closed only where the list was found complete, and
is not of a length at which it may have been cut (`reconciler.survey.list_completeness`). What contradicts the desired
state is read pair by pair, so that each decision to write rests on the authorization itself: the cost of that grows
with the number of differences, not with the number of queues.

What `probe` found about the lists comes in as `AccessSources.capability`; the ledger decides how far it counts.

A service that rejects the request for the list (its form without an id is published, and no known caller uses it) has
none: there every pair is read. A list that could not be read for another reason is an error of all its queues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from reconciler.errors import ReconcilerError, Rejected
from reconciler.ports.devops import PipelinePermissions, Queue
from reconciler.survey.list_completeness import Ledger

Lists: TypeAlias = Mapping[str, frozenset[int] | ReconcilerError]
"""Project id → queue ids in its list of authorized resources, or why it could not be read."""
Pairs: TypeAlias = Mapping[Queue, PipelinePermissions | ReconcilerError]


class AccessSources(NamedTuple):
    """Where the facts come from; everything here remembers what it read."""

    lists: Callable[[Sequence[str]], Lists]
    pairs: Callable[[Sequence[Queue]], Pairs]
    again: Callable[[str], Lists]
    """One project's list, read again."""
    touched: Callable[[str], bool]
    """Whether this batch wrote in the project: its list may lag, and says nothing about completeness."""
    capability: str = ""
    """What `probe` found about the lists: see `reconciler.survey.capabilities.Beliefs.authorized`."""


def settle(
    organization: str, desired: Mapping[Queue, bool], *, sources: AccessSources, ledger: Ledger
) -> dict[Queue, bool | ReconcilerError]:
    """Whether each queue is open, or why that could not be read; the queues are all of one agent pool."""
    lists = sources.lists(sorted({queue.project_id for queue in desired}))
    verified, longest = [], 0
    for queue, wanted in desired.items():
        listed = lists[queue.project_id]
        if wanted and not isinstance(listed, ReconcilerError) and queue.id in listed:
            verified.append(queue)
            longest = max(longest, len(listed))
    if verified:
        ledger.note_length(organization, longest)
    if len(verified) == len(desired) and ledger.shown(organization, sources.capability):
        return dict.fromkeys(verified, True)
    return _read_too(organization, desired, lists, sources, ledger)


def _read_too(
    organization: str, desired: Mapping[Queue, bool], lists: Lists, sources: AccessSources, ledger: Ledger
) -> dict[Queue, bool | ReconcilerError]:
    """With pair reads of what the lists do not settle, and of what tries them."""
    readable = [queue for queue in desired if not isinstance(lists[queue.project_id], ReconcilerError)]
    triable = _triable(readable, desired, shown=ledger.shown(organization, sources.capability))
    trial = ledger.draw(organization, triable, capability=sources.capability)
    read = _witnessed(organization, trial, lists, sources, ledger)
    longest = _longest(lists, readable)
    doubtful = [
        queue
        for queue in readable
        if queue not in read
        and (
            _listed(lists, queue) is not desired[queue]
            or not (
                desired[queue]
                or ledger.absence_counts(organization, _length(lists, queue), longest, sources.capability)
            )
        )
    ]
    read |= _witnessed(organization, doubtful, lists, sources, ledger)
    if listless := [queue for queue in desired if isinstance(lists[queue.project_id], Rejected)]:
        read |= sources.pairs(listless)
    return {queue: _answer(lists[queue.project_id], queue, read) for queue in desired}


def _triable(readable: Sequence[Queue], desired: Mapping[Queue, bool], *, shown: bool) -> list[Queue]:
    """Pairs worth a trial: those desired open until the list was shown complete, then those desired closed.

    Only an open pair can show that a list is complete. Afterwards only a pair that counts as closed because it is
    missing needs a trial; one that is desired open is read at once where it is missing, and is a miss if it is open.
    """
    return [queue for queue in readable if desired[queue] is not shown]


def _listed(lists: Lists, queue: Queue) -> bool:
    listed = lists[queue.project_id]
    return not isinstance(listed, ReconcilerError) and queue.id in listed


def _length(lists: Lists, queue: Queue) -> int:
    listed = lists[queue.project_id]
    return 0 if isinstance(listed, ReconcilerError) else len(listed)


def _longest(lists: Lists, queues: Iterable[Queue]) -> int:
    return max([_length(lists, queue) for queue in queues], default=0)


def _answer(listed: frozenset[int] | ReconcilerError, queue: Queue, read: Pairs) -> bool | ReconcilerError:
    pair = read.get(queue)
    if isinstance(pair, PipelinePermissions):
        return pair.all_pipelines
    if isinstance(listed, ReconcilerError):
        return pair or listed
    if pair is None or queue.id in listed:
        return queue.id in listed
    return pair


def _witnessed(
    organization: str, queues: Sequence[Queue], lists: Lists, sources: AccessSources, ledger: Ledger
) -> dict[Queue, PipelinePermissions | ReconcilerError]:
    """Read the pairs, and compare those found open with the lists. Pairs in projects written to are no witnesses."""
    if not queues:
        return {}
    read = dict(sources.pairs(queues))
    witnesses = [
        queue
        for queue, pair in read.items()
        if isinstance(pair, PipelinePermissions) and pair.all_pipelines and not sources.touched(queue.project_id)
    ]
    agreed = [queue for queue in witnesses if _listed(lists, queue)]
    misses = _still_missing([queue for queue in witnesses if not _listed(lists, queue)], sources)
    if agreed or misses:
        ledger.note_length(organization, _longest(lists, agreed))
        ledger.note_trials(organization, len(agreed), misses)
    return read


def _still_missing(queues: Iterable[Queue], sources: AccessSources) -> int:
    """Queues that are missing from a list read after their pair read, too: opened in between is no miss."""
    return sum(not _listed(sources.again(queue.project_id), queue) for queue in queues)

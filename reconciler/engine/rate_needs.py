"""What organizations need for a full resync, and what their rate budgets allow, as stored by the workers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.ports.budgets import MAXIMUM_AGE, Need, document_name, need_of, rates
from reconciler.ports.stores import StateStore

_PREFIX = document_name("")


def needs_of(
    state: StateStore, now: datetime, organizations: Iterable[str] | None = None, maximum: float = MAXIMUM_AGE
) -> tuple[Need, ...]:
    """The needs of these organizations, or of all that are stored; one read for each.

    `maximum`: the maximum age of evidence in seconds.
    """
    if organizations is None:
        organizations = [name.removeprefix(_PREFIX) for name in state.names(_PREFIX)]
    found = (_need(state, one, now.timestamp(), maximum) for one in sorted(set(organizations)))
    return tuple(one for one in found if one is not None)


def _need(state: StateStore, organization: str, now: float, maximum: float) -> Need | None:
    document = state.load(document_name(organization))
    return None if document is None else need_of(organization, rates(document.body, now).values(), now, maximum)

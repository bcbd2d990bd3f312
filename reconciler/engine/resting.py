"""Members that no directory knows: asked for again after hours, not at every look.

Making somebody known costs several refused writes where nobody of that name exists, and a plan that would write is
made on fresh reads of the whole pool. Both would be paid by every sweep for one dead name in a list.

Only the write rests. Who a principal is, is looked up at every look: whoever is found is a member by then, and nothing
is left to write. An approved plan rests on nothing, and neither does another revision of the specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from reconciler.engine.result import Failure
from reconciler.errors import Rejected
from reconciler.plan import Change
from reconciler.stored import Rest

FIRST = timedelta(hours=1)
LONGEST = timedelta(days=1)


def held(changes: Iterable[Change], rests: Mapping[str, Rest], revision: str, now: datetime) -> dict[str, Rest]:
    """The changes, by id, that are not asked for now."""
    known = {change.id: rests[change.id] for change in changes if change.id in rests}
    return {name: rest for name, rest in known.items() if rest.revision == revision and now < rest.until}


def after(failed: Iterable[Failure], rests: Mapping[str, Rest], revision: str, now: datetime) -> dict[str, Rest]:
    """What rests after a run that ended so; what rested in it goes on as it was."""
    found: dict[str, Rest] = {}
    for one in failed:
        change = one.change
        if change is None or not isinstance(one.error, Rejected) or change.args.get("materialise") is not True:
            continue
        known = rests.get(change.id)
        if known is not None and known.revision == revision and now < known.until:
            found[change.id] = known
        else:
            attempts = known.attempts + 1 if known is not None and known.revision == revision else 1
            found[change.id] = Rest(str(one.error), revision, attempts, now + _pause(attempts))
    return dict(sorted(found.items()))


def _pause(attempts: int) -> timedelta:
    return min(LONGEST, FIRST * (1 << min(attempts - 1, 8)))

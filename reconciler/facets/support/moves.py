"""A pool that is not where the spec says: never created a second time while one of its name is somewhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.documents import Json
from reconciler.errors import Moved, NotFound, Rejected
from reconciler.spec.model import Spec
from reconciler.survey import Survey

_PLACE = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/", re.IGNORECASE)


def document_of(spec: Spec, survey: Survey) -> Mapping[str, Json] | None:
    """The pool's document; None where there is no such pool, neither there nor elsewhere.

    `Moved` where it is found at another place. A resource group that does not exist is searched for as well: an empty
    one is often deleted after a move.
    """
    try:
        document = survey.arm_pool(spec)
    except NotFound:
        _require_absent(spec, survey)
        raise
    if document is None:
        _require_absent(spec, survey)
    return document


def _require_absent(spec: Spec, survey: Survey) -> None:
    found = survey.elsewhere(spec)
    if found is None:
        return
    if not found.same:
        message = f"{spec.name}: {found.resource_id} has this name, which is unique in all of Azure"
        raise Rejected(f"{message}, and is another pool ({found.evidence}): write another name, or delete that pool")
    place = _PLACE.match(found.resource_id)
    lines = []
    if place and place[1].casefold() != spec.subscription.casefold():
        lines.append(f"subscription: {place[1].lower()}")
    if place and place[2].casefold() != spec.resource_group.casefold():
        lines.append(f"resourceGroup: {place[2]}")
    raise Moved(
        f"{spec.name}: the pool is not at {spec.pool_id} but at {found.resource_id} ({found.evidence}): "
        f"write {' and '.join(lines)} in the spec, or move it back; nothing is written meanwhile"
    )

"""Facts of one organization that are read side by side, each with its own error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.survey.memo import Key, Memo
from reconciler.survey.parallel_reads import Lanes


def facts(
    memo: Memo, lanes: Lanes, organization: str, keys: Sequence[Key], fetch: Callable[[Key], Any]
) -> dict[Key, Any]:
    """The value of a key is the fact or the error."""
    known = memo.known(keys)
    if len(known) == len(keys):
        return known

    def read(key: Key) -> Any:
        try:
            return memo.get(key, lambda: fetch(key))
        except ReconcilerError as error:
            return error

    lanes.each(organization, read, [key for key in keys if key not in known])
    return {key: read(key) for key in keys}

"""Every body is checked by the rules for specs before it is sent, whatever it was merged from. Pure.

A spec that names a part is valid by itself, and so is the live resource; what a merge makes of both may not be: a
schedule beside automatic predictions, or more stand-by agents than `maximumConcurrency`. What the live resource has
already is not held against an update, which only carries it on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.documents import Json
from reconciler.spec.loader import check
from reconciler.spec.problem import Finding, spell

_SENT = ("location", "tags", "identity", "properties")
_ENVELOPE: Mapping[str, Json] = {
    "apiVersion": "reconciler/v1",
    "kind": "ManagedDevOpsPool",
    "name": "pool",
    "subscription": "00000000-0000-0000-0000-000000000000",
    "resourceGroup": "group",
}
"""What a spec says beside the body; no rule for the fields that are sent looks at it."""


def objections(
    body: Mapping[str, Json], carried: Mapping[str, Json] | None = None, version: str = ""
) -> Iterator[tuple[str, str]]:
    """Rule and reason of everything that speaks against a body; nothing that `carried`, the live resource, has too.

    `version`: a newer api-version, whose fields are not known here.
    """
    known = {_without_places(one) for one in _findings(carried or {}, version)}
    for where, message in _findings(body, version):
        if _without_places((where, message)) not in known:
            yield "invalid-body", f"the body to be sent is invalid: {spell(where)} {message}"


def _findings(body: Mapping[str, Json], version: str) -> list[Finding]:
    sent = {key: _without_nulls(value) for key, value in body.items() if key in _SENT and value is not None}
    document = {**_ENVELOPE, "pool": sent}
    if version:
        document["armApiVersion"] = version
    return [one for one in check(document).findings if one[0][:1] == ("pool",)]


def _without_places(finding: Finding) -> Finding:
    """A finding without positions in lists: an entry may have another one after the merge."""
    where, message = finding
    return tuple(step for step in where if isinstance(step, str)), message


def _without_nulls(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list | tuple) else value


def touched(before: Mapping[str, Json], after: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[str]:
    """Paths at which two documents differ, lists as a whole; a second opinion on what a PUT does."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from touched(old, new, (*path, key))
        elif old != new:
            yield ".".join((*path, key)).removeprefix("properties.")

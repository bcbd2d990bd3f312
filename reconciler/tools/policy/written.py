"""A policy as the text of a policy/v2 file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from reconciler.documents import Json
from reconciler.plan.policy import Allow, Policy
from reconciler.plan.policy.fields import MOST_MACHINES, ROWS, Kind, Row
from reconciler.plan.policy.file import V2
from reconciler.plan.policy.model import GUEST, NOTHING, folded
from reconciler.plan.render import clean

_GUEST = GUEST.upper()
_EVERYONE = ("*", f"*{_GUEST}*")


def text(allow: Sequence[Allow], comments: Iterable[str] = ()) -> str:
    """The file: comments, then the entries, fields in the order of the documentation."""
    document = {"apiVersion": V2, "allow": [_entry(one) for one in allow]}
    lines = [f"# {clean(one)}\n" for one in comments]
    return "".join(lines) + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=2**20)


def migrated(policy: Policy) -> str:
    """A policy/v1 as policy/v2, with the same meaning: what it does not name is allowed, and has to be said now."""
    given = {row.attribute: _said(policy, row) for row in ROWS}
    return text([Allow({**given, "pools": ("*",)})])


def _said(policy: Policy, row: Row) -> Any:
    value = getattr(policy, row.attribute)
    if row.kind is Kind.NUMBER:
        return MOST_MACHINES if value is None else value
    if row.kind is Kind.FLAG:
        return value
    if row.attribute == "principals":
        return _EVERYONE if value is None else tuple(pattern for one in value for pattern in _with_guests(one))
    return ("*",) if value is None else value


def _with_guests(pattern: str) -> list[str]:
    """In policy/v1 a pattern matches guests too; in policy/v2 one that says so does."""
    if GUEST in folded(pattern):
        return [pattern]
    found = [pattern]
    for index, one in enumerate(pattern):
        if one == "*":
            found.append(f"{pattern[:index]}*{_GUEST}*{pattern[index + 1 :]}")
    return found


def _entry(one: Allow) -> dict[str, Json]:
    """The fields that an entry has, without those that say what is so without them."""
    found: dict[str, Json] = {}
    for row in ROWS:
        value = one.given.get(row.attribute)
        if value is not None and (row.attribute == "pools" or value != NOTHING[row.attribute]):
            found[row.name] = list(value) if isinstance(value, tuple) else value
    return found

"""The documented JSON form of targets and places."""

from __future__ import annotations

from dataclasses import fields

from reconciler.documents import Json
from reconciler.plan.targets import PLACES, Place, Target


def to_json(target: Target) -> dict[str, Json]:
    """One object: the type, then its fields; the fields of the place stand beside the others."""
    name = type(target).__name__
    return {"type": name[0].lower() + name[1:], **_fields(target)}


def _fields(value: Target | Place) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for one in fields(value):
        inner = getattr(value, one.name)
        if one.name == "api_version" and not inner:
            continue
        if isinstance(inner, PLACES):
            found |= _fields(inner)
        else:
            first, *rest = one.name.split("_")
            found[first + "".join(map(str.title, rest))] = list(inner) if isinstance(inner, tuple) else inner
    return found

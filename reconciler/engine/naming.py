"""Where names of people may appear, and what stands for a person elsewhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.plan.model import Change

_ADDRESS = re.compile(r"[^\s@,;:/\\\[\]\"'<>()]+@[^\s@,;:/\\\[\]\"'<>()]+")
_LOCAL_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class NameRules:
    """`RECONCILER_NAMES`: whether people are named in the record of writes, and in log lines and spans."""

    record: bool = True
    telemetry: bool = False


DEFAULT_NAMES = NameRules()


def without_names(change: Change | None, value: Json) -> Json:
    r"""A value of this change in which an id stands for a person: the local id where the target has it, else a digest.

    Groups of Azure DevOps (``[scope]\name``) are no people, and keep their names.
    """
    target = change.target if change is not None else None
    principal, known = getattr(target, "principal", ""), {}
    if principal and not principal.startswith("[") and not _LOCAL_ID.fullmatch(principal):
        known[principal] = getattr(target, "identity_id", "") or pseudonym(principal)
    return _replaced(value, known)


def pseudonym(name: str) -> str:
    """The same for the same name in any case, so that entries of one person can be counted."""
    return f"person-{hashlib.sha256(name.casefold().encode()).hexdigest()[:12]}"


def _replaced(value: Json, known: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        for name, stand_in in known.items():
            value = value.replace(name, stand_in)
        return _ADDRESS.sub(lambda found: pseudonym(found.group()), value)
    if isinstance(value, list):
        return [_replaced(one, known) for one in value]
    if isinstance(value, Mapping):
        return {_replaced(key, known): _replaced(one, known) for key, one in value.items()}
    return value

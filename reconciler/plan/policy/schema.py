"""The JSON Schema of a policy/v2 file, for editors. The file itself is checked by `reconciler.plan.policy.file`."""

from __future__ import annotations

from typing import Any

from reconciler.plan.policy import parts_file
from reconciler.plan.policy.fields import ROWS, Kind, Row
from reconciler.plan.policy.file import V2
from reconciler.plan.policy.parts import CapKind, CapPeriod, CapScope

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string", "pattern": r"\S"}
_BY_POOL_ALONE = (CapKind.RESTARTS, CapKind.DESTRUCTIONS)


def json_schema() -> dict[str, Any]:
    """The schema, as a new value on every call."""
    entry = _object({row.name: _field(row) for row in ROWS}, "What the pools that match may have.", ["pools"])
    fields = {
        "apiVersion": {"const": V2, "description": "The version of the format."},
        "allow": {
            "type": "array",
            "items": entry,
            "description": "A pool may have what any entry that names it allows, and nothing else.",
        },
        "caps": _object(
            {kind.value: _scopes(kind) for kind in CapKind}, "Most changes of a kind in one run and in 24 hours."
        ),
        "operators": {
            "type": "array",
            "items": _TEXT,
            "description": "Identities that the deployment runs as: addresses, or object ids of applications.",
        },
        "windows": {"type": "array", "items": _window(), "description": "When changes of some risks may be made."},
        "state": {**_TEXT, "description": "Where the deployment's state is, as RECONCILER_STATE says; without a key."},
    }
    title = "What a deployment of the pool reconciler allows"
    return {"$schema": _DIALECT, "title": title, **_object(fields, "", ["apiVersion"])}


def _object(fields: dict[str, Any], about: str, required: list[str] | None = None) -> dict[str, Any]:
    described = {"description": about} if about else {}
    needed = {"required": required} if required else {}
    return {"type": "object", **described, "properties": fields, **needed, "additionalProperties": False}


def _field(row: Row) -> dict[str, Any]:
    about = {"description": f"{row.about[:1].upper()}{row.about[1:]}."}
    if row.kind is Kind.FLAG:
        return {"type": "boolean", **about}
    if row.kind is Kind.NUMBER:
        return {"type": "integer", "minimum": 0, "maximum": row.most, **about}
    about["description"] += f" Patterns over: {row.form}."
    return {"type": "array", "items": _TEXT, **about}


def _scopes(kind: CapKind) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0, "maximum": parts_file.MOST_CHANGES}
    periods = _object({period.value: number for period in CapPeriod}, "")
    scopes = [one for one in CapScope if one is not CapScope.ORGANIZATION or kind not in _BY_POOL_ALONE]
    return _object({scope.value: periods for scope in scopes}, "")


def _window() -> dict[str, Any]:
    fields = {
        "risks": {"type": "array", "minItems": 1, "items": {"enum": [risk.value for risk in parts_file.RISKS]}},
        "cron": {**_TEXT, "description": "Minute, hour, day of the month, month, day of the week."},
        "timeZone": {**_TEXT, "description": "Name of the IANA database, such as Europe/Berlin."},
        "length": {"type": "string", "pattern": f"^{parts_file.LENGTH}$", "description": "d.hh:mm:ss"},
    }
    return _object(fields, "", list(parts_file.WINDOW))

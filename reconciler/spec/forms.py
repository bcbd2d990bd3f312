"""The forms that single values may have: what a JSON type alone cannot say.

Each is an `Annotated` type: the check with its sentence, and its part of the JSON Schema for editors. Enumerations of
the service are open (`modelAsString` in azure-rest-api-specs, devopsinfrastructure 2026-06-02): an unknown value is
kept, one that is nearly a known one is a slip.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from reconciler.documents.spelling import nearest
from reconciler.spec.model import ARM_API_VERSION
from reconciler.spec.problem import listing, show

_SLIP = 0.92
"""How alike a slip is to the known value: one letter off, but not ``PremiumV2_LRS`` for ``Premium_LRS``."""

_REMEMBERED, _SHORT = 256, 120
"""Values of a form whose check is remembered, and their length at most: most specs of a deployment name the same."""

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def wrong(message: str) -> PydanticCustomError:
    """A finding of ours inside pydantic; the text is passed as a value, so braces in it mean nothing."""
    return PydanticCustomError("form", "{message}", {"message": message})


class CheckedText:
    """Text that a function has looked at; the function says what is wrong, or nothing."""

    known: tuple[str, ...] = ()
    """Of an open enumeration."""

    def __init__(self, check: Callable[[str], str | None], **json: Any) -> None:
        self.check, self.json = check, json
        self._remembered = lru_cache(_REMEMBERED)(check)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        return {**handler(schema), **self.json}

    def validate(self, value: str) -> str:
        """The value as it is; pydantic collects the findings."""
        message = self._remembered(value) if len(value) <= _SHORT else self.check(value)
        if message:
            raise wrong(message)
        return value


class Reference(CheckedText):
    """A text that is looked at, or an id: a whole number above zero."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.either)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        return {"anyOf": [{"type": "string", **self.json}, {"type": "integer", "minimum": 1}]}

    def either(self, value: Any) -> Any:
        """The value as it is."""
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        return self.validate(value if isinstance(value, str) else show(value))


def pattern(expression: str, meaning: str) -> CheckedText:
    """Text of one shape; `meaning` completes «write …»."""
    matches = re.compile(expression).fullmatch
    return CheckedText(
        lambda value: None if matches(value) else f"is {show(value)}; write {meaning}", pattern=f"^(?:{expression})$"
    )


def one_of(*known: str, strict: bool = True) -> CheckedText:
    """An open enumeration. `strict`: a value that resembles a known one is an error; else a warning, as any unknown."""
    exact = frozenset(known)

    def check(value: str) -> str | None:
        if value in exact or not strict:
            return None
        meant = nearest(value, known, _SLIP)
        return f"is {show(value)}; did you mean {meant}? Known are {listing(known)}" if meant else None

    enumeration = CheckedText(check, anyOf=[{"enum": list(known)}, {"type": "string"}])
    enumeration.known = known
    return enumeration


def resource(provider: str, kind: str, example: str) -> CheckedText:
    """An ARM resource id of one type; the casing of ids is not stable, so it is not looked at."""
    parts = "".join(rf"/{re.escape(part)}/[^/\s<>]+" for part in kind.split("/"))
    expression = rf"/subscriptions/{GUID}/resourceGroups/[^/\s<>]+/providers/{re.escape(provider)}{parts}"
    matches = re.compile(expression, re.IGNORECASE | re.ASCII).fullmatch
    meaning = f"/subscriptions/…/resourceGroups/…/providers/{provider}/{example}"
    return CheckedText(lambda value: None if matches(value) else f"is {show(value)}; write the resource id {meaning}")


def _day(value: str) -> str | None:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9][0-9]-[0-9][0-9]", value):
            date.fromisoformat(value)
            return None
    except ValueError:
        return f"is {show(value)}, which is no day of the calendar"
    return f"is {show(value)}; write a day such as 2026-12-31"


def _api_version(value: str) -> str | None:
    if not re.fullmatch(_API_VERSION, value):
        return f"is {show(value)}; write an api-version such as 2026-07-03-preview"
    if value[:10] <= ARM_API_VERSION:
        return f"is {show(value)}, which is not newer than {ARM_API_VERSION}, the version of this release; remove it"
    return None


def _span(value: str) -> str | None:
    found = re.fullmatch(r"(?:([0-9]{1,2})\.)?([0-9][0-9]):([0-9][0-9]):([0-9][0-9])", value)
    if not found:
        return f"is {show(value)}; write a time span as d.hh:mm:ss, such as 1.12:00:00"
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004 - a clock
        return f"is {show(value)}; hours go to 23, minutes and seconds to 59; days stand before a dot, as in 1.12:00:00"
    if (days, hours, minutes, seconds) > (7, 0, 0, 0):
        return f"is {show(value)}; the maximum is one week, 7.00:00:00"
    return None


def _buffer(value: str) -> str | None:
    if value == "*" or (value.isascii() and value.isdigit() and int(value[:4]) <= 100):  # noqa: PLR2004 - percent
        return None
    return f"is {show(value)}; write '*' or a percentage from '0' to '100'"


Text = Annotated[str, CheckedText(lambda value: None if value.strip() else "is empty; write a text", minLength=1)]
_API_VERSION = "[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-preview)?"
ApiVersion = Annotated[str, CheckedText(_api_version, pattern=f"^{_API_VERSION}$")]
Day = Annotated[str, CheckedText(_day, format="date")]
Span = Annotated[str, CheckedText(_span, pattern=r"^([0-9]{1,2}\.)?[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$")]
Buffer = Annotated[str, CheckedText(_buffer, pattern=r"^(\*|[0-9]|[1-9][0-9]|100)$")]
Guid = Annotated[str, pattern(GUID, "a guid, 8-4-4-4-12 hexadecimal digits")]
DriveLetter = Annotated[str, pattern("[A-Za-z]", "one letter")]
AbsolutePath = Annotated[str, pattern("/.*", "a path that begins with /")]
ResourceId = Annotated[str, pattern(r"/[^\s<>]+", "a resource id, which begins with / and holds no space")]
SubnetId = Annotated[
    str, resource("Microsoft.Network", "virtualNetworks/subnets", "virtualNetworks/{network}/subnets/{subnet}")
]
DevCenterProjectId = Annotated[str, resource("Microsoft.DevCenter", "projects", "projects/{project}")]
StorageAccountId = Annotated[str, resource("Microsoft.Storage", "storageAccounts", "storageAccounts/{account}")]
IdentityId = Annotated[
    str, resource("Microsoft.ManagedIdentity", "userAssignedIdentities", "userAssignedIdentities/{identity}")
]
CertificateUrl = Annotated[
    str,
    pattern(
        r"https://[A-Za-z0-9.-]+/secrets/[A-Za-z0-9-]+(?:/[0-9a-f]{32})?/?",
        "the certificate's secret URL, https://{vault}.vault.azure.net/secrets/{name}",
    ),
]
TimeOfDay = Annotated[str, pattern(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]", "a time of day as 'HH:MM:SS'")]

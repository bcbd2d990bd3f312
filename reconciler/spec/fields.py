"""How every object of the format is declared: plain data that is checked, and said to an editor, in one place.

The types are `TypedDict`s, not classes with behaviour: what was read from git is checked and then goes to ARM as it is,
so nothing is filled in, dropped or reordered on the way.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

STRICT = ConfigDict(extra="forbid", strict=True)


def said(description: str, *examples: Any, default: Any = None, **limits: Any) -> Any:
    """What is said of a field; `default` is what the service takes where the field is absent."""
    extra = None if default is None else {"default": default}
    return Field(description=description, examples=list(examples) or None, json_schema_extra=extra, **limits)


def read_only(description: str) -> Any:
    """What is said of a field that the service alone sets."""
    return Field(description=f"{description} Read-only: accepted from a pasted answer, and dropped.")


class Closed(TypedDict):
    """Unknown fields are errors, and nothing is converted."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

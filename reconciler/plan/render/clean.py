"""Makes a value from outside harmless on a screen: redacted and visible; and how wide it is there.

Not an encoder for Markdown or JSON: those have their own escapes, on top of this one.
"""

from __future__ import annotations

import unicodedata

from reconciler.documents.redaction import redact

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidirectional overrides, zero-width), surrogate, private, unassigned, line and paragraph breaks."""


def clean(value: str) -> str:
    r"""Redact, and write out every invisible character: ESC becomes ``\x1b``, a right-to-left override ``\u202e``.

    The result is one line without a terminal sequence or a secret.
    """
    value = redact(value)
    if value.isascii() and value.isprintable():
        return value
    return "".join(_visible(character) for character in value)


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category not in _HIDDEN:
        return character
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the three escapes differ by the digits that the code needs
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def width(value: str) -> int:
    """Columns that a cleaned value takes on a terminal: wide East Asian characters take two, combining ones none."""
    if value.isascii():
        return len(value)
    return sum(_columns(character) for character in value)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

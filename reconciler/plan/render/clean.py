"""Makes a value from outside harmless on a screen and in the log of a pipeline; and how wide it is there.

Not an encoder for Markdown or JSON: those have their own escapes, on top of this one. Pipelines read commands out of
the output of a step: Azure Pipelines after ``##vso[`` and ``##[`` anywhere in a line, GitHub Actions also after ``::``
at its begin (their agents' sources: `Command.TryParse`, `ActionCommand.TryParse`).
"""

from __future__ import annotations

import re
import unicodedata

from reconciler.documents.redaction import redact

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidirectional overrides, zero-width), surrogate, private, unassigned, line and paragraph breaks."""


_IGNORED = frozenset({
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
    *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
})  # fmt: skip
"""Letters and marks that show nothing: a comparison of texts by their meaning passes over them."""
_COMMAND = re.compile(r"(?<=#)#|\A(?P<blank>\s*):(?=:)")
LONGEST = 10_000
"""Characters of one text; what is longer is cut and marked."""


def clean(value: str, longest: int = LONGEST) -> str:
    r"""Redact, write out every invisible character, and break the commands of pipelines.

    ESC becomes ``\x1b``, a right-to-left override ``\u202e``, ``##vso[`` ``#\x23vso[``. The result is one line without
    a terminal sequence, a command or a secret. Cleaning a clean text changes nothing.
    """
    shown = redact(value)[: longest + 1]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(map(_visible, shown))
    return cut(_COMMAND.sub(_broken, shown), len(value), longest)


def cut(shown: str, length: int, longest: int) -> str:
    """The text with at most so many characters; where it is cut it says how long it was."""
    if len(shown) <= longest:
        return shown
    mark = f"… ({length} characters)"
    return shown[: longest - len(mark)] + mark


def _broken(found: re.Match[str]) -> str:
    return "\\x23" if found["blank"] is None else f"{found['blank']}\\x3a"


def _visible(character: str) -> str:
    category, code = unicodedata.category(character), ord(character)
    if category == "Zs":
        return " "
    if category not in _HIDDEN and code not in _IGNORED:
        return character
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

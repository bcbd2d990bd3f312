"""One thing that is wrong with a file, in one line, and the rules for saying it.

A message says what is there, what should be, and the nearest name where one was misspelt. It is deterministic, quotes
nothing that may be a secret, and cuts what is long: it ends up in logs, conditions and pull requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from reconciler.documents.redaction import redact

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of a document."""

Finding: TypeAlias = tuple[Path, str]
"""Where, and what to say; it becomes a `Problem` once the line is known."""

MOST_PROBLEMS = 100
"""Problems of one document that are reported; a file that is no spec at all has too many to read."""

LISTED = 10
"""Names that a message lists at most."""

SHOWN = 60
"""Characters of a value that a message quotes at most."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RUN = re.compile(r"[A-Za-z0-9+=_~]{20,}")
_MARKED = re.compile(r"[?&]\w+=|\beyJ|(?:password|passwd|pwd|secret|token|sig|key)\w*\s*[=:]", re.IGNORECASE)
"""Stricter than `redact`: a value is not shown at all where it only begins like a secret."""
_HIDDEN = "(not shown, it looks like a secret)"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Why a file, or one document of it, gives no spec."""

    path: str
    line: int
    """From 1."""
    where: str
    """``pool.properties.maximumConcurrency``, as the file spells it; empty for the file as a whole."""
    message: str
    column: int = field(default=1, compare=False)
    """From 1."""

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{one_line(self.path)}:{self.line}: {where}{self.message}"


def show(value: Any) -> str:
    """The value for a message: as JSON would write it, cut, and left out where it may be a secret."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = str(value)
    return _HIDDEN if secret_like(text) else one_line(clip(text)) or "an empty text"


def secret_like(text: str) -> bool:
    """Whether a text may be a token, a key, or a URL that carries one; ids of resources are not."""
    if _MARKED.search(text) or redact(text) != text:
        return True
    runs = _RUN.findall(_GUID.sub("", text))
    return any(re.search("[0-9]", run) and re.search("[A-Za-z]", run) for run in runs)


def clip(text: str) -> str:
    """At most `SHOWN` characters."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def one_line(text: str) -> str:
    """The text with everything unprintable spelt out, so that a message stays one line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def spell(path: Path) -> str:
    """A path as people write it: ``pool.properties.organizationProfile.organizations[0].url``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{show(step)}"
    return text.removeprefix(".")


def listing(names: Iterable[str]) -> str:
    """``a, b or c``; what is too much to read is left out."""
    *head, last = names
    if len(head) >= LISTED:
        return f"{', '.join(head[:LISTED])}, …"
    return f"{', '.join(head)} or {last}" if head else last

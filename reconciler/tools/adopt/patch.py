"""The difference of two contents of a file, as `git apply` takes it: byte for byte, whatever the line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff

_NO_END = b"\n\\ No newline at end of file\n"
_PLAIN = re.compile(r"[ !#-\[\]-~]+")
"""Characters of a path that git does not quote."""


def patch(path: str, before: bytes, after: bytes) -> bytes:
    """A unified diff; empty where nothing differs. `path`: from the root of the repository, with slashes."""
    if before == after:
        return b""
    old, new = _lines(before), _lines(after)
    head = f"diff --git {_name('a', path)} {_name('b', path)}\n"
    _, _, *rest = unified_diff(old, new)
    names = f"--- {_name('a', path)}\n+++ {_name('b', path)}\n"
    return f"{head}{names}".encode() + b"".join(_ended(iter(rest)))


def _lines(data: bytes) -> list[str]:
    """Lines end at line feeds alone, as for git; Latin 1 keeps every byte as it is."""
    *whole, last = data.decode("latin-1").split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def _ended(lines: Iterator[str]) -> Iterator[bytes]:
    for line in lines:
        raw = line.encode("latin-1")
        yield raw if raw.endswith(b"\n") else raw + _NO_END


def _name(side: str, path: str) -> str:
    """With git's quotes where the name needs them; a tab ends a name with a blank."""
    whole = f"{side}/{path}"
    if _PLAIN.fullmatch(whole):
        return f"{whole}\t" if " " in whole else whole
    escaped = whole.replace("\\", "\\\\").replace('"', '\\"').encode()
    return '"' + "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in escaped) + '"'  # noqa: PLR2004 - printable ASCII

"""Text as pages print it: dots that stand for something are left out and said, and a bracket that is missing is named.

The product's page on security shortens most of its samples so, ``"sku": {...}``, and closes some of them too early
(Microsoft Learn: managed-devops-pools/configure-security). Dots in texts and comments are texts and comments, and a
spread of Bicep (``...defaults``) is none of these. Lines stay where they were, so that later messages name the right
ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TEXTS = r"""'''.*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/"""
_DOTS = r"\.\.\.(?=\s*(?:[,}\]]|\n|$))"
_MEMBER = rf"""(?P<name>"[^"\n]*"|'[^'\n]*'|\w+)\s*:\s*(?:\{{\s*{_DOTS}\s*\}}|\[\s*{_DOTS}\s*\]|{_DOTS})\s*?,?"""
_FOUND = re.compile(rf"(?P<member>{_MEMBER})|(?P<text>{_TEXTS})|(?P<dots>{_DOTS},?)", re.DOTALL)
_COMMA = re.compile(rf"(?P<text>{_TEXTS})|(?P<comma>,)(?=\s*[}}\]])", re.DOTALL)
_BRACKET = re.compile(rf"(?P<text>{_TEXTS})|(?P<bracket>[{{}}\[\]])", re.DOTALL)
_CLOSES = {"{": "}", "[": "]"}


def without(path: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The text without them, and a line for each; the very text where there are none."""
    notes = tuple(_notes(path, text))
    if not notes:
        return text, ()
    shortened = _FOUND.sub(lambda one: one[0] if one["text"] else "\n" * one[0].count("\n"), text)
    return _COMMA.sub(lambda one: one["text"] or "", shortened), notes


def missing_bracket(text: str) -> tuple[int, str]:
    """Line and sentence of the first bracket that does not fit; 0 where all do."""
    opened: list[tuple[str, int]] = []
    for one in _BRACKET.finditer(text):
        bracket, line = one["bracket"], _line(text, one.start())
        if bracket in _CLOSES:
            opened.append((bracket, line))
        elif bracket and (not opened or _CLOSES[opened.pop()[0]] != bracket):
            return line, f"{bracket} closes nothing; a bracket before it is missing"
    if opened:
        bracket, line = opened[-1]
        return line, f"{bracket} is never closed; {_CLOSES[bracket]} is missing"
    return 0, ""


def _notes(path: str, text: str) -> Iterator[str]:
    for one in _FOUND.finditer(text):
        where = f"left out: {path}:{_line(text, one.start())}:"
        if one["member"]:
            name = one["name"].strip("\"'")
            yield f"{where} {name} has dots where its value belongs"
        elif one["dots"]:
            yield f"{where} dots stand for something; write what belongs there"


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1

"""Text as pages print it: dots that stand for something are marked, and a bracket that is missing is named.

The product's page on security shortens most of its samples so, ``"sku": {...}``, and closes some of them too early
(Microsoft Learn: managed-devops-pools/configure-security). Dots in texts and comments stay. A spread of Bicep
(``...defaults``), which the grammar does not know, becomes a property or an operation that it does know. Lines stay
where they were, so that later messages name the right ones.
"""

from __future__ import annotations

import re
from typing import Final

DOTS: Final = "[...]"
"""Value that stands where a page has dots; no value of a pool reads so."""

DOTS_REASON: Final = "has dots where its value belongs; write the value"

DOTS_AMONG: Final = "dots stand for something here; write what belongs there"

SPREAD: Final = "..."
"""Key of what an object spreads; followed by a number, the key of dots among its properties."""

_TEXTS = r"""'''.*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/"""
_END = r"\.\.\.(?=\s*(?:[,}\]]|\n|$))"
_MEMBER = rf"""(?P<name>"[^"\n]*"|'[^'\n]*'|\w+)\s*:\s*(?:\{{\s*{_END}\s*\}}|\[\s*{_END}\s*\]|{_END})"""
_TOKEN = re.compile(
    rf"(?P<member>{_MEMBER})|(?P<text>{_TEXTS})|(?P<bracket>[{{}}\[\]])|(?P<dots>{_END})|(?P<spread>\.\.\.)", re.DOTALL
)
_COMMAS = re.compile(rf"(?P<text>{_TEXTS})|(?P<opened>[{{\[])(?P<after>\s*),|,(?P<next>\s*)(?=[,}}\]])", re.DOTALL)
_BRACKET = re.compile(rf"(?P<text>{_TEXTS})|(?P<bracket>[{{}}\[\]])", re.DOTALL)
_CLOSES = {"{": "}", "[": "]"}


def marked(text: str, *, bicep: bool) -> str:
    """The text with `DOTS` for dots and, in Bicep, with spreads in a form that the grammar knows."""
    quote = "'" if bicep else '"'
    value = f"{quote}{DOTS}{quote}"
    opened: list[str] = []
    dots = 0

    def token(found: re.Match[str]) -> str:
        nonlocal dots
        dots += bool(found["member"] or found["dots"])
        lines = "\n" * found[0].count("\n")
        if found["bracket"]:
            if found["bracket"] in _CLOSES:
                opened.append(found["bracket"])
            elif opened:
                opened.pop()
            return found[0]
        listed = opened[-1:] == ["["]
        if found["member"]:
            return f"{found['name']}: {value}{lines}"
        if found["dots"]:
            entry = value if listed else f"{quote}{SPREAD}{dots}{quote}: {value}"
            return entry if bicep else f",{entry},"
        if found["spread"] and bicep:
            return "!" if listed else f"'{SPREAD}': "
        return found[0]

    result = _TOKEN.sub(token, text)
    if bicep or not dots:
        return result
    return _COMMAS.sub(_tidy, _COMMAS.sub(_tidy, result))


def _tidy(found: re.Match[str]) -> str:
    """No comma after an opening bracket, before a closing one, or before another comma."""
    return found["text"] or f"{found['opened'] or ''}{found['after'] or found['next'] or ''}"


def missing_bracket(text: str) -> tuple[int, str]:
    """Line and sentence of the first bracket that does not fit; 0 where all do."""
    opened: list[tuple[str, int]] = []
    for one in _BRACKET.finditer(text):
        bracket, line = one["bracket"], text.count("\n", 0, one.start()) + 1
        if bracket in _CLOSES:
            opened.append((bracket, line))
        elif bracket and (not opened or _CLOSES[opened.pop()[0]] != bracket):
            return line, f"{bracket} closes nothing; a bracket before it is missing"
    if opened:
        bracket, line = opened[-1]
        return line, f"{bracket} is never closed; {_CLOSES[bracket]} is missing"
    return 0, ""

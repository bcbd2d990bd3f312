"""JSON as people and tools write it: with comments, with a comma too many, and with the line of every part.

Azure Resource Manager reads `//` and `/* */` in templates (Microsoft Learn: ARM template syntax, comments), and pages
print members without the braces around them. A key that is given twice is refused: the standard reader would take the
last and drop the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.errors import SpecInvalid
from reconciler.spec.problem import Path, show, spell
from reconciler.tools.convert import printed
from reconciler.tools.convert.piece import MOST_LEVELS

_TEXT = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"(?P<text>{_TEXT})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_COMMA = re.compile(rf"(?P<text>{_TEXT})|,(?=\s*[}}\]])", re.DOTALL)
_TOKEN = re.compile(rf'{_TEXT}|[{{}}\[\],:]|[^\s{{}}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonText:
    """One JSON document with its places."""

    path: str
    value: Json
    lines: Mapping[Path, int]

    def where(self, path: Path) -> str:
        """File and line of a part; of the nearest one around it where the text does not have it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.path}:{self.lines.get(path, 1)}"


def parse(path: str, text: str) -> JsonText:
    """The document; `SpecInvalid` with the line where it is no JSON."""
    plain = _COMMA.sub(lambda one: one["text"] or "", _COMMENT.sub(_blank, text))
    try:
        return _placed(path, plain, json.loads(plain))
    except RecursionError:
        raise SpecInvalid(f"{path}: is nested deeper than {MOST_LEVELS} levels") from None
    except json.JSONDecodeError as error:
        wrapped = "{" + plain + "}"
        try:
            return _placed(path, wrapped, json.loads(wrapped))
        except json.JSONDecodeError:
            pass
        line, sentence = printed.missing_bracket(text)
        if line:
            raise SpecInvalid(f"{path}:{line}: is not JSON: {sentence}") from None
        raise SpecInvalid(f"{path}:{error.lineno}: is not JSON: {error.msg}, column {error.colno}") from None


def _blank(found: re.Match[str]) -> str:
    """A comment becomes as many lines; a text stays."""
    return found["text"] or "\n" * found[0].count("\n")


def _placed(path: str, text: str, value: Json) -> JsonText:
    lines: dict[Path, int] = {}
    place: list[str | int | None] = []
    """Key or position in each open object or list; None in an object before its next key."""
    line, end = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        word = token[0]
        if place and place[-1] is None and word[0] == '"':
            place[-1] = json.loads(word)
            if tuple(place) in lines:
                raise SpecInvalid(f"{path}:{line}: {spell(tuple(_known(place)))} is given twice; keep one")
            lines[tuple(_known(place))] = line
        elif word in "{[":
            lines.setdefault(tuple(_known(place)), line)
            place.append(None if word == "{" else 0)
            if len(place) > MOST_LEVELS:
                raise SpecInvalid(f"{path}:{line}: is nested deeper than {MOST_LEVELS} levels")
        elif word in "}]":
            place.pop()
        elif word == ",":
            last = place[-1]
            place[-1] = last + 1 if isinstance(last, int) else None
        elif word != ":":
            lines.setdefault(tuple(_known(place)), line)
    return JsonText(path, value, lines)


def _known(place: list[str | int | None]) -> Path:
    return tuple(step for step in place if step is not None)


def text_of(path: str, data: bytes) -> str:
    """The text of a file; `SpecInvalid` where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecInvalid(f"{path}: is not a text in UTF-8, byte {error.start}; save it as UTF-8") from None


def parameters_of(path: str, data: bytes) -> dict[str, Json]:
    """The values of a parameter file; a reference to a key vault is not a value."""
    found = parse(path, text_of(path, data))
    given = found.value.get("parameters", found.value) if isinstance(found.value, dict) else None
    if not isinstance(given, dict):
        raise SpecInvalid(f"{path}: is not a parameter file; it has no parameters")
    values = {}
    for name, one in given.items():
        if name.startswith("$") or name == "contentVersion":
            continue
        if not isinstance(one, dict) or not ("value" in one or "reference" in one):
            raise SpecInvalid(f'{path}: parameter {show(name)} has no value; write {{"value": …}}')
        if "value" in one:
            values[name] = one["value"]
    return values

"""Specs that a program writes: made valid, with a comment wherever something was guessed or left out.

`settled` removes from a document what no spec may hold and names it; `text` writes YAML that loads as the same
document. The input comes from services and from other people's files, so no value is trusted to be harmless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from reconciler.documents import Json
from reconciler.spec.loader import check
from reconciler.spec.problem import Path, one_line, spell

MOST_ROUNDS = 200
"""Things taken out of one document at most; a document that needs more is none of ours."""

_KEPT = frozenset({"apiVersion", "kind", "name", "subscription", "resourceGroup", "pool"})
_PLAIN = re.compile(r"[A-Za-z/][\w./@ -]*[\w/*]|[A-Za-z]|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|https://[\w./-]+")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_NEVER = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


@dataclass(slots=True)
class Draft:
    """A spec that is being written."""

    document: dict[str, Json]
    notes: list[tuple[Path, str]] = field(default_factory=list)
    """Path of the document → comment that stands above it; a path that is not there: at the nearest one above."""
    problems: list[str] = field(default_factory=list)
    """Why this is not a valid spec; usually empty after `settled`."""
    left_out: list[str] = field(default_factory=list)
    """What the source has and the spec does not, one line each; every line is a comment as well."""

    def note(self, path: Path, text: str) -> None:
        """Put a comment at a place."""
        if (path, text) not in self.notes:
            self.notes.append((path, text))

    def leave_out(self, path: Path, text: str) -> None:
        """Name what the spec lacks, as a comment at a place."""
        line = f"left out: {text}"
        if line not in self.left_out:
            self.left_out.append(line)
        self.note(path, line)


def settled(draft: Draft, where_is: Callable[[Path], str] = lambda _: "") -> Draft:
    """The draft without what a spec may not hold, each part named; `problems` where that does not help.

    Of a list with an entry that a spec may not hold all is left out: a shorter list says something else, and an empty
    one often more. `where_is` begins each line with the place that a part comes from.
    """
    result = Draft(deepcopy(draft.document), list(draft.notes), left_out=list(draft.left_out))
    for where, why in list(unwritable(result.document, ())):
        gone = _removed(result.document, where)
        if gone is not None:
            result.leave_out(gone, f"{where_is(where)}{_sentence(where, gone, why)}")
    for _ in range(MOST_ROUNDS):
        findings = check(result.document).findings
        if not findings:
            return result
        where, message = findings[0]
        gone = _removed(result.document, where, around=True)
        if gone is None:
            break
        result.leave_out(gone, f"{where_is(where)}{_sentence(where, gone, message)}")
    result.problems = [f"{spell(where)}: {message}" for where, message in check(result.document).findings]
    return result


def _sentence(where: Path, gone: Path, why: str) -> str:
    """What is left out and why; with the part that is to blame where that is not all of it."""
    if where[: len(gone)] != gone or len(where) == len(gone):
        return f"{spell(gone)} {why}"
    return f"{spell(gone)}: all of it, because {spell(where[len(gone) :])} {why}"


def text(draft: Draft, head: Sequence[str] = ()) -> str:
    """YAML with comments; `head` are the comment lines of the file."""
    lines = [f"# {_comment(line)}".rstrip() for line in head]
    comments: dict[Path, list[str]] = {}
    for path, note in draft.notes:
        comments.setdefault(_nearest(draft.document, path), []).append(_comment(note))
    lines += [f"# {note}" for note in comments.pop((), [])]
    return "\n".join([*lines, *_mapping(draft.document, (), comments)]) + "\n"


def scalar(value: Json) -> str:
    """A value on one line: plain where YAML reads it as the same text, else in quotes."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if value.isprintable() and "##" not in value:
        return "'" + value.replace("'", "''") + "'"
    return _NEVER.sub(lambda found: f"\\u{ord(found[0]):04x}", _quoted(value))


def _quoted(value: str) -> str:
    """In double quotes, without what a pipeline that prints it would take for a command (``##vso[``)."""
    return json.dumps(value, ensure_ascii=False).replace("##", "#\\u0023")


def _comment(line: str) -> str:
    return one_line(line).replace("##", "# #").replace("##", "# #")


def unwritable(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    """Texts that a spec file cannot hold: several lines, invisible characters, what looks like an expression."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not key.isprintable():
                yield (*path, key), "has an invisible character in its name, and a spec holds none"
            else:
                yield from unwritable(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unwritable(item, (*path, index))
    elif isinstance(value, str):
        if not value.isprintable() and path[-1:] != ("description",):
            yield path, "has several lines or an invisible character, and a spec holds none"
        elif value[:1] == "[" and value[-1:] == "]":
            yield path, "looks like an expression of a template, and a spec holds none"


def _removed(document: dict[str, Json], where: Path, *, around: bool = False) -> Path | None:
    """Take out the part that a finding names; None where it is gone already, or has to stay.

    With `around`, what is not there stands for the nearest part around it that is.
    """
    path = _unit(where)
    while path:
        holder = value_at(document, path[:-1])
        if _holds(holder, path[-1]) and not (len(path) == 1 and path[0] in _KEPT):
            del holder[path[-1]]
            return path
        if not around:
            return None
        path = _unit(path[:-1])
    return None


def _unit(path: Path) -> Path:
    """The smallest part that can go without changing the meaning of what stays: never one entry of a list."""
    if "daysData" in path:
        return path[: path.index("daysData") + 1]
    while path and (isinstance(path[-1], int) or path[-2:-1] == ("userAssignedIdentities",)):
        path = path[:-1]
    return path


def _holds(holder: Json, step: str | int) -> bool:
    if isinstance(holder, dict):
        return step in holder
    return isinstance(holder, list) and isinstance(step, int) and step < len(holder)


def value_at(value: Json, path: Path) -> Json:
    """What stands at a path of a document; None where nothing does."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _nearest(document: Json, path: Path) -> Path:
    while path and value_at(document, path) is None:
        path = path[:-1]
    return path


def _mapping(value: Mapping[str, Json], path: Path, comments: Mapping[Path, Sequence[str]]) -> Iterator[str]:
    pad = "  " * _depth(path)
    for key, item in value.items():
        here = (*path, key)
        yield from (f"{pad}# {note}" for note in comments.get(here, ()))
        if isinstance(item, dict | list) and item and not _short(item, here, comments):
            yield f"{pad}{scalar(key)}:"
            yield from _mapping(item, here, comments) if isinstance(item, dict) else _list(item, here, comments)
        else:
            yield f"{pad}{scalar(key)}: {flow(item)}"


def _list(value: Sequence[Json], path: Path, comments: Mapping[Path, Sequence[str]]) -> Iterator[str]:
    pad = "  " * _depth(path)
    for index, item in enumerate(value):
        here = (*path, index)
        yield from (f"{pad}# {note}" for note in comments.get(here, ()))
        if isinstance(item, dict) and item and not _short(item, here, comments):
            first, *rest = _mapping(item, here, comments)
            yield from _under_dash(first, rest, pad)
        else:
            yield f"{pad}- {flow(item)}"


def _under_dash(first: str, rest: Sequence[str], pad: str) -> Iterator[str]:
    """The lines of a mapping in a list; a comment above its first key goes above the dash."""
    lines = [first, *rest]
    while lines[0].lstrip().startswith("#"):
        yield pad + lines.pop(0).lstrip()
    yield f"{pad}- {lines[0].lstrip()}"
    yield from lines[1:]


def _depth(path: Path) -> int:
    return len(path)


def _short(value: Json, path: Path, comments: Mapping[Path, Sequence[str]]) -> bool:
    """Whether it stands on one line: short, and without a comment inside."""
    inside = any(len(one) > len(path) and one[: len(path)] == path for one in comments)
    return not inside and len(path) > 2 and len(flow(value)) <= 100  # noqa: PLR2004 - two levels are for people


def flow(value: Json) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_inline(key)}: {flow(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return _inline(value)


def _inline(value: Json) -> str:
    """A scalar inside brackets, where a comma or bracket would end it; plain ones hold neither."""
    return scalar(value)

"""Two long values as what differs between them: entries of lists, lines of texts, or the part between what is the same.

A value that fits is shown as it is. What is cut says how long it is; JSON, and ``plan --full``, have it whole. Secrets
are taken out of the whole value before any part of it is, so that no cut separates a secret from what marks it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from reconciler.documents import Json
from reconciler.documents.redaction import redact
from reconciler.plan.render.clean import clean

LONGEST = 160
"""Characters of one value; of what is longer, the difference or the beginning is shown."""
_AROUND = 24
"""Characters that are the same, on either side of what differs."""
_ENTRIES = 5
"""Entries or lines that are named."""
_LONGEST_PART = 60
"""Characters of one of them."""
_COMPARED = 400
"""Lines of a text that are compared one by one."""
_EVERYTHING = 10_000_000
_PLAIN = re.compile(r"[\w.@/-]+")


def value(given: Json, longest: int = LONGEST, *, full: bool = False) -> str:
    """A short value for people: ``none`` for nothing, JSON for lists and objects, cut where it is very long."""
    if given is None:
        return "none"
    text = _written(given)
    shown = clean(text, _EVERYTHING) if full else clean(text)
    if full or len(shown) <= longest:
        return shown or '""'
    return f"{shown[:longest]}… ({len(text)} characters, {_digest(text)})"


def move(before: Json, after: Json, longest: int = LONGEST, *, full: bool = False) -> tuple[str, str]:
    """Both sides of a change; where one is long, what differs."""
    plain = value(before, longest, full=full), value(after, longest, full=full)
    if full or before is None or after is None or before == after:
        return plain
    texts = redact(_written(before)), redact(_written(after))
    if max(map(len, texts)) <= longest or texts[0] == texts[1]:
        return plain
    if isinstance(before, list) and isinstance(after, list):
        return _lists(before, after)
    if "\n" in texts[0] + texts[1]:
        found = _lines(texts[0].splitlines(), texts[1].splitlines(), longest)
        if found is not None:
            return found
    return _parts(*texts, longest)


def _digest(text: str) -> str:
    """What tells apart values of which not all is shown."""
    return f"sha256 {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}…"


def _written(given: Json) -> str:
    """A text as it is, lists of plain names as YAML writes them, everything else as JSON."""
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given and all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in given):
        return f"[{', '.join(given)}]"
    return json.dumps(given, sort_keys=True, ensure_ascii=False, default=str)


def _lists(before: Sequence[Json], after: Sequence[Json]) -> tuple[str, str]:
    """``[48 the same, old]`` and ``[48 the same, new]``."""
    old, new = [_written(one) for one in before], [_written(one) for one in after]
    same = sum((Counter(old) & Counter(new)).values())
    gone, come = list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())
    if not gone and not come:
        return f"[{same} entries]", f"[the same {same} entries in another order]"
    shared = [f"{same} the same"] if same else []
    return tuple(f"[{', '.join([*shared, *_some(parts)])}]" for parts in (gone, come))  # type: ignore[return-value]


def _some(parts: Sequence[str]) -> list[str]:
    shown = [value(redact(one), _LONGEST_PART) for one in parts[:_ENTRIES]]
    rest = parts[_ENTRIES:]
    return [*shown, f"{len(rest)} more ({_digest(repr(rest))})"] if rest else shown


def _lines(old: list[str], new: list[str], longest: int) -> tuple[str, str] | None:
    """The lines that differ, with their numbers; None where the texts are too long for that, or differ otherwise."""
    first, last = _same(old, new)
    changed = old[first : len(old) - last], new[first : len(new) - last]
    if max(map(len, changed)) > _COMPARED or not any(changed):
        return None
    sides: tuple[list[str], list[str]] = [], []
    for _, a, b, c, d in difflib.SequenceMatcher(None, *changed, autojunk=False).get_opcodes():
        pairs = (changed[0][a:b], changed[1][c:d])
        if pairs[0] == pairs[1]:
            continue
        if len(pairs[0]) == len(pairs[1]) == 1:
            pairs = tuple([one] for one in _parts(pairs[0][0], pairs[1][0], longest // 2))  # type: ignore[assignment]
        for side, start, given in zip(sides, (a, c), pairs, strict=True):
            side += [f"line {first + start + at + 1}: {value(line, longest)}" for at, line in enumerate(given)]
    counts = f"of {len(old)} lines", f"of {len(new)} lines"
    return tuple(  # type: ignore[return-value]
        f"{'; '.join(_cut(side)) or 'no such line'} ({count})" for side, count in zip(sides, counts, strict=True)
    )


def _same(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How much is the same at the beginning, and behind that at the end."""
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    rest = zip(reversed(old[first:]), reversed(new[first:]), strict=False)
    return first, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest))


def _cut(side: Sequence[str]) -> list[str]:
    rest = side[_ENTRIES:]
    return [*side[:_ENTRIES], *([f"{len(rest)} more ({_digest(repr(rest))})"] if rest else [])]


def _parts(old: str, new: str, longest: int) -> tuple[str, str]:
    """What stands between that which is the same at the beginning and at the end."""
    if max(len(old), len(new)) <= longest:
        return clean(old) or '""', clean(new) or '""'
    first, last = _same(old, new)
    return _part(old, first, last, longest), _part(new, first, last, longest)


def _part(text: str, first: int, last: int, longest: int) -> str:
    start, end = max(0, first - _AROUND), min(len(text), len(text) - last + _AROUND)
    shown = clean(text[start:end], _EVERYTHING)
    cut = len(shown) > longest
    tail = "…" if cut or end < len(text) else ""
    digest = f", {_digest(text)}" if cut else ""
    return f"{'…' if start else ''}{shown[:longest]}{tail} ({len(text)} characters{digest})"

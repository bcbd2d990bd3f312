"""Edits of a spec's text: they say exactly what is required, and leave every other line as it is."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.spec.source import documents
from reconciler.tools.adopt.splice import rewritten
from tests.examples import tries

Json = Any
WORDS = [
    "a",
    "Web",
    "on",
    "12",
    "0x1",
    "a: b",
    "it's",
    '"q"',
    "#x",
    "- y",
    "ü😀",
    "\\release\\nightly",
    "",
    "*",
    "&a",
    "!t",
]
SCALARS = st.one_of(st.sampled_from(WORDS), st.booleans(), st.none(), st.integers(-9, 99))
KEYS = st.sampled_from(["project", "organization", "name", "a", "b-c", "tag/x", "on", "1", "ü", "k: v", "#h"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
NAMELESS = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["b-c", "on", "#h"]), inner),
    ),
    min_size=1,
)
"""Without names by which an entry is known again."""
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


def block(value: Json) -> str:
    """In lines, with a comment above and behind each of them."""
    text = yaml.safe_dump(value, sort_keys=False, width=10_000, allow_unicode=True, indent=3, default_flow_style=False)
    lines = []
    for number, line in enumerate(text.splitlines()):
        pad = " " * (len(line) - len(line.lstrip()))
        lines += [f"{pad}# above {number}", f"{line}  # behind {number}"]
    return "\n".join(lines) + "\n# end\n"


STYLES: dict[str, Callable[[Json], str]] = {
    "block": block,
    "block without a last line end": lambda value: yaml.safe_dump(value, width=10_000, allow_unicode=True).rstrip(),
    "dashes in lines of their own": lambda value: re.sub(r"(?m)^( *)- ", r"\1-\n\1  ", block(value)),
    "CRLF": lambda value: block(value).replace("\n", "\r\n"),
    "byte order mark": lambda value: "\ufeff" + block(value),
    "flow": lambda value: yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=40),
    "quoted": lambda value: yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10_000),
    "JSON": lambda value: json.dumps(value, ensure_ascii=False, indent=2),
    "JSON on one line": lambda value: json.dumps(value, ensure_ascii=False),
    "two documents": lambda value: f"---\n{block(value)}---\nother: 1 # stays\n",
}


def said(data: bytes) -> list[Json]:
    return [one.value for one in documents(data)]


@pytest.mark.soaked
@pytest.mark.parametrize("style", STYLES)
def test_any_value_is_put_into_any_style(style: str) -> None:
    @settings(max_examples=tries(40), deadline=None)
    @given(DOCUMENTS, DOCUMENTS)
    def put(old: Json, new: Json) -> None:
        data = STYLES[style](old).encode()
        before = said(data)
        made = rewritten(data, 0, new)
        assert json.dumps(said(made), sort_keys=True) == json.dumps([new, *before[1:]], sort_keys=True)

    put()


@pytest.mark.soaked
@pytest.mark.parametrize("style", STYLES)
def test_what_is_said_already_changes_no_byte(style: str) -> None:
    @settings(max_examples=tries(25), deadline=None)
    @given(DOCUMENTS)
    def put(value: Json) -> None:
        data = STYLES[style](value).encode()
        assert rewritten(data, 0, said(data)[0]) == data

    put()


def _leaves(value: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for key, item in enumerate(value) for leaf in _leaves(item, (*path, key))]
    return [path] if not isinstance(value, dict | list) else []


def _set(value: Json, path: tuple[Any, ...], new: Json) -> Json:
    made = copy.deepcopy(value)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return made


@settings(max_examples=tries(60), deadline=None)
@given(st.sampled_from(["block", "CRLF", "byte order mark", "two documents"]), NAMELESS, st.data(), SCALARS)
def test_another_scalar_changes_one_line_alone(style: str, old: Json, data: st.DataObject, new: Json) -> None:
    leaves = _leaves(old)
    if not leaves:
        return
    text = STYLES[style](old).encode()
    made = rewritten(text, 0, _set(old, data.draw(st.sampled_from(leaves)), new))

    before, after = text.split(b"\n"), made.split(b"\n")
    differing = [number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    assert len(differing) <= 1
    for number in differing:
        assert after[number].split(b"  # behind")[-1] == before[number].split(b"  # behind")[-1]


@settings(max_examples=tries(40), deadline=None)
@given(DOCUMENTS, KEYS, VALUES)
def test_another_key_removes_no_line(old: Json, key: str, value: Json) -> None:
    if key in old:
        return
    text = block(old).encode()
    left = rewritten(text, 0, {**old, key: value}).split(b"\n")
    lines = iter(left)
    assert all(line in lines for line in text.split(b"\n"))


ANCHORS = b"""\
defaults: &d   # shared
  size: 2
  zone: a
one: *d
two:
  <<: *d       # merged
  zone: b
list: &l [x, y]
other: *l
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"one": {"size": 3, "zone": "a"}}, b"one: { size: 3, zone: a }\n"),
        ({"defaults": {"size": 3, "zone": "a"}}, b"  size: 3\n"),
        ({"two": {"size": 3, "zone": "b"}}, b"  zone: b\n  size: 3\n"),
        ({"two": {"zone": "b"}}, b"two:\n  zone: b\n"),
        ({"other": ["x"]}, b"other: [x]\n"),
        ({"list": ["x"]}, b"list: &l [x]\nother: [x, 'y']\n"),
    ],
)
def test_an_anchor_means_the_same_to_everything_else(change: Json, expected: bytes) -> None:
    new = {**said(ANCHORS)[0], **change}
    made = rewritten(ANCHORS, 0, new)

    assert said(made) == [new]
    assert expected in made


@settings(max_examples=tries(40), deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("defaults", "one", "two", "list", "other"), VALUES)))
def test_anchors_of_any_value(new: Json) -> None:
    assert said(rewritten(ANCHORS, 0, new)) == [new]


@pytest.mark.parametrize(("value", "expected"), [([], b" []"), (None, b" null")])
def test_a_list_whose_dashes_stand_alone_is_replaced_whole(value: Json, expected: bytes) -> None:
    made = rewritten(b"a:\n  l:  # of two\n  -\n    x\n  -  # and\n    y\n  m: 1\n", 0, {"a": {"l": value, "m": 1}})

    assert made == b"a:\n  l:" + expected + b"  # of two\n  m: 1\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 2, "b": 1, "c": [1]}, b"x: {a: 2, b: 1, c: [1]}\n"),
        ({"a": None, "b": 3, "c": None}, b"x: {a, b: 3, c}\n"),
        ({"b": 1}, b"x: {b: 1}\n"),
        ({"a": None, "b": 1, "c": {}}, b"x: {a, b: 1, c: {}}\n"),
    ],
)
def test_a_key_alone_gets_its_colon_with_its_value(value: Json, expected: bytes) -> None:
    assert rewritten(b"x: {a, b: 1, c}\n", 0, {"x": value}) == expected

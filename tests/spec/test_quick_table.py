"""Rule by rule of YAML: what the short way takes is what the whole reader reads, and what it has to leave it leaves.

The property tests beside this compare any text; this table says which of the two is expected, so that neither the short
way grows beyond its part of YAML, nor shrinks until it takes nothing.
"""

from __future__ import annotations

import pytest

from reconciler.spec import quick
from tests.spec.test_quick import same_as_the_whole_reader, whole

TAKEN = {
    "a: 1": 1,
    "a:   x  ": "x",
    "a: x # c": "x",
    "a: x  #": "x",
    "a: x #c: d": "x",
    "a: http://h:80/p": "http://h:80/p",
    "a: b:c": "b:c",
    "a: b :c": "b :c",
    "a: b - c": "b - c",
    "a: b, c": "b, c",
    "a: x=1": "x=1",
    "a: x~": "x~",
    "a: 010": "010",
    "a: 0x1F": "0x1F",
    "a: 1_0": "1_0",
    "a: 1.5": 1.5,
    "a: 1e3": 1000.0,
    "a: 12:30:00": "12:30:00",
    "a: 1.00:00:00": "1.00:00:00",
    "a: 2026-12-31": "2026-12-31",
    "a: 9999999999999999999999": "9999999999999999999999",
    "a: true": True,
    "a: TRUE": True,
    "a: tRUE": "tRUE",
    "a: no": "no",
    "a: on": "on",
    "a: Null": None,
    "a: \\x": "\\x",
    "a: /x": "/x",
    "a:": None,
    "a: ": None,
    "a: # c": None,
    "a:   # c\n  # d\n\n": None,
    "a: ''": "",
    'a: ""': "",
    "a: 'x # y'": "x # y",
    "a: 'x: y'  # z": "x: y",
    "a: '1'": "1",
    'a: "null"': "null",
    "a: '\\n'": "\\n",
    "a: '\"'": '"',
    'a: "\'"': "'",
    "a: ' '": " ",
    "a: []": [],
    "a: [] # c": [],
    "a: {}  ": {},
    "---\na: 1": 1,
    "\n\n# c\na: 1": 1,
    "   # c\na: 1\n ": 1,
    "a:\n- x": ["x"],
    "a:\n  - x": ["x"],
    "a:\n    - x\n    # c\n    - y": ["x", "y"],
    "a:\n- b: 1\n  c: 2\n- d": [{"b": 1, "c": 2}, "d"],
    "a:\n- b:\n- c:": [{"b": None}, {"c": None}],
    "a:\n- b:\n  - x\n  c: 1": [{"b": ["x"], "c": 1}],
    "a:\n- b:\n    c: 1": [{"b": {"c": 1}}],
    "a:\n- b:c": ["b:c"],
    "a:\n- b :c": ["b :c"],
    "a:\n- []\n- {}": [[], {}],
    "a:\n # c\n  b:\n# d\n    c: 1": {"b": {"c": 1}},
    "a:\n  true: 1\n  null: 2\n  on: 3": {"true": 1, "null": 2, "on": 3},
    "a:\n  " + "k" * 201 + ": 1": {"k" * 201: 1},
    "a:\n  /subscriptions/x.y-z: {}": {"/subscriptions/x.y-z": {}},
}
LEFT = [
    *("", "# c", "---", "a", "1", "[]", "{}", "- a", "- a: 1", "  a: 1", "a: 1\n b: 2", "a:1", "a :1", "a : 1", "a: 1\n\n  b"),
    *("a: x\n  y", "a: x\n\ty", "a:\n  x", "a:\n  x\n  y", "a: 'x\n  y'", 'a: "x\n  y"', "a: 'x", "a: x'y", "a: 'x'y", "a: 'x'#y"),
    *("a: x#y", "a: 'it''s'", 'a: "\\n"', 'a: "\\u0041"', "a: 'x' 'y'", "a: b: c", "a: b:", "a: :", "a: - b", "a: -", "a: -1", "a: ?x"),
    *("? a", "? a\n: b", "a: ? b", "- - a", "a:\n- - b", "a:\n-", "a:\n- ", "a:\n-  b", "a:\n-b", "a:\n- # c\n  b", "a:\n-\n  b: 1"),
    *("a:\n- b: 1\n   c: 2", "a:\n- b: 1\n c: 2", "a:\n- b: 1\nc", "a:\n  - b\n - c", "a:\n  b: 1\n c: 2", "a:\n- b\n  - c", "a: x\n- b"),
    *("a: []\n- b", "a: [] []", "a: [b]", "a: [ ]", "a: {b: c}", "a: []#", "a: ]", "a: {", "a: b]", "a: {}\n  b: 1", "a: ,"),
    *("a: &x b", "a: *x", "&x a: 1", "*x : 1", "a: !!str 1", "!x a: 1", "<<: {}", "a: |\n  b", "a: >-\n  b", "a: |", "a: @b", "a: `b", "a: %b"),
    *("a: 1\na: 2", "a:\n  b: 1\n  b: 2", "a: 1\n---\nb: 2", "a: 1\n---", "a: 1\n...", "...\na: 1", "%YAML 1.1\n---\na: 1", "--- a", "--- # c\na: 1"),
    *("---\n---\na: 1", "--- \na: 1", " ---\na: 1", "a: 1\n--- x", "a: ---", "a: ...", "a: .5", "a: ~", "a: =", "~: 1", "1: 2", "1.5: 2", "-1: 2"),
    *("'a': 1", '"a": 1', "a b: 1", "_a: 1", "=: 1", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2", "a:\t1", "a: 1\t", "a: 1\t# c", "a: 1 # c\td", "\ta: 1", "a:\n\tb: 1"),
    *("\ufeffa: 1", "a: \u00e9", "a: 1 # \u00e9", "a: 1\u0085b: 2", "a: 1\u2028b: 2", "a: \u00a0x", "a: x\x00", "a: x\x0b", "a: x\x7f", "\x0ca: 1"),
    *("k" * 202 + ": 1", "k" * 1100 + ": 1", "a:\n- " + "k" * 1100 + ": 1", "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 30)), "a: 1\n" * 2),
    "".join(f"k{n}:\n" for n in range(3_001)), "a: " + "x" * 70_000,
]  # fmt: skip


@pytest.mark.parametrize("text", TAKEN)
def test_the_usual_is_taken_and_read_alike(text: str) -> None:
    for data in (text.encode(), f"{text}\n".encode(), f"{text}\n# end\n\n".encode()):
        found = quick.mapping_of(data)
        assert found is not None
        assert (found["a"], type(found["a"])) == (TAKEN[text], type(TAKEN[text]))
        same_as_the_whole_reader(data)


@pytest.mark.parametrize("text", LEFT, ids=range(len(LEFT)))
def test_anything_else_is_left_to_the_whole_reader(text: str) -> None:
    data = text.encode()
    assert quick.mapping_of(data) is None, text
    whole(data)  # which judges it, and ends


def test_two_files_with_the_same_lines_share_no_value() -> None:
    one, other = (quick.mapping_of(b"a: []\nb: {}\n") for _ in range(2))
    assert one is not None
    assert other is not None
    one["a"].append(1)
    one["b"]["c"] = 1
    assert other == {"a": [], "b": {}}


def test_what_is_remembered_is_bounded() -> None:
    for n in range(quick._REMEMBERED + 10):
        quick.mapping_of(f"a: v{n}\n".encode())
    quick.mapping_of(b"a: " + b"x" * quick._SHORT + b"\n")
    assert quick._of_a_short_line.cache_info().currsize == quick._REMEMBERED

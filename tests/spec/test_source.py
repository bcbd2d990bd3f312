"""YAML to plain data: limits, places, and no surprises. Each case runs with libyaml and with the pure parser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from reconciler.spec.source import MAX_BYTES, Position, Unreadable, YamlDocument, documents

Read = Callable[[str], list[YamlDocument]]


@pytest.fixture(params=[yaml.CSafeLoader, yaml.SafeLoader], ids=["libyaml", "pure"])
def read(request: pytest.FixtureRequest) -> Read:
    return lambda text: documents(text.encode(), request.param)


def value(read: Read, text: str) -> Any:
    (document,) = read(text)
    assert document.findings == []
    return document.value


@pytest.mark.parametrize(
    ("text", "wanted", "reason"),
    [
        ("a: 4", 4, "a whole number"),
        ("a: -4", -4, "with a sign"),
        ("a: 4.5", 4.5, "a fraction"),
        ("a: 1e3", 1000.0, "an exponent, as in JSON"),
        ("a: -x", "-x", "a dash before text is text"),
        ("a: 010", "010", "octal in YAML 1.1, decimal in 1.2: nobody can tell, so it is text"),
        ("a: 0x1F", "0x1F", "hexadecimal is not JSON"),
        ("a: 1_000", "1_000", "a number in YAML 1.1 only"),
        ("a: 12:30:00", "12:30:00", "sexagesimal in YAML 1.1"),
        ("a: 2026-12-31", "2026-12-31", "a date in YAML 1.1"),
        ("a: yes", "yes", "a truth value in YAML 1.1"),
        ("a: off", "off", "a truth value in YAML 1.1"),
        ("a: .inf", ".inf", "JSON has no infinity"),
        ("a: 9999999999999999999", "9999999999999999999", "larger than anything we count"),
        ("a: True", True, "YAML 1.2"),
        ("a: FALSE", False, "YAML 1.2"),
        ("a: ~", None, "YAML 1.2"),
        ("a:", None, "nothing"),
        ("a: '4'", "4", "quoted"),
        ('a: "true"', "true", "quoted"),
        ("a: ''", "", "quoted nothing"),
        ("a: >-\n  two\n  lines", "two lines", "folded into one line"),
    ],
)
def test_scalars_are_read_as_json_reads_them(read: Read, text: str, wanted: object, reason: str) -> None:
    found = value(read, text)["a"]
    assert (found, type(found)) == (wanted, type(wanted)), reason


def test_keys_are_always_text(read: Read) -> None:
    assert value(read, "{1: a, true: b, 12:30:00: c, null: d}") == {"1": "a", "true": "b", "12:30:00": "c", "null": "d"}


def test_json_is_yaml(read: Read) -> None:
    assert value(read, '{\n  "a": ["\\u00e9", 1, true, null],\n  "b": {}\n}') == {"a": ["é", 1, True, None], "b": {}}


def test_json_may_be_indented_with_tabs() -> None:
    """The pure parser does not know this; libyaml, which is what everybody has, does."""
    assert documents(b'{\n\t"a": 1\n}', yaml.CSafeLoader)[0].value == {"a": 1}


def test_anchors_are_shared_and_redefined(read: Read) -> None:
    assert value(read, "[&a {x: 1}, *a, &a [2], *a, &b text, *b]") == [{"x": 1}, {"x": 1}, [2], [2], "text", "text"]


def test_an_anchor_may_stand_on_a_key(read: Read) -> None:
    assert value(read, "&k name: x\nother: *k") == {"name": "x", "other": "name"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"b": 1, "c": 3}),
        ("a: &x {b: 1, c: 2}\nd: {c: 3, <<: *x}", {"b": 1, "c": 3}),
        ("a: [&x {b: 1}, &y {b: 2, c: 3}]\nd: {<<: [*x, *y]}", {"b": 1, "c": 3}),
        ("a: 1\nd: {'<<': 3}", {"<<": 3}),
    ],
    ids=["own wins", "in any order", "the first wins", "quoted is a name"],
)
def test_a_merge_key_adds_what_is_not_said(read: Read, text: str, wanted: object) -> None:
    assert value(read, text)["d"] == wanted


def test_a_merged_field_has_the_place_of_its_origin(read: Read) -> None:
    (document,) = read("a: &x\n  b: 1\nd:\n  <<: *x")
    assert document.place(("d", "b")) == Position(2, 3)


def test_every_part_has_its_place(read: Read) -> None:
    (document,) = read("---\na:\n  - x\n  - b: {c: 1}\n")
    assert document.place(()) == Position(2, 1)
    assert document.place(("a", 1)) == Position(4, 5)
    assert document.place(("a", 1, "b", "c")) == Position(4, 9)
    assert document.place(("a", 1, "missing", "deeper")) == Position(4, 5), "what is missing is where its owner is"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "a: 1\na: 2\na: 3",
            ["2 is written twice, first in line 1; keep one", "3 is written twice, first in line 1; keep one"],
        ),
        ("a: 1\n'a': 2", ["2 is written twice, first in line 1; keep one"]),
        ("a: !!str 4", ["1 has the tag tag:yaml.org,2002:str; tags are not allowed, write the value alone"]),
        ("a: !x {b: 1}", ["1 has the tag !x; tags are not allowed, write the value alone"]),
        ("!x a: 1", ["1 has the tag !x; tags are not allowed, write the value alone"]),
        ("a: {<<: 4}", ["1 has a merge key (<<) that is no mapping; write <<: *anchor"]),
        ('a: "x\\0"', ["1 holds the character U+0000; write one line (a backslash needs single quotes)"]),
        ('a: "[p]\\name"', ["1 holds more than one line; write one line (a backslash needs single quotes)"]),
        ('a: "\\u202e"', ["1 holds the character U+202E; write one line (a backslash needs single quotes)"]),
        ('description: "x\\ny\\t"', ["1 holds the character U+0009; write one line (a backslash needs single quotes)"]),
    ],
)
def test_what_is_wrong_in_one_place_does_not_end_the_reading(read: Read, text: str, messages: list[str]) -> None:
    (document,) = read(text)
    assert [f"{place.line} {message}" for place, _, message in document.findings] == messages


def test_a_description_may_have_several_lines(read: Read) -> None:
    assert value(read, "description: |\n  one\n  two\n") == {"description": "one\ntwo\n"}


def test_what_cannot_be_printed_but_is_visible_is_kept(read: Read) -> None:
    assert value(read, "a: '\\u00a0 \\ue000'".replace("'", '"')) == {"a": "\u00a0 \ue000"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: [*x]", 1, "names the anchor x, which is not defined above"),
        ("a: &x\n  - *x", 2, "names the anchor x inside itself"),
        ("? [a]\n: b", 1, "has a key that is not plain text; write a name before the colon"),
        ("a: &x y\n*x : b", 2, "has a key that is not plain text; write a name before the colon"),
        ("x:\n\ty: 1", 2, "indent with spaces, not with a tab"),
        ("a: b: c", 1, "quote a text that holds a colon, and check the indentation"),
        ("a: @b", 1, "quote a text that starts with @, `, % or a tab, and indent with spaces"),
        ('a: "\\C"', 1, "in double quotes a backslash starts an escape: use single quotes"),
        ("a: [1, 2", 2, "; "),
        ("a: 'b", 1, "a quote or a bracket is not closed"),
        ("a: [1]\n - b", 2, "; "),
        ("%YAML 3.0\n--- a", 1, "is not YAML: "),
        ("a: 1\nb: \u200bc", 2, "holds the invisible character U+200B; remove it"),
        ("# \u202e\na: 1", 1, "holds the invisible character U+202E; remove it"),
        ("a: \x07", 1, "holds the invisible character U+0007; remove it"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(read: Read, text: str, line: int, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    if message != "; " and "closed" not in message:
        assert caught.value.place.line == line


def test_a_file_that_is_not_utf_8_is_told_with_its_line() -> None:
    with pytest.raises(Unreadable, match="is not UTF-8 text; save it as UTF-8") as caught:
        documents(b"a: 1\nb: \xff\n")
    assert caught.value.place == Position(2)


def test_utf_16_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"UTF-8|U.0000"):
        documents("a: 1".encode("utf-16"))


def test_a_byte_order_mark_is_welcome(read: Read) -> None:
    assert documents(b"\xef\xbb\xbfa: 1")[0].value == {"a": 1}


def test_a_file_may_be_as_large_as_the_limit_and_no_larger() -> None:
    text = b"a: 1\n# ".ljust(MAX_BYTES, b"x")
    assert documents(text)[0].value == {"a": 1}
    with pytest.raises(Unreadable, match=f"is {MAX_BYTES + 1} bytes, the limit is {MAX_BYTES}"):
        documents(text + b"x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 20 + "]" * 20, "twenty lists within each other"),
        ("[" * 10 + "&a " + "[" * 5 + "]" * 5 + ", *a" + "]" * 10, "an alias adds the height of what it stands for"),
    ],
)
def test_twenty_levels_are_allowed(read: Read, text: str, reason: str) -> None:
    assert read(text)[0].findings == [], reason


@pytest.mark.parametrize(
    "text",
    [
        "[" * 21 + "1" + "]" * 21,
        "[" * 100_000,
        "{a: " * 50_000,
        "a: &a " + "[" * 12 + "1" + "]" * 12 + "\nb: " + "[" * 12 + "*a" + "]" * 12,
    ],
    ids=["21 levels", "a tower of lists", "a tower of mappings", "through an alias"],
)
def test_deeper_is_refused_before_anything_runs_over(read: Read, text: str) -> None:
    with pytest.raises(Unreadable, match="is nested deeper than 20 levels"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" + "1, " * 10_000 + "1]",
        "a: &a ["
        + "x, " * 9
        + "x]\n"
        + "\n".join(
            f"{new}: &{new} [" + f"*{old}, " * 9 + f"*{old}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "[" + "&a a, " + "*a, " * 10_000 + "*a]",
    ],
    ids=["many entries", "a billion laughs", "many aliases"],
)
def test_ten_thousand_values_are_the_limit_aliases_counted(read: Read, text: str) -> None:
    with pytest.raises(Unreadable, match="holds more than 10000 keys and values, aliases counted"):
        read(text)


def test_documents_are_read_one_by_one_and_anchors_end_with_them(read: Read) -> None:
    assert [one.value for one in read("a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n")] == [{"a": 1}, {"b": 2}]
    with pytest.raises(Unreadable, match="not defined above"):
        read("a: &x 1\n---\nb: *x")


def test_an_error_that_the_library_gives_without_a_place_is_still_a_line() -> None:
    class Failing:
        def __init__(self, text: str) -> None:
            self.text = text

        def get_event(self) -> object:
            raise yaml.YAMLError

    with pytest.raises(Unreadable, match=r"is not YAML: cannot be read; see YAML 1\.2") as caught:
        documents(b"a", Failing)
    assert caught.value.place == Position()

"""Texts use the field's terms: these words, which hide the subject of a sentence or are this project's own, are gone.

Checked are pages, examples, and all text in the code: messages, help, docstrings and comments; of tests docstrings and
comments, since their values play people who do not exist. Of identifiers only the names of classes are.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = re.compile(
    r"\b(?:some|no)body(?:'s)?\b|\bwhoever\b|\bwish(?:es|ed)?\b|\banew\b|\bmend(?:s|ed|ing)?\b|\btold of\b|\bheals?\b",
    re.IGNORECASE,
)
RENAMED = re.compile(
    r"\b(?:Shop|Desk|Ward|Lookout|Heard)\b"
    r"|\b(?:survey/(?:around|everywhere|lanes)|explain/(?:asked|wanted|trail)|onboarding/(?:needs|looking|giving|steps)"
    r"|work/(?:crowd|figures)|web/remembered|adapters/(?:oneline|waiting|leasing|loading)|told\.py)\b"
)
"""Names that classes and files of this project once had."""
CLASSES = re.compile(r"Shop|Desk|Ward|Hand|Lookout|Ground|Stock|Cast|Stage|Heard")
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(path for path in sorted((ROOT / "examples").rglob("*")) if path.suffix in (".md", ".yaml", ".yml", ".py")),
]
CODE = sorted(path for part in ("reconciler", "emulator") for path in (ROOT / part).rglob("*.py"))
TESTS = sorted(
    path
    for path in (ROOT / "tests").rglob("*.py")
    if path.relative_to(ROOT).parts[1] not in ("bench", "cli", "crashes", "faults", "simulation")
)
FOLDERS = sorted({"/".join(path.relative_to(ROOT).parts[:-1][:2]) for path in CODE})


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The comments and strings of a program, each line of them with its number; none where nothing could be found."""
    if not (WORDS.search(source) or RENAMED.search(source)):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING) or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, line


def said(source: str) -> Iterator[tuple[int, str]]:
    """The comments and docstrings of a program, strings that are a statement of their own; none as for `texts`."""
    if not WORDS.search(source):
        return
    tree = ast.walk(ast.parse(source))
    lone = {one.lineno for one in tree if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.start[0] in lone):
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, line


def found(name: str, lines: Iterator[tuple[int, str]]) -> list[str]:
    """Each place with a word that is not used any more."""
    return [
        f"{name}:{number}: {word}" for number, line in lines for word in (*WORDS.findall(line), *RENAMED.findall(line))
    ]


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in PAGES])
def test_a_page_uses_plain_words(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    places = found(page, iter(enumerate(text.splitlines(), 1)))

    assert not places, "\n" + "\n".join(places)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_texts_of_a_package_use_plain_words(folder: str) -> None:
    files = [path for path in CODE if "/".join(path.relative_to(ROOT).parts[:-1][:2]) == folder]
    places = [
        place for path in files for place in found(str(path.relative_to(ROOT)), texts(path.read_text(encoding="utf-8")))
    ]

    assert not places, "\n" + "\n".join(places)


def test_what_tests_say_of_themselves_uses_plain_words() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in TESTS
        for number, line in said(path.read_text(encoding="utf-8"))
        for word in WORDS.findall(line)
    ]

    assert not places, "\n" + "\n".join(places)


def test_classes_have_names_that_say_what_they_are() -> None:
    names = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in CODE
        for source in [path.read_text(encoding="utf-8")]
        if re.search(rf"\bclass\s+_*(?:{CLASSES.pattern})", source)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and CLASSES.fullmatch(node.name.strip("_"))
    ]

    assert names == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Somebody has to act."""', ["x:1: Somebody"]),
        ('x = 1  # mended later\ny = f"{x} wishes"', ["x:1: mended", "x:2: wishes"]),
        ("class A:\n    somebody = nobody = wish = 1", []),
        ('"healthy, recommended, amended"', []),
        ('"the Shop of survey/around"', ["x:1: Shop", "x:1: survey/around"]),
    ],
)
def test_a_word_is_found_in_text_and_not_in_code(source: str, expected: list[str]) -> None:
    assert found("x", texts(source)) == expected

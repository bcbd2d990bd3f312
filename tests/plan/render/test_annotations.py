"""Annotations as each host's own reader takes them: one command a remark, whatever the texts hold."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.render.annotations import MOST, Annotation, AnnotationKind, azure_pipelines, azure_summary, github
from tests.documents.hostile import TEXTS

ANY = st.one_of(st.text(max_size=60), st.sampled_from(TEXTS))
FOUND = st.lists(
    st.builds(Annotation, st.sampled_from(AnnotationKind), ANY, st.integers(-1, 9), ANY, ANY, st.integers(-1, 9)),
    max_size=30,
)


def github_commands(lines: Iterable[str]) -> list[tuple[str, dict[str, str], str]]:
    """As actions/runner reads them (ActionCommand.TryParseV2), in every line of the output."""
    found = []
    for line in "\n".join(lines).splitlines():
        trimmed = line.lstrip()
        if not trimmed.startswith("::") or "::" not in trimmed[2:]:
            continue
        head, _, data = trimmed[2:].partition("::")
        name, _, properties = head.partition(" ")
        pairs = (one.partition("=") for one in properties.strip().split(",") if one)
        found.append((name, {key: unescaped(value, "%3A", "%2C") for key, _, value in pairs}, unescaped(data)))
    return found


def unescaped(text: str, *more: str) -> str:
    for escape in (*more, "%0D", "%0A", "%25"):
        text = text.replace(escape, chr(int(escape[1:], 16)))
    return text


def azure_commands(lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """As azure-pipelines-agent reads them (Command.TryParse): after ##vso[ anywhere in a line."""
    return [
        (found[1], found[2], found[3])
        for line in "\n".join(lines).splitlines()
        for found in re.finditer(r"##vso\[([\w.]+) ?([^\]]*)\](.*?)(?=##vso\[|$)", line, re.IGNORECASE)
    ]


@given(FOUND)
def test_no_text_injects_a_command_on_github(found: list[Annotation]) -> None:
    lines = list(github(found))
    commands = github_commands(lines)
    assert len(commands) == len(lines)
    assert {name for name, *_ in commands} <= {kind.value for kind in AnnotationKind}
    for _, properties, data in commands:
        assert set(properties) <= {"file", "line", "col", "title"}
        assert "\n" not in data
    assert not azure_commands(lines)


@given(FOUND)
def test_no_text_injects_a_command_on_azure_pipelines(found: list[Annotation]) -> None:
    lines = list(azure_pipelines(found))
    commands = azure_commands(lines)
    assert len(commands) == len(lines) == len(found)
    for name, properties, _ in commands:
        assert name == "task.logissue"
        keys = [one.partition("=")[0] for one in properties.split(";")]
        assert keys[0] == "type"
        assert set(keys) <= {"type", "sourcepath", "linenumber", "columnnumber"}
        assert len(keys) == len(set(keys))
    assert not github_commands(lines)


@pytest.mark.parametrize("text", ["a,b:c%d", "100%", "x=y;z]w", "50 %25"])
def test_texts_arrive_as_they_were(text: str) -> None:
    one = Annotation(AnnotationKind.ERROR, text, 7, text, text, 3)
    assert github_commands(github([one])) == [("error", {"file": text, "line": "7", "col": "3", "title": text}, text)]


def test_the_forms_are_those_of_the_documentation() -> None:
    one = Annotation(AnnotationKind.NOTICE, "specs/web.yaml", 7, "Revokes access", "pool: 100 %; [x]", 3)
    assert list(github([one])) == ["::notice file=specs/web.yaml,line=7,col=3,title=Revokes access::pool: 100 %25; [x]"]
    assert list(azure_pipelines([one])) == [
        (
            "##vso[task.logissue type=warning;sourcepath=specs/web.yaml;linenumber=7;columnnumber=3]"
            "Revokes access: pool: 100 %AZP25; [x]"
        )
    ]
    assert azure_summary("/agent/a b.md") == "##vso[task.uploadsummary]/agent/a b.md"


def test_github_shows_ten_of_a_kind_and_the_tenth_says_how_many_more() -> None:
    lines = list(
        github(
            [
                Annotation(kind, "a", 1, "t", str(n))
                for n in range(25)
                for kind in (AnnotationKind.NOTICE, AnnotationKind.ERROR)
            ]
        )
    )
    assert [line.split()[0] for line in lines] == ["::error"] * MOST + ["::notice"] * MOST
    assert lines[MOST - 1] == "::error title=16 more::16 more of this kind: see the summary of the run"


def test_a_remark_without_a_file_has_no_line() -> None:
    assert list(github([Annotation(AnnotationKind.ERROR, "", 3, "t", "m")])) == ["::error title=t::m"]
    assert list(azure_pipelines([Annotation(AnnotationKind.ERROR, "", 3, "t", "m")])) == [
        "##vso[task.logissue type=error]t: m"
    ]

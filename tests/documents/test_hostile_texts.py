"""One table of hostile texts through every output: harmless in each, and none ends a run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.cli.screen import Screen
from reconciler.documents import json_text
from reconciler.plan import render
from reconciler.plan.model import Change, Detail, Gap, GapKind, Plan, Refusal, Remark
from reconciler.plan.render.clean import LONGEST
from reconciler.plan.render.tables import LONGEST_CELL
from reconciler.plan.targets import UpdatePool
from reconciler.service.host.entrance import problem
from reconciler.spec.problem import Problem, show
from reconciler.tools.spec_writer import scalar
from tests.documents.hostile import TEXTS, faults_in
from tests.documents.test_every_output import error, event, http_body, http_problem, log_line, status


@cache
def plan(text: str) -> Plan:
    """A plan in which everything that others name is this text."""
    detail = Detail(text, text, [text, {text: text}])
    changes = (
        Change(text, text, text, None, text, UpdatePool(text, {text: text}), note=text),
        Change("pool", text, text, text, {text: [text]}, UpdatePool(text, {}), (detail,), text, text),
    )
    return Plan(
        text,
        text,
        changes,
        refusals=(Refusal(changes[0], text, text),),
        gaps=(Gap(text, text, GapKind.UNKNOWN, text, text), Gap(text, "", GapKind.NOT_READY, text, text)),
        remarks=(Remark(text, text, text),),
    )


def plan_text(text: str) -> str:
    return render.text(plan(text))


def narrow_text(text: str) -> str:
    return render.text(plan(text), 40)


def plan_markdown(text: str) -> str:
    return render.markdown(plan(text))


def summaries(text: str) -> str:
    return "\n".join(render.summary(change) for change in plan(text).changes)


def plan_json(text: str) -> str:
    return render.json_text(render.plans_to_json([]) | {"plans": [render.to_json(plan(text))]})


def screen_json(text: str) -> str:
    return json_text({text: [text]}, indent=2)


def served_problem(text: str) -> str:
    body = problem(400, "Bad Request", text).body
    assert isinstance(body, bytes)
    return body.decode()


def cleaned(text: str) -> str:
    return render.clean(text)


def problem_line(text: str) -> str:
    """As the command line prints it."""
    return render.clean(str(Problem(text, 1, text, f"{show(text)}: {text}")))


def error_line(text: str) -> str:
    return render.clean(error(text))


PLAIN: tuple[Callable[[str], str], ...] = (plan_text, narrow_text, summaries, cleaned, problem_line, error_line)
MARKDOWN: tuple[Callable[[str], str], ...] = (plan_markdown, render.escaped, render.code)
JSON: tuple[Callable[[str], str], ...] = (
    *(plan_json, screen_json, http_body, http_problem, served_problem, log_line, event),
)
STORED: tuple[Callable[[str], str], ...] = (status,)


@cache
def shown_by(output: Callable[[str], str], text: str) -> str:
    """What an output makes of a text, for all that is asked of it."""
    return output(text)


OUTPUTS = (*PLAIN, *MARKDOWN, *JSON)


def test_the_table_is_as_long_as_promised_and_has_no_text_twice() -> None:
    assert len(TEXTS) >= 150
    assert len(set(TEXTS)) == len(TEXTS)


def faults(check: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """Text → what is wrong with it, over the whole table."""
    return {text[:80]: found for text in TEXTS if (found := check(text))}


@pytest.mark.cases(len(TEXTS))
@pytest.mark.parametrize("output", OUTPUTS)
def test_hostile_texts_are_harmless_in_every_output(output: Callable[[str], str]) -> None:
    def check(text: str) -> list[str]:
        shown = shown_by(output, text)
        shown.encode()
        return faults_in(shown, **({"longest": 10**6} if output in JSON else {}))

    assert faults(check) == {}


@pytest.mark.cases(len(TEXTS))
def test_every_line_that_the_command_line_prints_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(color=False, verbose=True)

    def check(text: str) -> list[str]:
        for way in (screen.good, screen.bad, screen.note, screen.detail, screen.error):
            way(text)
        screen.plan(plan(text))
        printed = capsys.readouterr()
        assert len(printed.err.splitlines()) == 3
        return faults_in(printed.out + printed.err)

    assert faults(check) == {}


@pytest.mark.cases(len(TEXTS))
@pytest.mark.parametrize("output", JSON)
def test_json_is_one_document_and_ascii(output: Callable[[str], str]) -> None:
    for text in TEXTS:
        shown = shown_by(output, text)
        assert shown.isascii()
        assert isinstance(json.loads(shown), dict)


def test_json_means_what_it_meant() -> None:
    """Escapes alone are added: a reader of the document gets the value."""
    for text in TEXTS:
        document = {"a": text, text: text, "b": ["#", "##", "###"]}
        assert json.loads(json_text(document)) == document


_TAGS = re.compile(r"</?(?:code|details|summary)>")


@pytest.mark.cases(len(TEXTS))
@pytest.mark.parametrize("output", MARKDOWN)
def test_markdown_holds_no_link_no_name_and_no_structure_of_others(output: Callable[[str], str]) -> None:
    cells = _bare(output("x")).count("|")

    def check(text: str) -> list[str]:
        shown = shown_by(output, text)
        found = re.findall(r"(?i)www\.|://|mailto:|xmpp:|@(?=\w)", shown) + re.findall(r"[<>`\\\[\]]", _bare(shown))
        return [*found, *(["a cell"] if _bare(shown).count("|") != cells else []), *re.findall("\n\n\n", shown)]

    assert faults(check) == {}


def _bare(shown: str) -> str:
    """Without entities and our own tags."""
    return re.sub(r"&#x[0-9a-f]+;", "", _TAGS.sub("", shown))


def test_a_person_or_an_issue_outside_of_code_is_not_mentioned() -> None:
    """GitHub looks for them after entities are resolved."""
    assert render.escaped("by @ann in #12 and a@b") == ("by &#x40;&#x200b;ann in &#x23;&#x200b;12 and a&#x40;&#x200b;b")
    assert render.code("@ann") == "<code>&#x40;ann</code>"
    assert render.escaped("see www.evil.example") == "see www&#x2e;evil.example"


def test_cleaning_twice_changes_nothing_more() -> None:
    for once in map(render.clean, TEXTS):
        assert render.clean(once) == once
        assert len(once) <= LONGEST


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##vso[task.debug]x", "#\\x23vso[task.debug]x"),
        ("###", "#\\x23\\x23"),
        ("# one #", "# one #"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::error::x", "  \\x3a:error::x"),
        ("a ::b", "a ::b"),
        ("C::D", "C::D"),
        (":x", ":x"),
        ("\ufe0f", "\\ufe0f"),
        ("\ud800", "\\ud800"),
        ("é e\u0301 日本 🙂", "é e\u0301 日本 🙂"),
    ],
)
def test_what_is_broken_and_what_stays(text: str, shown: str) -> None:
    assert render.clean(text) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    shown = render.clean("x " * 6_000)

    assert shown.startswith("x x ")
    assert shown.endswith("… (12000 characters)")
    assert len(shown) == LONGEST
    assert len(render.escaped("x " * 6_000)) == LONGEST_CELL + len("&#x28;&#x29;") - 2


def test_a_plan_has_a_hash_whatever_others_named() -> None:
    """A lone surrogate ended the run here."""
    hashes = {plan(text).hash for text in TEXTS}

    assert len(hashes) == len(TEXTS)
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)


def test_state_keeps_whatever_others_named(tmp_path: Path) -> None:
    """A lone surrogate in an answer of a service ended the run at its end: its status could not be saved."""
    stores = Local(tmp_path / "state.db")
    try:
        etag = None
        for text in TEXTS:
            etag = stores.state.save("pools/a", {"a": text, "b": [text]}, etag)
            kept = stores.state.load("pools/a")
            assert kept is not None
            assert kept.body == {"a": text, "b": [text]}
    finally:
        stores.close()


def test_a_value_in_a_spec_that_is_printed_is_no_command() -> None:
    """`import` and `convert` print YAML."""
    assert [text for text in TEXTS if re.search(r"##(vso)?\[", scalar(text))] == []

"""Plans as Markdown: a comment that names from outside cannot break out of."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given

from reconciler.plan import render
from reconciler.plan.model import Plan
from reconciler.plan.render.tables import FOLDED_FROM, MOST_ROWS
from reconciler.plan.sync import SyncCause
from tests.plan.render.samples import BLIND, DRIFTED, EVERYTHING, IN_SYNC, OPENED, REMARKED, UNSEEN, plans


def test_the_plan_of_the_documentation_is_a_table() -> None:
    expected = f"""\
### <code>fabrikam-managed-pool</code> @ <code>3f2a91c</code>: out of sync (pending)

3 changes: 1 without impact, 1 granting access, 1 revoking access · plan <code>{DRIFTED.hash}</code>

**changes**

|  | what | which | from | to | API, effect |
| --- | --- | --- | --- | --- | --- |
| <code>&#x7e;</code> | pool | <code>maximumConcurrency</code> | <code>4</code> | <code>6</code> | ARM, in place |
| <code>+</code> | open access | <code>fabrikam-tailspin/Web</code> | <code>none</code> | <code>all pipelines</code> | Azure DevOps, grants access |
| <code>-</code> | administrator | <code>fabrikam-prime  bob&#x40;fabrikam.com</code> | <code>Administrator</code> | <code>none</code> | Azure DevOps, revokes access |"""

    assert expected == render.markdown(DRIFTED, SyncCause.PENDING)


def test_refusals_and_gaps_have_tables_of_their_own() -> None:
    shown = render.markdown(EVERYTHING)

    assert "**refused**" in shown
    assert (
        "| administrator | <code>fabrikam-prime  bob&#x40;fabrikam.com</code> | <code>last-administrator</code> |"
        in shown
    )
    assert "**not known**" in shown
    assert (
        "| roles | <code>&#x28;all&#x29;</code> | unknown | Unavailable&#x3a; roles&#x3a; fabrikam-prime answered 503 |"
        in shown
    )


def test_in_sync_is_two_lines() -> None:
    assert render.markdown(IN_SYNC).splitlines()[0].endswith(": in sync")
    assert "|" not in render.markdown(IN_SYNC)


def test_a_remark_is_told_and_keeps_nothing_from_being_in_sync() -> None:
    shown = render.markdown(REMARKED)

    assert shown.splitlines()[0].endswith(": in sync")
    assert (
        f"**remarks**\n\n| what | which | why |\n| --- | --- | --- |\n| prerequisites | {render.code(UNSEEN.subject)}"
        in shown
    )


def test_a_folder_without_git_has_no_revision() -> None:
    assert render.markdown(BLIND).startswith("### <code>fabrikam-managed-pool</code>: not verified; 1 read failed")


def test_a_long_table_is_folded_away() -> None:
    """The comment is read on a phone, too: the counts stand above, the rows one tap away."""
    changes = tuple(replace(OPENED, subject=f"o/{number}") for number in range(FOLDED_FROM))
    shown = render.markdown(Plan("p", "", changes))

    assert f"<details><summary>changes: {FOLDED_FROM} rows</summary>\n\n|" in shown
    assert shown.endswith("|\n\n</details>")


def test_an_endless_table_ends_and_says_what_is_missing() -> None:
    changes = tuple(replace(OPENED, subject=f"o/{number}") for number in range(MOST_ROWS + 3))
    shown = render.markdown(Plan("p", "", changes))

    assert "… and 3 more rows: the JSON output has them all." in shown
    assert shown.count("\n| <code>") == MOST_ROWS


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a | b", "a bar would begin a cell"),
        ("</code><img src=x>", "HTML would leave the cell"),
        ("`code`", "a backtick would begin code"),
        ("@everybody", "an at sign would mention people"),
        ("[click](https://evil.example)", "a link would lead away"),
        ("&lt;b&gt;", "an entity would be decoded"),
        ("**bold**", "stars would shout"),
        ("#123", "a hash would link an issue"),
        ("line\nbreak", "a line break would end the table"),
        ("back\\slash", "a backslash would take the escape of the next character"),
    ],
)
def test_a_name_cannot_break_out(name: str, reason: str) -> None:
    shown = render.markdown(Plan("p", "", (replace(OPENED, subject=name),)))

    assert name not in shown, reason


@given(plans)
def test_the_table_never_breaks(plan: Plan) -> None:
    """Each row of a table has the bars of its header, and nothing but our own tags is left as HTML."""
    shown = render.markdown(plan)
    blocks = [block.splitlines() for block in shown.split("\n\n") if block.startswith("| ")]
    for block in blocks:
        assert {line.count("|") for line in block} == {block[0].count("|")}
    assert set(re.findall(r"<[^>]*>", shown)) <= {"<code>", "</code>"}
    ours = re.sub(r"\*\*(changes|refused|not known|remarks)\*\*|</code> @ <code>", "", shown)
    assert not set("@[]()`*_$!\\") & set(ours)

"""The report on a pull request: who gains and loses access in words, bounded, and no name breaks out of it."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.model import Change, Plan, Refusal, Risk
from reconciler.plan.render.access import Effect, effects
from reconciler.plan.render.comment import ChangeReport, comment, succeeded, verdict
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import OpenAccess, QueuePlace, Target
from tests.documents.hostile import TEXTS
from tests.examples import tries
from tests.plan.every_target import TARGETS
from tests.plan.render.samples import BLIND, DRIFTED, EVERYTHING, IN_SYNC, LAST, OPENED, REMARKED, REMOVED, plans

GITHUB = 65_536


def of(*found: Plan, **more: object) -> ChangeReport:
    return ChangeReport(plans=[(one, SyncCause.UNKNOWN) for one in found], **more)  # type: ignore[arg-type] # by keyword


def read(text: str) -> str:
    """As a person reads it: entities resolved, without tags."""
    return html.unescape(re.sub(r"</?code>", "", text))


def test_the_first_screen_says_who_gains_and_who_loses() -> None:
    shown = read(comment(of(DRIFTED, replace(IN_SYNC, pool="quiet")), GITHUB))
    assert shown.startswith(
        """\
### Plan: 3 changes in 1 pool: 1 without impact, 1 granting access, 1 revoking access

**Gains access**

- All pipelines of project fabrikam-tailspin/Web may use fabrikam-managed-pool

**Loses access**

- bob@fabrikam.com is no longer Administrator of fabrikam-managed-pool in organization fabrikam-prime

### fabrikam-managed-pool"""
    )
    assert "<details><summary>In sync: 1 pool</summary>\n\nquiet\n\n</details>" in shown


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: type(one).__name__)
def test_every_write_that_widens_narrows_or_destroys_has_a_sentence(target: Target) -> None:
    change = Change("facet", "kind", "subject", None, "x", target)
    found = {one.effect for one in effects(Plan("pool", "", (change,)))}
    wanted = {
        Risk.WIDENS: {Effect.GAINS, Effect.ADMINISTRATORS},
        Risk.NARROWS: {Effect.LOSES},
        Risk.DESTROYS: {Effect.DELETES},
    }
    if type(target).__name__ == "MovePool":
        assert not found  # only ever refused, and then the refusal is the sentence
    elif change.risk in wanted:
        assert found & wanted[change.risk]
    else:
        assert found <= {Effect.GAINS}


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: type(one).__name__)
def test_a_sentence_has_a_place_for_each_of_its_names(target: Target) -> None:
    change = Change("facet", "kind", "subject {}", None, "x", target, note="until {}")
    for one in effects(Plan("pool", "", (change,), (Refusal(change, "rule", "why {}"),))):
        assert one.text.count("{}") == len(one.names)


@pytest.mark.parametrize(
    ("report", "said", "good"),
    [
        (of(), "no pool is concerned", True),
        (of(IN_SYNC, replace(IN_SYNC, pool="b")), "in sync: 2 pools", True),
        (of(REMARKED), "in sync: 1 pool", True),
        (of(Plan("p", "", (OPENED,))), "1 change in 1 pool: 1 granting access", True),
        (of(Plan("p", "", (), (LAST,))), "1 change refused", False),
        (of(Plan("p", "", (), (Refusal(REMOVED, "cap-removals", "x"),))), "1 change held back until approved", True),
        (of(BLIND), "the plan is not complete", False),
        (of(EVERYTHING), "the plan is not complete", False),
        (of(problems=["a.yaml:1: x"]), "1 problem in specs", False),
        (of(IN_SYNC, problems=["a", "b"]), "2 problems in specs", False),
        (of(failures=["Forbidden: not signed in"]), "the plan failed", False),
        (of(problems=["a"], failures=["b"]), "1 problem in specs; the plan failed", False),
        (of(removed=["old"]), "1 pool no longer managed", True),
    ],
)
def test_the_verdict_is_one_line(report: ChangeReport, said: str, good: bool) -> None:
    assert (verdict(report), succeeded(report)) == (said, good)
    assert comment(report, GITHUB).startswith(f"### Plan: {said}\n") or comment(report, GITHUB) == f"### Plan: {said}"


def test_what_is_not_planned_is_named() -> None:
    shown = read(comment(of(IN_SYNC, removed=["old"], untouched=7), GITHUB))
    assert "**No longer managed**, since no spec names them: old. Nothing is deleted" in shown
    assert "7 specs not touched by this change, and not planned." in shown
    assert "No access is granted or revoked." in shown


def test_where_something_was_not_read_nobody_is_said_to_keep_access() -> None:
    assert "No access is granted" not in comment(of(BLIND), GITHUB)
    assert "No access is granted" not in comment(of(failures=["x"]), GITHUB)


def whole(text: str) -> None:
    """No table, fold or fence is left open."""
    assert text.count("<details>") == text.count("</details>")
    assert text.count("<code>") == text.count("</code>")
    for line in text.splitlines():
        assert not line.startswith("| ") or line.endswith(" |")


@pytest.mark.parametrize("longest", [GITHUB, 150_000])
def test_a_plan_that_is_too_long_leaves_out_whole_pools_and_names_them(longest: int) -> None:
    many = [replace(DRIFTED, pool=f"fabrikam-pool-{number:04}") for number in range(400)]
    shown = comment(of(*many), longest, "the summary of the run, https://example.com/run/1")
    whole(shown)
    assert len(shown) <= longest
    heads = re.findall(r"^### <code>(fabrikam-pool-\d+)", shown, re.MULTILINE)
    assert 0 < len(heads) < len(many)
    assert heads == [one.pool for one in many[: len(heads)]]
    left = len(many) - len(heads)
    assert f"<code>{many[len(heads)].pool}</code>" in shown.partition("Left out")[2]
    assert f"and {left - 20} more. See the summary of the run" in shown


@settings(max_examples=tries(20, soaked=40))
@given(st.lists(plans, max_size=20), st.lists(st.text(max_size=400), max_size=25))
def test_it_is_never_longer_than_the_host_takes(found: list[Plan], lines: list[str]) -> None:
    report = of(*found, problems=lines, failures=lines)
    shown = comment(report, GITHUB)
    assert len(shown) <= GITHUB
    whole(shown)


@pytest.mark.parametrize("text", TEXTS)
def test_no_name_breaks_out_or_mentions_anybody(text: str) -> None:
    target = OpenAccess(QueuePlace(text, "id", text, 7, 2), allow=True)
    changes = (replace(OPENED, subject=text, note=text, target=target), replace(REMOVED, subject=text, before=text))
    plan = Plan(text, text, changes, (Refusal(changes[1], text, text),))
    shown = comment(of(plan, problems=[text], failures=[text], removed=[text]), GITHUB, text)
    whole(shown)
    plain = re.sub(r"</?(?:code|details|summary)>", "", shown)
    plain = re.sub(r"&#x[0-9a-f]+;", "", plain)
    assert not re.search(r"[<>`\[\]!_\\~]|@(?! )|#\w|https?:|www\.", plain)
    assert shown.replace("\n", "").isprintable()
    assert not re.search(r"#\d", shown)
    titles = [line for line in plain.splitlines() if line.startswith("#")]
    assert titles[0].startswith("### Plan: ")
    assert len(titles) == 2

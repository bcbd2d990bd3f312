"""Plans as text: what is shown first, and that no name from outside can control the terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given

from reconciler.plan import render
from reconciler.plan.model import Action, Change, Detail, Gap, GapKind, Plan, Risk
from reconciler.plan.render.words import rows
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import CreatePool, UpdatePool
from tests.plan.render.samples import (
    BLIND,
    DEAD,
    DRIFTED,
    EVERYTHING,
    HIDDEN,
    IN_SYNC,
    LARGER,
    MADE,
    OPENED,
    REMARKED,
    REMOVED,
    REVISION,
    UNSEEN,
    plans,
)


def test_the_plan_of_the_documentation_reads_like_a_pull_request() -> None:
    """Aligned columns; each line says what, from what to what, over which API, and what it does to people."""
    expected = """\
fabrikam-managed-pool @ 3f2a91c   out of sync (drift)
  ~ pool           maximumConcurrency                4 → 6                 ARM, in place
  + open access    fabrikam-tailspin/Web             none → all pipelines  Azure DevOps, grants access
  - administrator  fabrikam-prime  bob@fabrikam.com  Administrator → none  Azure DevOps, revokes access
  3 changes: 1 without impact, 1 granting access, 1 revoking access
  plan b4b88949094f3f6708740a5c2937fa60cc04cf222fa48b7dc0f326bffe9453cf"""

    assert expected == render.text(DRIFTED, cause=SyncCause.DRIFT)


def test_what_is_refused_and_what_is_not_known_is_shown_with_its_reason() -> None:
    """A person on call decides on these two, so they are never left to a log."""
    expected = """\
fabrikam-managed-pool @ 3f2a91c   out of sync; 1 read failed; 1 problem to correct
  ~ pool           maximumConcurrency                4 → 6                         ARM, in place
  + queue          fabrikam-prime/fabrikam-dev       none → fabrikam-managed-pool  Azure DevOps, grants access; usually created by Azure, checked again first
  + open access    fabrikam-tailspin/Web             none → all pipelines          Azure DevOps, grants access
  ! administrator  fabrikam-prime  bob@fabrikam.com  Administrator → none          refused: last-administrator
      roles: fabrikam-prime would be left with 0 administrators
  ? open access  fabrikam-tailspin/Ghost  degraded  NotFound
      open access: project Ghost is hidden
  ? roles        (all)                    unknown   Unavailable
      roles: fabrikam-prime answered 503
  3 changes: 1 without impact, 2 granting access; 1 refused; 2 gaps: 1 unknown, 1 degraded
  plan 6cf0d720160dff04aab91260330b25f2d0ea8b84220a6d7cd6cf601547197621"""

    assert expected == render.text(EVERYTHING)


def test_in_sync_says_that_there_is_nothing_to_do() -> None:
    assert render.text(IN_SYNC) == "fabrikam-managed-pool @ 3f2a91c   in sync\n  0 changes"


def test_an_empty_plan_with_a_gap_is_not_in_sync() -> None:
    """A read that failed is not an absence. And a folder without git has no revision to show."""
    first = render.text(BLIND).splitlines()[0]

    assert first == "fabrikam-managed-pool   not verified; 1 read failed"


def test_a_remark_is_told_and_keeps_nothing_from_being_in_sync() -> None:
    assert REMARKED.in_sync
    assert render.text(REMARKED).splitlines() == [
        "fabrikam-managed-pool @ 3f2a91c   in sync",
        "  · prerequisites  key vault build admit",
        f"      {UNSEEN.message}",
        "  0 changes; 1 remark",
    ]


def test_the_state_says_what_waits_what_failed_and_what_is_to_be_corrected() -> None:
    queue = replace(HIDDEN, kind=GapKind.NOT_READY)
    pool = replace(DEAD, kind=GapKind.NOT_READY)

    assert render.state(replace(DRIFTED, gaps=(queue,))) == "out of sync; 1 change waits for its queue"
    assert render.state(replace(BLIND, gaps=(queue, queue, pool))) == (
        "not verified; 2 changes wait for their queue; 1 part not ready yet"
    )
    assert render.state(replace(BLIND, gaps=(pool, DEAD, HIDDEN, HIDDEN))) == (
        "not verified; 1 part not ready yet; 1 read failed; 2 problems to correct"
    )


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (SyncCause.DRIFT, "out of sync (drift)"),
        (SyncCause.PENDING, "out of sync (pending)"),
        (SyncCause.UNKNOWN, "out of sync"),
    ],
)
def test_the_state_says_why_it_is_out_of_sync_where_that_is_known(cause: SyncCause, shown: str) -> None:
    assert render.state(DRIFTED, cause) == shown
    assert render.state(IN_SYNC, cause) == "in sync"
    assert render.state(BLIND, cause) == "not verified; 1 read failed", "nothing is known to differ"


def test_a_narrow_terminal_gets_two_lines_for_a_wide_change() -> None:
    """Half a line that the terminal broke where it liked cannot be read."""
    expected = """\
  ~ pool           maximumConcurrency                4 → 6                 ARM, in place
  + open access    fabrikam-tailspin/Web
      none → all pipelines  Azure DevOps, grants access"""

    assert expected in render.text(DRIFTED, 88)


def test_unsaved_work_does_not_carry_the_name_of_a_commit() -> None:
    """A plan of edited files must not be taken for the plan of the commit that they were edited from."""
    first = render.text(replace(IN_SYNC, revision=f"{REVISION}-dirty-0123456789ab")).splitlines()[0]

    assert first == "fabrikam-managed-pool @ 3f2a91c-dirty   in sync"


def test_each_detail_is_a_line_of_its_own_with_its_own_risk() -> None:
    """One PUT may change a harmless field and one that recycles agents; both must be seen."""
    change = replace(
        LARGER,
        details=(
            Detail("maximumConcurrency", 4, 6),
            Detail("fabricProfile.sku.name", "D2", "D4", Risk.RESTARTS, "agents are recycled"),
        ),
    )
    lines = render.text(Plan("fabrikam-managed-pool", "", (change,))).splitlines()

    assert lines[1].endswith("4 → 6    ARM, no impact")
    assert lines[2].endswith("D2 → D4  ARM, restarts agents, agents are recycled")


def test_a_subject_other_than_the_pool_stands_before_its_details() -> None:
    change = replace(OPENED, details=(Detail("pipelines", None, [1]),))

    (row,) = rows(Plan("p", "", (change,)), change)

    assert row.subject == "fabrikam-tailspin/Web  pipelines"


def test_a_very_long_value_is_cut_and_says_so() -> None:
    """What was cut has a length and a digest, so two different long values never look alike."""
    one, other = (render.text(Plan("p", "", (replace(OPENED, after="x" * 500 + end),))) for end in "ab")

    assert "… (501 characters, sha256 " in one
    assert one != other


def test_wide_characters_keep_the_columns_aligned() -> None:
    """A project may be called 東京; its row must not push the others."""
    changes = tuple(replace(OPENED, subject=subject) for subject in ("o/東京", "o/Tokyo", "o/e\u0301"))
    lines = render.text(Plan("p", "", changes)).splitlines()[1:4]

    assert [line.split("none")[0].rstrip() + "|" for line in lines] == [
        "  + open access  o/東京|",
        "  + open access  o/Tokyo|",
        "  + open access  o/e\u0301|",
    ]
    assert lines[0].index("none") + 2 == lines[1].index("none") == lines[2].index("none") - 1


@pytest.mark.parametrize(
    ("value", "shown", "reason"),
    [
        ("plain", "plain", "most values need nothing"),
        ("Zürich 東京", "Zürich 東京", "letters of any script are not an attack"),
        ("\x1b[2Jgone", r"\x1b[2Jgone", "an escape sequence could clear the plan from the screen"),
        ("a\nb\r\n", r"a\x0ab\x0d\x0a", "a line break could forge a line of the plan"),
        ("\u202egnp.exe", r"\u202egnp.exe", "an override could show a name backwards"),
        ("a\u200bb", r"a\u200bb", "zero-width characters make two names look alike"),
        ("\u2028", r"\u2028", "a line separator breaks lines in some programs"),
        ("\U000e0041", r"\U000e0041", "tag characters hide whole sentences"),
        ("\ud800", r"\ud800", "half a surrogate pair cannot be printed at all"),
        ("a\u00a0b", "a b", "another kind of space is a space"),
    ],
)
def test_characters_that_do_not_show_themselves_are_written_out(value: str, shown: str, reason: str) -> None:
    assert render.clean(value) == shown, reason


def test_gaps_of_one_cause_are_one_line() -> None:
    gaps = [Gap(facet, f"fabrikam/{n}", GapKind.UNKNOWN, "Unavailable", "no response")
            for facet in ("queues", "roles") for n in range(3)]  # fmt: skip
    gaps.append(Gap("roles", "fabrikam/9", GapKind.UNKNOWN, "Unavailable", "no response"))
    plan = Plan("pool", "3f2a91c", (), (), tuple(gaps))

    lines = [line.strip() for line in render.text(plan).splitlines() if "fabrikam" in line or "no response" in line]

    assert lines == [
        "? queues, roles  fabrikam/0, fabrikam/1, fabrikam/2, 1 more  unknown  Unavailable",
        "no response",
    ]
    assert render.markdown(plan).count("no response") == 1
    assert len(render.to_json(plan)["gaps"]) == len(gaps)


@given(plans)
def test_no_control_character_survives_and_no_value_makes_a_line(plan: Plan) -> None:
    """Whatever a project, a person or an error is called, the text has the lines that the plan has."""
    shown = render.text(plan)

    assert not [c for c in shown if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    details = sum(
        len(change.details) + 1 if isinstance(change.target, CreatePool) else len(change.details) or 1
        for change in plan.changes
    )
    causes = {(gap.kind, gap.reason, gap.message) for gap in plan.gaps}
    notes = 2 * (len(plan.refusals) + len(causes) + len(plan.remarks))
    assert shown.count("\n") == details + notes + 1 + bool(plan.changes or plan.approvable)
    assert (f"\n  plan {plan.hash}" in shown) is bool(plan.changes or plan.approvable)


def test_one_line_for_a_change_names_its_fields_and_counts_the_rest() -> None:
    """A log line is read at a glance; the plan has them all."""
    details = tuple(Detail(f"field{number}", [f"a{number}"], None) for number in range(5))

    assert render.summary(OPENED) == "+ open access fabrikam-tailspin/Web: none → all pipelines"
    assert render.summary(replace(LARGER, details=details)) == (
        "~ pool fabrikam-managed-pool: field0 [a0] → none, field1 [a1] → none, field2 [a2] → none, 2 more"
    )


def test_every_action_has_its_own_mark() -> None:
    shown = {one.action: next(iter(rows(DRIFTED, one))) for one in (MADE, LARGER, REMOVED)}
    marks = {action: row.mark for action, row in shown.items()}

    assert marks == {Action.CREATE: "+", Action.UPDATE: "~", Action.REMOVE: "-"}


def test_an_empty_text_is_shown_as_one() -> None:
    """Otherwise «from nothing» and «from an empty text» would look alike, and the arrow would stand alone."""
    change = Change("pool", "tag", "team", "", None, UpdatePool("/pool", {}))

    assert '"" → none' in render.text(Plan("p", "", (change,)))

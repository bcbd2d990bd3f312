"""The planner: what becomes a change, a gap, a refusal, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.planner import Planner, gap_of
from reconciler.errors import (
    Forbidden,
    Immutable,
    NotFound,
    NotReady,
    ReconcilerError,
    Rejected,
    SpecInvalid,
    Throttled,
    Unavailable,
)
from reconciler.plan.guards import organization_of
from reconciler.plan.model import GapKind, Refusal
from reconciler.plan.policy import Policy
from reconciler.spec.model import Organization
from tests.engine.stage import ORG, OTHER, SPEC, Stage, admins, converged
from tests.small_facets import DOORS, FACETS, KEYS, key


def test_a_converged_pool_has_an_empty_and_complete_plan() -> None:
    """Rule 1: in sync is something seen."""
    assert converged().plan().in_sync


def test_planning_holds_nothing_that_could_write() -> None:
    """Rule 7: it is another type, not a flag."""
    stage = converged()

    assert not [name for name in vars(stage.planner) if "writ" in name]
    assert not hasattr(stage.planner, "apply")


def test_a_closed_queue_is_planned_to_be_opened() -> None:
    stage = converged()
    stage.estate.open.discard(1001)

    (change,) = stage.plan().changes

    assert (change.id, change.after) == ("doors:open access:fabrikam-prime/project-1", True)


def test_a_facet_that_the_spec_does_not_manage_is_not_read() -> None:
    stage = converged()

    stage.plan()

    assert "roles" not in stage.estate.calls
    assert "machines" not in stage.estate.calls


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotReady("pool: being made"), GapKind.NOT_READY),
        (Unavailable("org: 503"), GapKind.UNKNOWN),
        (Throttled("org: slow down", retry_after=30), GapKind.UNKNOWN),
        (Forbidden("org: 403"), GapKind.UNKNOWN),
        (NotFound("pool: hidden"), GapKind.DEGRADED),
        (Rejected("bob: two of them"), GapKind.DEGRADED),
        (Immutable("pool: location"), GapKind.DEGRADED),
    ],
)
def test_a_facet_that_cannot_be_read_is_a_gap(error: ReconcilerError, kind: GapKind) -> None:
    """Rule 2: a read that failed is not an absence; nothing is planned on it, and the others go on."""
    stage = converged()
    stage.estate.open.clear()
    stage.fail("roles", error)

    plan = stage.plan(admins("ann"))

    (gap,) = plan.gaps
    assert (gap.facet, gap.subject, gap.kind, gap.reason, gap.retry_after) == (
        "keys",
        "",
        kind,
        type(error).__name__,
        error.retry_after,
    )
    assert {change.facet for change in plan.changes} == {"doors"}
    assert not plan.in_sync


def test_a_pool_that_is_not_there_yet_leaves_azure_devops_for_later() -> None:
    """The resource comes first; that the agent pool is missing is then no news."""
    stage = Stage()
    spec = replace(SPEC, body={"tags": {"team": "build"}})

    plan = stage.plan(spec)

    assert [change.facet for change in plan.changes] == ["body"]
    assert {(gap.facet, gap.kind) for gap in plan.gaps} == {
        ("queues", GapKind.NOT_READY),
        ("doors", GapKind.NOT_READY),
    }


def test_a_bug_in_a_facet_is_not_filed_as_trouble() -> None:
    stage = converged()
    stage.fail("queues", ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        stage.plan()


def test_a_spec_that_a_facet_cannot_read_leaves_no_plan() -> None:
    def refuse(*_: object) -> None:
        raise SpecInvalid("pools/pool-1.yaml:3: no")

    stage = converged(facets=[replace(DOORS, parse=refuse)])

    with pytest.raises(SpecInvalid):
        stage.plan()


def test_one_dead_organization_does_not_stop_the_other() -> None:
    """Rule 10."""
    stage = converged()
    stage.estate.add(OTHER, 1, 2, opened=False)
    spec = replace(SPEC, organizations=(*SPEC.organizations, Organization(OTHER, "pool-1", (), open_access=True)))
    stage.fail("agent pools", Unavailable("fabrikam-prime: 503"), about=ORG)

    plan = stage.plan(spec)

    assert {gap.subject for gap in plan.gaps} == {ORG}
    assert {organization_of(change) for change in plan.changes} == {OTHER}


def test_grants_come_before_what_narrows() -> None:
    """Rule 4."""
    stage = converged()
    stage.estate.open.clear()
    stage.hold("bob")

    plan = stage.plan(admins("ann"))

    assert [change.narrows for change in plan.changes] == [False, False, False, False, True]
    assert plan.changes[-1].subject == "fabrikam-prime bob"


def test_a_refused_grant_takes_the_removal_with_it_that_it_made_safe() -> None:
    """Rules 3 and 12: guards are called again until none refuses any more, or the last administrator would go."""
    stage = converged(policy=Policy(principals=("nobody",)))
    stage.hold("bob")

    plan = stage.plan(admins("ann"))

    assert plan.changes == ()
    assert [(refusal.rule, refusal.change.subject) for refusal in plan.refusals] == [
        ("policy-principals", "fabrikam-prime ann"),
        ("last-administrator", "fabrikam-prime bob"),
    ]


def test_a_guard_that_refuses_what_nobody_planned_is_a_bug() -> None:
    """Silently dropping it would hide that guard and diff speak of different things."""
    stage = converged()
    stage.estate.open.clear()
    stray = replace(stage.plan().changes[0], subject="elsewhere")
    stage.facets = [replace(DOORS, guard=lambda *_: [Refusal(stray, "rule", "message")])]

    with pytest.raises(AssertionError, match="was not planned"):
        stage.plan()


@given(st.sets(st.sampled_from("abcde"), min_size=1), st.sets(st.sampled_from("abcde"), min_size=1), st.data())
def test_nobody_is_ever_locked_out(wanted: set[str], held: set[str], data: st.DataObject) -> None:
    """Whatever the policy refuses, an administrator remains; and equal states plan nothing."""
    allowed = data.draw(st.sets(st.sampled_from("abcde")))
    stage = converged(0, policy=Policy(principals=tuple(allowed), max_role_removals=5), facets=(KEYS,))
    stage.hold(*held)
    plan = stage.plan(admins(*wanted))

    left = set(held)
    for change in plan.changes:
        (left.discard if change.narrows else left.add)(key(change).principal)
        assert left
    assert (plan.changes == () and not plan.refusals) == (wanted == held)
    assert {key(c).principal for c in plan.changes if not c.narrows} == (wanted - held) & allowed


@given(st.permutations(FACETS))
def test_the_plan_does_not_depend_on_who_was_asked_first(facets: list[object]) -> None:
    """Order of application follows the registry; what is planned, and its hash, does not."""
    stage = converged()
    stage.estate.open.clear()
    stage.hold("bob")
    spec = admins("ann")
    usual = stage.plan(spec)

    stage.facets = facets
    plan = stage.plan(spec)

    assert plan.hash == usual.hash
    assert sorted(c.id for c in plan.changes) == sorted(c.id for c in usual.changes)
    assert [c.narrows for c in plan.changes] == [c.narrows for c in usual.changes]


def test_a_gap_says_what_the_service_asked_for() -> None:
    gap = gap_of("doors", ORG, Throttled("slow down", retry_after=12))

    assert (gap.reason, gap.retry_after) == ("Throttled", 12)


def test_a_planner_makes_the_survey_of_its_batch() -> None:
    stage = converged()
    planner: Planner = stage.planner

    survey = planner.survey([SPEC])

    assert survey.agent_pool(ORG, "pool-1").id == 1

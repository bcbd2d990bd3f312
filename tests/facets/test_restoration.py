"""Checks that a pool is owed: which are missing, which count as there, and what waits for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.facet import Facet
from reconciler.errors import Forbidden, Unavailable
from reconciler.facets import open_access, pipelines, restoration
from reconciler.facets.support.replacement import checks
from reconciler.plan.model import GapKind, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import RepairedPipeline, RestoredCheck
from reconciler.ports.devops import Pipeline, Project, Queue, QueueCheck
from reconciler.spec.model import PipelineGrant, Spec
from reconciler.survey.owed import Debts, Owed, OwedCheck, OwedPipeline, owed_of
from reconciler.survey.queue_uses import QueueUses
from tests.facets.frame import NOW, PRIME, look, organization, spec
from tests.facets.world import OPERATOR, POOL, Org, World

WEB, APP = Project("web", "Web"), Project("app", "App")
QUEUE = Queue(41, POOL.name, WEB.id, POOL.id)
SETTINGS: dict[str, Any] = {"approvers": [{"displayName": "Ann", "id": "id-ann"}], "minRequiredApprovers": 1}
APPROVAL = OwedCheck(PRIME, WEB.id, "Web", 11, "Approval", checks.APPROVAL, SETTINGS, 60)
LOCK = OwedCheck(PRIME, WEB.id, "Web", 11, "ExclusiveLock", checks.LOCK, {}, 60)


def world(*found: QueueCheck, owed: tuple[Owed, ...] = (APPROVAL,), **more: Any) -> World:
    org = Org(**{"projects": [WEB, APP], "queues": {(WEB.id, POOL.id): QUEUE}, **more})
    org.uses[QUEUE.id] = QueueUses(tuple(found))
    made = World({PRIME: org})
    made.debts = Debts(owed)
    return made


def there(one: OwedCheck = APPROVAL, number: int = 5, **more: Any) -> QueueCheck:
    return replace(one.check, id=number, **{"changed_by": OPERATOR.id, **more})


def missing(here: World) -> list[str]:
    return [change.subject for change in look(here, spec(organization()), facets=[restoration.FACET]).changes]


def test_a_pool_that_is_owed_nothing_is_not_read() -> None:
    here = world(owed=(), trouble={"projects": Forbidden("403"), "agent_pool": Forbidden("403")})

    plan = look(here, spec(organization()), facets=[restoration.FACET])

    assert (plan.changes, plan.gaps) == ((), ())


def test_an_approver_that_an_answer_had_twice_is_asked_once() -> None:
    """A pool replaced after such an answer got the check with the approver doubled."""
    twice = SETTINGS | {"approvers": SETTINGS["approvers"] * 2, "blockedApprovers": [{"id": "id-bob"}] * 2}

    assert checks.sendable(there(settings=twice)) == SETTINGS | {"blockedApprovers": [{"id": "id-bob"}]}


def test_a_missing_check_is_added_as_it_was() -> None:
    here = world()
    (change,) = look(here, spec(organization()), facets=[restoration.FACET]).changes

    assert change.subject == f"{PRIME}/Web Approval (approvers Ann; minRequiredApprovers 1; timeout 60 minutes)"
    assert change.risk is Risk.NEUTRAL
    restoration.apply(change, here.writers)
    assert here.writes == [("add_check", PRIME, "web", 41, POOL.name, "Approval")]
    assert missing(here) == []
    assert here.debts.outstanding == ()


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (there(), 0),
        (there(settings={**SETTINGS, "executionOrder": "anyOrder", "blockedApprovers": []}), 0),
        (there(settings={**SETTINGS, "approvers": [{"id": "id-ann", "uniqueName": "ann@fabrikam.com"}]}), 0),
        (there(LOCK), 1),
        (there(changed_by="id-bob", settings={"approvers": [{"id": "id-bob"}]}), 0),
        (there(changed_by="id-bob", settings={}, disabled=True), None),
        (there(settings={"approvers": [{"id": "id-bob"}]}), None),
        (there(timeout=5), None),
        (there(disabled=True), None),
        (there(changed_by="", settings={}), None),
    ],
)
def test_what_counts_as_there(found: QueueCheck, count: int | None) -> None:
    """None: it is one of this kind, neither equal nor a person's, and a person has to correct it."""
    here = world(found)

    plan = look(here, spec(organization()), facets=[restoration.FACET])

    assert len(plan.changes) == (count or 0)
    assert [gap.kind for gap in plan.gaps] == ([GapKind.DEGRADED] if count is None else [])
    assert len(here.debts.outstanding) == (0 if count == 0 else 1)


def test_two_equal_checks_are_two() -> None:
    here = world(there(), owed=(APPROVAL, replace(APPROVAL)))
    assert len(missing(here)) == 1
    here = world(owed=(APPROVAL, replace(APPROVAL), LOCK))
    first, second, lock = missing(here)
    assert second == f"{first} #2"
    assert "ExclusiveLock" in lock


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"queues": {}}, GapKind.NOT_READY),
        ({"pools": []}, GapKind.NOT_READY),
        ({"trouble": {"queue_uses": Forbidden("403")}}, GapKind.UNKNOWN),
        ({"trouble": {"queues/web": Unavailable("503")}}, GapKind.UNKNOWN),
        ({"trouble": {"projects": Unavailable("503")}}, GapKind.UNKNOWN),
        ({"projects": [APP], "hidden": [WEB], "queues": {}}, GapKind.DEGRADED),
    ],
)
def test_what_cannot_be_read_is_still_owed(more: dict[str, Any], kind: GapKind) -> None:
    here = world(**more)

    plan = look(here, spec(organization()), facets=[restoration.FACET])

    assert ([gap.kind for gap in plan.gaps], plan.changes) == ([kind], ())
    assert here.debts.outstanding == (APPROVAL,)


@pytest.mark.parametrize(
    ("here", "listed"),
    [
        (world(projects=[APP], queues={}), ()),
        (world(queues={}), ("App",)),
        (world(owed=(replace(APPROVAL, queue_id=QUEUE.id),)), ()),
        (world(owed=(replace(APPROVAL, organization="fabrikam-gone"),)), ()),
    ],
    ids=["project deleted", "no queue, and none is created", "the old queue is there", "another organization"],
)
def test_what_is_not_owed_any_more(here: World, listed: tuple[str, ...]) -> None:
    plan = look(here, spec(organization(PRIME, *listed)), facets=[restoration.FACET])

    assert (plan.changes, plan.gaps, here.debts.outstanding) == ((), (), ())


def test_access_waits_for_the_checks_and_closing_does_not() -> None:
    facets: list[Facet[Any, Any]] = [restoration.FACET, open_access.FACET, pipelines.FACET]
    grant = PipelineGrant(PRIME, "Web", (r"\nightly",))
    opened = replace(organization(), open_access=True)
    here = world(pipelines={WEB.id: [Pipeline(7, r"\nightly")]})

    plan = look(here, spec(opened, pipelines=(grant,)), facets=facets)
    waiting = {(gap.facet, gap.kind) for gap in plan.gaps if gap.subject == f"{PRIME}/Web"}

    assert {change.facet for change in plan.changes} == {"restoration"}
    assert waiting == {("open_access", GapKind.NOT_READY), ("pipelines", GapKind.NOT_READY)}
    here = world(open={QUEUE.id})
    closed = replace(organization(), open_access=False)
    assert "open_access" in {change.facet for change in look(here, spec(closed), facets=facets).changes}
    here = world(there(), pipelines={WEB.id: [Pipeline(7, r"\nightly")]})
    plan = look(here, spec(opened, pipelines=(grant,)), facets=facets)
    assert {change.facet for change in plan.changes} == {"open_access", "pipelines"}


@given(st.integers(1, 10**6), st.sampled_from(["type", "settings", "timeout"]))
def test_only_what_is_owed_to_a_queue_that_was_read_is_added(queue: int, field: str) -> None:
    here = world()
    found = restoration.observe(spec(organization()), restoration.parse(spec(organization()), NOW), here).value
    (change,) = restoration.diff(spec(organization()), found)
    assert isinstance(change.target, RestoredCheck)
    assert restoration.guard(found, [change], Policy()) == []
    elsewhere = replace(change.target, place=replace(change.target.place, queue_id=queue + 1000))
    other = replace(change.target, check={**change.target.check, field: {"id": "x"}})

    for target in (elsewhere, other):
        (refusal,) = restoration.guard(found, [replace(change, target=target)], Policy())
        assert refusal.rule == "not-owed"


PIPELINE = OwedPipeline(PRIME, WEB.id, "Web", 11, 3, r"\\nightly")


def repairing(**more: Any) -> Spec:
    return replace(spec(organization(), **more), repair_definitions=True)


def test_a_definition_that_names_the_old_queue_is_changed_and_then_done() -> None:
    here = world(owed=(PIPELINE,))
    here.organizations[PRIME].uses[11] = QueueUses((), (Pipeline(3, r"\\nightly"), Pipeline(4, r"\\other")))

    (change,) = look(here, repairing(), facets=[restoration.FACET]).changes
    assert (change.subject, change.before, change.after) == (f"{PRIME}/Web \\\\nightly", "queue 11", "queue 41")
    restoration.apply(change, here.writers)

    assert here.writes == [("repoint_pipeline", PRIME, "web", 3, 11, 41)]
    here.debts = Debts(here.debts.owed)
    assert look(here, repairing(), facets=[restoration.FACET]).changes == ()
    assert here.debts.outstanding == ()


def test_without_the_word_in_the_spec_no_definition_is_changed() -> None:
    here = world(owed=(PIPELINE,))
    here.organizations[PRIME].uses[11] = QueueUses((), (Pipeline(3, r"\\nightly"),))

    assert look(here, spec(organization()), facets=[restoration.FACET]).changes == ()
    assert here.debts.outstanding == ()


def test_a_definition_holds_no_access_back_and_its_error_hides_no_check() -> None:
    here = world(owed=(APPROVAL, PIPELINE))
    here.organizations[PRIME].uses[11] = QueueUses((), (Pipeline(3, r"\\nightly"),))
    plan = look(here, repairing(), facets=[restoration.FACET])
    assert [change.kind for change in plan.changes] == ["check", "pipeline queue"]
    assert here.debts.guards(PRIME, WEB.id)

    here = world(there(), owed=(APPROVAL, PIPELINE))
    look(here, repairing(), facets=[restoration.FACET])
    assert not here.debts.guards(PRIME, WEB.id)


def test_only_the_definition_that_was_read_is_changed_to_the_queue_that_was_read() -> None:
    here = world(owed=(PIPELINE,))
    here.organizations[PRIME].uses[11] = QueueUses((), (Pipeline(3, r"\\nightly"),))
    found = restoration.observe(repairing(), repairing(), here).value
    (change,) = restoration.diff(repairing(), found)
    assert isinstance(change.target, RepairedPipeline)
    assert restoration.guard(found, [change], Policy()) == []

    for target in (replace(change.target, pipeline_id=4), replace(change.target, old_queue_id=12)):
        assert restoration.guard(found, [replace(change, target=target)], Policy())[0].rule == "not-owed"


_TEXTS = st.text(max_size=5)
_OWED = st.builds(
    OwedCheck,
    _TEXTS,
    _TEXTS,
    _TEXTS,
    st.integers(0, 9),
    _TEXTS,
    st.text(min_size=1, max_size=5),
    st.dictionaries(_TEXTS, _TEXTS, max_size=2),
    st.none() | st.integers(0, 9),
)


@given(_OWED | st.builds(OwedPipeline, _TEXTS, _TEXTS, _TEXTS, st.integers(0, 9), st.integers(0, 9), _TEXTS))
def test_what_is_owed_is_stored_and_read(one: Owed) -> None:
    assert owed_of(one.to_json()) == one


@pytest.mark.parametrize(
    "body", [None, 5, {}, {"type": 5}, {"type": {"id": ""}, "settings": {}}, {"type": {"id": "x"}}]
)
def test_what_cannot_be_read_is_no_check(body: Any) -> None:
    assert owed_of(body) is None

"""What an approved plan reaches: changes it showed before the ids were known, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.plan.following import (
    MEMBER_KNOWN,
    OTHERS_MADE,
    POOL_DELETED,
    POOL_EXISTS,
    UNASSIGNED,
    awaited_by,
    covers,
    placeholder_identity,
    with_what_follows,
)
from reconciler.plan.model import QUEUE_EXISTS, Change, Detail, Plan, Refusal
from reconciler.plan.targets import (
    AgentPoolPlace,
    CreatePool,
    Inheritance,
    NewQueue,
    OpenAccess,
    PipelineAuthorization,
    ProjectPlace,
    QueuePlace,
    RoleAssignmentChange,
    Target,
    UpdatePool,
)

ORG, ANN = "fabrikam-prime", "Ann@fabrikam.com"
ID = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools/pool-1"
WEB = ProjectPlace(ORG, "id-web", "Web")


def queue(number: int = UNASSIGNED, pool: int = UNASSIGNED) -> QueuePlace:
    return QueuePlace(ORG, "id-web", "Web", number, pool)


def change(target: Target, subject: str = "fabrikam-prime/Web", after: object = "open", **rest: object) -> Change:
    return replace(Change("some", "kind", subject, None, after, target), **rest)  # type: ignore[arg-type]


def role(identity: str, pool: int = 7, before: str | None = None, after: str | None = "Administrator") -> Change:
    return change(RoleAssignmentChange(AgentPoolPlace(ORG, pool), identity, ANN, before, after), after=after)


def update(*lines: Detail, resource_id: str = ID) -> Change:
    return change(UpdatePool(resource_id, {}), "pool-1", None, details=lines)


@pytest.mark.parametrize(
    ("target", "awaited"),
    [
        (CreatePool(ID, {}), POOL_DELETED),
        (NewQueue(WEB, UNASSIGNED, "pool-1"), POOL_EXISTS),
        (NewQueue(WEB, 7, "pool-1"), OTHERS_MADE),
        (Inheritance(AgentPoolPlace(ORG, UNASSIGNED), on=True), POOL_EXISTS),
        (Inheritance(AgentPoolPlace(ORG, 7), on=True), OTHERS_MADE),
        (OpenAccess(queue(), allow=True), POOL_EXISTS),
        (OpenAccess(queue(pool=7), allow=True), QUEUE_EXISTS),
        (OpenAccess(queue(11, 7), allow=True), OTHERS_MADE),
        (role(placeholder_identity(ANN)).target, MEMBER_KNOWN),
        (role(placeholder_identity(ANN), UNASSIGNED).target, POOL_EXISTS),
        (role("id-ann").target, OTHERS_MADE),
        (UpdatePool(ID, {}), OTHERS_MADE),
    ],
)
def test_it_says_what_has_to_exist_first(target: Target, awaited: str) -> None:
    assert awaited_by(change(target)) == awaited


def test_the_words_differ_and_a_placeholder_is_one_whatever_the_spelling() -> None:
    words = {POOL_DELETED, POOL_EXISTS, QUEUE_EXISTS, MEMBER_KNOWN, OTHERS_MADE}

    assert len(words) == 5
    assert placeholder_identity("ANN@fabrikam.com") == placeholder_identity("ann@Fabrikam.com")
    assert placeholder_identity("ann@fabrikam.com") != placeholder_identity("bob@fabrikam.com")


FORESEEN = [
    (OpenAccess(queue(), allow=True), OpenAccess(queue(11, 7), allow=True)),
    (OpenAccess(queue(pool=7), allow=True), OpenAccess(queue(11, 7), allow=True)),
    (NewQueue(WEB, UNASSIGNED, "pool-1"), NewQueue(WEB, 7, "pool-1")),
    (role(placeholder_identity(ANN)).target, role("id-ann").target),
    (role(placeholder_identity(ANN)).target, role("id-ann", before="Reader").target),
    (PipelineAuthorization(queue(), 3, "n", authorized=True), PipelineAuthorization(queue(11, 7), 3, "n", authorized=True)),
]  # fmt: skip


@pytest.mark.parametrize(("planned", "real"), FORESEEN)
def test_what_follows_covers_the_same_change_with_real_ids(planned: Target, real: Target) -> None:
    shown = Plan("pool-1", "", following=(change(planned, awaits=POOL_EXISTS),))

    assert covers(shown, change(real))
    assert not covers(Plan("pool-1", ""), change(real))


@pytest.mark.parametrize(("planned", "real"), FORESEEN)
def test_among_what_can_be_written_now_a_placeholder_covers_nothing(planned: Target, real: Target) -> None:
    assert not covers(Plan("pool-1", "", changes=(change(planned),)), change(real))


@pytest.mark.parametrize(
    "real",
    [
        change(OpenAccess(queue(11, 7), allow=False)),
        change(OpenAccess(queue(11, 7), allow=True), after="closed"),
        change(OpenAccess(queue(11, 7), allow=True), "fabrikam-prime/Api"),
        change(OpenAccess(replace(queue(11, 7), project_id="id-api"), allow=True)),
        change(OpenAccess(replace(queue(11, 7), organization="contoso"), allow=True)),
        change(PipelineAuthorization(queue(11, 7), 3, "nightly", authorized=True)),
    ],
)
def test_what_a_plan_did_not_show_is_not_covered(real: Change) -> None:
    shown = Plan("pool-1", "", following=(change(OpenAccess(queue(), allow=True)),))

    assert covers(shown, change(OpenAccess(queue(11, 7), allow=True)))
    assert not covers(shown, real)


def test_a_known_id_stands_for_itself_alone() -> None:
    """A placeholder of a plan may become any id; an id that was shown may not become another."""
    shown = Plan("pool-1", "", following=(change(OpenAccess(queue(11, 7), allow=True)), role("id-ann")))

    assert covers(shown, change(OpenAccess(queue(11, 7), allow=True)))
    assert not covers(shown, change(OpenAccess(queue(12, 7), allow=True)))
    assert not covers(shown, change(OpenAccess(queue(11, 8), allow=True)))
    assert not covers(shown, role("id-bob"))
    assert not covers(shown, change(role("id-ann", after="Reader").target, after="Administrator"))
    assert not covers(shown, role(placeholder_identity(ANN)))
    numbered = change(PipelineAuthorization(queue(), UNASSIGNED, "n", authorized=True))
    assert not covers(
        Plan("pool-1", "", following=(numbered,)), change(PipelineAuthorization(queue(11, 7), 3, "n", authorized=True))
    )


def test_a_change_is_covered_to_the_letter_whatever_it_awaits() -> None:
    shown = Plan("pool-1", "", changes=(change(OpenAccess(queue(11, 7), allow=True), awaits="grants are verified"),))

    assert covers(shown, change(OpenAccess(queue(11, 7), allow=True)))
    assert covers(shown, change(OpenAccess(queue(11, 7), allow=True), awaits="something else"))
    assert not covers(shown, change(OpenAccess(queue(11, 7), allow=True), note="until 2026-12-31"))


SIZE, TAG = Detail("maximumConcurrency", 2, 3), Detail("tags.team", "a", "b")


def test_an_update_is_covered_where_each_of_its_lines_was_shown() -> None:
    shown = Plan("pool-1", "", changes=(update(SIZE, TAG),))
    elsewhere = Plan("pool-1", "", changes=(update(SIZE, TAG, resource_id=f"{ID}-2"),))
    capitals = Plan("pool-1", "", changes=(update(SIZE, TAG, resource_id=ID.upper()),))

    assert covers(shown, update(SIZE))
    assert covers(shown, update(TAG, SIZE))
    assert covers(capitals, update(SIZE))
    assert not covers(elsewhere, update(SIZE))
    assert not covers(shown, update(SIZE, Detail("location", "a", "b")))
    for other in (replace(SIZE, after=4), replace(SIZE, before=1), replace(SIZE, path="tags.size")):
        assert not covers(shown, update(other))


def test_an_update_without_lines_or_a_change_of_another_kind_is_not_covered_by_lines() -> None:
    shown = Plan("pool-1", "", changes=(update(SIZE),))

    assert not covers(shown, update())
    assert not covers(shown, change(OpenAccess(queue(11, 7), allow=True), details=(SIZE,)))
    assert not covers(
        Plan("pool-1", "", changes=(change(OpenAccess(queue(11, 7), allow=True), details=(SIZE,)),)), update(SIZE)
    )


def test_of_a_field_that_was_created_only_the_new_value_counts() -> None:
    """The service may have made something of it first, so the value before is another one."""
    creation = change(CreatePool(ID, {}), "pool-1", None, details=(Detail("maximumConcurrency", None, 3),))

    for shown in (Plan("p", "", changes=(creation,)), Plan("p", "", following=(creation,))):
        assert covers(shown, update(replace(SIZE, before=1)))
        assert not covers(shown, update(replace(SIZE, after=4)))


def test_lines_that_follow_count_as_lines_that_are_written_now() -> None:
    assert covers(Plan("pool-1", "", following=(update(SIZE),)), update(replace(SIZE, note="said otherwise")))


def test_an_approval_shows_all_that_it_allows() -> None:
    cap = Refusal(role("id-bob"), "cap-widenings", "over the cap")
    opened, closed = (
        change(OpenAccess(queue(11, 7), allow=True), "b"),
        change(OpenAccess(queue(12, 7), allow=False), "a"),
    )
    fixed = change(Inheritance(AgentPoolPlace(ORG, 7), on=True), "c")
    plan = Plan("pool-1", "", changes=(fixed,), refusals=(cap,))

    whole = Plan("pool-1", "", changes=(fixed, role("id-bob")), following=(closed, opened))
    found = with_what_follows(plan, whole, ["some"])

    assert found.changes == plan.changes
    assert [(one.change.subject, one.rule) for one in found.refusals] == [
        ("b", "after-approval"),
        ("fabrikam-prime/Web", "cap-widenings"),
        ("a", "after-approval"),
    ]
    assert found.refusals[1] is cap
    assert found.refusals[0].message == "kind b: waits for an approval of this plan, as what it follows from"
    assert set(found.approvable) == {role("id-bob"), opened, closed}


def test_a_refusal_that_an_approval_lifts_waits_for_it() -> None:
    """A grant that is held back holds removals back; the approval allows both, so the plan says that of both."""
    held = Refusal(role("id-ann", after=None), "grants-first", "waits for its grants")
    kept = Refusal(change(OpenAccess(queue(11, 7), allow=True), "z"), "not-in-spec", "not named")
    plan = Plan("pool-1", "", refusals=(held, kept))

    found = with_what_follows(plan, Plan("pool-1", "", changes=(held.change,)), ["some"])

    assert [(one.change, one.rule) for one in found.refusals] == [
        (kept.change, "not-in-spec"),
        (held.change, "after-approval"),
    ]

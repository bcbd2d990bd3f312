"""Caps of the policy: over one nothing of its kind is written, and what the owner approved is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Rejected
from reconciler.plan.caps import NOTHING_SPENT, CapCheck, counts_of
from reconciler.plan.model import Change, Detail
from reconciler.plan.policy import Cap, CapKind, CapPeriod, CapScope, Policy
from reconciler.plan.targets import AgentPoolPlace, ReplacePool, Risk, RoleAssignmentChange, UpdatePool

POOL = "fabrikam-managed-pool"
ID = f"/subscriptions/1/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools/{POOL}"
RUN, DAY = CapPeriod.RUN, CapPeriod.DAY


def removal(who: str, organization: str = "fabrikam") -> Change:
    target = RoleAssignmentChange(AgentPoolPlace(organization, 1), who, who, "Administrator", None)
    return Change("roles", "administrator", f"{organization} {who}", "Administrator", None, target)


def grant(who: str, organization: str = "fabrikam") -> Change:
    target = RoleAssignmentChange(AgentPoolPlace(organization, 1), who, who, None, "Administrator")
    return Change("roles", "administrator", f"{organization} {who}", None, "Administrator", target)


def update(*risks: Risk) -> Change:
    details = tuple(Detail(f"tags.{n}", 1, 2, risk) for n, risk in enumerate(risks))
    return Change("pool", "pool", POOL, None, None, UpdatePool(ID, {}), details)


REPLACED = Change("pool", "pool", POOL, None, None, ReplacePool(ID, {}, ("location",)))
ANY = st.one_of(
    st.builds(removal, st.sampled_from("abcdef"), st.sampled_from(["fabrikam", "contoso"])),
    st.builds(grant, st.sampled_from("ghijkl"), st.sampled_from(["fabrikam", "contoso"])),
    st.lists(st.sampled_from(Risk), max_size=3).map(lambda risks: update(*risks)),
)


def policy(kind: CapKind, scope: CapScope, period: CapPeriod, most: int) -> Policy:
    return Policy(caps=(Cap(kind, scope, period, most, 7),))


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (removal("a"), {"removals": 1}),
        (grant("a"), {"widenings": 1}),
        (update(Risk.RESTARTS, Risk.RESTARTS, Risk.WIDENS, Risk.NEUTRAL), {"restarts": 2, "widenings": 1}),
        (update(Risk.NEUTRAL), {}),
        (replace(update(), details=(Detail("fabricProfile.images", 1, 2, Risk.RESTARTS, code=True),)),
         {"restarts": 1, "widenings": 1}),
        (replace(update(), details=(Detail("provisioningScript", 1, 2, Risk.NEUTRAL, code=True),)), {"widenings": 1}),
        (replace(update(), details=(Detail("a", 1, 2, Risk.WIDENS, code=True), Detail("b", 1, 2, Risk.RESTARTS))),
         {"restarts": 1, "widenings": 1}),
        (REPLACED, {"destructions": 1}),
        (replace(REPLACED, details=(Detail("location", "a", "b"),)), {"destructions": 1}),
    ],
)  # fmt: skip
def test_each_line_counts_by_what_it_does(change: Change, counts: dict[str, int]) -> None:
    assert {kind.value: count for kind, count in counts_of(change).items() if count} == counts


def test_over_a_cap_nothing_of_the_kind_is_written_and_all_else_is() -> None:
    changes = [removal("a"), removal("b"), removal("c"), grant("d")]

    assert NOTHING_SPENT.refusals(POOL, changes, policy(CapKind.REMOVALS, CapScope.POOL, RUN, 3)) == []
    found = NOTHING_SPENT.refusals(POOL, changes, policy(CapKind.REMOVALS, CapScope.POOL, RUN, 2))

    assert [one.change for one in found] == changes[:3]
    assert {one.rule for one in found} == {"cap-removals"}
    assert all(one.approvable for one in found)
    assert found[0].message == (
        "administrator fabrikam a: 3 removals are planned for this pool; the policy's cap is 2 in one run (policy:7); "
        "they wait for an approval of this plan"
    )


def test_an_organization_has_a_count_of_its_own() -> None:
    changes = [removal("a"), removal("b"), removal("c", "contoso")]

    found = NOTHING_SPENT.refusals(POOL, changes, policy(CapKind.REMOVALS, CapScope.ORGANIZATION, RUN, 1))

    assert [one.change for one in found] == changes[:2]
    assert "planned in fabrikam; " in found[0].message


def test_what_was_written_in_24_hours_counts_for_a_cap_of_a_day_alone() -> None:
    asked: list[tuple[CapKind, CapScope, str]] = []

    def spent(kind: CapKind, scope: CapScope, name: str) -> int:
        asked.append((kind, scope, name))
        return 4

    check = CapCheck(spent)

    assert check.refusals(POOL, [removal("a")], policy(CapKind.REMOVALS, CapScope.ALL, DAY, 5)) == []
    assert check.refusals(POOL, [removal("a")], policy(CapKind.REMOVALS, CapScope.ALL, RUN, 1)) == []
    (found,) = check.refusals(POOL, [removal("a")], policy(CapKind.REMOVALS, CapScope.ALL, DAY, 4))
    assert "4 were made, and 1 removals are planned in all; the policy's cap is 4 in 24 hours" in found.message
    assert asked == [(CapKind.REMOVALS, CapScope.ALL, "")] * 2


def test_the_record_is_not_read_for_a_kind_that_is_not_planned() -> None:
    def spent(*_: object) -> int:
        raise AssertionError("nothing asks")

    assert CapCheck(spent).refusals(POOL, [grant("a")], policy(CapKind.REMOVALS, CapScope.ALL, DAY, 0)) == []


def test_a_record_that_cannot_be_read_allows_nothing_that_a_cap_counts() -> None:
    def spent(*_: object) -> int:
        raise Rejected("record devops/fabrikam: damaged")

    found = CapCheck(spent).refusals(POOL, [removal("a"), grant("b")], policy(CapKind.REMOVALS, CapScope.POOL, DAY, 9))

    assert [one.change for one in found] == [removal("a")]
    assert "is not known: record devops/fabrikam: damaged" in found[0].message


def test_a_pool_that_is_deleted_is_capped_too() -> None:
    found = NOTHING_SPENT.refusals(POOL, [REPLACED], policy(CapKind.DESTRUCTIONS, CapScope.POOL, RUN, 0))

    assert [one.rule for one in found] == ["cap-destructions"]


def test_what_is_approved_is_written_and_counts_for_the_rest() -> None:
    check = CapCheck(approved=lambda change: change.subject == "fabrikam a")

    found = check.refusals(POOL, [removal("a"), removal("b")], policy(CapKind.REMOVALS, CapScope.POOL, RUN, 1))

    assert [one.change for one in found] == [removal("b")]


@given(
    st.lists(ANY, max_size=8, unique_by=lambda change: change.id),
    st.sampled_from(CapKind),
    st.sampled_from(CapScope),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_what_is_left_never_exceeds_a_cap(
    changes: list[Change], kind: CapKind, scope: CapScope, most: int, before: int
) -> None:
    spent: Callable[..., int] = lambda *_: before  # noqa: E731 - the counts of every place alike
    refused = {one.change.id for one in CapCheck(spent).refusals(POOL, changes, policy(kind, scope, DAY, most))}
    left = [change for change in changes if change.id not in refused]

    for name in {change.place.organization if change.place else "" for change in changes}:
        mine = [
            one for one in left if scope is not CapScope.ORGANIZATION or (one.place and one.place.organization == name)
        ]
        count = sum(counts_of(change)[kind] for change in mine)
        assert not count or before + count <= most
    assert all(counts_of(change)[kind] for change in changes if change.id in refused)


def test_a_later_pass_of_a_run_stays_within_its_caps() -> None:
    capped = policy(CapKind.REMOVALS, CapScope.POOL, RUN, 2)
    made = [removal("a"), removal("b")]

    assert NOTHING_SPENT.room(removal("b"), made[:1], POOL, capped)
    assert not NOTHING_SPENT.room(removal("c"), made, POOL, capped)
    assert NOTHING_SPENT.room(grant("c"), made, POOL, capped)
    assert CapCheck(approved=lambda _: True).room(removal("c"), made, POOL, capped)

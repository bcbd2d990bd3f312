"""Caps that other pools reach while a run writes, fights that are not fought on, and a record that was not read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from reconciler.plan.caps import NOT_CHECKED, NOTHING_SPENT, CapCheck
from reconciler.plan.model import Change
from reconciler.plan.policy import Cap, CapKind, CapPeriod, CapScope, Policy
from reconciler.plan.targets import Risk
from tests.plan.test_caps import POOL, REPLACED, grant, policy, removal, update

RUN, DAY = CapPeriod.RUN, CapPeriod.DAY
POOLS, ORGANIZATIONS, ALL = CapScope.POOL, CapScope.ORGANIZATION, CapScope.ALL


@dataclass
class Record:
    """Counts of writes that are read once, until they are forgotten."""

    written: dict[str, int]
    asked: list[tuple[CapKind, CapScope, str]] = field(default_factory=list)
    forgotten: int = 0

    def spent(self, kind: CapKind, scope: CapScope, name: str) -> int:
        self.asked.append((kind, scope, name))
        return self.written.get(name, 0)

    def forget(self) -> None:
        assert len(self.asked) == self.forgotten, "counts are read again each time"
        self.forgotten += 1

    @property
    def check(self) -> CapCheck:
        return CapCheck(self.spent, forget=self.forget)


@pytest.mark.parametrize(("written", "over"), [(1, False), (2, False), (3, True)])
def test_a_cap_over_a_day_holds_even_where_two_pools_count_at_once(written: int, over: bool) -> None:
    """The intent is on record already, so a count that equals the cap has this change in it."""
    record = Record({"fabrikam": written})

    found = record.check.overtaken(removal("a"), policy(CapKind.REMOVALS, ORGANIZATIONS, DAY, 2))

    assert record.asked == [(CapKind.REMOVALS, ORGANIZATIONS, "fabrikam")]
    assert record.forgotten == 1
    assert found == (
        "runs of other pools reached the policy's cap of 2 removals in fabrikam in 24 hours (policy:7) meanwhile"
        if over
        else ""
    )


def test_a_cap_over_all_counts_all() -> None:
    record = Record({"": 5})

    found = record.check.overtaken(grant("a"), policy(CapKind.WIDENINGS, ALL, DAY, 4))

    assert record.asked == [(CapKind.WIDENINGS, ALL, "")]
    assert found.startswith("runs of other pools reached the policy's cap of 4 widenings in all in 24 hours")


@pytest.mark.parametrize(
    ("change", "capped"),
    [
        (removal("a"), policy(CapKind.REMOVALS, ORGANIZATIONS, RUN, 0)),
        (removal("a"), policy(CapKind.REMOVALS, POOLS, DAY, 0)),
        (removal("a"), policy(CapKind.WIDENINGS, ALL, DAY, 0)),
        (update(Risk.RESTARTS), policy(CapKind.RESTARTS, ORGANIZATIONS, DAY, 0)),
        (removal("a"), Policy()),
    ],
)
def test_what_no_other_pool_can_overtake_is_not_counted_again(change: Change, capped: Policy) -> None:
    record = Record({"": 9, "fabrikam": 9, POOL: 9})

    assert record.check.overtaken(change, capped) == ""
    assert not record.asked


def test_each_cap_is_asked_until_one_is_reached() -> None:
    record = Record({"": 9})
    one = policy(CapKind.REMOVALS, POOLS, DAY, 0).caps
    two = policy(CapKind.REMOVALS, ORGANIZATIONS, DAY, 0).caps
    three = policy(CapKind.REMOVALS, ALL, DAY, 8).caps

    assert "in all" in record.check.overtaken(removal("a"), Policy(caps=(*one, *two, *three)))
    assert [scope for _, scope, _ in record.asked] == [ORGANIZATIONS, ALL]
    restarts = policy(CapKind.RESTARTS, ORGANIZATIONS, DAY, 0).caps
    every = policy(CapKind.RESTARTS, ALL, DAY, 8).caps
    assert "in all" in record.check.overtaken(update(Risk.RESTARTS), Policy(caps=(*restarts, *every)))


def test_an_approval_holds_whatever_others_wrote() -> None:
    record = Record({"": 9})

    assert (
        replace(record.check, approved=lambda _: True).overtaken(removal("a"), policy(CapKind.REMOVALS, ALL, DAY, 0))
        == ""
    )
    assert not replace(record.check, approved=lambda one: one == removal("a")).overtaken(
        removal("a"), policy(CapKind.REMOVALS, ALL, DAY, 0)
    )
    assert replace(record.check, approved=lambda one: one == grant("a")).overtaken(
        removal("a"), policy(CapKind.REMOVALS, ALL, DAY, 0)
    )


def test_lifted_is_as_if_all_were_approved_and_changes_nothing_else() -> None:
    record = Record({})
    lifted = replace(record.check, checked=False).lifted()

    assert lifted.refusals(POOL, [removal("a"), REPLACED], policy(CapKind.REMOVALS, POOLS, RUN, 0)) == []
    assert lifted.approved(grant("b")) is True
    assert lifted.spent(CapKind.REMOVALS, ALL, "") == 0
    assert record.asked == [(CapKind.REMOVALS, ALL, "")]
    assert not lifted.checked


def test_a_plan_says_which_caps_it_did_not_check() -> None:
    caps = [
        cap
        for kind in (CapKind.WIDENINGS, CapKind.REMOVALS, CapKind.RESTARTS)
        for cap in policy(kind, POOLS, DAY, 0).caps
    ]
    capped = Policy(caps=(*caps, *policy(CapKind.DESTRUCTIONS, POOLS, RUN, 0).caps))
    changes = [grant("a"), removal("b"), removal("c"), REPLACED]

    assert NOT_CHECKED.unchecked(changes, capped) == (
        "caps over 24 hours not checked (removals, widenings): the record of writes is not read"
    )
    assert NOT_CHECKED.unchecked([REPLACED], capped) == ""
    assert NOT_CHECKED.unchecked([], capped) == ""
    assert NOTHING_SPENT.unchecked(changes, capped) == ""


def test_a_change_that_another_owner_keeps_undoing_waits_for_an_approval() -> None:
    check = CapCheck(fought=lambda one: "undone 3 times by terraform" if one == removal("a") else "")

    (found,) = check.refusals(POOL, [removal("a"), removal("b")], Policy())

    assert (found.change, found.rule, found.message) == (removal("a"), "fight", "undone 3 times by terraform")
    assert found.approvable
    assert replace(check, approved=lambda _: True).refusals(POOL, [removal("a")], Policy()) == []
    capped = check.refusals(POOL, [removal("a"), removal("b")], policy(CapKind.REMOVALS, POOLS, RUN, 1))
    assert [one.rule for one in capped] == ["fight", "cap-removals"]


def test_an_approval_is_of_the_change_that_is_asked_for() -> None:
    check = CapCheck(approved=lambda one: one == removal("a"))

    assert check.room(removal("a"), [removal("b")], POOL, policy(CapKind.REMOVALS, POOLS, RUN, 1))
    assert not check.room(removal("c"), [removal("b")], POOL, policy(CapKind.REMOVALS, POOLS, RUN, 1))


def test_room_is_by_the_caps_of_a_run_and_by_the_place_of_the_change() -> None:
    made = [removal("a"), removal("b", "contoso")]

    assert NOTHING_SPENT.room(removal("c"), made, POOL, policy(CapKind.REMOVALS, POOLS, DAY, 1))
    assert NOTHING_SPENT.room(removal("c"), made, POOL, policy(CapKind.REMOVALS, ORGANIZATIONS, RUN, 2))
    assert not NOTHING_SPENT.room(removal("c"), made, POOL, policy(CapKind.REMOVALS, ORGANIZATIONS, RUN, 1))
    assert not NOTHING_SPENT.room(removal("c"), made, POOL, policy(CapKind.REMOVALS, ALL, RUN, 2))
    other = [removal("a", "contoso"), removal("b", "contoso")]
    assert NOTHING_SPENT.room(removal("c"), other, POOL, policy(CapKind.REMOVALS, ORGANIZATIONS, RUN, 1))


def test_a_pools_count_is_asked_by_its_name_and_a_line_is_named_where_there_is_one() -> None:
    record = Record({POOL: 1})
    unlined = Policy(caps=(Cap(CapKind.REMOVALS, POOLS, DAY, 1, 0),))

    (found,) = record.check.refusals(POOL, [removal("a")], unlined)

    assert record.asked == [(CapKind.REMOVALS, POOLS, POOL)]
    assert found.message == (
        "administrator fabrikam a: 1 were made, and 1 removals are planned for this pool; the policy's cap is 1 "
        "in 24 hours; they wait for an approval of this plan"
    )

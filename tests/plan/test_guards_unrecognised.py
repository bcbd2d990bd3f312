"""What no rule of the whole-plan guards recognises is refused, whether it widens or narrows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from reconciler.plan.guards import refuse
from reconciler.plan.model import Change, Detail, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AccessLevel,
    GroupMember,
    OrganizationPlace,
    ProjectPlace,
    RoleAssignmentChange,
)
from tests.plan.guarded import (
    ADMIN,
    ORG,
    SPEC,
    change,
    closing,
    grant,
    queue,
    removal,
    rules,
)


class Misspelt(NamedTuple):
    """What a change was about before its target had a type: a mapping that any key fits into."""

    principle: str
    organisation: str = ORG


@pytest.mark.parametrize("stray", [Misspelt("bob"), {"organization": ORG, "principle": "bob"}, None])
def test_removals_that_no_rule_can_read_are_refused_and_not_passed_over(stray: Any) -> None:
    """Five removals under misspelt keys were once neither refused nor counted."""
    changes = [change(stray, subject=f"bob-{number}", kind="administrator") for number in range(5)]

    assert rules(*changes) == ["unrecognised"] * 5
    (refusal,) = refuse(SPEC, changes[:1], Policy())
    kind = type(stray).__name__
    assert refusal.message == f"administrator bob-0: no rule knows a {kind}, so it is not written"


def test_removals_of_any_kind_of_role_count_against_the_cap() -> None:
    """Also where a role is lowered, and under names and kinds that say nothing."""
    carl = "carl@fabrikam.com"
    lowered = [change(RoleAssignmentChange(queue("Roles"), f"L{n}", carl, ADMIN, "User")) for n in range(2)]
    removed = [change(RoleAssignmentChange(queue("Roles"), f"R{n}", "", "odd role", None)) for n in range(2)]

    assert rules(*lowered, *removed) == ["role-removals"] * 4


@pytest.mark.parametrize(
    "foreign",
    [
        change(AccessLevel(OrganizationPlace(ORG), "object", "", None, "express")),
        change(GroupMember(OrganizationPlace(ORG), "object", "aad.1", "[x]\\Readers", "vssgp.1")),
        grant(place=OrganizationPlace(ORG)),
        grant(place=ProjectPlace(ORG, "id-Dev", "Dev")),
        change(RoleAssignmentChange(OrganizationPlace(ORG), "L1", "bob", ADMIN, None)),
        grant(who=""),
        grant(role="Overlord"),
        replace(closing(), details=(Detail("allow", True, False),)),
        replace(removal(), details=(Detail("role", ADMIN, None, Risk.NEUTRAL),)),
    ],
    ids=lambda c: c.subject[:60],
)
def test_what_no_reconciliation_writes_is_refused(foreign: Change) -> None:
    assert rules(foreign, policy=Policy(materialise=True)) == ["unrecognised"]

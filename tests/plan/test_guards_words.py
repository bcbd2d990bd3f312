"""What a refusal of the whole-plan guards says: an administrator acts on the words, so they are whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.guards import refuse
from reconciler.plan.model import Action, Change, Detail, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AccessLevel,
    CreatePool,
    GroupMember,
    MovePool,
    OrganizationPlace,
    RepairedPipeline,
    ReplacePool,
    Target,
)
from reconciler.spec.model import Spec
from tests.plan.guarded import CREATE, ORG, SPEC, TODAY, UPDATE, arm, change, closing, queue, removal

NEWER = replace(SPEC, arm_api_version="2026-07-03")


@pytest.mark.parametrize(
    ("one", "spec", "words"),
    [
        (change(AccessLevel(OrganizationPlace(ORG), "o", "", None, "express")), SPEC,
         "only onboarding changes access levels and groups, for a person who may"),
        (change(GroupMember(OrganizationPlace(ORG), "o", "aad.1", "[x]\\R", "vssgp.1")), SPEC,
         "only onboarding changes access levels and groups, for a person who may"),
        (replace(closing(), details=(Detail("allow", True, False),)), SPEC,
         "its lines say more than the one thing that is written"),
        (change(RepairedPipeline(queue(), 3, "\\nightly", 10)), SPEC, "the spec does not say repairDefinitions: true"),
        (arm(CreatePool(SPEC.pool_id, {}, "2026-07-03")), NEWER,
         "the policy does not allow the api-version 2026-07-03; it has to be in armApiVersions"),
    ],
)  # fmt: skip
def test_a_refusal_is_in_whole_words(one: Change, spec: Spec, words: str) -> None:
    messages = [found.message for found in refuse(spec, [one], Policy(), today=TODAY)]

    assert [message for message in messages if message.endswith(words)] == messages[:1] != []


def test_more_removals_than_the_cap_are_told_with_both_numbers() -> None:
    (one,) = refuse(SPEC, [removal()], Policy(max_role_removals=0), today=TODAY)

    assert one.rule == "role-removals"
    assert one.message.endswith("1 roles would be removed, the policy's cap is 0")


def test_a_replacement_destroys() -> None:
    for target in (ReplacePool(SPEC.pool_id, {}, ("location",)), MovePool(SPEC.pool_id, "location")):
        assert replace(arm(UPDATE), target=target).risk is Risk.DESTROYS


def test_nothing_is_deleted_but_a_pool_that_is_replaced() -> None:
    line = Detail("location", "a", "b", Risk.DESTROYS)
    destroying = replace(arm(UPDATE), details=(line,))

    found = [(one.rule, one.message) for one in refuse(SPEC, [destroying], Policy(), today=TODAY)]
    words = "nothing is deleted but a pool that is replaced; do it by hand where it is meant"
    assert ("destroys", True) in [(rule, message.endswith(words)) for rule, message in found]


@pytest.mark.parametrize(
    ("permissions", "widens"),
    [
        ({"users": ["ann"]}, True),
        ({"groups": ["Builders"]}, True),
        ({"kind": "Inherit"}, True),
        ({"kind": "CreatorOnly", "users": [], "groups": []}, False),
        (None, False),
    ],
)
def test_a_creation_that_gives_rights_widens(permissions: dict[str, Any] | None, widens: bool) -> None:
    body: dict[str, Any] = {
        "properties": {"organizationProfile": {"permissionProfile": permissions, "organizations": []}}
    }
    target: Target = CreatePool(SPEC.pool_id, body)

    made = replace(arm(CREATE), before=None, target=target)
    assert (made.action, made.risk is Risk.WIDENS) == (Action.CREATE, widens)

"""A spec that names a part of the pool, and the bodies that are sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.facets import pool
from reconciler.plan.guards import refuse
from reconciler.plan.model import Risk
from reconciler.plan.policy import Policy
from tests.facets.documents import (
    body,
    document,
    profile_of,
    sent,
    wanted,
    world_with,
)
from tests.facets.frame import POOL_NAME, look, settle, spec

ONLY = [pool.FACET]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"tags": {"team": "build"}}, "tags.team"),
        ({"properties": {"maximumConcurrency": 6}}, "maximumConcurrency"),
        (
            {"properties": {"fabricProfile": {**body()["properties"]["fabricProfile"], "sku": {"name": "larger"}}}},
            "fabricProfile.sku.name",
        ),
    ],
)
def test_a_spec_that_names_a_part_changes_that_part(part: dict[str, Any], path: str) -> None:
    """The guards look at what changes; the organizations are carried on as they were read."""
    some = spec(body=part)
    seen = look(world_with(document()), some, facets=ONLY)

    assert [detail.path for detail in seen.changes[0].details] == [path]
    assert refuse(replace(some, name=POOL_NAME), seen.changes, Policy()) == ()
    assert profile_of(seen.changes[0]) == profile_of(
        look(world_with(document()), wanted(maximumConcurrency=5), facets=ONLY).changes[0]
    )
    assert settle(world_with(document()), some, facets=ONLY).changes == ()


def test_what_the_merge_makes_invalid_is_refused_with_the_rule_for_specs() -> None:
    """The schedule is valid by itself, and so is the live pool; ARM would take the pair, in a way that is not known."""
    found = document(agentProfile={"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Automatic"}})
    schedule = {"kind": "Stateless", "resourcePredictions": {"daysData": [{"09:00:00": 1}]}}

    seen = look(world_with(found), wanted(agentProfile=schedule), facets=ONLY)

    assert [refusal.rule for refusal in seen.refusals] == ["invalid-body"]
    assert seen.refusals[0].message == (
        "fabrikam-managed-pool: the body to be sent is invalid: pool.properties.agentProfile.resourcePredictions is "
        "given, but resourcePredictionsProfile is Automatic; only Manual has a schedule"
    )


def test_a_live_pool_that_breaks_a_rule_may_be_changed_elsewhere() -> None:
    """What an update only carries on is not held against it."""
    found = document(
        agentProfile={
            "kind": "Stateless",
            "resourcePredictionsProfile": {"kind": "Automatic"},
            "resourcePredictions": {"daysData": [{"09:00:00": 1}]},
        }
    )
    some = spec(body={"tags": {"team": "build"}})

    seen = look(world_with(found), some, facets=ONLY)

    assert ([detail.path for detail in seen.changes[0].details], seen.refusals) == (["tags.team"], ())


def test_a_creation_is_held_against_the_rules_too() -> None:
    broken = wanted(agentProfile={"kind": "Stateless", "resourcePredictions": {"daysData": [{}, {}]}})

    seen = look(world_with(None), broken, facets=ONLY)

    assert [refusal.rule for refusal in seen.refusals] == ["invalid-body"]


@pytest.mark.parametrize("spelt", [("TimeZone", "DaysData"), ("timeZone", "daysData")])
def test_a_schedule_of_any_spelling_is_changed_in_its_own(spelt: tuple[str, str]) -> None:
    zone, days = spelt
    found = document(agentProfile={"kind": "Stateless", "resourcePredictions": {zone: "UTC", days: [{"09:00:00": 1}]}})
    named = {"timeZone": "UTC", "daysData": [{"08:00:00": 1}]}

    seen = look(
        world_with(found), wanted(agentProfile={"kind": "Stateless", "resourcePredictions": named}), facets=ONLY
    )

    assert seen.refusals == ()
    assert sent(seen.changes[0])["properties"]["agentProfile"]["resourcePredictions"] == {
        zone: "UTC",
        days: [{"08:00:00": 1}],
    }
    assert [(one.path, one.before, one.after, one.risk) for one in seen.changes[0].details] == [
        ("agentProfile.resourcePredictions.daysData[0]", {"09:00:00": 1}, {"08:00:00": 1}, Risk.NEUTRAL)
    ]

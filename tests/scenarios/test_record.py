"""The record of writes against both planes: each write has its intent before it, and a damaged record stops them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from reconciler.documents.chain import problems
from reconciler.engine import Outcome
from reconciler.plan.policy.fields import ROWS, Kind
from tests.scenarios.drafts import ANN, BOB, POOL, PRIME, SUBSCRIPTION, TAILSPIN, managed
from tests.scenarios.test_replacement import POLICY, moved
from tests.scenarios.world import World, rules

ARM, OF_PRIME, OF_TAILSPIN = f"arm/{SUBSCRIPTION}", f"devops/{PRIME}", f"devops/{TAILSPIN}"
EVERYTHING = "\n".join(
    f"    {row.name}: {'true' if row.kind is Kind.FLAG else '9' if row.kind is Kind.NUMBER else '[' + repr('*') + ']'}"
    for row in ROWS
    if row.name not in ("pools", "maxRoleRemovals")
)
"""All fields of an entry of policy/v2, as wide as they go."""


def capped(caps: str) -> str:
    return f"apiVersion: policy/v2\ncaps:\n{caps}\nallow:\n  - pools: ['*']\n    maxRoleRemovals: 100\n{EVERYTHING}\n"


def entries(world: World) -> list[Any]:
    log = world.parts.store.record
    return [entry for chain in log.chains() for entry in log.entries(chain)]


def outcomes(world: World, kind: str) -> Counter[str]:
    return Counter(one["outcome"] for one in entries(world) if one["kind"] == kind)


def intents(world: World) -> list[Any]:
    return [one for one in entries(world) if one["kind"] == "intent"]


def edit(world: World, chain: str) -> None:
    """Change the last entry of a chain behind the program's back."""
    world.restart()
    with closing(sqlite3.connect(world.folder / "state.db")) as file:
        sql = "UPDATE record SET entry = replace(CAST(entry AS TEXT), 'verified', 'believed') WHERE chain = ?"
        assert file.execute(sql, (chain,)).rowcount
        file.commit()


def add_administrators(world: World, *names: str) -> None:
    for who in names:
        world.by_hand("set-role", organization=PRIME, pool=POOL, who=who, role="Administrator")


@pytest.mark.parametrize("queues", ["made", "none"])
def test_from_nothing_each_write_of_every_facet_has_its_intent_result_and_proof(nothing: World, queues: str) -> None:
    nothing.switch(devops__queues_at_creation=queues, devops__service_principal_creator="inheritance-on")
    pipeline = nothing.by_hand("create-pipeline", organization=TAILSPIN, project="Web", name="nightly")
    nothing.spec(
        managed(
            access={
                "roles": [
                    {"organization": PRIME, "administrators": [ANN], "exclusive": True, "inherit": False},
                    {"organization": TAILSPIN, "administrators": [ANN, BOB]},
                ],
                "pipelines": [{"project": f"{TAILSPIN}/Web", "pipelines": [pipeline]}],
                "queueRoles": [{"project": f"{TAILSPIN}/Web", "users": [BOB]}],
            }
        )
    )
    nothing.settle()

    made = [entry for entry in nothing.writes() if entry["status"] < 400]
    assert len(intents(nothing)) == len(made), (nothing.routes(), [one["change"] for one in intents(nothing)])
    assert {one["facet"] for one in intents(nothing)} >= {"pool", "roles", "queue_roles", "inheritance"}
    assert set(outcomes(nothing, "result")) <= {"confirmed", "pending", "over"}
    assert outcomes(nothing, "proof") == {"verified": len(made)}
    for chain in nothing.parts.store.record.chains():
        assert list(problems(nothing.parts.store.record.entries(chain))) == []


def test_a_replacement_has_deletion_and_creation_on_record(world: World) -> None:
    world.policy(POLICY)
    world.spec(moved())
    world.only(POOL)
    world.switch(arm__delete_seconds=600)

    world.settle()

    of_arm = [one for one in world.parts.store.record.entries(ARM) if one["kind"] == "intent"]
    assert [(one["place"]["type"], one["risk"]) for one in of_arm][:2] == [
        ("replacePool", "destroys"),
        ("createPool", "widens"),
    ]
    assert {one["counts"].get("destructions", 0) > 0 for one in of_arm[:1]} == {True}
    ended = [one["outcome"] for one in world.parts.store.record.entries(ARM) if one.get("of") == of_arm[0]["id"]]
    assert ended[:2] == ["pending", "over"]


def test_a_converged_estate_appends_nothing(world: World) -> None:
    add_administrators(world, "eve")
    world.settle()
    before = entries(world)
    assert before
    world.restart()

    world.later(7200)
    world.settle()
    world.sweep()

    assert entries(world) == before


def test_a_damaged_record_stops_the_writes_of_its_organization_until_it_is_sealed(world: World) -> None:
    add_administrators(world, "eve")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.apply()
    edit(world, OF_PRIME)
    add_administrators(world, "eve")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.reset_log()

    result = world.apply()

    assert result.outcome is Outcome.STALLED
    assert "eve" in world.truth.administrators(PRIME, POOL)
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True, "another organization goes on"
    (message,) = {str(failure.error) for failure in result.failures}
    assert message.startswith(f"nothing is written without its entry in the record of writes: record {OF_PRIME}: ")

    world.parts.store.record.seal(OF_PRIME, "edited by hand", world.clock.now())
    world.settle()

    assert "eve" not in world.truth.administrators(PRIME, POOL)
    assert len(list(problems(world.parts.store.record.entries(OF_PRIME)))) >= 1, "it stays visible"


def test_a_cap_of_24_hours_counts_what_earlier_runs_removed(world: World) -> None:
    world.policy(capped("  removals: {pool: {day: 2}}"))
    add_administrators(world, "eve", "bob")
    assert world.apply().outcome is Outcome.APPLIED
    world.later(3600)
    world.restart()
    add_administrators(world, "eve")

    held = world.apply()

    assert (held.outcome, rules(held.plan)) == (Outcome.STALLED, ["cap-removals"])
    assert "eve" in world.truth.administrators(PRIME, POOL)
    world.later(23 * 3600 + 60)
    assert world.apply().outcome is Outcome.APPLIED


def test_over_a_cap_of_widenings_no_grant_is_made_and_removals_are_not_held_up(world: World) -> None:
    world.policy(capped("  widenings: {organization: {run: 1}}"))
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Data")
    add_administrators(world, "eve")

    result = world.apply()

    assert rules(result.plan) == ["cap-widenings"]
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is False
    assert "eve" not in world.truth.administrators(PRIME, POOL)
    world.policy(capped("  widenings: {organization: {run: 2}}"))
    world.apply()

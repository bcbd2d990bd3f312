"""Undoing: every kind of write has a reversal or a reason why not, and what was undone is held back by its fields alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine.gate import WriteGate
from reconciler.engine.recorder import described
from reconciler.engine.undoing import NO_REVERSAL, STEPS, reversed_spec, undo_plan
from reconciler.engine.written_fields import fields_of, fields_of_entry, values_of
from reconciler.plan.model import Change, Detail, Plan, Refusal
from reconciler.plan.targets import (
    AutoProvision,
    Inheritance,
    MovePool,
    OpenAccess,
    PipelineAuthorization,
    RoleAssignmentChange,
    Target,
    UpdatePool,
)
from reconciler.safety import Unknown
from reconciler.safety.undone import Undone, UndoneField
from reconciler.spec import effective
from reconciler.spec.model import Access, PermissionKind, PermissionProfile, PoolRoles, Spec
from tests.engine.stage import SPEC
from tests.plan.every_target import POOL, QUEUE, RESOURCE, TARGETS

PRIME = "fabrikam-prime"
BASE = replace(SPEC, organizations=(replace(SPEC.organizations[0], name=PRIME),))


def change(target: Target, **more: Any) -> Change:
    return replace(Change("facet", "kind", "fabrikam-prime/Web", "old", "new", target), **more)


def made(one: Change, **more: Any) -> dict[str, Any]:
    """A write as history shows it."""
    done = {"id": "r.1", "run": "r", "at": "2026-11-20T12:00:00Z", "number": 1, "proof": {"outcome": "verified"}}
    return {**described(one), **done, **more}


def undone(one: Change, spec: Spec = BASE) -> tuple[Spec, list[tuple[str, str]]]:
    found, _, impossible = reversed_spec(spec, [made(one)])
    return found, impossible


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
def test_every_kind_of_write_has_a_reversal_or_a_reason(target: Target) -> None:
    name = type(target).__name__
    kind = name[0].lower() + name[1:]
    if not isinstance(target, MovePool):  # never written
        assert (kind in STEPS) != (kind in NO_REVERSAL)

    _, impossible = undone(change(target))

    assert all(why for _, why in impossible)
    assert bool(impossible) == (kind not in STEPS)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
def test_plans_and_entries_name_the_same_fields(target: Target) -> None:
    for one in (
        change(target),
        change(target, details=(Detail("tags.a", 1, 2), Detail("tags.b", 1, 2))),
        change(target, subject=f"fabrikam-prime {getattr(target, 'principal', 'x')}"),
    ):
        assert fields_of_entry(described(one)) == fields_of(one) == list(values_of(one))


def test_open_access_and_switches_are_turned_back() -> None:
    opened, _ = undone(change(OpenAccess(QUEUE, allow=True)))
    (exception,) = opened.access.open_access
    assert (exception.organization, exception.project, exception.allow) == (PRIME, "Web", False)
    on, _ = undone(change(Inheritance(POOL, on=False)))
    assert effective.inheritance(on, PRIME) is True
    auto, _ = undone(change(AutoProvision(POOL, on=True)))
    assert auto.organizations[0].auto_provision is False


def test_pipelines_are_taken_out_and_put_back() -> None:
    granted = undone(change(PipelineAuthorization(QUEUE, 3, "\\nightly", authorized=True)))[0]
    assert granted.access.pipelines[0].pipelines == ()
    revoked = undone(change(PipelineAuthorization(QUEUE, 3, "\\nightly", authorized=False)))[0]
    assert revoked.access.pipelines[0].pipelines == (3,)


def test_administrators_of_both_sources_are_taken_out_and_put_back() -> None:
    profile = PermissionProfile(PermissionKind.SPECIFIC_ACCOUNTS, ("eve@fabrikam.com", "ann@fabrikam.com"))
    spec = replace(BASE, permission_profile=profile, access=Access(roles=(PoolRoles(PRIME, ("bob@fabrikam.com",)),)))
    eve = RoleAssignmentChange(POOL, "id-eve", "Eve@fabrikam.com", None, "Administrator")

    granted, _ = undone(change(eve), spec)
    assert effective.administration(granted, PRIME).administrators == ("ann@fabrikam.com", "bob@fabrikam.com")
    revoked, _ = undone(change(replace(eve, before="Administrator", after=None)), BASE)
    assert effective.administration(revoked, PRIME).administrators == ("Eve@fabrikam.com",)


def test_queue_roles_go_back_to_the_role_of_before() -> None:
    raised = RoleAssignmentChange(QUEUE, "id-eve", "eve@fabrikam.com", "Reader", "Administrator")

    (roles,) = undone(change(raised))[0].access.queue_roles

    assert dict(roles.roles) == {"Reader": ("eve@fabrikam.com",)}


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (None, "was not set before"),
        ({"sha256": "0" * 64, "characters": 9000}, "was too long to be kept"),
    ],
)
def test_a_field_whose_value_of_before_is_not_known_is_left(before: Any, why: str) -> None:
    spec, impossible = undone(change(UpdatePool(RESOURCE, {}), details=(Detail("maximumConcurrency", before, 3),)))

    assert spec == BASE
    assert why in impossible[0][1]


def test_fields_of_the_pool_are_put_back() -> None:
    details = (Detail("maximumConcurrency", 2, 3), Detail("tags.team", "red", "blue"))

    spec, _ = undone(change(UpdatePool(RESOURCE, {}), details=details))

    assert spec.body["properties"]["maximumConcurrency"] == 2
    assert spec.body["tags"]["team"] == "red"


def test_of_two_writes_of_one_field_the_oldest_value_counts() -> None:
    first = made(change(UpdatePool(RESOURCE, {}), details=(Detail("tags.team", "red", "blue"),)))
    second = made(change(UpdatePool(RESOURCE, {}), details=(Detail("tags.team", "blue", "green"),)), number=2)

    spec, _, _ = reversed_spec(BASE, [first, second])

    assert spec.body["tags"]["team"] == "red"


@pytest.mark.parametrize("outcome", ["rejected", "unknown", "failed"])
def test_a_write_that_was_not_made_is_not_undone(outcome: str) -> None:
    write = made(change(OpenAccess(QUEUE, allow=True)), proof=None, result={"outcome": outcome})

    _, reversals, impossible = reversed_spec(BASE, [write])

    assert (reversals, impossible) == ([], [("kind fabrikam-prime/Web", "it is not known to have been made")])


def test_the_operators_own_role_stays() -> None:
    own = RoleAssignmentChange(POOL, "id-op", "operator@fabrikam.com", None, "Administrator", itself=True)

    assert undone(change(own))[1][0][1] == "the operator keeps its own role"


def test_of_the_plan_only_the_reversals_are_made_and_refusals_are_named() -> None:
    write = made(change(OpenAccess(QUEUE, allow=True)))
    back = change(OpenAccess(QUEUE, allow=False), before="new", after="old")
    other = replace(back, subject="fabrikam-prime/Api")
    spec, reversals, impossible = reversed_spec(BASE, [write])

    found = undo_plan(spec, Plan("pool-1", "c", (back, other)), reversals, impossible, by="ann", at="now")
    assert found.plan.changes == (back,)
    assert list(found.held) == fields_of(back)

    refused = Plan("pool-1", "c", (), (Refusal(back, "last-administrator", "no administrator would be left"),))
    none = undo_plan(spec, refused, reversals, impossible, by="ann", at="now")
    assert none.plan.changes == ()
    assert none.impossible == (
        ("kind fabrikam-prime/Web", "refused (last-administrator): no administrator would be left"),
    )
    assert none.held == {}
    empty = undo_plan(spec, Plan("pool-1", "c"), reversals, impossible, by="ann", at="now")
    assert empty.impossible[0][1] == "it is as it was before already"


def test_a_write_to_the_pool_that_carries_more_than_the_reversal_is_not_made() -> None:
    write = made(change(UpdatePool(RESOURCE, {}), details=(Detail("tags.team", "red", "blue"),)))
    more = (Detail("tags.team", "blue", "red"), Detail("maximumConcurrency", 3, 2))
    spec, reversals, impossible = reversed_spec(BASE, [write])

    found = undo_plan(
        spec, Plan("p", "c", (change(UpdatePool(RESOURCE, {}), details=more),)), reversals, impossible, by="a", at="n"
    )

    assert found.plan.changes == ()
    assert "other fields of the pool differ too" in found.impossible[0][1]


def test_what_was_undone_is_held_in_its_direction_alone() -> None:
    again = change(OpenAccess(QUEUE, allow=True))
    held = UndoneField("new", "r", "ann", "2026-11-20T12:00:00Z")
    gate = WriteGate(BASE, undone=Undone({fields_of(again)[0]: held}))

    found = gate.held(again)
    assert found is not None
    assert str(found).startswith("mode report (undo of run r by ann, 2026-11-20T12:00:00Z)")
    assert gate.held(replace(again, after="old")) is None
    assert gate.held(replace(again, subject="fabrikam-prime/Api")) is None


def test_where_what_was_undone_cannot_be_read_nothing_is_written() -> None:
    gate = WriteGate(BASE, undone=Unknown("damaged"))

    found = gate.held(change(OpenAccess(QUEUE, allow=True)))

    assert found is not None
    assert str(found) == "damaged"

"""Roles on a project's queue: what the guard is handed directly, what an operator keeps, and of two entries which counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import Rejected, Unavailable
from reconciler.facets import queue_roles
from reconciler.facets.queue_roles import DesiredQueueRoles, ObservedQueueRoles
from reconciler.facets.support.lockout import Standing
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Change
from reconciler.plan.order import REMEDY
from reconciler.plan.policy import Policy
from reconciler.plan.targets import OpenAccess, QueuePlace, RoleAssignmentChange
from reconciler.ports.devops import Identity, Queue, RoleAssignment
from reconciler.spec.model import QueueRoles
from reconciler.survey.operators import Operators
from tests.facets.frame import PRIME, look, organization, spec
from tests.facets.test_queue_roles import ANN, BOB, ONLY, WEB, administered, wants, world_with
from tests.facets.world import OPERATOR, POOL, World, person

LAPTOP = person("laptop")
TEAM = Identity("id-team", "Team", f"[{PRIME}]\\Team")
EMPTY = Identity("id-empty", "Empty", f"[{PRIME}]\\Empty")
PLACE = QueuePlace(PRIME, "web", "Web", 1, POOL.id)
OPERATES = Operators(OPERATOR, (OPERATOR,))
TAKEN = "the operator itself, before anything is taken away"


def seen(
    roles: dict[str, tuple[str, ...]],
    *assigned: tuple[Identity, str],
    inherited: Sequence[tuple[Identity, str]] = (),
    operators: Operators = OPERATES,
    exclusive: bool = True,
) -> ObservedQueueRoles:
    """One queue as it was read."""
    lines = [RoleAssignment(who, role, inherited=False) for who, role in assigned]
    lines += [RoleAssignment(who, role, inherited=True) for who, role in inherited]
    known = {who.unique_name: who for who in (ANN, BOB) if any(who.unique_name in names for names in roles.values())}
    wanted = QueueRoles(PRIME, "Web", roles, exclusive)
    standing = Standing(operators, collection=operators.ids)
    return ObservedQueueRoles(PRIME, WEB, Queue(1, POOL.name, "web", POOL.id), standing, wanted, tuple(lines), known)


def planned(state: ObservedQueueRoles) -> list[Change]:
    desired = (DesiredQueueRoles(organization(PRIME, "Web"), (state.wanted,)),)
    return list(queue_roles.diff(desired, (state,)))


def change(who: Identity, before: str | None, after: str | None, *, itself: bool = False) -> Change:
    target = RoleAssignmentChange(PLACE, who.id, who.unique_name, before, after, itself)
    return Change("queue_roles", "queue role", f"{PRIME}/Web {who.unique_name}", before, after, target)


def refused(state: ObservedQueueRoles, *changes: Change) -> list[tuple[str, str]]:
    found = queue_roles.guard((state,), changes, Policy())
    return [(one.rule, one.message.partition(": ")[2]) for one in found]


@pytest.mark.parametrize(
    ("change_", "assigned", "expected"),
    [
        (change(ANN, None, "User"), [(ANN, "Creator")], ("not-as-read", "this identity holds Creator, so that User would be less")),
        (change(ANN, "User", "User"), [(ANN, "User")], None),
        (change(ANN, None, "User"), [], None),
        (change(OPERATOR, None, "Administrator", itself=True), [], ("operator-itself", "an operator is assigned only before something is taken away")),
        (change(BOB, None, "Administrator", itself=True), [], ("operator-itself", f"this identity is not named as an operator; {REMEDY}")),
        (change(BOB, "User", None), [], ("not-assigned", "this identity was not read with a role that an exclusive list would remove")),
    ],
)  # fmt: skip
def test_the_guard_says_why(
    change_: Change, assigned: list[tuple[Identity, str]], expected: tuple[str, str] | None
) -> None:
    state = seen({"User": (ANN.unique_name,)}, *assigned)

    assert refused(state, change_) == ([expected] if expected else [])


def test_a_role_that_is_inherited_does_not_stand_against_an_assigned_one() -> None:
    state = seen({"User": (ANN.unique_name,)}, inherited=[(ANN, "Creator")])

    assert refused(state, change(ANN, None, "User")) == []


def test_the_lowest_role_is_managed_like_the_others() -> None:
    state = seen({"Reader": (ANN.unique_name,)})

    assert refused(state, *planned(state)) == []
    assert [(one.before, one.after) for one in planned(state)] == [(None, "Reader")]


def test_a_change_of_another_kind_is_named() -> None:
    other = replace(change(ANN, None, "User"), target=OpenAccess(PLACE, allow=True))

    assert refused(seen({}), other) == [("unrecognised", "a OpenAccess is not written here")]


def test_who_only_stands_in_for_the_operators_is_assigned_nothing() -> None:
    stands_in = Operators(LAPTOP, (LAPTOP,), named=False)
    state = seen({"Administrator": ()}, (BOB, "Administrator"), operators=stands_in)

    itself = change(LAPTOP, None, "Administrator", itself=True)
    assert refused(state, itself, change(BOB, "Administrator", None))[0] == (
        "operator-itself",
        f"this identity is not named as an operator; {REMEDY}",
    )
    bare = replace(state, standing=Standing(stands_in))
    assert [one.target for one in planned(bare)] == [change(BOB, "Administrator", None).target]


def test_an_operator_that_would_be_left_without_a_right_is_assigned_first() -> None:
    bare = replace(seen({"Administrator": ()}, (BOB, "Administrator")), standing=Standing(OPERATES))

    first, second = sorted(planned(bare), key=lambda one: one.note, reverse=True)
    assert (first.subject, first.before, first.after) == (f"{PRIME}/Web operator@fabrikam.com", None, "Administrator")
    assert (first.note, second.note) == (TAKEN, "")
    assert target_of(first, RoleAssignmentChange).itself
    assert refused(bare, first, second) == []


@pytest.mark.parametrize(
    ("assigned", "inherited"),
    [
        ([(OPERATOR, "Administrator"), (BOB, "Administrator")], []),
        ([(BOB, "Administrator")], [(OPERATOR, "Administrator")]),
        ([(ANN, "User")], []),
    ],
)
def test_an_operator_that_keeps_its_right_or_loses_nothing_is_not_assigned(
    assigned: list[tuple[Identity, str]], inherited: list[tuple[Identity, str]]
) -> None:
    state = seen({"Administrator": ()}, *assigned, inherited=inherited)

    assert [one.note for one in planned(replace(state, standing=Standing(OPERATES))) if one.note] == []


def test_a_group_that_the_plan_grants_the_role_is_a_way_in_for_its_operator() -> None:
    state = seen({"Administrator": (ANN.unique_name,)}, (BOB, "Administrator"))
    through_ann = Standing(OPERATES, {OPERATOR.id: frozenset({ANN.id})})

    assert TAKEN not in {one.note for one in planned(replace(state, standing=through_ann))}
    assert TAKEN in {one.note for one in planned(replace(state, standing=Standing(OPERATES)))}


def test_nothing_is_taken_where_nothing_makes_the_operator_an_administrator() -> None:
    state = replace(seen({"Administrator": ()}, (BOB, "Administrator")), standing=Standing(OPERATES))

    assert refused(state, change(BOB, "Administrator", None)) == [
        (
            "operator-locked-out",
            "nothing that was read makes the operator operator@fabrikam.com an administrator here",
        )
    ]


def test_a_lower_role_of_the_list_is_set_in_one_write() -> None:
    state = seen({"User": (ANN.unique_name,), "Administrator": ()}, (ANN, "Administrator"), (BOB, "User"))

    assert [(one.subject, one.before, one.after) for one in planned(state)] == [
        (f"{PRIME}/Web ann@fabrikam.com", "Administrator", "User"),
        (f"{PRIME}/Web bob@fabrikam.com", "User", None),
    ]


def test_two_that_are_called_alike_are_told_apart_by_their_id() -> None:
    twin = replace(BOB, id="id-twin", unique_name=ANN.unique_name)
    state = seen({"User": (ANN.unique_name,)}, (ANN, "User"), (twin, "User"))

    assert [one.subject for one in planned(state)] == [f"{PRIME}/Web ann@fabrikam.com (id-twin)"]


def test_who_is_called_like_a_listed_one_that_is_not_assigned_is_told_apart() -> None:
    twin = replace(BOB, id="id-twin", unique_name=ANN.unique_name)
    removed = [one for one in planned(seen({"User": (ANN.unique_name,)}, (twin, "User"))) if one.after is None]

    assert [one.subject for one in removed] == [f"{PRIME}/Web ann@fabrikam.com (id-twin)"]


def test_a_queue_that_cannot_be_read_does_not_stop_the_one_after_it() -> None:
    both = [QueueRoles(PRIME, name, {"User": ("ann@fabrikam.com",)}) for name in ("App", "Web")]
    world = world_with()
    world.organizations[PRIME].trouble = {"roles/app": Unavailable("503")}

    seen_now = look(world, spec(organization(PRIME, "Web", "App"), queue_roles=both), facets=ONLY)
    assert [one.subject for one in seen_now.changes] == [f"{PRIME}/Web ann@fabrikam.com"]


def test_a_role_of_another_version_is_neither_given_nor_taken() -> None:
    state = seen({"Wizard": (ANN.unique_name,)}, (BOB, "Wizard"))

    assert planned(state) == []


@pytest.mark.parametrize(
    "roles",
    [
        {"administrator": ("ann@fabrikam.com",), "reader": ("origin-ann",)},
        {"administrator": ("origin-ann",), "reader": ("ann@fabrikam.com",)},
    ],
)
def test_of_two_spellings_of_one_person_the_stronger_role_counts(roles: dict[str, Any]) -> None:
    (one,) = look(world_with(), wants(**roles), facets=ONLY).changes

    assert one.after == "Administrator"


def test_an_empty_list_asks_for_no_identities() -> None:
    world = world_with({BOB.id: "User"})
    world.organizations[PRIME].trouble = {"identities": Unavailable("asked in vain")}

    assert look(world, wants(True, user=()), facets=ONLY).gaps == ()


def with_groups(assigned: dict[str, str], inherited: dict[str, str]) -> World:
    world = administered(world_with(assigned, inherited))
    world.organizations[PRIME].people += [TEAM, EMPTY]
    world.organizations[PRIME].members |= {TEAM.id: {ANN.id}, EMPTY.id: set()}
    return world


@pytest.mark.parametrize(("group", "rules"), [(TEAM, []), (EMPTY, ["last-administrator"])])
@pytest.mark.parametrize("listed", [False, True])
def test_an_empty_group_is_no_administrator_that_remains(group: Identity, rules: list[str], listed: bool) -> None:
    """Neither by inheritance nor by an assignment of the list."""
    world = with_groups({BOB.id: "Administrator"}, {} if listed else {group.id: "Administrator"})
    world.organizations[PRIME].in_project["web"] = {} if listed else {group.id: "Administrator"}
    names = (group.unique_name,) if listed else ()

    seen = look(world, wants(True, administrator=names), facets=ONLY)
    assert [one.rule for one in seen.refusals] == rules
    if rules:
        text = "no administrator of the queue would remain of those that were read"
        assert seen.refusals[0].message.endswith(text)


def test_what_cannot_be_told_of_one_queue_is_told_beside_the_rest() -> None:
    world = world_with()
    world.organizations[PRIME].ambiguous = {"bob@fabrikam.com": Rejected("bob@fabrikam.com: fits 2 identities")}
    wanted = [QueueRoles(PRIME, name, {"User": ("bob@fabrikam.com", "[x]\\Lost")}) for name in ("Web", "App", "Webb")]

    gaps = look(world, spec(organization(PRIME, "Web", "App"), queue_roles=wanted), facets=ONLY).gaps
    assert {one.facet for one in gaps} == {"queue_roles"}
    assert {one.subject for one in gaps} >= {f"{PRIME}/Web bob@fabrikam.com", f"{PRIME}/App bob@fabrikam.com"}
    assert any("Webb" in one.message for one in gaps)
    assert any("Lost" in one.message for one in gaps)

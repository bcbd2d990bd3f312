"""All facets over one estate: order, settling, and that no step on the way locks anybody out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Unavailable
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Change
from reconciler.plan.policy import Policy
from reconciler.plan.targets import DirectoryEntry, RoleAssignmentChange
from reconciler.ports.devops import Project, Queue
from reconciler.spec.model import PermissionKind, PermissionProfile, PoolRoles, Spec
from tests.examples import tries
from tests.facets.documents import document
from tests.facets.documents import wanted as wanted_pool
from tests.facets.frame import PRIME, TAILSPIN, exception, look, organization, settle, spec, specific
from tests.facets.world import OPERATOR, POOL, Org, World, person

ANN, BOB, CAROL = person("ann"), person("bob"), person("carol")
WEB, APP = Project("web", "Web"), Project("app", "App")


def body(*names: str) -> dict[str, Any]:
    urls = [{"url": f"https://dev.azure.com/{name}"} for name in names]
    return {"properties": {"organizationProfile": {"kind": "AzureDevOps", "organizations": urls}}}


def drifted() -> tuple[World, Spec]:
    """Ann is wanted, Bob is there; inheritance shall go off; Web is closed, App open, both the wrong way round."""
    queues = {("web", 7): Queue(1, POOL.name, "web", 7), ("app", 7): Queue(2, POOL.name, "app", 7)}
    org = Org(
        [WEB, APP],
        queues=queues,
        open={2},
        people=[OPERATOR, ANN, BOB],
        assigned={BOB.id: "Administrator", OPERATOR.id: "Administrator"},
        inherited={OPERATOR.id: "Administrator"},
    )
    wanted = spec(
        organization(PRIME, "Web", "App", open_access=True),
        body=body(PRIME),
        exceptions=[exception("App", allow=False)],
        roles=[PoolRoles(PRIME, ("ann@fabrikam.com",), exclusive=True, inherit=False)],
    )
    world = World({PRIME: org})
    world.documents[wanted.pool_id.casefold()] = body(PRIME)
    return world, wanted


def test_grants_come_before_the_switch_and_the_switch_before_revocations() -> None:
    """A run that dies half-way leaves too many rights, never too few."""
    world, wanted = drifted()

    changes = look(world, wanted).changes

    assert [(change.kind, change.subject) for change in changes] == [
        ("open access", "fabrikam-prime/Web"),
        ("administrator", "fabrikam-prime ann@fabrikam.com"),
        ("open access", "fabrikam-prime/App"),
        ("inheritance", "fabrikam-prime"),
        ("administrator", "fabrikam-prime bob@fabrikam.com"),
    ]


def test_a_drifted_estate_settles_and_a_second_run_writes_nothing() -> None:
    world, wanted = drifted()

    last = settle(world, wanted)
    written = len(world.writes)
    again = settle(world, wanted)

    assert (last.changes, last.refusals, last.gaps) == ((), (), ())
    assert (again.changes, len(world.writes)) == ((), written)
    assert world.organizations[PRIME].assigned.keys() == {ANN.id, OPERATOR.id}
    assert (world.organizations[PRIME].open, world.organizations[PRIME].inherits) == ({1}, False)


def test_a_new_pool_is_created_and_the_rest_waits_for_its_agent_pool() -> None:
    world = World({name: Org([WEB], pools=[]) for name in (PRIME, TAILSPIN)})
    wanted = wanted_pool()

    first = settle(world, wanted)
    for org in world.organizations.values():
        org.pools.append(POOL)
        org.inherited[OPERATOR.id] = "Administrator"
    last = settle(world, wanted)

    assert {gap.reason for gap in first.gaps} == {"NotReady"}
    assert (last.changes, last.refusals, last.gaps) == ((), (), ())
    assert [write[0] for write in world.writes] == ["put", "create_queue", "create_queue", "set_open_access"]


def test_one_dead_organization_does_not_stop_the_pool_or_its_neighbour() -> None:
    world = World({PRIME: Org([WEB]), TAILSPIN: Org([WEB], trouble={"agent_pool": Unavailable("no answer")})})
    wanted = wanted_pool()
    world.documents[wanted.pool_id.casefold()] = document(maximumConcurrency=2)

    settle(world, wanted)

    assert [write[:2] for write in world.writes] == [
        ("put", wanted.pool_id),
        ("create_queue", PRIME),
        ("set_open_access", PRIME),
    ]


def test_a_service_that_refuses_self_assignment_leaves_inheritance_on() -> None:
    """The finding stays visible, and the operator keeps its right."""
    world = World({PRIME: Org(people=[OPERATOR, ANN], inherited={OPERATOR.id: "Administrator"})})
    world.refused_self_assignment = True
    wanted = spec(organization(), body=body(PRIME), profile=PermissionProfile(PermissionKind.CREATOR_ONLY))
    world.documents[wanted.pool_id.casefold()] = body(PRIME)

    last = settle(world, wanted)

    assert world.organizations[PRIME].inherits
    assert [(change.kind, change.awaits) for change in last.changes] == [
        ("administrator", ""),
        ("inheritance", "grants are verified"),
    ]
    assert target_of(last.changes[0], RoleAssignmentChange).itself
    assert last.refusals == ()


def test_a_person_who_assigns_the_operator_unlocks_it() -> None:
    world = World({PRIME: Org(inherited={OPERATOR.id: "Administrator"})})
    world.refused_self_assignment = True
    wanted = spec(organization(), body=body(PRIME), profile=PermissionProfile(PermissionKind.CREATOR_ONLY))
    world.documents[wanted.pool_id.casefold()] = body(PRIME)
    settle(world, wanted)

    world.organizations[PRIME].assigned[OPERATOR.id] = "Administrator"

    assert (settle(world, wanted).changes, world.organizations[PRIME].inherits) == ((), False)


# --- any estate, any spec -----------------------------------------------------------------------------

people = st.sampled_from([OPERATOR, ANN, BOB])
roles_held = st.dictionaries(people.map(lambda who: who.id), st.sampled_from(["Administrator", "Reader"]))


@st.composite
def estates(draw: st.DrawFn) -> World:
    """One organization in any state in which the operator administers the pool somehow."""
    queues = {(p, 7): Queue(n, POOL.name, p, 7) for n, p in enumerate(draw(st.sets(st.sampled_from(["web", "app"]))))}
    org = Org(
        [WEB, APP],
        queues=queues,
        open={queue.id for queue in queues.values() if draw(st.booleans())},
        inherits=draw(st.booleans()),
        assigned=draw(roles_held),
        inherited=draw(roles_held),
        people=[OPERATOR, ANN, BOB],
        entra={"carol@fabrikam.com": CAROL} if draw(st.booleans()) else {},
    )
    (org.inherited if org.inherits else org.assigned)[OPERATOR.id] = "Administrator"
    world = World({PRIME: org})
    world.refused_self_assignment = draw(st.booleans())
    return world


names = st.lists(st.sampled_from([f"{who}@fabrikam.com" for who in ("ann", "bob", "carol", "operator")]), unique=True)
specs = st.builds(
    lambda flag, allow, listed, exclusive, inherit, profile: spec(
        organization(open_access=flag),
        body=body(PRIME),
        profile=profile,
        exceptions=[exception("Web", allow=allow)] if allow is not None else [],
        roles=[PoolRoles(PRIME, tuple(listed), exclusive, inherit)],
    ),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, True, False]),
    names,
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, PermissionProfile(PermissionKind.CREATOR_ONLY), specific("ann@fabrikam.com")]),
)


@settings(max_examples=tries(80, soaked=200))
@given(estates(), specs, st.booleans())
def test_every_estate_settles_and_no_step_locks_the_operator_out(world: World, wanted: Spec, materialise: bool) -> None:
    """After every single write the operator still administers the pool, whatever fails in between."""
    org = world.organizations[PRIME]

    def check(change: Change) -> None:
        assert OPERATOR.id in org.administrators(), change
        assert not change.narrows or any(role == "Administrator" for role in org.assigned.values()) or org.inherits

    settle(world, wanted, policy=Policy(materialise=materialise), after_each=check)


@given(estates(), specs)
def test_a_settled_estate_is_left_alone(world: World, wanted: Spec) -> None:
    """What stays planned is only what the services refused."""
    settle(world, wanted, policy=Policy(materialise=True))
    written = len(world.writes)

    left = settle(world, wanted, policy=Policy(materialise=True))

    open_ones = [change for change in left.changes if not change.awaits]
    assert all(isinstance(change.target, DirectoryEntry) or _is_own(change) for change in open_ones)
    assert all(write[0] == "materialise" for write in world.writes[written:])


def _is_own(change: Change) -> bool:
    return target_of(change, RoleAssignmentChange).identity_id == OPERATOR.id


@pytest.mark.parametrize("kind", list(PermissionKind))
def test_a_profile_of_any_kind_settles(kind: PermissionKind) -> None:
    """The product's three kinds, over a pool where the operator has only inherited its right."""
    world = World({PRIME: Org(people=[OPERATOR, ANN], inherited={OPERATOR.id: "Administrator"})})
    users = ("ann@fabrikam.com",) if kind is PermissionKind.SPECIFIC_ACCOUNTS else ()
    wanted = spec(organization(PRIME), body=body(PRIME), profile=PermissionProfile(kind, users))
    world.documents[wanted.pool_id.casefold()] = body(PRIME)
    world.organizations[PRIME].projects.append(WEB)

    assert settle(world, wanted).changes == ()
    assert world.organizations[PRIME].inherits is (kind is not PermissionKind.CREATOR_ONLY)

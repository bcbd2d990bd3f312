r"""Roles on a project's queue: at least what is listed, exactly that where the list is exclusive, never a lockout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Forbidden, Rejected
from reconciler.facets import queue_roles
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Action, Change, GapKind, Risk, Route
from reconciler.plan.order import GRANTS, READS
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, OpenAccess, QueuePlace, RoleAssignmentChange
from reconciler.ports.devops import Project, Queue
from reconciler.spec.model import QueueRoles, Spec
from tests.facets.frame import NOW, PRIME, look, organization, settle, spec
from tests.facets.world import COLLECTION, OPERATOR, POOL, RANKS, Org, World, person

ANN, BOB, CAROL = person("ann"), person("bob"), person("carol")
WEB, APP = Project("web", "Web"), Project("app", "App")
ONLY = [queue_roles.FACET]
MAIL = {who.id: who.unique_name for who in (ANN, BOB, CAROL, OPERATOR)}


def world_with(assigned: dict[str, str] | None = None, inherited: dict[str, str] | None = None) -> World:
    """Roles by local id on the queue of Web, and on all queues of its project."""
    queues = {("web", 7): Queue(1, POOL.name, "web", 7), ("app", 7): Queue(2, POOL.name, "app", 7)}
    org = Org([WEB, APP], queues=queues, people=[OPERATOR, ANN, BOB], entra={"carol@fabrikam.com": CAROL})
    org.on_queue = {1: dict(assigned or {})}
    org.in_project = {"web": dict(inherited or {OPERATOR.id: "Administrator"})}
    return World({PRIME: org})


def administered(world: World) -> World:
    """The operator administers everything of the organization, so no role on a queue is its way in."""
    world.organizations[PRIME].members[COLLECTION] = {OPERATOR.id}
    return world


def wants(exclusive: bool = False, project: str = "Web", **roles: tuple[str, ...]) -> Spec:
    wanted = QueueRoles(PRIME, project, {role.capitalize(): names for role, names in roles.items()}, exclusive)
    return spec(organization(PRIME, "Web", "App"), queue_roles=[wanted])


def test_a_role_is_given() -> None:
    change = look(world_with(), wants(user=("ann@fabrikam.com",)), facets=ONLY).changes[0]

    assert (change.kind, change.subject) == ("queue role", "fabrikam-prime/Web ann@fabrikam.com")
    assert (change.action, change.before, change.after) == (Action.CREATE, None, "User")
    assert (change.risk, change.route) == (Risk.WIDENS, Route.DEVOPS)
    assert change.target == RoleAssignmentChange(
        QueuePlace(PRIME, "web", "Web", 1, 7), ANN.id, "ann@fabrikam.com", before=None, after="User"
    )


@pytest.mark.parametrize(
    ("assigned", "inherited", "planned", "reason"),
    [
        ({}, {}, [("+", None, "User")], "nothing is not enough"),
        ({ANN.id: "Reader"}, {}, [("~", "Reader", "User")], "a weaker role is raised"),
        ({ANN.id: "User"}, {}, [], "what is there is left"),
        ({ANN.id: "Administrator"}, {}, [], "a stronger one is left where the list is not exclusive"),
        ({}, {ANN.id: "User"}, [], "an inherited role suffices"),
        ({}, {ANN.id: "Administrator"}, [], "so does a stronger one: a weaker would not even be shown"),
        ({}, {ANN.id: "Reader"}, [("~", "Reader", "User")], "a weaker inherited one does not"),
    ],
)
def test_who_needs_the_role(
    assigned: dict[str, str], inherited: dict[str, str], planned: list[tuple[str, str | None, str]], reason: str
) -> None:
    world = world_with(assigned, {OPERATOR.id: "Administrator", **inherited})

    changes = look(world, wants(user=("ann@fabrikam.com",)), facets=ONLY).changes

    marks = {Action.CREATE: "+", Action.UPDATE: "~"}
    assert [(marks[c.action], c.before, c.after) for c in changes] == planned, reason


@pytest.mark.parametrize(
    ("wanted", "assigned", "left", "reason"),
    [
        (wants(True, user=()), {BOB.id: "User"}, {}, "an empty exclusive list takes what is assigned"),
        (wants(True, user=()), {BOB.id: "Creator"}, {BOB.id: "Creator"}, "a role that is not named is not managed"),
        (
            wants(True, user=("ann@fabrikam.com",), administrator=()),
            {ANN.id: "Administrator"},
            {ANN.id: "User"},
            "who is listed for less is set to that",
        ),
        (wants(user=()), {BOB.id: "User"}, {BOB.id: "User"}, "without exclusive nobody loses anything"),
        (wants(True, user=()), {OPERATOR.id: "User"}, {OPERATOR.id: "User"}, "the operator is never touched"),
    ],
)
def test_what_an_exclusive_list_takes(
    wanted: Spec, assigned: dict[str, str], left: dict[str, str], reason: str
) -> None:
    world = world_with(assigned)

    last = settle(world, wanted, facets=ONLY)

    assert (last.changes, world.organizations[PRIME].on_queue[1]) == ((), left), reason


def test_the_last_administrator_that_was_seen_stays() -> None:
    """An identity has to be able to assign roles; an inherited administrator is one."""
    wanted = wants(True, administrator=())
    alone = look(administered(world_with({BOB.id: "Administrator"}, {ANN.id: "Reader"})), wanted, facets=ONLY)
    backed = look(world_with({BOB.id: "Administrator"}), wanted, facets=ONLY)

    assert (alone.changes, [r.rule for r in alone.refusals]) == ((), ["last-administrator"])
    assert [(c.before, c.after, c.risk) for c in backed.changes] == [("Administrator", None, Risk.NARROWS)]


def test_lowering_the_last_administrator_counts_as_taking() -> None:
    wanted = wants(True, administrator=(), user=("bob@fabrikam.com",))

    seen = look(administered(world_with({BOB.id: "Administrator"}, {ANN.id: "Reader"})), wanted, facets=ONLY)

    assert (seen.changes, [r.rule for r in seen.refusals]) == ((), ["last-administrator"])


def test_somebody_unknown_is_made_known_first_where_the_policy_allows_it() -> None:
    wanted = wants(user=("carol@fabrikam.com",))
    refused = look(world_with(), wanted, facets=ONLY)
    world = world_with()

    last = settle(world, wanted, facets=ONLY, policy=Policy(materialise=True))

    assert [r.rule for r in refused.refusals] == ["policy-materialise"]
    assert (last.changes, world.organizations[PRIME].on_queue[1]) == ((), {CAROL.id: "User"})


def test_one_unknown_person_on_two_queues_is_made_known_once() -> None:
    both = tuple(QueueRoles(PRIME, name, {"User": ("carol@fabrikam.com",)}) for name in ("Web", "App"))
    wanted = spec(organization(PRIME, "Web", "App"), queue_roles=both)

    changes = look(world_with(), wanted, facets=ONLY, policy=Policy(materialise=True)).changes

    assert [change.kind for change in changes] == ["member"]


def test_an_unknown_group_of_azure_devops_is_a_gap() -> None:
    seen = look(world_with(), wants(user=("[fabrikam-prime]\\Platfrom",)), facets=ONLY)

    assert (seen.changes, [gap.kind for gap in seen.gaps]) == ((), [GapKind.DEGRADED])


def test_one_queue_that_cannot_be_read_does_not_stop_the_other() -> None:
    both = tuple(QueueRoles(PRIME, name, {"User": ("ann@fabrikam.com",)}) for name in ("Web", "App"))
    world = world_with()
    world.organizations[PRIME].trouble = {"roles/web": Forbidden("Web: hidden")}

    seen = look(world, spec(organization(PRIME, "Web", "App"), queue_roles=both), facets=ONLY)

    assert [change.subject for change in seen.changes] == ["fabrikam-prime/App ann@fabrikam.com"]
    assert [(gap.subject, gap.kind) for gap in seen.gaps] == [("fabrikam-prime/Web", GapKind.UNKNOWN)]


def test_a_project_without_a_queue_is_not_ready() -> None:
    world = world_with()
    world.organizations[PRIME].queues.clear()

    seen = look(world, wants(user=("ann@fabrikam.com",)), facets=ONLY)

    assert [(gap.subject, gap.kind) for gap in seen.gaps] == [("fabrikam-prime/Web", GapKind.NOT_READY)]


def test_nothing_is_wanted_where_the_spec_names_no_roles() -> None:
    assert queue_roles.parse(spec(organization()), NOW) is None


def _forgeries(give: Change, take: Change) -> list[tuple[Change, str]]:
    def forged(change: Change, **parts: Any) -> Change:
        return replace(change, target=replace(target_of(change, RoleAssignmentChange), **parts))

    another = QueuePlace(PRIME, "web", "Web", 2, 7)

    return [
        (forged(give, place=another), "unseen-queue"),
        (forged(give, after="Creator"), "role-not-managed"),
        (forged(give, after="Owner"), "role-not-managed"),
        (forged(give, identity_id=BOB.id), "unknown-identity"),
        (forged(take, identity_id=OPERATOR.id), "operator-itself"),
        (forged(take, identity_id=ANN.id), "not-assigned"),
        (forged(take, after="Reader"), "role-not-managed"),
        (replace(give, target=DirectoryEntry(AgentPoolPlace(PRIME, 7), "eve")), "unknown-identity"),
        (replace(give, target=OpenAccess(QueuePlace(PRIME, "web", "Web", 1, 7), allow=True)), "unrecognised"),
    ]


def test_a_guard_lets_only_through_what_was_read_for_it() -> None:
    world = world_with({BOB.id: "User"})
    desired = queue_roles.parse(wants(True, user=("ann@fabrikam.com",)), NOW) or ()
    observed = queue_roles.observe(wants(), desired, world).value
    give, take = queue_roles.diff(desired, observed)

    assert queue_roles.guard(observed, [give, take], Policy()) == []
    for change, rule in _forgeries(give, take):
        assert [r.rule for r in queue_roles.guard(observed, [change], Policy())] == [rule]


# --- properties ---------------------------------------------------------------------------------------

everybody = st.sampled_from([ANN.id, BOB.id, OPERATOR.id])
held = st.dictionaries(everybody, st.sampled_from(RANKS))


@st.composite
def wishes(draw: st.DrawFn) -> Spec:
    """A principal has one role, as the spec's own rules demand."""
    given_to = draw(st.dictionaries(st.sampled_from([ANN.id, BOB.id, CAROL.id]), st.sampled_from(RANKS)))
    named = draw(st.sets(st.sampled_from(RANKS), min_size=1)) | set(given_to.values())
    roles = {role: tuple(MAIL[who] for who, given in given_to.items() if given == role) for role in named}
    entry = QueueRoles(PRIME, "Web", roles, draw(st.booleans()))
    return spec(organization(PRIME, "Web"), queue_roles=[entry])


def administrators(org: Org) -> set[str]:
    lines = [*org.on_queue.get(1, {}).items(), *org.in_project["web"].items()]
    return {who for who, role in lines if role == "Administrator"}


@given(held, held, wishes(), st.booleans())
def test_any_queue_settles_and_never_loses_its_last_administrator(
    assigned: dict[str, str], inherited: dict[str, str], wanted: Spec, materialise: bool
) -> None:
    world = administered(world_with(assigned, inherited))
    world.organizations[PRIME].in_project["web"] = inherited
    org = world.organizations[PRIME]
    begun = bool(administrators(org))
    policy = Policy(materialise=materialise)

    def check(change: Change) -> None:
        assert not begun or administrators(org), change
        assert org.on_queue[1].get(OPERATOR.id, "") == assigned.get(OPERATOR.id, ""), "the operator is left alone"

    settle(world, wanted, facets=ONLY, policy=policy, after_each=check)
    written = len(world.writes)

    assert settle(world, wanted, facets=ONLY, policy=policy).changes == ()
    assert len(world.writes) == written


@given(held, held, wishes())
def test_only_an_exclusive_list_takes(assigned: dict[str, str], inherited: dict[str, str], wanted: Spec) -> None:
    changes = look(world_with(assigned, inherited), wanted, facets=ONLY).changes

    assert wanted.access.queue_roles[0].exclusive or not any(change.narrows for change in changes)


def test_an_ambiguous_principal_stops_removals_on_the_queue_that_lists_it_alone() -> None:
    world = world_with({BOB.id: "User"})
    world.organizations[PRIME].on_queue[2] = {BOB.id: "User"}
    world.organizations[PRIME].ambiguous["carol@fabrikam.com"] = Rejected("carol@fabrikam.com: fits 2 identities")
    on_web = QueueRoles(PRIME, "Web", {"User": ("ann@fabrikam.com", "carol@fabrikam.com")}, exclusive=True)
    on_app = QueueRoles(PRIME, "App", {"User": ("ann@fabrikam.com",)}, exclusive=True)
    both = spec(organization(PRIME, "Web", "App"), queue_roles=[on_web, on_app])

    seen = look(world, both, facets=ONLY)

    removals = {one.subject: one.awaits for one in seen.changes if one.after is None}
    assert removals == {f"{PRIME}/App bob@fabrikam.com": GRANTS, f"{PRIME}/Web bob@fabrikam.com": READS}
    assert {one.subject for one in seen.changes if one.after == "User"} == {
        f"{PRIME}/App ann@fabrikam.com",
        f"{PRIME}/Web ann@fabrikam.com",
    }
    assert [(gap.kind, gap.subject) for gap in seen.gaps] == [(GapKind.DEGRADED, f"{PRIME}/Web carol@fabrikam.com")]

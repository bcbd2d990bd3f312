"""What waits for what across facets, by place: one table of what is missing and what it holds back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from reconciler.plan.model import Change, Gap, GapKind, Refusal
from reconciler.plan.order import GRANTS, READS, RoleGrants, lane_of
from reconciler.plan.targets import (
    AgentPoolPlace,
    AutoProvision,
    DirectoryEntry,
    Inheritance,
    NewQueue,
    OpenAccess,
    PipelineAuthorization,
    ProjectPlace,
    QueuePlace,
    RoleAssignmentChange,
    Target,
)

ORG, OTHER = "fabrikam-prime", "fabrikam-tailspin"
POOL, POOL_ELSEWHERE = AgentPoolPlace(ORG, 7), AgentPoolPlace(OTHER, 7)
WEB, APP = QueuePlace(ORG, "web", "Web", 1, 7), QueuePlace(ORG, "app", "App", 2, 7)
KINDS = {"roles": AgentPoolPlace, "queue_roles": QueuePlace}


def change(facet: str, subject: str, target: Target, *, awaits: str = "") -> Change:
    return Change(facet, type(target).__name__, subject, None, None, target, awaits=awaits)


def grant(place: AgentPoolPlace | QueuePlace, who: str = "ann") -> Change:
    facet = "roles" if isinstance(place, AgentPoolPlace) else "queue_roles"
    return change(facet, f"{place} {who}", RoleAssignmentChange(place, who, who, None, "Administrator"))


def removal(place: AgentPoolPlace | QueuePlace) -> Change:
    facet = "roles" if isinstance(place, AgentPoolPlace) else "queue_roles"
    return change(facet, f"{place} eve", RoleAssignmentChange(place, "eve", "eve", "Administrator", None))


def switch(place: AgentPoolPlace = POOL, *, awaits: str = "") -> Change:
    return change("inheritance", place.organization, Inheritance(place, on=False), awaits=awaits)


def member(facet: str = "roles") -> Change:
    return change(facet, f"{ORG} zoe", DirectoryEntry(POOL, "zoe"))


TAKING = {
    "pool": removal(POOL), "pool elsewhere": removal(POOL_ELSEWHERE), "web": removal(WEB), "app": removal(APP),
    "switch": switch(), "switch elsewhere": switch(POOL_ELSEWHERE),
}  # fmt: skip


def held(*, allowed: tuple[Change, ...] = (), refused: tuple[Change, ...] = (), gap: Gap | None = None) -> set[str]:
    """Names of what is refused or waits."""
    refusals = [Refusal(one, "policy-principals", "the policy does not let ann be granted anything") for one in refused]
    grants = RoleGrants(KINDS, allowed, refusals, [gap] if gap else [])
    results = {name: grants.ordered(one) for name, one in TAKING.items()}
    return {name for name, one in results.items() if isinstance(one, Refusal) or one.awaits}


@pytest.mark.parametrize(
    ("place", "held_back"),
    [(POOL, {"pool", "switch"}), (POOL_ELSEWHERE, {"pool elsewhere", "switch elsewhere"}), (WEB, {"web"})],
)
def test_a_grant_planned_or_refused_holds_back_its_own_place(
    place: AgentPoolPlace | QueuePlace, held_back: set[str]
) -> None:
    assert held(allowed=(grant(place),)) == held_back
    assert held(refused=(grant(place),)) == held_back


@pytest.mark.parametrize(
    ("facet", "subject", "held_back"),
    [
        ("roles", "", {"pool", "switch", "pool elsewhere", "switch elsewhere"}),
        ("roles", ORG, {"pool", "switch"}),
        ("roles", f"{ORG} ann@fabrikam.com", {"pool", "switch"}),
        ("queue_roles", ORG, {"web", "app"}),
        ("queue_roles", f"{ORG} ann@fabrikam.com", {"web", "app"}),
        ("queue_roles", f"{ORG}/web", {"web"}),
        ("queue_roles", f"{ORG}/Web ann@fabrikam.com", {"web"}),
        ("queue_roles", f"{ORG}/Website", set()),
        ("open_access", f"{ORG}/Web", set()),
        ("pool", "", set()),
    ],
)
def test_what_could_not_be_read_holds_back_the_places_it_may_be_about(
    facet: str, subject: str, held_back: set[str]
) -> None:
    for kind, reason in [(GapKind.UNKNOWN, "Unavailable"), (GapKind.DEGRADED, "Rejected")]:
        assert held(gap=Gap(facet, subject, kind, reason, "two identities fit")) == held_back


def test_a_plainly_unknown_member_holds_back_the_switch_alone() -> None:
    """Unknown group, refused member, and one that is to become known."""
    assert held(gap=Gap("roles", f"{ORG} [{ORG}]\\Gone", GapKind.DEGRADED, "NotFound", "no group")) == {"switch"}
    assert held(refused=(member(),)) == {"switch"}
    assert held(allowed=(member(),)) == {"switch"}
    assert held(gap=Gap("queue_roles", f"{ORG} [{ORG}]\\Gone", GapKind.DEGRADED, "NotFound", "no group")) == set()
    assert held(gap=Gap("queue_roles", f"{ORG}/Web ann lee", GapKind.DEGRADED, "NotFound", "no project")) == {"web"}
    assert held(refused=(member("queue_roles"),)) == set()


def test_what_waits_says_for_what_and_what_is_refused_says_why() -> None:
    waiting = RoleGrants(KINDS, [grant(POOL)], [], []).ordered(switch())
    blind = RoleGrants(KINDS, [], [], [Gap("roles", ORG, GapKind.UNKNOWN, "Unavailable", "no answer")]).ordered(
        switch()
    )
    refusal = RoleGrants(KINDS, [], [Refusal(grant(POOL), "policy-principals", "not ann")], []).ordered(switch())

    assert isinstance(waiting, Change)
    assert isinstance(blind, Change)
    assert isinstance(refusal, Refusal)
    assert (waiting.awaits, blind.awaits, refusal.rule) == (GRANTS, READS, "refused-grant")
    assert refusal.message.endswith("nothing is taken away before its grants: not ann")


def test_a_switch_that_awaits_the_operators_own_grant_is_refused_where_no_plan_holds_it() -> None:
    waiting = replace(switch(awaits=GRANTS), needs=(("operator",), ("other", "group")))
    both = [grant(POOL, "operator"), grant(POOL, "other")]

    for allowed in ([], both[:1], [*both[:1], grant(POOL_ELSEWHERE, "other")], [grant(POOL)]):
        alone = RoleGrants(KINDS, allowed, [], []).ordered(waiting)
        assert isinstance(alone, Refusal)
        assert (alone.rule, "RECONCILER_OPERATORS" in alone.message) == ("operator-itself", True)
    for allowed in (both, [both[0], grant(POOL, "group")]):
        assert RoleGrants(KINDS, allowed, [], []).ordered(waiting) == waiting


def test_grants_themselves_never_wait() -> None:
    gap = Gap("roles", "", GapKind.UNKNOWN, "Unavailable", "no answer")
    for one in (grant(POOL), grant(WEB), member(), change("x", "x", OpenAccess(WEB, allow=False))):
        assert RoleGrants(KINDS, [grant(POOL)], [Refusal(grant(WEB), "x", "x")], [gap]).ordered(one) is one


def test_lanes_hold_back_only_each_other() -> None:
    """Open access its pipelines, roles and inheritance each other, and everything else itself."""
    project = ProjectPlace(ORG, "web", "Web")
    lanes = [
        [grant(WEB), removal(WEB)],
        [change("open_access", "w", OpenAccess(WEB, allow=True)),
         change("pipelines", "w", PipelineAuthorization(WEB, 1, 1, authorized=False))],
        [grant(POOL), switch()],
        [change("agent_pool", "p", AutoProvision(POOL, on=True))],
        [member()],
        [change("queues", "w", NewQueue(project, 7, "pool"))],
    ]  # fmt: skip

    for lane in lanes:
        assert len({lane_of(one) for one in lane}) == 1
    for one, another in itertools.combinations(lanes, 2):
        assert lane_of(one[0]) != lane_of(another[0])


def test_a_refusal_names_its_change_its_rule_and_the_cause() -> None:
    unknown = Gap("roles", f"{ORG} [{ORG}]\\Gone", GapKind.DEGRADED, "NotFound", "no group")
    first = "nothing is taken away before its grants: "

    found = RoleGrants(KINDS, (), [], [unknown]).ordered(switch())
    assert found == Refusal(switch(), "unknown-member", f"Inheritance {ORG}: {first}no group")
    refused = Refusal(grant(WEB), "policy-principals", "not allowed")
    found = RoleGrants(KINDS, (), [refused], []).ordered(removal(WEB))
    assert found == Refusal(removal(WEB), "refused-grant", f"RoleAssignmentChange {WEB} eve: {first}not allowed")

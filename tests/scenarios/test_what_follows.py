"""The plan of what does not exist yet: everything that an apply writes was a line of the plan that it began with."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome, Result
from reconciler.engine.events import Applying, Event
from reconciler.plan import render
from reconciler.plan.following import covers
from reconciler.plan.model import Change, Plan
from tests.scenarios.drafts import (
    ANN,
    BOB,
    CAROL,
    POOL,
    PRIME,
    RELEASE,
    TAILSPIN,
    ZOE,
    managed,
    organization,
    release,
)
from tests.scenarios.world import ROUNDS, World

QUEUES = [
    {"project": f"{TAILSPIN}/Web", "administrators": [BOB], "users": [ANN]},
    {"project": f"{PRIME}/fabrikam-dev", "readers": [CAROL]},
]


class Shown:
    """An apply over several runs, as the command line makes it: the first plan, and each write that went out."""

    def __init__(self, world: World, pool: str = POOL) -> None:
        self.world, self.pool = world, pool
        self.written: list[Change] = []
        self.plan: Plan | None = None
        self.result: Result | None = None
        world.listen = self._hear

    def _hear(self, event: Event) -> None:
        if isinstance(event, Applying):
            self.written.append(event.change)

    def run(self) -> Result:
        """Run whenever the run before requests it; nothing is written that the first plan did not show."""
        for _ in range(ROUNDS):
            self.result = self.world.apply(self.pool, approved=self.plan, as_planned=True)
            self.plan = self.plan or self.result.planned
            if self.result.next_look is None:
                break
            self.world.later(self.result.next_look + 1)
            self.world.do.settle()
        assert self.result is not None
        return self.result


def lines(plan: Plan) -> set[str]:
    """What the text says of each change, without alignment."""
    return {" ".join(line.split()) for line in render.text(plan).splitlines()}


@pytest.mark.parametrize("creator", ["inheritance-off", "inheritance-on", "administrator"])
@pytest.mark.parametrize("queues", ["made", "none"])
def test_a_new_pool_comes_in_sync_by_what_its_first_plan_showed(nothing: World, queues: str, creator: str) -> None:
    """Whatever ARM makes by itself: the plan of the pool that does not exist shows all that may be written."""
    nothing.switch(devops__queues_at_creation=queues, devops__service_principal_creator=creator)
    nothing.spec(managed(access={"queueRoles": QUEUES}))
    nothing.only(POOL)
    before = nothing.plan()

    assert applied_as_shown(Shown(nothing)).hash == before.hash


def applied_as_shown(shown: Shown) -> Plan:
    """In sync in the end, and every write was a line of the first plan."""
    result = shown.run()
    assert result.outcome in {Outcome.APPLIED, Outcome.IN_SYNC}, (result.plan, result.failures)
    assert shown.plan is not None
    assert [change.id for change in shown.written if not covers(shown.plan, change)] == []
    assert len(shown.world.writes()) == len(shown.written) > 0
    return shown.plan


def test_a_created_body_is_shown_field_by_field(nothing: World) -> None:
    nothing.only(POOL)
    plan = nothing.plan()
    (created,) = plan.changes

    shown = {detail.path: detail.after for detail in created.details}

    assert shown["fabricProfile.sku.name"] == "Standard_D2ads_v5"
    assert shown["fabricProfile.images[ubuntu-24.04].wellKnownImageName"] == "ubuntu-24.04"
    assert shown["organizationProfile.organizations[fabrikam-tailspin].openAccess"] is True
    assert shown["maximumConcurrency"] == 4
    assert shown["location"] == "eastus"
    assert "+ pool fabricProfile.sku.name none → Standard_D2ads_v5 ARM, create" in lines(plan)
    nothing.settle()


def test_a_new_pool_shows_administrators_queues_and_open_access(nothing: World) -> None:
    """In text, Markdown and JSON, with one count for all of them."""
    nothing.only(POOL)
    plan = nothing.plan()

    text, document, table = lines(plan), render.to_json(plan), render.markdown(plan)

    waiting = "Azure DevOps, grants access, after the pool exists"
    assert f"+ administrator {PRIME} {ANN} none → Administrator {waiting}" in text
    assert f"+ open access {TAILSPIN}/Web none → all pipelines {waiting}" in text
    follows: Any = document["following"]
    assert {one["awaits"] for one in follows} == {"the pool exists"}
    assert {"queues", "open_access", "roles", "inheritance"} <= {one["facet"] for one in follows}
    assert all(one["id"] not in {change.id for change in plan.changes} for one in follows)
    assert document["summary"].startswith(f"{1 + len(follows)} changes: ")
    assert str(document["summary"]) in table
    assert table.count("after the pool exists") == len(follows)
    assert "gap" not in document["summary"]
    assert sum(plan.counts.values()) == 1 + len(follows)
    nothing.settle()


def test_the_hash_covers_what_follows(nothing: World) -> None:
    """Another administrator of a pool that does not exist is another plan."""
    nothing.only(POOL)
    before = nothing.plan().hash
    roles = [{"organization": TAILSPIN, "administrators": [BOB]}]
    nothing.spec(managed(access={"roles": roles}))

    assert nothing.plan().hash != before
    nothing.settle()


def test_an_approved_creation_goes_on_in_later_runs_and_nothing_else_does(nothing: World) -> None:
    """By its hash: the first run creates, later ones grant what was shown; a project that appears meanwhile waits."""
    nothing.only(POOL)
    approved = nothing.plan()

    first = nothing.apply(plan_hash=approved.hash)
    nothing.later(60)
    nothing.do.settle()
    nothing.by_hand("create-project", organization=TAILSPIN, name="Late")
    for _ in range(4):
        last = nothing.apply(approved=first.planned)
        nothing.later(60)

    assert last.outcome is Outcome.OUT_OF_SYNC
    assert last.plan is not None
    assert {change.subject for change in last.plan.all_changes} == {f"{TAILSPIN}/Late"}
    assert "ann" in nothing.truth.administrators(PRIME, POOL) & nothing.truth.administrators(TAILSPIN, POOL)
    assert not nothing.truth.opened(TAILSPIN, POOL).get("Late")
    nothing.settle()


def test_open_access_of_a_new_queue_is_planned_with_it(world: World) -> None:
    """It was «not ready»: now it is a line, and the count has it."""
    world.only(POOL)
    world.by_hand("delete-queue", organization=TAILSPIN, pool=POOL, project="Web")
    plan = world.plan()

    assert [change.id for change in plan.following] == [f"open_access:open access:{TAILSPIN}/Web"]
    assert "after its queue exists" in render.text(plan)
    assert render.state(plan) == "out of sync; 1 change waits for its queue"
    assert applied_as_shown(Shown(world)) == plan
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True


def test_roles_and_pipelines_of_a_new_queue_are_planned_with_it(world: World) -> None:
    world.by_hand("delete-queue", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("create-pipeline", organization=TAILSPIN, project="Web", name="nightly", path="\\release")
    access: dict[str, Any] = {
        "queueRoles": [{"project": f"{TAILSPIN}/Web", "administrators": [BOB], "users": [ANN]}],
        "pipelines": [{"project": f"{TAILSPIN}/Web", "pipelines": ["\\release\\nightly"]}],
        "openAccess": [{"project": f"{TAILSPIN}/Web", "allow": False, "reason": "a list of pipelines"}],
    }
    world.spec(managed(access=access))
    world.only(POOL)

    plan = applied_as_shown(Shown(world))

    assert sorted(change.facet for change in plan.following) == ["pipelines", "queue_roles", "queue_roles"]
    assert {change.awaits for change in plan.following} == {"its queue exists"}


def test_the_role_of_a_new_member_is_planned_with_the_member(world: World) -> None:
    """A principal that the organization does not know: two lines, and two writes."""
    world.policy("materialise: true\n")
    world.spec(managed(access={"roles": [{"organization": TAILSPIN, "administrators": [ANN, ZOE]}]}))
    world.only(POOL)

    plan = applied_as_shown(Shown(world))

    (role,) = plan.following
    assert (role.kind, role.subject, role.awaits) == ("administrator", f"{TAILSPIN} {ZOE}", "the member is known")
    assert "zoe" in world.truth.administrators(TAILSPIN, POOL)


def test_another_organization_of_a_pool_shows_what_it_gets(world: World) -> None:
    """An update of the resource creates an agent pool: its access is in the plan of the update."""
    document = release()
    organizations = document["pool"]["properties"]["organizationProfile"]["organizations"]
    organizations.append(organization(TAILSPIN, ["Web"], open_access=True, parallelism=1))
    document["pool"]["properties"]["maximumConcurrency"] = 2
    document["access"] = {"roles": [{"organization": TAILSPIN, "administrators": [BOB]}]}
    world.spec(document)
    world.only(RELEASE)

    plan = applied_as_shown(Shown(world, RELEASE))

    assert {change.facet for change in plan.following} >= {"open_access", "roles"}
    assert "bob" in world.truth.administrators(TAILSPIN, RELEASE)


def test_a_replacement_shows_the_new_pool_and_all_that_it_gets(world: World) -> None:
    """What is deleted, what is created from which body, and who gets what afterwards: one plan."""
    world.policy(f"replacePools: [{RELEASE}]\n")
    document = release(replace="allowed")
    document["pool"]["location"] = "westeurope"
    world.spec(document)
    world.only(RELEASE)
    world.switch(arm__delete_seconds=1, arm__create_seconds=1)

    plan = applied_as_shown(Shown(world, RELEASE))

    (deleted,), (created, *later) = plan.changes, plan.following
    assert (deleted.kind, created.kind, created.awaits) == ("replacement", "pool", "the old pool is deleted")
    assert {"location", "fabricProfile.sku.name"} <= {detail.path for detail in created.details}
    assert {change.awaits for change in later} == {"the pool exists"}
    assert {change.facet for change in later} >= {"queues", "inheritance"}


def test_what_the_policy_forbids_of_a_new_pool_is_refused_before_it_exists(nothing: World) -> None:
    """Guards see the whole plan: no pool has to be created to learn that its administrator is not allowed."""
    nothing.policy("principals: [bob@fabrikam.com]\n")
    nothing.only(POOL)

    plan = nothing.plan()

    refused = {(one.rule, one.change.subject) for one in plan.refusals if one.change.kind == "administrator"}
    assert ("policy-principals", f"{PRIME} {ANN}") in refused
    assert not [change for change in plan.following if ANN in change.subject]
    nothing.do.settle()
    nothing.never_in_sync(POOL, Outcome.STALLED, because="the policy forbids an administrator of its spec")
    nothing.settle()
    assert "ann" not in nothing.truth.administrators(PRIME, POOL)


def test_nothing_follows_from_a_creation_that_is_refused(nothing: World) -> None:
    nothing.policy("createPools: false\n")
    nothing.only(POOL)

    plan = nothing.plan()

    assert plan.all_changes == ()
    assert [one.rule for one in plan.refusals] == ["policy-create-pools"]
    nothing.never_in_sync(POOL, Outcome.STALLED, because="no pool may be created")


def test_a_plan_without_a_creation_costs_no_further_read(world: World) -> None:
    """What follows is only looked for where something is created or waited for."""
    world.only(POOL)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.reset_log()

    plan = world.plan()

    reads = [entry["route"] for entry in world.do.requests()]
    assert plan.following == ()
    assert reads.count("identities.read") <= 2
    world.settle()

"""No plan ever deletes a pool unless spec, policy and everything that was read agree: lock by lock, and all at once."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import Forbidden, Unavailable
from reconciler.facets import pool
from reconciler.facets.pool import ObservedPool
from reconciler.facets.support import replacement
from reconciler.facets.support.observing import target_of
from reconciler.facets.support.replacement import Dependents
from reconciler.plan import guards
from reconciler.plan.model import Action, Change
from reconciler.plan.policy import Policy
from reconciler.plan.targets import MovePool, OpenAccess, QueuePlace, ReplacePool, Target, UpdatePool
from reconciler.ports.devops import Project, QueueCheck
from reconciler.spec.model import Organization, Spec
from tests.estate import Estate
from tests.examples import tries
from tests.facets.support.replacement.moving import (
    BODY,
    ORG,
    POLICY,
    POOL,
    POOL_ID,
    SPEC,
    deletion,
    document,
    estate,
    plan,
)
from tests.plan.every_target import TARGETS


@dataclass
class Case:
    """What a lock may spoil."""

    world: Estate
    spec: Spec = SPEC
    policy: Policy = POLICY

    def body(self, **properties: Any) -> None:
        made = deepcopy(dict(self.spec.body))
        made["properties"] |= properties
        self.spec = replace(self.spec, body=made)

    def read(self, **properties: Any) -> None:
        self.world.arm[POOL_ID.casefold()]["properties"] |= properties

    def fail(self, call: str, error: Exception) -> None:
        def before(name: str, _args: tuple[object, ...]) -> None:
            if name == call:
                raise error

        self.world.before = before


def the_word_is_missing(case: Case) -> None:
    case.spec = replace(case.spec, replace=False)


def the_policy_names_others(case: Case) -> None:
    case.policy = replace(case.policy, replace_pools=("pool-2", "pool"))


def the_policy_is_silent(case: Case) -> None:
    case.policy = replace(case.policy, replace_pools=())


def no_pool_may_be_created(case: Case) -> None:
    case.policy = replace(case.policy, create_pools=False)


def no_open_access_may_be_granted(case: Case) -> None:
    """Creation would send it."""
    case.policy = replace(case.policy, open_access=())


def the_organization_is_not_allowed(case: Case) -> None:
    case.policy = replace(case.policy, organizations=())


def the_last_operation_failed(case: Case) -> None:
    case.read(provisioningState="Failed")


def an_operation_runs(case: Case) -> None:
    case.read(provisioningState="Updating")


def nobody_says_how_it_stands(case: Case) -> None:
    case.read(provisioningState="")


def a_machine_is_at_work(case: Case) -> None:
    case.world.machines = ["Ready", "Allocated"]


def a_machine_does_what_nobody_knows(case: Case) -> None:
    case.world.machines = ["Juggling"]


def the_machines_cannot_be_read(case: Case) -> None:
    case.fail("machines", Forbidden("machines: 403"))


def the_agent_pool_is_hidden(case: Case) -> None:
    case.world.pools[ORG] = []


def the_agent_pools_cannot_be_read(case: Case) -> None:
    case.fail("agent pools", Unavailable("pools: 503"))


def a_project_is_hidden(case: Case) -> None:
    case.world.hidden[ORG] = [Project("hidden-id", "Hidden")]


def queues_cannot_be_read(case: Case) -> None:
    case.fail("queues", Unavailable("queues: 503"))


def permissions_cannot_be_read(case: Case) -> None:
    case.fail("permissions", Forbidden("permissions: 403"))


def a_queue_has_an_approval(case: Case) -> None:
    case.world.checks[case.world.queues[ORG][0].id] = [QueueCheck(5, "Approval", {})]


def checks_cannot_be_read(case: Case) -> None:
    case.fail("checks", Forbidden("checks: 403"))


def checks_may_be_hidden(case: Case) -> None:
    case.world.administers = False


def definitions_cannot_be_read(case: Case) -> None:
    case.fail("pipelines of queues", Unavailable("definitions: 503"))


def roles_cannot_be_read(case: Case) -> None:
    case.fail("roles", Forbidden("roles: 403"))


def the_switch_cannot_be_read(case: Case) -> None:
    case.fail("inheritance", Forbidden("inheritance: 403"))


def the_pool_has_what_the_spec_does_not_name(case: Case) -> None:
    case.read(devCenterProjectResourceId="/subscriptions/x/projects/y")


def the_pool_has_what_nobody_understands(case: Case) -> None:
    case.read(futureProfile={"colour": "blue"})


def the_pool_serves_an_organization_that_the_spec_does_not_name(case: Case) -> None:
    uses = [
        *BODY["properties"]["organizationProfile"]["organizations"],
        {"url": "https://dev.azure.com/fabrikam-other"},
    ]
    case.read(organizationProfile={"kind": "AzureDevOps", "organizations": uses})


def everybody_may_administer_and_the_spec_does_not_say_so(case: Case) -> None:
    profile = deepcopy(BODY["properties"]["organizationProfile"])
    case.read(organizationProfile={**profile, "permissionProfile": {"kind": "Inherit"}})


def it_stands_where_it_should(case: Case) -> None:
    case.world.arm[POOL_ID.casefold()]["location"] = "West Europe"


LOCKS: tuple[Callable[[Case], None], ...] = (
    the_word_is_missing,
    the_policy_names_others,
    the_policy_is_silent,
    no_pool_may_be_created,
    no_open_access_may_be_granted,
    the_organization_is_not_allowed,
    the_last_operation_failed,
    an_operation_runs,
    nobody_says_how_it_stands,
    a_machine_is_at_work,
    a_machine_does_what_nobody_knows,
    the_machines_cannot_be_read,
    the_agent_pool_is_hidden,
    the_agent_pools_cannot_be_read,
    a_project_is_hidden,
    queues_cannot_be_read,
    permissions_cannot_be_read,
    a_queue_has_an_approval,
    checks_cannot_be_read,
    checks_may_be_hidden,
    definitions_cannot_be_read,
    roles_cannot_be_read,
    the_switch_cannot_be_read,
    the_pool_has_what_the_spec_does_not_name,
    the_pool_has_what_nobody_understands,
    the_pool_serves_an_organization_that_the_spec_does_not_name,
    everybody_may_administer_and_the_spec_does_not_say_so,
    it_stands_where_it_should,
)


def deletes(case: Case) -> bool:
    found = plan(case.world, case.spec, case.policy)
    return any(change.destroys or change.action is Action.REMOVE for change in found.changes)


def test_with_every_lock_open_the_pool_is_deleted() -> None:
    assert deletes(Case(estate()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(getattr(lock, "__name__", "")))
def test_each_lock_alone_keeps_the_pool(lock: Callable[[Case], None]) -> None:
    case = Case(estate())
    lock(case)

    assert not deletes(case)


@settings(max_examples=tries(150), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from(LOCKS), unique=True, max_size=5), st.integers(0, 3), st.booleans())
def test_no_plan_deletes_with_any_lock_closed(locks: list[Callable[[Case], None]], projects: int, listed: bool) -> None:
    """Whatever else is wrong or right; and where all are open, the deletion is the whole plan."""
    case = Case(estate(max(projects, 1)))
    if listed:
        one = Organization(ORG, POOL, ("project-1",), open_access=True)
        case.spec = replace(case.spec, organizations=(one,))
    for lock in locks:
        lock(case)

    assert deletes(case) == (not locks)


# --- each guard by itself, against a change that is in no plan ----------------------------------------------

EMPTY = Dependents()
OPENING = OpenAccess(QueuePlace("fabrikam-prime", "web", "Web", 1, 7), allow=True)


def forged(**parts: Any) -> Change:
    change = deletion(estate())
    return replace(change, target=replace(target_of(change, ReplacePool), **parts))


def instead(target: Target) -> Change:
    """All lines of a replacement, with another write under them."""
    return replace(deletion(estate()), target=target)


def objected(change: Change, counted: Dependents | None = EMPTY, **document_: Any) -> list[str]:
    seen = ObservedPool(POOL_ID, document(**document_), dependents=counted)
    return [refusal.rule for refusal in pool.guard(seen, [change], POLICY)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (forged(resource_id="/another"), "unseen-pool"),
        (forged(replaces=()), "not-a-replacement"),
        (forged(replaces=("maximumConcurrency",)), "not-a-replacement"),
        (forged(body={}), "not-a-replacement"),
        (forged(body={"location": "westeurope", "properties": {}}), "incomplete-spec"),
        (replace(forged(), subject="pool-2"), "policy-replace-pools"),
    ],
)
def test_the_facets_guard_trusts_no_diff(change: Change, rule: str) -> None:
    assert objected(change) == [rule]


def test_what_is_not_counted_or_not_told_is_not_deleted() -> None:
    change = deletion(estate())

    assert objected(change, None) == ["uncounted"]
    assert objected(change, Dependents(unread=("hidden",))) == ["uncounted"]
    assert objected(change, Dependents(busy="1 of 1 machines are at work")) == ["not-quiet"]
    assert objected(replace(change, details=change.details[:1]), Dependents(change.details[1:])) == ["untold-loss"]
    assert objected(change, state="Canceled") == ["in-progress"]
    assert objected(change) == []


def test_a_pool_that_was_not_there_is_not_deleted() -> None:
    seen = ObservedPool(POOL_ID, None, dependents=EMPTY)

    assert [refusal.rule for refusal in pool.guard(seen, [deletion(estate())], POLICY)] == ["unseen-pool"]


@pytest.mark.parametrize(
    ("change", "spec", "rule"),
    [
        (forged(), replace(SPEC, replace=False), "not-in-spec"),
        (forged(), replace(SPEC, name="pool-2"), "policy-replace-pools"),
        (instead(UpdatePool(POOL_ID, BODY)), SPEC, "destroys"),
        (instead(MovePool(POOL_ID, "location")), SPEC, "destroys"),
        (instead(OPENING), SPEC, "unrecognised"),
        (forged(replaces=()), SPEC, "destroys"),
        (forged(body={**BODY, "location": "eastus"}), SPEC, "destroys"),
        (forged(body={**BODY, "properties": {}}), SPEC, "destroys"),
        (forged(body={}), SPEC, "destroys"),
        (forged(resource_id=POOL_ID.replace("rg-build", "rg-other")), SPEC, "not-in-spec"),
    ],
)
def test_the_second_lock_trusts_no_facet(change: Change, spec: Spec, rule: str) -> None:
    assert [refusal.rule for refusal in guards.refuse(spec, [change], POLICY)] == [rule]


@given(st.sampled_from([*TARGETS, target_of(forged(), ReplacePool)]), st.booleans())
def test_of_all_changes_that_destroy_only_a_whole_replacement_passes(target: Target, word: bool) -> None:
    refused = guards.refuse(replace(SPEC, replace=word), [instead(target)], POLICY)

    assert bool(refused) == (not (target == forged().target and word))


@pytest.mark.parametrize(
    ("seen", "paths"),
    [
        ({"agentProfile": {"kind": "Stateless", "gracePeriodTimeSpan": "00:00:00"}}, []),
        ({"agentProfile": {"kind": "Stateless", "gracePeriodTimeSpan": "01:00:00"}}, ["agentProfile.gracePeriodTimeSpan"]),
        ({"runtimeConfiguration": {"workFolder": "/w"}}, ["runtimeConfiguration.workFolder"]),
        ({"maximumConcurrency": 7}, []),
        ({"provisioningState": "Succeeded"}, []),
    ],
)  # fmt: skip
def test_what_a_new_pool_would_not_have(seen: dict[str, Any], paths: list[str]) -> None:
    """A value that the spec names otherwise is changed; a default of the service comes by itself."""
    assert replacement.forgotten(BODY, document(**seen)) == paths


def test_an_identity_that_the_spec_does_not_name_would_be_lost_and_what_the_service_fills_in_would_not() -> None:
    identity = {"type": "UserAssigned", "principalId": "p", "tenantId": "t", "userAssignedIdentities": {"/i": {}}}
    seen = {**document(), "identity": identity}
    named = {**BODY, "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/I": {}}}}

    assert replacement.forgotten(BODY, seen) == ["identity.type", "identity.userAssignedIdentities"]
    assert replacement.forgotten(named, seen) == []


@pytest.mark.parametrize(
    ("named", "seen", "paths"),
    [
        ([{"diskSizeGiB": 10}], [{"diskSizeGiB": 10, "driveLetter": "F"}], ["dataDisks[0].driveLetter"]),
        (
            [{"diskSizeGiB": 10}],
            [{"diskSizeGiB": 5}, {"diskSizeGiB": 10, "driveLetter": "F"}],
            ["dataDisks[0].driveLetter"],
        ),
        ([{"diskSizeGiB": 10, "driveLetter": "G"}], [{"diskSizeGiB": 10, "driveLetter": "F"}], []),
    ],
)
def test_what_an_entry_of_a_list_has_beside_the_spec_would_be_lost_too(
    named: list[dict[str, Any]], seen: list[dict[str, Any]], paths: list[str]
) -> None:
    """What an update keeps, and what a replacement forgets, is decided by one function."""
    fabric = BODY["properties"]["fabricProfile"]
    body = deepcopy(BODY)
    body["properties"]["fabricProfile"] = {**fabric, "storageProfile": {"dataDisks": named}}
    found = document(fabricProfile={**fabric, "storageProfile": {"dataDisks": seen}})

    below = [path.removeprefix("fabricProfile.storageProfile.") for path in replacement.forgotten(body, found)]
    assert below == paths


def test_a_schedule_that_the_spec_names_is_changed_and_none_is_lost() -> None:
    """Both spellings of an untyped object are one name, and an empty day is a day."""
    live = {"TimeZone": "UTC", "DaysData": [{"08:00:00": 1, "20:00:00": 50}]}
    body = deepcopy(BODY)
    body["properties"]["agentProfile"] = {"kind": "Stateless", "resourcePredictions": {"daysData": [{}]}}

    assert replacement.forgotten(body, document(agentProfile={"kind": "Stateless", "resourcePredictions": live})) == []
    assert replacement.forgotten(BODY, document(agentProfile={"kind": "Stateless", "resourcePredictions": live})) == [
        "agentProfile.resourcePredictions.DaysData"
    ]

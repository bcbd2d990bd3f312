"""What ARM's writes do in Azure DevOps, seen from both planes over HTTP."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import requests

import emulator
from tests.emulator.devops.fabrikam import ESTATE, POOLS, Caller

Json = Any
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PATH = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools"


def estate() -> Json:
    found = copy.deepcopy(ESTATE)
    found["subscriptions"] = [{"id": SUBSCRIPTION, "name": "s", "resourceGroups": ["rg"]}]
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[emulator.Running]:
    with emulator.start(estate()) as found:
        yield found


@pytest.fixture
def ann(running: emulator.Running) -> Iterator[Caller]:
    """A person who administers all agent pools, dev and test, and therefore may create."""
    running.do.reset()
    with requests.Session() as session:
        found = Caller(running, session, "ann")
        for project in (None, "dev", "test"):
            found.do.edit("set-role", organization="prime", who="ann", role="Administrator", project=project)
        yield found


def begin(caller: Caller, *, name: str = "mdp", profile: Json = None, **organization: Json) -> requests.Response:
    """PUT a managed pool as the caller."""
    target = {"url": "https://dev.azure.com/prime", "parallelism": 1, **organization}
    properties: dict[str, Json] = {
        "maximumConcurrency": 1,
        "organizationProfile": {"kind": "AzureDevOps", "organizations": [target]},
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04"}],
        },
    }
    if profile:
        properties["organizationProfile"]["permissionProfile"] = profile
    body = {"location": "eastus", "properties": properties}
    url = f"{caller.running.arm}{PATH}/{name}?api-version=2026-06-02"
    answer = caller.session.put(url, json=body, headers=bearer(caller), timeout=20)
    assert answer.status_code in {200, 201}, answer.text
    return answer


def bearer(caller: Caller) -> dict[str, str]:
    """The caller's token for ARM."""
    return {"Authorization": f"Bearer arm-{caller.name}"}


def put(caller: Caller, **more: Json) -> Json:
    """The same, waited for; says what the operation's status is."""
    answer = begin(caller, **more)
    caller.do.settle()
    return caller.session.get(answer.headers["Azure-AsyncOperation"], headers=bearer(caller), timeout=20).json()


def pool(caller: Caller, name: str = "mdp") -> Json:
    """The agent pool as the dump shows it."""
    pools = caller.do.state()["organizations"][0]["agentPools"]
    return next((one for one in pools if one["name"] == name), None)


def opened(caller: Caller, name: str = "mdp") -> dict[str, bool]:
    return {one["project"]: bool(one["openAccess"]) for one in pool(caller, name)["queues"]}


def test_all_projects_means_those_where_the_caller_may(ann: Caller) -> None:
    """Others are left out in silence."""
    assert put(ann, projects=[], openAccess=True)["status"] == "Succeeded"

    assert opened(ann) == {"dev": True, "test": True}
    (found,) = ann.values("GET", POOLS, poolName="mdp")
    assert (found["isHosted"], found["agentCloudId"]) == (False, None)


def test_listed_projects_need_rights_in_every_one(ann: Caller) -> None:
    failed = put(ann, projects=["dev", "foreign"])

    assert failed["error"]["code"] == "PoolProvisioningFailed"
    assert "Could not find or create agent pool 'mdp'" in failed["error"]["message"]
    assert pool(ann) is None
    assert put(ann, projects=["nothing"])["error"]["code"] == "PoolProvisioningFailed"


def test_open_access_is_closed_where_not_asked_for(ann: Caller) -> None:
    put(ann, projects=["dev"])

    assert opened(ann) == {"dev": False}


@pytest.mark.parametrize(
    ("profile", "roles", "inherit"),
    [
        (None, ["ann"], False),
        ({"kind": "CreatorOnly"}, ["ann"], False),
        ({"kind": "Inherit"}, ["ann"], True),
        ({"kind": "SpecificAccounts", "users": ["bob@fabrikam.com"], "groups": []}, ["ann", "bob"], True),
    ],
)
def test_the_permission_profile_decides_roles_and_inheritance(
    ann: Caller, profile: Json, roles: list[str], inherit: bool
) -> None:
    put(ann, projects=["dev"], profile=profile)

    assert pool(ann)["roles"] == {"Administrator": roles}
    assert pool(ann)["inherit"] is inherit


def test_specific_accounts_are_made_known_here(ann: Caller) -> None:
    oid = next(one["oid"] for one in ann.do.state()["principals"] if one["name"] == "crew")
    ann.do.switch("devops.specific-accounts-inheritance", "off")
    put(ann, projects=["dev"], profile={"kind": "SpecificAccounts", "users": ["carl@fabrikam.com"], "groups": [oid]})

    assert pool(ann)["roles"] == {"Administrator": ["ann", "carl", "crew"]}
    assert pool(ann)["inherit"] is False


@pytest.mark.parametrize(("word", "status"), [("skipped", "Succeeded"), ("refused", "Failed")])
def test_an_unknown_account_is_a_switch(ann: Caller, word: str, status: str) -> None:
    ann.do.switch("devops.unknown-account", word)
    done = put(ann, projects=["dev"], profile={"kind": "SpecificAccounts", "users": ["nobody@else.org"]})

    assert done["status"] == status
    assert (pool(ann) is None) is (word == "refused")


@pytest.mark.parametrize(
    ("word", "roles", "inherit"),
    [
        ("inheritance-off", {}, False),
        ("inheritance-on", {}, True),
        ("administrator", {"Administrator": ["operator"]}, False),
    ],
)
def test_a_service_principal_is_not_made_administrator(ann: Caller, word: str, roles: Json, inherit: bool) -> None:
    ann.do.switch("devops.service-principal-creator", word)
    put(ann.by("operator"), projects=["dev"])

    assert pool(ann)["roles"] == roles
    assert pool(ann)["inherit"] is inherit


def test_a_stranger_and_one_without_manage_are_told_apart(ann: Caller) -> None:
    stranger = put(ann.by("carl"), projects=["dev"])
    powerless = put(ann.by("bob"), projects=["dev"], name="mdp2")
    nowhere = put(ann, url="https://dev.azure.com/nowhere", name="mdp3")

    for found, words in (
        (stranger, "was not found in"),
        (powerless, "does not have Manage"),
        (nowhere, "was not found"),
    ):
        assert found["error"]["code"] == "PoolProvisioningFailed"
        assert words in found["error"]["message"]


@pytest.mark.parametrize(("word", "queues"), [("made", {"dev": True}), ("none", {})])
def test_creation_can_make_no_queues_and_a_later_write_makes_them(ann: Caller, word: str, queues: Json) -> None:
    """As deployments by template did; Apply in the portal without a change then created them, closed."""
    ann.do.switch("devops.queues-at-creation", word)
    put(ann, projects=["dev"], openAccess=True)
    assert opened(ann) == queues

    put(ann, projects=["dev"], openAccess=True)
    assert list(opened(ann)) == ["dev"]


def test_later_writes_leave_open_access_and_roles_alone(ann: Caller) -> None:
    put(ann, projects=["dev"], openAccess=False, profile={"kind": "CreatorOnly"})
    put(ann, projects=["dev", "test"], openAccess=True, profile={"kind": "Inherit"})

    assert opened(ann) == {"dev": False, "test": False}
    assert pool(ann)["inherit"] is False


@pytest.mark.parametrize(("words", "after"), [("applied", True), ("ignored", False)])
def test_whether_a_changed_open_access_does_anything_is_a_switch(ann: Caller, words: str, after: bool) -> None:
    ann.do.switch("arm.open-access-change", words)
    put(ann, projects=["dev"], openAccess=False)
    put(ann, projects=["dev"], openAccess=True)

    assert opened(ann) == {"dev": after}
    ann.do.edit("open-access", organization="prime", pool="mdp", project="dev")
    put(ann, projects=["dev"], openAccess=False)
    assert opened(ann) == {"dev": not after}


@pytest.mark.parametrize(("words", "after"), [("applied", True), ("ignored", False)])
def test_whether_a_changed_profile_does_anything_is_a_switch(ann: Caller, words: str, after: bool) -> None:
    ann.do.switch("arm.permission-profile-change", words)
    put(ann, projects=["dev"])
    put(ann, projects=["dev"], profile={"kind": "Inherit"})

    assert pool(ann)["inherit"] is after


@pytest.mark.parametrize(("words", "after"), [("on", False), ("off", True)])
def test_whether_a_later_write_takes_hand_work_back_is_a_switch(ann: Caller, words: str, after: bool) -> None:
    put(ann, projects=["dev"])
    ann.do.edit("open-access", organization="prime", pool="mdp", project="dev")
    ann.do.edit("set-role", organization="prime", who="bob", role="Reader", pool="mdp")
    ann.do.switch("devops.update-resets-access", words)
    put(ann, projects=["dev"])

    assert opened(ann) == {"dev": after}
    assert ("Reader" in pool(ann)["roles"]) is after


@pytest.mark.parametrize(("word", "left"), [("kept", ["dev", "test"]), ("deleted", ["test"])])
def test_the_queue_of_a_project_that_leaves_is_a_switch(ann: Caller, word: str, left: list[str]) -> None:
    ann.do.switch("devops.queue-of-removed-project", word)
    put(ann, projects=["dev", "test"])
    put(ann, projects=["test"])

    assert list(opened(ann)) == left


@pytest.mark.parametrize(("word", "made"), [("none", False), ("made", True)])
def test_a_project_created_later_is_a_switch(ann: Caller, word: str, made: bool) -> None:
    ann.do.switch("devops.queue-for-later-project", word)
    put(ann, projects=[])
    ann.do.edit("create-project", organization="prime", name="tomorrow")

    assert ("tomorrow" in opened(ann)) is made


def test_a_pool_can_take_its_time_to_appear(ann: Caller) -> None:
    """ARM says that it is done, and the agent pool is not there yet."""
    ann.do.switch("devops.pool-delay", 50_000)
    begin(ann, projects=["dev"])
    ann.do.advance(10_000)

    assert pool(ann) is not None
    assert "mdp" not in [one["name"] for one in ann.values("GET", POOLS)]
    assert 70 in [one["id"] for one in ann.values("GET", "/dev/_apis/distributedtask/queues")]
    assert "mdp" not in [one["name"] for one in ann.values("GET", "/dev/_apis/distributedtask/queues")]
    ann.do.settle()
    assert "mdp" in [one["name"] for one in ann.values("GET", POOLS)]


def test_the_agent_pool_goes_with_the_managed_pool(ann: Caller) -> None:
    put(ann, projects=["dev"])
    url = f"{ann.running.arm}{PATH}/mdp?api-version=2026-06-02"
    ann.session.delete(url, headers=bearer(ann), timeout=20)
    ann.do.settle()

    assert pool(ann) is None


def test_a_managed_pool_can_carry_the_marks_of_a_provider(ann: Caller) -> None:
    ann.do.switch("devops.managed-pool-marks", "agent-cloud")
    put(ann, projects=["dev"])
    (found,) = ann.values("GET", POOLS, poolName="mdp")

    assert (found["agentCloudId"], found["autoSize"], found["targetSize"]) == (2, True, 0)


@pytest.mark.parametrize(
    ("word", "options", "owned_by_creator"),
    [("none", "none", True), ("options", "singleUseAgents", True), ("owner", "none", False)],
)
def test_a_managed_pool_can_carry_other_marks(ann: Caller, word: str, options: str, owned_by_creator: bool) -> None:
    ann.do.switch("devops.managed-pool-marks", word)
    put(ann, projects=["dev"])
    (found,) = ann.values("GET", POOLS, poolName="mdp")

    assert found["options"] == options
    assert (found["owner"]["id"] == found["createdBy"]["id"]) is owned_by_creator


@pytest.mark.parametrize(("word", "there"), [("given", True), ("absent", False)])
def test_whether_agent_pools_say_when_they_were_created_is_a_switch(ann: Caller, word: str, there: bool) -> None:
    ann.do.switch("devops.pool-created-on", word)
    put(ann, projects=["dev"])
    (found,) = ann.values("GET", POOLS, poolName="mdp")

    assert ("createdOn" in found) is there


@pytest.mark.parametrize(("value", "there"), [("on", True), ("off", False)])
def test_whether_arm_says_when_a_pool_was_created_is_a_switch(ann: Caller, value: str, there: bool) -> None:
    ann.do.switch("arm.system-data", value)
    put(ann, projects=["dev"])
    url = f"{ann.running.arm}{PATH}/mdp?api-version=2026-06-02"
    body = ann.session.get(url, headers=bearer(ann), timeout=20).json()

    assert ("systemData" in body) is there
    if there:
        (found,) = ann.values("GET", POOLS, poolName="mdp")
        assert found["createdOn"] >= body["systemData"]["createdAt"]


def test_an_agent_pool_can_outlive_the_managed_pool(ann: Caller) -> None:
    ann.do.switch("devops.pool-of-deleted-resource", "kept")
    put(ann, projects=["dev"])
    before = pool(ann)
    url = f"{ann.running.arm}{PATH}/mdp?api-version=2026-06-02"
    ann.session.delete(url, headers=bearer(ann), timeout=20)
    ann.do.settle()

    assert pool(ann) == before


def test_a_taken_name_can_fail_the_creation(ann: Caller) -> None:
    ann.do.switch("devops.taken-pool-name", "refused")
    ann.do.edit("create-pool", organization="prime", pool="mdp")
    failed = put(ann, projects=["dev"])

    assert "Could not find or create agent pool 'mdp'" in failed["error"]["message"]


def test_an_agent_pool_of_that_name_is_found_and_used(ann: Caller) -> None:
    """Find or create, in the service's own words."""
    ann.do.edit("create-pool", organization="prime", pool="mdp")
    before = pool(ann)["id"]
    put(ann, projects=["dev"])

    assert pool(ann)["id"] == before
    assert list(opened(ann)) == ["dev"]

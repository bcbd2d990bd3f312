"""Role assignments and the inheritance switch."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import (
    ALL_POOLS_ROLE,
    ALL_QUEUES_ROLE,
    NAMESPACE,
    POOL_ROLE,
    POOLS,
    QUEUE_ROLE,
    Caller,
    things,
)

SCOPES = "/_apis/securityroles/scopes"
POOL = f"{SCOPES}/{POOL_ROLE}/roleassignments/resources/7"
ALL = f"{SCOPES}/{ALL_POOLS_ROLE}/roleassignments/resources/0"


def held(caller: Caller, path: str = POOL) -> dict[str, tuple[str, str]]:
    found = caller.values("GET", path)
    return {one["identity"]["displayName"]: (one["role"]["name"], one["access"]) for one in found}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (POOL_ROLE, ["Reader", "Service Account", "Administrator"]),
        (ALL_POOLS_ROLE, ["Reader", "Service Account", "Administrator"]),
        (QUEUE_ROLE, ["Reader", "User", "Creator", "Administrator"]),
        (ALL_QUEUES_ROLE, ["Reader", "User", "Creator", "Administrator"]),
    ],
)
def test_each_scope_has_its_roles(operator: Caller, scope: str, names: list[str]) -> None:
    found = operator.values("GET", f"{SCOPES}/{scope}/roledefinitions")

    assert [one["name"] for one in found] == names
    assert {one["identifier"] for one in found} == {f"{scope}.{name}" for name in names}
    assert operator.call("GET", f"{SCOPES}/distributedtask.nothing/roledefinitions").status_code == 404


def test_the_name_of_the_middle_role_and_the_bits_are_switches(operator: Caller) -> None:
    operator.do.switch("devops.pool-service-role-name", "ServiceAccount")
    operator.do.switch("devops.pool-administrator-bits", 59)
    found = operator.values("GET", f"{SCOPES}/{POOL_ROLE}/roledefinitions")

    assert [(one["name"], one["displayName"]) for one in found][1] == ("ServiceAccount", "Service Account")
    assert found[2]["allowPermissions"] == 59
    body = [{"userId": operator.local("bob"), "roleName": "ServiceAccount"}]
    assert operator.values("PUT", POOL, body)[0]["role"]["name"] == "ServiceAccount"


def test_assigned_and_inherited_roles_are_told_apart(operator: Caller) -> None:
    assert held(operator) == {
        "Ann Arbor": ("Administrator", "assigned"),
        "[Prime]\\Platform": ("Reader", "assigned"),
        "[Prime]\\Project Collection Administrators": ("Administrator", "inherited"),
        "Pool Operator": ("Administrator", "inherited"),
    }


def test_assigning_adds_and_changes_and_leaves_the_others(operator: Caller) -> None:
    body = [
        {"userId": operator.local("bob"), "roleName": "Reader"},
        {"uniqueName": "ann@fabrikam.com", "roleName": "Reader"},
    ]
    made = operator.values("PUT", POOL, body)

    assert [one["identity"]["id"] for one in made] == [operator.local("bob"), operator.local("ann")]
    assert held(operator)["Bob Bobson"] == ("Reader", "assigned")
    assert held(operator)["Ann Arbor"] == ("Reader", "assigned")
    assert held(operator)["[Prime]\\Platform"] == ("Reader", "assigned")


def test_one_assignment_has_a_route_of_its_own(operator: Caller) -> None:
    bob = operator.local("bob")

    assert operator.ok("PUT", f"{POOL}/{bob}", {"roleName": "Reader", "userId": bob})["access"] == "assigned"
    operator.ok("DELETE", f"{POOL}/{bob}")
    assert "Bob Bobson" not in held(operator)


def test_an_id_that_the_organization_does_not_know_is_passed_over_in_silence(operator: Caller) -> None:
    """An Entra object id in place of the local id looks like success with nothing in it."""
    oid = next(one["oid"] for one in operator.do.state()["principals"] if one["name"] == "bob")
    before = held(operator)

    assert operator.ok("PUT", POOL, [{"userId": oid, "roleName": "Administrator"}]) == {"count": 0, "value": []}
    elsewhere = operator.at("second").local("ann")
    assert operator.values("PUT", POOL, [{"userId": elsewhere, "roleName": "Reader"}]) == []
    assert held(operator) == before


def test_removing_takes_assigned_roles_only(operator: Caller) -> None:
    ids = [operator.local("ann"), operator.local("operator")]
    operator.ok("PATCH", POOL, ids)

    assert "Ann Arbor" not in held(operator)
    assert held(operator)["Pool Operator"] == ("Administrator", "inherited")


def test_removing_an_inherited_role_can_be_an_error(operator: Caller) -> None:
    operator.do.switch("devops.removing-inherited-role", "refused")

    assert operator.refused("PATCH", POOL, [operator.local("operator")]) == (400, "ArgumentException")


def test_an_inherited_role_is_not_lowered(operator: Caller) -> None:
    operator.values("PUT", POOL, [{"userId": operator.local("operator"), "roleName": "Reader"}])

    assert held(operator)["Pool Operator"] == ("Administrator", "inherited")


def test_switching_inheritance_off_drops_what_came_from_above(operator: Caller) -> None:
    operator.values("PUT", POOL, [{"userId": operator.local("operator"), "roleName": "Administrator"}])
    operator.ok("PATCH", POOL, inheritPermissions="false")

    assert {access for _, access in held(operator).values()} == {"assigned"}
    assert "[Prime]\\Project Collection Administrators" not in held(operator)
    operator.ok("PATCH", POOL, inheritPermissions="true")
    assert held(operator)["[Prime]\\Project Collection Administrators"] == ("Administrator", "inherited")


def test_switching_inheritance_off_can_keep_copies(operator: Caller) -> None:
    operator.do.switch("devops.inheritance-off", "copies")
    operator.ok("PATCH", POOL, inheritPermissions="false")

    assert held(operator)["Pool Operator"] == ("Administrator", "assigned")


def test_who_switches_inheritance_off_can_lock_themselves_out(operator: Caller) -> None:
    """The collection's administrators stay what they are, whatever the list says."""
    operator.ok("PATCH", POOL, inheritPermissions="false")

    assert operator.refused("GET", POOL) == (404, "TaskAgentPoolNotFoundException")
    assert "build" not in [one["name"] for one in operator.values("GET", POOLS)]
    operator.by("root").ok("PATCH", POOL, inheritPermissions="true")
    assert operator.ok("GET", f"{POOLS}/7")["name"] == "build"


@pytest.mark.parametrize(("word", "shown"), [("follows", False), ("always-on", True)])
def test_whether_the_list_of_access_follows_the_switch_is_a_switch(operator: Caller, word: str, shown: bool) -> None:
    """One namespace and one token; that it is one flag is not written anywhere."""
    operator.do.switch("devops.acl-inherit-flag", word)
    root = operator.by("root")
    root.ok("PATCH", POOL, inheritPermissions="false")
    lists = root.values("GET", f"/_apis/accesscontrollists/{NAMESPACE}", token="AgentPools", recurse="true")

    found = {one["token"]: one["inheritPermissions"] for one in lists}
    assert found == {"AgentPools": True, "AgentPools/7": shown}


def test_queues_and_projects_have_roles_too(operator: Caller) -> None:
    dev = operator.project("dev")
    queue = f"{SCOPES}/{QUEUE_ROLE}/roleassignments/resources/{dev}_70"
    everything = f"{SCOPES}/{ALL_QUEUES_ROLE}/roleassignments/resources/{dev}"
    operator.values("PUT", queue, [{"userId": operator.local("bob"), "roleName": "User"}])
    operator.values("PUT", everything, [{"userId": operator.local("ann"), "roleName": "Creator"}])

    assert held(operator, queue)["Bob Bobson"] == ("User", "assigned")
    assert held(operator, queue)["Ann Arbor"] == ("Creator", "inherited")
    assert held(operator, everything)["Ann Arbor"] == ("Creator", "assigned")
    assert held(operator, everything)["[dev]\\Build Administrators"] == ("Administrator", "assigned")
    assert held(operator, f"{SCOPES}/{QUEUE_ROLE}/roleassignments/resources/{dev}") == held(operator, everything)


@pytest.mark.parametrize(("word", "role"), [("reader", "Reader"), ("as-requested", "Administrator")])
def test_resource_zero_of_the_scope_of_single_pools_is_a_trap(operator: Caller, word: str, role: str) -> None:
    operator.do.switch("devops.pool-role-resource-zero", word)
    path = f"{SCOPES}/{POOL_ROLE}/roleassignments/resources/0"
    operator.values("PUT", path, [{"userId": operator.local("bob"), "roleName": "Administrator"}])

    assert held(operator, ALL)["Bob Bobson"] == (role, "assigned")


@pytest.mark.parametrize("word", ["accepted", "refused"])
def test_changing_ones_own_role_on_a_pool_is_a_switch(operator: Caller, word: str) -> None:
    operator.do.switch("devops.own-pool-role", word)
    body = [{"userId": operator.local("operator"), "roleName": "Administrator"}]

    assert operator.call("PUT", POOL, body).status_code == (200 if word == "accepted" else 403)
    assert operator.call("PUT", ALL, body).status_code == 200


def test_reads_lag_behind_writes_and_rights_do_not(operator: Caller) -> None:
    operator.do.switch("devops.write-lag", 20)
    operator.values("PUT", POOL, [{"userId": operator.local("bob"), "roleName": "Reader"}])

    assert "Bob Bobson" not in held(operator)
    assert operator.by("bob").ok("GET", f"{POOLS}/7")["name"] == "build"
    operator.do.settle()
    assert held(operator)["Bob Bobson"] == ("Reader", "assigned")


def test_a_reader_of_a_pool_reads_its_roles_and_writes_none(operator: Caller, bob: Caller) -> None:
    assert bob.refused("GET", POOL) == (404, "TaskAgentPoolNotFoundException")
    operator.do.edit("set-role", organization="prime", who="bob", role="Reader", pool="build")

    assert "Ann Arbor" in held(bob)
    assert bob.refused("GET", ALL) == (403, "AccessDeniedException")
    body = [{"userId": operator.local("bob"), "roleName": "Administrator"}]
    assert bob.refused("PUT", POOL, body) == (403, "AccessDeniedException")
    assert bob.refused("PATCH", POOL, inheritPermissions="false") == (403, "AccessDeniedException")
    assert bob.refused("DELETE", f"{POOL}/{operator.local('ann')}") == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("method", "body", "query"),
    [
        ("PUT", {"userId": "x", "roleName": "Reader"}, {}),
        ("PUT", [{"userId": "not-a-guid", "roleName": "Reader"}], {}),
        ("PUT", [{"userId": "00000000-0000-0000-0000-000000000001", "roleName": "Emperor"}], {}),
        ("PUT", [{"roleName": "Reader"}], {}),
        ("PUT", [{"userId": "00000000-0000-0000-0000-000000000001"}], {}),
        ("PUT", ["x"], {}),
        ("PUT", None, {}),
        ("PATCH", None, {}),
        ("PATCH", {"inheritPermissions": False}, {}),
        ("PATCH", ["not-a-guid"], {}),
        ("PATCH", None, {"inheritPermissions": "perhaps"}),
    ],
)
def test_nonsense_changes_nothing(operator: Caller, method: str, body: object, query: dict[str, str]) -> None:
    before = things(operator)

    assert operator.refused(method, POOL, body, **query)[0] == 400
    assert things(operator) == before


def test_resources_that_do_not_exist_are_not_found(operator: Caller) -> None:
    base = f"{SCOPES}/{{}}/roleassignments/resources/{{}}"

    assert operator.call("GET", base.format(POOL_ROLE, "99")).status_code == 404
    assert operator.call("GET", base.format(POOL_ROLE, "x")).status_code == 400
    assert operator.call("GET", base.format(ALL_POOLS_ROLE, "7")).status_code == 400
    assert operator.call("GET", base.format(QUEUE_ROLE, "nothing_70")).status_code == 404
    assert operator.call("GET", base.format(QUEUE_ROLE, f"{operator.project('dev')}_71")).status_code == 404
    assert operator.call("GET", base.format(ALL_QUEUES_ROLE, operator.project("secret"))).status_code == 404
    assert operator.call("DELETE", f"{POOL}/not-a-guid").status_code == 400

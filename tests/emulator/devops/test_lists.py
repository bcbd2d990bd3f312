"""Access control lists, the other view of the same data as roles."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import NAMESPACE, POOL_ROLE, Caller, things

LISTS, ENTRIES = f"/_apis/accesscontrollists/{NAMESPACE}", f"/_apis/accesscontrolentries/{NAMESPACE}"
ROLES = f"/_apis/securityroles/scopes/{POOL_ROLE}/roleassignments/resources/7"


def descriptor(caller: Caller, name: str) -> str:
    (found,) = caller.values("GET", "/_apis/identities", identityIds=caller.local(name))
    return str(found["descriptor"])


def tokens(caller: Caller, **query: object) -> list[str]:
    return [one["token"] for one in caller.values("GET", LISTS, **query)]


def test_lists_are_found_by_token_and_below(operator: Caller, root: Caller) -> None:
    """A pool without own entries has no list: pool 8 is absent, which means inheritance on."""
    assert tokens(operator, token="AgentPools/7") == ["AgentPools/7"]
    assert tokens(operator, token="AgentPools") == ["AgentPools"]
    assert tokens(operator, token="AgentPools", recurse="true") == ["AgentPools", "AgentPools/7"]
    assert tokens(operator, token="AgentPools/8") == []
    assert len(tokens(root)) == 7


def test_lists_that_one_may_not_view_are_absent(operator: Caller, bob: Caller) -> None:
    assert tokens(bob, token="AgentPools", recurse="true") == []
    assert tokens(operator.by("ann"), token="AgentPools", recurse="true") == ["AgentPools/7"]


def test_entries_are_keyed_by_identity_descriptor(operator: Caller) -> None:
    ann = descriptor(operator, "ann")
    (found,) = operator.values("GET", LISTS, token="AgentPools/7", descriptors=ann)

    assert ann.startswith("Microsoft.IdentityModel.Claims.ClaimsIdentity;")
    assert found["acesDictionary"] == {ann: {"descriptor": ann, "allow": 27, "deny": 0}}


def test_extended_information_tells_what_comes_from_above(operator: Caller) -> None:
    (found,) = operator.values("GET", LISTS, token="AgentPools/7", includeExtendedInfo="true")
    entry = found["acesDictionary"][descriptor(operator, "operator")]

    assert (entry["allow"], entry["extendedInfo"]["inheritedAllow"], entry["extendedInfo"]["effectiveAllow"]) == (
        0,
        27,
        27,
    )


def test_entries_are_set_merged_and_removed(operator: Caller) -> None:
    bob = descriptor(operator, "bob")
    entry = {"descriptor": bob, "allow": 1, "deny": 0}
    operator.values("POST", ENTRIES, {"token": "AgentPools/7", "merge": False, "accessControlEntries": [entry]})
    more = {"descriptor": bob, "allow": 26, "deny": 0}
    (merged,) = operator.values(
        "POST", ENTRIES, {"token": "AgentPools/7", "merge": True, "accessControlEntries": [more]}
    )

    assert merged["allow"] == 27
    roles = {one["identity"]["id"]: one["role"]["name"] for one in operator.values("GET", ROLES)}
    assert roles[operator.local("bob")] == "Administrator"
    assert operator.ok("DELETE", ENTRIES, token="AgentPools/7", descriptors=bob) is True
    assert operator.ok("DELETE", ENTRIES, token="AgentPools/7", descriptors=bob) is False


def test_a_denied_bit_counts_more_than_an_inherited_one(operator: Caller) -> None:
    mine = descriptor(operator, "operator")
    entry = {"descriptor": mine, "allow": 0, "deny": 2}
    operator.values("POST", ENTRIES, {"token": "AgentPools/7", "merge": False, "accessControlEntries": [entry]})

    assert operator.ok("GET", "/_apis/distributedtask/pools/7/permissions/2") is False
    assert operator.ok("GET", "/_apis/distributedtask/pools/7/permissions/8") is True


def test_a_list_is_replaced_whole(operator: Caller, root: Caller) -> None:
    mine = descriptor(operator, "operator")
    body = {
        "token": "AgentPools/7",
        "inheritPermissions": False,
        "acesDictionary": {mine: {"descriptor": mine, "allow": 27, "deny": 0}},
    }
    assert operator.call("POST", LISTS, {"count": 1, "value": [body]}).status_code == 204

    assert [one["identity"]["displayName"] for one in operator.values("GET", ROLES)] == ["Pool Operator"]
    assert root.ok("DELETE", LISTS, tokens="AgentPools/7") is True
    assert tokens(root, token="AgentPools/7") == []


def test_queues_have_lists_below_their_project(operator: Caller, root: Caller) -> None:
    dev = operator.project("dev")
    bob = descriptor(operator, "bob")
    entry = {"descriptor": bob, "allow": 17, "deny": 0}
    token = f"AgentQueues/{dev}/70"
    operator.values("POST", ENTRIES, {"token": token, "merge": False, "accessControlEntries": [entry]})

    assert tokens(root, token=f"AgentQueues/{dev}", recurse="true") == [f"AgentQueues/{dev}", token]


def test_permissions_are_told_for_tokens(operator: Caller, bob: Caller) -> None:
    path = f"/_apis/permissions/{NAMESPACE}/8"

    assert operator.values("GET", path, tokens="AgentPools,AgentPools/7") == [True, True]
    assert bob.values("GET", path, tokens="AgentPools:AgentPools/7", delimiter=":") == [False, False]
    batch = {"evaluations": [{"securityNamespaceId": NAMESPACE, "token": "AgentPools", "permissions": 8}]}
    assert operator.ok("POST", "/_apis/security/permissionevaluationbatch", batch)["evaluations"][0]["value"] is True
    assert bob.call("POST", "/_apis/security/permissionevaluationbatch", {"evaluations": 5}).status_code == 400


def test_namespaces_tell_their_bits(operator: Caller) -> None:
    (found,) = operator.values("GET", f"/_apis/securitynamespaces/{NAMESPACE}")

    assert {one["name"]: one["bit"] for one in found["actions"]} == {
        "View": 1,
        "Manage": 2,
        "Listen": 4,
        "AdministerPermissions": 8,
        "Use": 16,
        "Create": 32,
    }
    other = "/_apis/accesscontrollists/5a27515b-ccd7-42c9-84f1-54c998f03866"
    assert operator.values("GET", other) == []
    assert operator.refused("POST", other, {"value": []}) == (403, "AccessDeniedException")
    unknown = "/_apis/accesscontrollists/00000000-0000-0000-0000-000000000001"
    assert operator.refused("GET", unknown) == (404, "InvalidSecurityNamespaceException")


@pytest.mark.parametrize(
    ("method", "path", "body", "query"),
    [
        ("POST", ENTRIES, None, {}),
        ("POST", ENTRIES, {"token": "AgentPools/99", "accessControlEntries": []}, {}),
        ("POST", ENTRIES, {"token": "AgentPools/7", "accessControlEntries": [{"allow": 1}]}, {}),
        ("POST", ENTRIES, {"token": "AgentPools/7", "accessControlEntries": [{"descriptor": "nobody"}]}, {}),
        ("POST", ENTRIES, {"token": "AgentPools/7"}, {}),
        ("POST", ENTRIES, {"accessControlEntries": []}, {}),
        ("POST", LISTS, {"value": "x"}, {}),
        ("POST", LISTS, {"value": [{"token": "Nonsense"}]}, {}),
        ("POST", LISTS, {"value": [{"token": "AgentQueues/x"}]}, {}),
        ("POST", LISTS, {"value": [{"token": "AgentPools/7", "acesDictionary": 4}]}, {}),
        ("POST", LISTS, {"value": ["x"]}, {}),
        ("DELETE", ENTRIES, None, {}),
    ],
)
def test_nonsense_changes_nothing(
    operator: Caller, method: str, path: str, body: object, query: dict[str, str]
) -> None:
    before = things(operator)

    assert operator.refused(method, path, body, **query)[0] == 400
    assert things(operator) == before


def test_writing_lists_needs_to_administer(operator: Caller, bob: Caller) -> None:
    body = {"token": "AgentPools/7", "merge": False, "accessControlEntries": []}

    assert bob.refused("POST", ENTRIES, body) == (403, "AccessDeniedException")
    assert bob.refused("POST", LISTS, {"value": [{"token": "AgentPools/7"}]}) == (403, "AccessDeniedException")
    assert bob.refused("DELETE", LISTS, tokens="AgentPools/7") == (403, "AccessDeniedException")

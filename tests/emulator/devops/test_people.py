"""Identities, the graph, the picker and access levels."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import Caller, things

GRAPH = "/_apis/graph"
CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def oid(caller: Caller, name: str) -> str:
    return str(next(one["oid"] for one in caller.do.state()["principals"] if one["name"] == name))


def found(caller: Caller, kind: str, value: str) -> list[str]:
    query = {"searchFilter": kind, "filterValue": value}
    return [one["providerDisplayName"] for one in caller.values("GET", "/_apis/identities", **query)]


@pytest.mark.parametrize(
    ("kind", "value", "names"),
    [
        ("General", "ANN@fabrikam.com", ["Ann Arbor"]),
        ("General", "Ann Arbor", ["Ann Arbor"]),
        ("MailAddress", "ann@fabrikam.com", ["Ann Arbor"]),
        ("AccountName", "ann@fabrikam.com", ["Ann Arbor"]),
        ("DisplayName", "Ann Arbor", ["Ann Arbor"]),
        ("General", "Pool Operator", ["Pool Operator"]),
        ("AccountName", "Pool Operator", []),
        ("LocalGroupName", "Platform", ["[Prime]\\Platform"]),
        ("General", "[Prime]\\Platform", ["[Prime]\\Platform"]),
        ("General", "carl@fabrikam.com", []),
        ("General", "ann", []),
    ],
)
def test_a_search_finds_whole_values_of_who_is_known_here(
    operator: Caller, kind: str, value: str, names: list[str]
) -> None:
    assert found(operator, kind, value) == names


def test_an_identity_shows_its_entra_id_as_a_typed_property(operator: Caller) -> None:
    (ann,) = operator.values("GET", "/_apis/identities", identityIds=operator.local("ann"))

    assert ann["properties"][CLAIM] == {"$type": "System.String", "$value": oid(operator, "ann")}
    assert ann["id"] != oid(operator, "ann")
    assert operator.ok("GET", f"/_apis/identities/{ann['id']}")["id"] == ann["id"]
    assert operator.refused("GET", f"/_apis/identities/{oid(operator, 'ann')}") == (404, "IdentityNotFoundException")


def test_local_ids_differ_between_organizations(operator: Caller) -> None:
    assert operator.local("ann") != operator.at("second").local("ann")


@pytest.mark.parametrize(("word", "shown"), [("null", [None]), ("absent", [])])
def test_unknown_ids_are_a_switch(operator: Caller, word: str, shown: list[None]) -> None:
    operator.do.switch("devops.unknown-identity-ids", word)
    path = "/_apis/identitybatch"

    assert operator.values("POST", path, {"identityIds": ["00000000-0000-0000-0000-000000000001"]}) == shown


def test_members_are_told_where_asked_for(operator: Caller) -> None:
    query = {"searchFilter": "LocalGroupName", "filterValue": "Platform", "queryMembership": "Direct"}
    (group,) = operator.values("GET", "/_apis/identities", **query)

    assert group["memberIds"] == [operator.local("ann")]
    assert group["isContainer"] is True


def test_a_storage_key_is_not_the_guid_inside_a_descriptor(operator: Caller) -> None:
    users = operator.values("GET", f"{GRAPH}/users")
    ann = next(one for one in users if one["displayName"] == "Ann Arbor")
    key = operator.ok("GET", f"{GRAPH}/storagekeys/{ann['descriptor']}")["value"]

    assert key == operator.local("ann")
    assert operator.ok("GET", f"{GRAPH}/descriptors/{key}")["value"] == ann["descriptor"]
    unknown = operator.refused("GET", f"{GRAPH}/storagekeys/aad.x")
    assert unknown == (404, "GraphSubjectNotFoundException")
    assert operator.refused("GET", f"{GRAPH}/descriptors/{oid(operator, 'ann')}")[0] == 404


def test_lists_are_paged_by_a_header(operator: Caller) -> None:
    operator.do.switch("devops.graph-page", 2)
    first = operator.call("GET", f"{GRAPH}/users")
    token = first.headers["X-MS-ContinuationToken"]
    second = operator.call("GET", f"{GRAPH}/users", continuationToken=token)

    assert (first.json()["count"], second.json()["count"]) == (2, 1)
    assert "X-MS-ContinuationToken" not in second.headers
    assert operator.refused("GET", f"{GRAPH}/users", continuationToken="page-x") == (400, "ArgumentException")


def test_groups_of_a_project_are_found_by_its_scope(operator: Caller) -> None:
    scope = operator.ok("GET", f"{GRAPH}/descriptors/{operator.project('dev')}")["value"]
    groups = operator.values("GET", f"{GRAPH}/groups", scopeDescriptor=scope)

    assert "[dev]\\Project Administrators" in [one["principalName"] for one in groups]
    assert all(one["principalName"].startswith("[dev]\\") for one in groups)
    assert operator.refused("GET", f"{GRAPH}/groups", scopeDescriptor="scp.%%%")[0] in {400, 404}


def test_service_principals_are_users_of_their_own_kind(operator: Caller) -> None:
    (mine,) = operator.values("GET", f"{GRAPH}/serviceprincipals")

    assert mine["originId"] == oid(operator, "operator")
    assert mine["applicationId"] not in ("", mine["originId"])
    assert mine["descriptor"].startswith("aadsp.")
    other = f"{GRAPH}/users/{mine['descriptor']}"
    assert operator.refused("GET", other) == (404, "GraphSubjectNotFoundException")


@pytest.mark.parametrize(
    ("path", "key", "name", "prefix"),
    [
        ("users", "originId", "carl", "aad."),
        ("groups", "originId", "crew", "aadgp."),
        ("serviceprincipals", "originId", "robot", "aadsp."),
    ],
)
def test_somebody_of_the_tenant_is_materialised(root: Caller, path: str, key: str, name: str, prefix: str) -> None:
    made = root.call("POST", f"{GRAPH}/{path}", {key: oid(root, name)})

    assert made.status_code == 201
    body = made.json()
    assert body["descriptor"].startswith(prefix)
    assert body["originId"] == oid(root, name)
    assert root.ok("GET", f"{GRAPH}/storagekeys/{body['descriptor']}")["value"] == root.local(name)
    again = root.ok("POST", f"{GRAPH}/{path}", {key: oid(root, name)})
    assert again["descriptor"] == body["descriptor"]


def test_addresses_materialise_too(root: Caller) -> None:
    assert root.ok("POST", f"{GRAPH}/users", {"principalName": "carl@fabrikam.com"})["displayName"] == "Carl Carlson"
    assert root.ok("POST", f"{GRAPH}/groups", {"mailAddress": "crew@fabrikam.com"})["displayName"] == "Crew"


def test_somebody_new_can_start_in_a_group(root: Caller) -> None:
    (group,) = root.values("POST", f"{GRAPH}/subjectquery", {"query": "platform", "subjectKind": ["Group"]})
    made = root.ok("POST", f"{GRAPH}/users", {"originId": oid(root, "carl")}, groupDescriptors=group["descriptor"])

    above = root.values("GET", f"{GRAPH}/memberships/{made['descriptor']}")
    assert [one["containerDescriptor"] for one in above] == [group["descriptor"]]
    assert root.by("carl").ok("GET", "/_apis/distributedtask/pools/7")["name"] == "build"


def test_a_person_in_a_group_that_was_added_comes_in_and_a_service_principal_does_not(root: Caller) -> None:
    assert root.by("carl").refused("GET", "/_apis/projects") == (401, "UnauthorizedRequestException")
    crew = root.ok("POST", f"{GRAPH}/groups", {"originId": oid(root, "crew")})
    state = root.do.state()
    members = next(one for one in state["organizations"][0]["identities"] if one["principal"] == "crew")
    members["members"] = ["carl", "robot"]
    root.do.replace(state)

    assert root.by("carl").values("GET", "/_apis/projects")
    assert root.by("robot").refused("GET", "/_apis/projects") == (401, "UnauthorizedRequestException")
    assert crew["descriptor"].startswith("aadgp.")


def test_groups_of_azure_devops_are_made_and_deleted(root: Caller) -> None:
    made = root.ok("POST", f"{GRAPH}/groups", {"displayName": "Guild", "description": "x"})
    scope = root.ok("GET", f"{GRAPH}/descriptors/{root.project('dev')}")["value"]
    inner = root.ok("POST", f"{GRAPH}/groups", {"displayName": "Guild"}, scopeDescriptor=scope)

    assert (made["principalName"], inner["principalName"]) == ("[Prime]\\Guild", "[dev]\\Guild")
    assert root.refused("POST", f"{GRAPH}/groups", {"displayName": "Guild"})[0] == 409
    root.ok("DELETE", f"{GRAPH}/groups/{made['descriptor']}")
    assert root.call("GET", f"{GRAPH}/groups/{made['descriptor']}").status_code == 404


def test_lookup_answers_with_a_map(operator: Caller) -> None:
    users = operator.values("GET", f"{GRAPH}/users")
    keys = [{"descriptor": users[0]["descriptor"]}, {"descriptor": "aad.unknown"}]
    answer = operator.ok("POST", f"{GRAPH}/subjectlookup", {"lookupKeys": keys})

    assert list(answer["value"]) == [users[0]["descriptor"]]


def test_a_subject_query_finds_beginnings(operator: Caller) -> None:
    path = f"{GRAPH}/subjectquery"

    names = [one["displayName"] for one in operator.values("POST", path, {"query": "bob", "subjectKind": ["User"]})]
    assert names == ["Bob Bobson"]
    assert operator.values("POST", path, {"query": "obson", "subjectKind": ["User"]}) == []
    scope = operator.ok("GET", f"{GRAPH}/descriptors/{operator.project('dev')}")["value"]
    inner = operator.values("POST", path, {"query": "build", "subjectKind": ["Group"], "scopeDescriptor": scope})
    assert [one["displayName"] for one in inner] == ["Build Administrators"]


def test_memberships_go_both_ways(root: Caller) -> None:
    (platform,) = root.values("POST", f"{GRAPH}/subjectquery", {"query": "platform", "subjectKind": ["Group"]})
    (bob,) = root.values("POST", f"{GRAPH}/subjectquery", {"query": "bob", "subjectKind": ["User"]})
    path = f"{GRAPH}/memberships/{bob['descriptor']}/{platform['descriptor']}"

    assert root.call("HEAD", path).status_code == 404
    assert root.refused("GET", path) == (404, "GraphMembershipNotFoundException")
    root.ok("PUT", path)
    assert root.call("HEAD", path).status_code == 200
    down = root.values("GET", f"{GRAPH}/memberships/{platform['descriptor']}", direction="down")
    assert len(down) == 2
    root.ok("DELETE", path)
    assert root.call("HEAD", path).status_code == 404
    back = f"{GRAPH}/memberships/{platform['descriptor']}/{bob['descriptor']}"
    assert root.refused("PUT", back) == (400, "ArgumentException")
    assert root.refused("GET", f"{GRAPH}/memberships/{bob['descriptor']}", direction="left")[0] == 400
    assert root.ok("GET", f"{GRAPH}/membershipstates/{bob['descriptor']}") == {"active": True}


def test_the_picker_shows_the_tenant_without_local_ids(operator: Caller) -> None:
    operator.do.switch("devops.picker-by-id", "found")
    path = "/_apis/IdentityPicker/Identities"
    body = {"query": "car", "identityTypes": ["user", "group"], "operationScopes": ["ims", "source"]}
    (carl,) = operator.ok("POST", path, body)["results"][0]["identities"]
    (ann,) = operator.ok("POST", path, {"query": oid(operator, "ann")})["results"][0]["identities"]

    assert (carl["displayName"], carl["localId"], carl["originId"]) == ("Carl Carlson", None, oid(operator, "carl"))
    assert ann["localId"] == operator.local("ann")
    known = operator.ok("POST", path, {"query": "car", "operationScopes": ["ims"]})
    assert known["results"][0]["identities"] == []


def test_an_entitlement_answers_200_even_where_it_failed(root: Caller) -> None:
    path = "/_apis/serviceprincipalentitlements"
    member = {"origin": "aad", "originId": oid(root, "robot"), "subjectKind": "servicePrincipal"}
    good = root.ok("POST", path, {"accessLevel": {"accountLicenseType": "express"}, "servicePrincipal": member})
    unknown = {**member, "originId": "00000000-0000-0000-0000-000000000001"}
    bad = root.ok("POST", path, {"accessLevel": {"accountLicenseType": "express"}, "servicePrincipal": unknown})
    worse = root.ok("POST", path, {"accessLevel": {"accountLicenseType": "gold"}, "servicePrincipal": member})

    assert good["operationResult"]["servicePrincipalId"] == root.local("robot")
    for failed in (bad, worse):
        assert failed["operationResult"]["isSuccess"] is False
        assert failed["operationResult"]["errors"]
    assert root.by("robot").values("GET", "/_apis/projects")


def test_the_access_level_of_a_person_is_changed_and_taken(root: Caller) -> None:
    path = "/_apis/userentitlements"
    made = root.ok(
        "POST",
        path,
        {
            "accessLevel": {"accountLicenseType": "express"},
            "user": {"principalName": "carl@fabrikam.com", "subjectKind": "user"},
        },
    )
    one = f"{path}/{made['userEntitlement']['id']}"
    patch = [{"op": "replace", "path": "/accessLevel", "value": {"accountLicenseType": "stakeholder"}}]
    assert root.ok("PATCH", one, patch)["isSuccess"] is True
    assert root.ok("GET", one)["accessLevel"]["accountLicenseType"] == "stakeholder"
    bad = [{"op": "replace", "path": "/accessLevel", "value": {"accountLicenseType": "gold"}}]
    assert root.ok("PATCH", one, bad)["isSuccess"] is False
    assert [m["user"]["displayName"] for m in root.ok("GET", path, __filter="name eq 'carl'")["members"]] == [
        "Carl Carlson"
    ]
    root.ok("DELETE", one)
    assert root.refused("GET", one) == (404, "MemberNotFoundException")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{GRAPH}/users", {}),
        (f"{GRAPH}/groups", {}),
        (f"{GRAPH}/serviceprincipals", {}),
        (f"{GRAPH}/users", None),
        (f"{GRAPH}/subjectlookup", {"lookupKeys": "x"}),
        (f"{GRAPH}/subjectquery", {"query": ""}),
        ("/_apis/IdentityPicker/Identities", {}),
        ("/_apis/identitybatch", {}),
        ("/_apis/identitybatch", {"identityIds": "x"}),
        ("/_apis/serviceprincipalentitlements", {"accessLevel": {}}),
        ("/_apis/userentitlements", ["x"]),
    ],
)
def test_nonsense_changes_nothing(root: Caller, path: str, body: object) -> None:
    before = things(root)

    assert root.refused("POST", path, body)[0] == 400
    assert things(root) == before


def test_a_search_without_its_words_is_refused(operator: Caller) -> None:
    path = "/_apis/identities"

    assert operator.refused("GET", path) == (400, "ArgumentNullException")
    assert operator.refused("GET", path, searchFilter="General") == (400, "ArgumentNullException")
    assert operator.refused("GET", path, searchFilter="Shoe", filterValue="x") == (400, "ArgumentException")


def test_only_administrators_change_who_is_known(operator: Caller) -> None:
    body = {"originId": oid(operator, "carl")}
    entitlement = {"accessLevel": {"accountLicenseType": "express"}, "user": {"originId": oid(operator, "carl")}}
    unknown = {"originId": "00000000-0000-0000-0000-000000000001"}

    assert operator.refused("POST", f"{GRAPH}/users", body) == (403, "AccessDeniedException")
    assert operator.refused("POST", "/_apis/userentitlements", entitlement) == (403, "AccessDeniedException")
    assert operator.by("root").refused("POST", f"{GRAPH}/users", unknown)[0] == 404
    bad_group = operator.by("root").refused("POST", f"{GRAPH}/users", body, groupDescriptors="vssgp.x")
    assert bad_group == (404, "GraphSubjectNotFoundException")


def test_who_is_deleted_is_a_stranger(root: Caller) -> None:
    (bob,) = root.values("POST", f"{GRAPH}/subjectquery", {"query": "bob", "subjectKind": ["User"]})
    root.ok("DELETE", f"{GRAPH}/users/{bob['descriptor']}")

    assert root.by("bob").refused("GET", "/_apis/projects") == (401, "UnauthorizedRequestException")


def test_a_list_can_be_of_some_origins_only(operator: Caller) -> None:
    groups = operator.values("GET", f"{GRAPH}/groups", subjectTypes="aadgp")

    assert groups == []
    assert operator.values("GET", f"{GRAPH}/groups", subjectTypes="vssgp,aadgp")


@pytest.mark.parametrize("patch", [["x"], [], [{"op": "replace", "path": "/else"}]])
def test_an_access_level_is_not_changed_by_nonsense(root: Caller, patch: object) -> None:
    before = things(root)

    assert root.refused("PATCH", f"/_apis/userentitlements/{root.local('ann')}", patch)[0] == 400
    assert things(root) == before


def test_a_scope_that_cannot_be_read_is_refused(operator: Caller) -> None:
    assert operator.refused("GET", f"{GRAPH}/groups", scopeDescriptor="scp.\u00e9") == (400, "ArgumentException")


@pytest.mark.parametrize(("shown", "count"), [("listed", 1), ("hidden", 0)])
def test_members_of_an_entra_group_are_listed_or_not(root: Caller, shown: str, count: int) -> None:
    """A group of Azure DevOps shows its members in any case."""
    root.do.switch("devops.entra-group-members", shown)
    made = root.ok("POST", f"{GRAPH}/groups", {"originId": oid(root, "crew")})
    ann = root.ok("GET", f"{GRAPH}/descriptors/{root.local('ann')}")["value"]
    root.call("PUT", f"{GRAPH}/memberships/{ann}/{made['descriptor']}")
    platform = "[Prime]\\Platform"
    ids = f"{root.local('crew')},{root.local(platform)}"

    crew, local = root.values("GET", "/_apis/identities", identityIds=ids, queryMembership="direct")

    assert (len(crew["memberIds"]), bool(crew["isContainer"])) == (count, True)
    assert local["memberIds"]

"""Access levels of service principals, and the projects that come with them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.devops.fabrikam import Caller, things

PATH = "/_apis/serviceprincipalentitlements"
GRAPH = "/_apis/graph"


def robot(caller: Caller, level: str = "express", **more: Any) -> dict[str, Any]:
    """The body that adds Robot."""
    oid = next(one["oid"] for one in caller.do.state()["principals"] if one["name"] == "robot")
    member = {"origin": "aad", "originId": oid, "subjectKind": "servicePrincipal"}
    return {
        "accessLevel": {"accountLicenseType": level, "licensingSource": "account"},
        "servicePrincipal": member,
        **more,
    }


def entitled(project: str, **group: str) -> dict[str, Any]:
    return {"projectEntitlements": [{"group": group, "projectRef": {"id": project}}]}


@pytest.mark.parametrize(("switch", "shown"), [("as-requested", "stakeholder"), ("early-adopter", "earlyAdopter")])
def test_the_level_shown_may_be_another_than_was_asked_for(root: Caller, switch: str, shown: str) -> None:
    root.do.switch("devops.entitlement-license", switch)

    made = root.ok("POST", PATH, robot(root, "stakeholder"))["servicePrincipalEntitlement"]

    assert made["accessLevel"]["accountLicenseType"] == shown
    assert root.ok("GET", f"{PATH}/{made['id']}")["accessLevel"]["accountLicenseType"] == shown


@pytest.mark.parametrize("status", ["pending", "active"])
def test_the_status_of_who_was_just_added_is_a_switch(root: Caller, status: str) -> None:
    root.do.switch("devops.entitlement-status", status)

    made = root.ok("POST", PATH, robot(root))["servicePrincipalEntitlement"]

    assert made["accessLevel"]["status"] == status
    assert made["servicePrincipal"]["principalName"] == made["servicePrincipal"]["applicationId"]
    assert made["servicePrincipal"]["originId"] != made["servicePrincipal"]["applicationId"]


def test_who_is_materialised_only_has_no_level(root: Caller) -> None:
    made = root.ok("POST", f"{GRAPH}/serviceprincipals", {"originId": robot(root)["servicePrincipal"]["originId"]})
    level = root.ok("GET", f"{PATH}/{root.local('robot')}")["accessLevel"]

    assert made["originId"] == robot(root)["servicePrincipal"]["originId"]
    assert (level["accountLicenseType"], level["status"]) == ("none", "none")


@pytest.mark.parametrize(("switch", "after"), [("replaced", "stakeholder"), ("refused", "express")])
def test_adding_a_member_again_replaces_the_level_or_fails(root: Caller, switch: str, after: str) -> None:
    root.do.switch("devops.entitlement-of-member", switch)
    root.ok("POST", PATH, robot(root))

    again = root.ok("POST", PATH, robot(root, "stakeholder"))

    assert again["isSuccess"] is (switch == "replaced")
    assert root.ok("GET", f"{PATH}/{root.local('robot')}")["accessLevel"]["accountLicenseType"] == after


def test_the_entitlement_of_a_stranger_is_404_or_null(root: Caller) -> None:
    unknown = f"{PATH}/00000000-0000-0000-0000-000000000001"

    assert root.refused("GET", unknown) == (404, "MemberNotFoundException")
    root.do.switch("devops.entitlement-of-stranger", "null")
    answer = root.call("GET", unknown)
    assert (answer.status_code, answer.json()) == (200, None)


def test_reading_may_be_for_administrators_alone(operator: Caller) -> None:
    mine = f"{PATH}/{operator.local('operator')}"

    assert operator.ok("GET", mine)["id"] == operator.local("operator")
    operator.do.switch("devops.entitlement-reading", "administrators")
    assert operator.refused("GET", mine) == (403, "AccessDeniedException")
    assert operator.by("root").ok("GET", mine)["id"] == operator.local("operator")


@pytest.mark.parametrize(
    ("group", "title", "kind"),
    [
        ({"groupType": "projectReader"}, "Readers", "projectReader"),
        ({"groupType": "projectContributor"}, "Contributors", "projectContributor"),
        ({"groupType": "custom", "displayName": "Build Administrators"}, "Build Administrators", "custom"),
    ],
)
def test_an_entitlement_brings_its_projects(root: Caller, group: dict[str, str], title: str, kind: str) -> None:
    """The answer to adding shows none of them, as in the published example; reading does."""
    dev = root.project("dev")
    made = root.ok("POST", PATH, robot(root, **entitled(dev, **group)))["servicePrincipalEntitlement"]

    assert made["projectEntitlements"] == []
    (line,) = root.ok("GET", f"{PATH}/{made['id']}")["projectEntitlements"]
    assert line["group"] == {"groupType": kind, "displayName": title}
    assert line["projectRef"] == {"id": dev, "name": "dev"}


@pytest.mark.parametrize(
    "wrong",
    [
        entitled("00000000-0000-0000-0000-000000000001", groupType="projectReader"),
        {"projectEntitlements": [{"group": {"groupType": "projectOwner"}, "projectRef": {"id": "dev"}}]},
        {"projectEntitlements": "x"},
    ],
)
def test_a_project_or_group_that_there_is_not_fails_inside_the_answer(root: Caller, wrong: dict[str, Any]) -> None:
    before = things(root)

    answer = root.ok("POST", PATH, robot(root, **wrong))

    assert answer["isSuccess"] is False
    assert answer["operationResult"]["errors"]
    assert things(root) == before


def test_a_private_project_may_be_for_its_members_alone(root: Caller) -> None:
    """Who is in one of its groups sees it, and so do Project Collection Administrators."""
    root.do.switch("devops.project-visibility", "members")
    bob = root.by("bob")
    scope = root.ok("GET", f"{GRAPH}/descriptors/{root.project('dev')}")["value"]
    groups = root.values("GET", f"{GRAPH}/groups", scopeDescriptor=scope)
    readers = next(one for one in groups if one["principalName"] == "[dev]\\Readers")
    (subject,) = root.values("POST", f"{GRAPH}/subjectquery", {"query": "bob", "subjectKind": ["User"]})

    assert bob.values("GET", "/_apis/projects") == []
    assert len(root.values("GET", "/_apis/projects")) == 4
    root.ok("PUT", f"{GRAPH}/memberships/{subject['descriptor']}/{readers['descriptor']}")
    assert [one["name"] for one in bob.values("GET", "/_apis/projects")] == ["dev"]
    root.do.switch("devops.project-visibility", "everyone")
    assert len(bob.values("GET", "/_apis/projects")) == 4


def test_administrators_of_a_project_change_its_groups_and_no_others(root: Caller) -> None:
    groups = {one["principalName"]: one["descriptor"] for one in root.values("GET", f"{GRAPH}/groups")}
    users = {one["displayName"]: one["descriptor"] for one in root.values("GET", f"{GRAPH}/users")}
    ann = root.by("ann")
    path = f"{GRAPH}/memberships/{users['Bob Bobson']}"
    readers, above = groups["[dev]\\Readers"], groups["[dev]\\Project Administrators"]
    assert ann.refused("PUT", f"{path}/{readers}") == (403, "AccessDeniedException")

    root.ok("PUT", f"{GRAPH}/memberships/{users['Ann Arbor']}/{above}")

    ann.ok("PUT", f"{path}/{readers}")
    ann.ok("DELETE", f"{path}/{readers}")
    for other in ("[test]\\Readers", "[Prime]\\Platform"):
        assert ann.refused("PUT", f"{path}/{groups[other]}") == (403, "AccessDeniedException")


def test_an_access_level_is_changed_by_a_json_patch_alone(root: Caller) -> None:
    patch = [{"op": "replace", "path": "/accessLevel", "value": {"accountLicenseType": "stakeholder"}}]
    url = f"{root.running.devops}/prime{PATH}/{root.local('operator')}"
    headers = {"Authorization": "Bearer devops-root", "X-TFS-FedAuthRedirect": "Suppress"}

    refused = root.session.patch(url, json=patch, params={"api-version": "7.1-preview.1"}, headers=headers, timeout=20)

    assert (refused.status_code, refused.json()["typeKey"]) == (415, "VssRequestContentTypeNotSupportedException")
    assert root.ok("PATCH", f"{PATH}/{root.local('operator')}", patch)["isSuccess"] is True
    assert root.ok("GET", f"{PATH}/{root.local('operator')}")["accessLevel"]["accountLicenseType"] == "stakeholder"


@pytest.mark.parametrize(("switch", "names"), [("found", ["Robot"]), ("unknown", [])])
def test_the_picker_may_know_whole_ids_or_names_only(root: Caller, switch: str, names: list[str]) -> None:
    root.do.switch("devops.picker-by-id", switch)
    query = {"query": robot(root)["servicePrincipal"]["originId"], "identityTypes": ["servicePrincipal"]}

    (found,) = root.ok("POST", "/_apis/IdentityPicker/Identities", query)["results"]

    assert [one["displayName"] for one in found["identities"]] == names
    (by_name,) = root.ok("POST", "/_apis/IdentityPicker/Identities", {"query": "Robot"})["results"]
    assert [one["displayName"] for one in by_name["identities"]] == ["Robot"]

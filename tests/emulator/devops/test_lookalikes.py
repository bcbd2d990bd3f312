"""Identities that look alike: names that people choose, scopes with one name, service identities, doubled ones."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import Caller
from tests.emulator.devops.test_people import GRAPH, found


def test_a_group_says_its_scope_by_id(operator: Caller) -> None:
    """As a team was recorded (azure-devops-cli-extension): the name in brackets, and the id of the project."""
    project = operator.project("dev")
    of_dev, of_prime = (
        next(one for one in operator.values("GET", "/_apis/identities", searchFilter="General", filterValue=name))
        for name in ("[dev]\\Readers", "[Prime]\\Platform")
    )
    shown = {key: one["$value"] for key, one in of_dev["properties"].items()}

    assert shown["Account"] == "Readers"
    assert shown["Domain"] == f"vstfs:///Classification/TeamProject/{project}"
    assert (shown["LocalScopeId"], shown["ScopeName"], shown["ScopeType"]) == (project, "dev", "TeamProject")
    assert of_prime["properties"]["Domain"]["$value"].startswith("vstfs:///Framework/IdentityDomain/")
    assert of_prime["properties"]["ScopeType"]["$value"] == "ServiceHost"


def test_the_creator_of_a_group_chooses_its_name_and_its_local_id(root: Caller) -> None:
    key = "00000000-0000-0000-0000-0000000000aa"
    body = {"displayName": "ann@fabrikam.com", "storageKey": key}
    made = root.ok("POST", f"{GRAPH}/groups", body)

    assert (made["principalName"], made["origin"], made["originId"]) == ("[Prime]\\ann@fabrikam.com", "vsts", key)
    assert root.ok("GET", f"{GRAPH}/storagekeys/{made['descriptor']}")["value"] == key
    names = found(root, "General", "ann@fabrikam.com")
    assert sorted(names) == ["Ann Arbor", "[Prime]\\ann@fabrikam.com"]
    again = root.refused("POST", f"{GRAPH}/groups", {**body, "displayName": "other"})
    assert again == (400, "ArgumentException")


def test_a_project_called_like_the_organization_has_groups_of_the_same_names(operator: Caller) -> None:
    project = operator.do.edit("create-project", organization="Prime", name="Prime")
    operator.do.edit("create-group", organization="Prime", name="Platform", project="Prime")
    listed = operator.values("GET", "/_apis/identities", searchFilter="LocalGroupName", filterValue="[Prime]\\Platform")

    domains = sorted(one["properties"]["Domain"]["$value"].rpartition("/")[0] for one in listed)
    assert domains == ["vstfs:///Classification/TeamProject", "vstfs:///Framework/IdentityDomain"]
    operator.do.edit("add-member", organization="Prime", group=f"[{project}]\\Platform", member="ann")
    operator.do.replace(operator.do.state())
    assert len(operator.values("GET", "/_apis/identities", searchFilter="LocalGroupName", filterValue="Platform")) == 2


@pytest.mark.parametrize(("word", "count"), [("found", 1), ("absent", 0)])
def test_build_services_are_found_by_their_unique_name_or_in_lists(operator: Caller, word: str, count: int) -> None:
    operator.do.switch("devops.service-identities-in-search", word)
    project = operator.project("dev")
    operator.do.edit("create-build-service", organization="Prime", project="dev")
    operator.do.edit("create-build-service", organization="Prime")
    operator.do.replace(operator.do.state())
    searched = operator.values("GET", "/_apis/identities", searchFilter="General", filterValue=f"Build\\{project}")
    listed = operator.values("GET", f"{GRAPH}/users", subjectTypes="svc")

    assert len(searched) == count
    assert sorted((one["displayName"], one["domain"], one["origin"]) for one in listed) == [
        ("Project Collection Build Service (Prime)", "Build", "vsts"),
        ("dev Build Service (Prime)", "Build", "vsts"),
    ]
    mine = next(one for one in listed if one["principalName"] == project)
    (read,) = operator.values("GET", "/_apis/identities", subjectDescriptors=mine["descriptor"])
    assert read["descriptor"].startswith("Microsoft.TeamFoundation.ServiceIdentity;")
    assert read["descriptor"].endswith(f":Build:{project}")


def test_two_identities_may_have_one_address(operator: Caller) -> None:
    operator.do.edit("double-identity", organization="Prime", who="ann", active=False)
    operator.do.edit("rename-identity", organization="Prime", who="ann", to="bob@fabrikam.com")
    both = operator.values("GET", "/_apis/identities", searchFilter="General", filterValue="ann@fabrikam.com")

    assert [(one["providerDisplayName"], one["isActive"]) for one in both] == [
        ("bob@fabrikam.com", True),
        ("Ann Arbor", False),
    ]


@pytest.mark.parametrize(("word", "beginning"), [("full-name", "[Prime]"), ("domain", "vstfs:///Framework/")])
def test_unique_names_of_groups_in_role_assignments_are_a_switch(operator: Caller, word: str, beginning: str) -> None:
    operator.do.switch("devops.unique-name-of-groups", word)
    path = "/_apis/securityroles/scopes/distributedtask.globalagentpoolrole/roleassignments/resources/0"
    groups = [one["identity"] for one in operator.values("GET", path) if one["identity"]["displayName"].startswith("[")]

    assert groups
    assert all(one["uniqueName"].startswith(beginning) for one in groups)

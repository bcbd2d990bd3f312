"""Projects: what one can see, in pages; creation and deletion as operations."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import Caller, things

PROJECTS = "/_apis/projects"
WANTED = {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": "x"}}


def names(caller: Caller, **query: object) -> set[str]:
    return {one["name"] for one in caller.values("GET", PROJECTS, version="7.1", **query)}


def test_only_visible_projects_are_listed(operator: Caller, root: Caller) -> None:
    assert names(operator) == {"dev", "test", "foreign"}
    assert names(root) == {"dev", "test", "foreign", "secret"}


def test_pages_are_joined_by_a_header_or_by_skipping(root: Caller) -> None:
    first = root.call("GET", PROJECTS, __top=3)
    rest = root.call("GET", PROJECTS, continuationToken=first.headers["x-ms-continuationtoken"], __top=3)

    assert (first.json()["count"], rest.json()["count"]) == (3, 1)
    assert "x-ms-continuationtoken" not in rest.headers
    assert root.call("GET", PROJECTS, __top=3, __skip=3).json() == rest.json()
    assert root.refused("GET", PROJECTS, __top="0") == (400, "ArgumentException")
    assert root.refused("GET", PROJECTS, __top="many") == (400, "ArgumentException")
    assert root.refused("GET", PROJECTS, stateFilter="happy") == (400, "ArgumentException")


def test_a_page_has_a_size_even_where_nobody_asks(root: Caller) -> None:
    root.do.switch("devops.project-page", 2)

    assert root.call("GET", PROJECTS).headers["x-ms-continuationtoken"] == "2"


def test_a_project_is_read_by_name_or_id(operator: Caller) -> None:
    key = operator.project("dev")

    assert operator.ok("GET", f"{PROJECTS}/{key}")["name"] == "dev"
    found = operator.ok("GET", f"{PROJECTS}/DEV", includeCapabilities="true")
    assert (found["id"], found["capabilities"]["versioncontrol"]["sourceControlType"]) == (key, "Git")
    hidden = operator.refused("GET", f"{PROJECTS}/secret")
    assert hidden == operator.refused("GET", f"{PROJECTS}/nothing")


def test_creation_is_an_operation(root: Caller) -> None:
    root.do.switch("devops.project-operation", 60)
    queued = root.call("POST", PROJECTS, {"name": "new", "capabilities": WANTED})
    path = f"/_apis/operations/{queued.json()['id']}"

    assert (queued.status_code, root.ok("GET", path)["status"]) == (202, "queued")
    assert "new" not in names(root)
    root.do.advance(61)
    assert root.ok("GET", path)["status"] == "succeeded"
    assert "new" in names(root)
    assert root.call("GET", "/_apis/operations/unknown").status_code == 404


def test_a_deleted_project_is_gone_and_can_come_back(root: Caller) -> None:
    key = root.project("dev")
    root.ok("DELETE", f"{PROJECTS}/{key}")
    root.do.settle()

    assert "dev" not in names(root)
    assert root.call("GET", "/dev/_apis/distributedtask/queues").status_code == 404
    assert names(root, stateFilter="deleted") == {"dev"}
    root.do.edit("restore-project", organization="prime", project="dev")
    assert [one["id"] for one in root.values("GET", "/dev/_apis/distributedtask/queues")] == [70, 80]


def test_a_renamed_project_keeps_its_id_and_its_administrators(root: Caller) -> None:
    key = root.project("dev")
    root.ok("PATCH", f"{PROJECTS}/{key}", {"name": "develop", "description": "x"})
    root.do.settle()

    assert root.ok("GET", f"{PROJECTS}/develop")["id"] == key
    assert root.refused("GET", f"{PROJECTS}/dev") == (404, "ProjectDoesNotExistWithNameException")
    groups = {one["name"] for one in root.do.state()["organizations"][0]["groups"]}
    assert "[develop]\\Project Administrators" in groups
    assert "[dev]\\Project Administrators" not in groups


def test_pipelines_are_found_by_folder_and_name(operator: Caller) -> None:
    path = "/test/_apis/build/definitions"

    assert [one["id"] for one in operator.values("GET", path, path="/release")] == [6]
    assert [one["id"] for one in operator.values("GET", path, name="da*")] == [15]
    assert [one["id"] for one in operator.values("GET", path, definitionIds="6,99")] == [6]
    first = operator.call("GET", path, __top=1)
    token = first.headers["x-ms-continuationtoken"]
    assert [one["id"] for one in operator.values("GET", path, __top=1, continuationToken=token)] == [6]
    assert operator.ok("GET", f"{path}/6")["path"] == "\\release"
    assert operator.refused("GET", f"{path}/99") == (404, "DefinitionNotFoundException")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ({}, 400),
        ({"name": "x"}, 400),
        ({"name": "x", "capabilities": {}}, 400),
        ({"name": "DEV", "capabilities": WANTED}, 400),
    ],
)
def test_nonsense_makes_no_project(root: Caller, body: object, status: int) -> None:
    before = things(root)

    assert root.refused("POST", PROJECTS, body)[0] == status
    root.do.settle()
    assert things(root) == before


def test_projects_are_made_and_changed_by_administrators(operator: Caller) -> None:
    body = {"name": "new", "capabilities": WANTED}

    assert operator.refused("POST", PROJECTS, body) == (403, "AccessDeniedException")
    assert operator.refused("PATCH", f"{PROJECTS}/dev", {"name": "x"}) == (403, "AccessDeniedException")
    assert operator.refused("DELETE", f"{PROJECTS}/dev") == (403, "AccessDeniedException")

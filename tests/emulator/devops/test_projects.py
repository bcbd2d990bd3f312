"""Projects: what one can see, in pages; creation and deletion as operations."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import Caller, things

PROJECTS = "/_apis/projects"
DEFINITIONS = "/test/_apis/build/definitions"
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
    path = DEFINITIONS

    assert [one["id"] for one in operator.values("GET", path, path="/release")] == [6]
    assert [one["id"] for one in operator.values("GET", path, name="da*")] == [15]
    assert [one["id"] for one in operator.values("GET", path, definitionIds="6,99")] == [6]
    assert operator.ok("GET", f"{path}/6")["path"] == "\\release"
    assert operator.refused("GET", f"{path}/99") == (404, "DefinitionNotFoundException")


ORDERED = [
    ("definitionNameAscending", [15, 6]),
    ("definitionNameDescending", [6, 15]),
    ("lastModifiedAscending", [6, 15]),
    ("lastModifiedDescending", [15, 6]),
    ("4", [6, 15]),
]


@pytest.mark.parametrize(("order", "ids"), ORDERED)
def test_pages_of_pipelines_follow_each_other_in_the_order_of_the_query(
    operator: Caller, order: str, ids: list[int]
) -> None:
    found: list[int] = []
    more: dict[str, str] = {}
    for _ in ids:
        page = operator.call("GET", DEFINITIONS, __top=1, queryOrder=order, **more)
        found += [one["id"] for one in page.json()["value"]]
        token = page.headers.get("x-ms-continuationtoken")
        more = {"continuationToken": token} if token else {}

    assert found == ids
    assert more == {}, "the last page names no other"


@pytest.mark.parametrize("order", [{}, {"queryOrder": "none"}, {"queryOrder": "0"}])
def test_a_page_of_pipelines_without_an_order_is_refused_in_the_words_of_the_service(
    operator: Caller, order: dict[str, str]
) -> None:
    operator.do.switch("devops.definition-page", 1)
    first = operator.call("GET", DEFINITIONS, **order)
    token = first.headers["x-ms-continuationtoken"]

    second = operator.call("GET", DEFINITIONS, continuationToken=token, **order)

    assert (first.status_code, first.json()["count"]) == (200, 1)
    assert second.status_code == 400
    assert second.json()["message"] == "Continuation token timestamp without query order is ambiguous."
    assert second.json()["typeKey"] == "InvalidDefinitionQueryException"
    assert second.json()["typeName"].startswith("Microsoft.TeamFoundation.Build.WebApi.")


@pytest.mark.parametrize("query", [{"queryOrder": "name"}, {"queryOrder": "5"}, {"__top": "x"}])
def test_an_unknown_order_or_size_of_a_page_is_refused(operator: Caller, query: dict[str, str]) -> None:
    assert operator.refused("GET", DEFINITIONS, **query) == (400, "ArgumentException")


def test_a_page_of_pipelines_has_a_largest_size(root: Caller) -> None:
    """A project with more definitions than one page holds, whatever $top asks for."""
    state = root.do.state()
    project = next(one for one in state["organizations"][0]["projects"] if one["name"] == "dev")
    project["pipelines"] = [{"id": 1000 + number, "name": f"p{number:05}"} for number in range(10_001)]
    root.do.replace(state)
    path = "/dev/_apis/build/definitions"

    assert len(root.values("GET", path)) == 1000
    whole = root.call("GET", path, __top=20_000, queryOrder="definitionNameAscending")
    rest = root.values(
        "GET",
        path,
        queryOrder="definitionNameAscending",
        continuationToken=whole.headers["x-ms-continuationtoken"],
    )

    assert whole.json()["count"] == 10_000
    assert [one["name"] for one in rest] == ["p10000"]


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

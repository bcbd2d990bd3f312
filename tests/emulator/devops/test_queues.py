"""Agent queues of a project."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import POOLS, Caller

DEV = "/dev/_apis/distributedtask/queues"
TEST = "/test/_apis/distributedtask/queues"


def ids(caller: Caller, path: str = DEV, **query: object) -> list[int]:
    return [queue["id"] for queue in caller.values("GET", path, version="7.1", **query)]


def test_a_project_lists_its_own_queues(operator: Caller) -> None:
    assert ids(operator) == [70, 80]
    assert ids(operator, f"/{operator.project('dev')}/_apis/distributedtask/queues") == [70, 80]
    assert ids(operator, "/DEV/_apis/distributedtask/queues", poolIds="8,9") == [80]
    assert ids(operator, queueIds="80,71") == [80]
    assert ids(operator, queueNames="Build,none") == [70]
    assert ids(operator, queueName="other") == [80]
    assert ids(operator, "/foreign/_apis/distributedtask/queues") == []
    assert operator.refused("GET", DEV, poolIds="a,b") == (400, "ArgumentException")


def test_a_queue_is_found_through_its_own_project_only(operator: Caller) -> None:
    assert operator.ok("GET", f"{DEV}/70")["pool"]["id"] == 7
    assert operator.refused("GET", f"{DEV}/71") == (404, "TaskAgentQueueNotFoundException")
    assert operator.refused("GET", f"{DEV}/99") == (404, "TaskAgentQueueNotFoundException")


def test_a_project_out_of_sight_does_not_exist(operator: Caller) -> None:
    """By id or by name, hidden or not there: the same answer."""
    secret = operator.project("secret")
    by_id, by_name = "ProjectDoesNotExistException", "ProjectDoesNotExistWithNameException"

    assert operator.refused("GET", f"/{secret}/_apis/distributedtask/queues") == (404, by_id)
    assert operator.refused("GET", "/secret/_apis/distributedtask/queues") == (404, by_name)
    assert operator.refused("GET", "/nothing/_apis/distributedtask/queues") == (404, by_name)


def test_the_status_of_a_missing_project_is_a_switch(operator: Caller) -> None:
    operator.do.switch("devops.missing-project-status", 400)

    assert operator.refused("GET", "/nothing/_apis/distributedtask/queues")[0] == 400


def test_a_queue_is_made_for_a_pool(operator: Caller) -> None:
    made = operator.ok("POST", TEST, {"name": "other", "pool": {"id": 8}}, version="7.1")

    assert (made["name"], made["pool"]["id"], made["projectId"]) == ("other", 8, operator.project("test"))
    found = operator.ok("GET", f"/test/_apis/pipelines/pipelinepermissions/queue/{made['id']}")
    assert "allPipelines" not in found
    again = operator.refused("POST", TEST, {"name": "else", "pool": {"id": 8}})
    assert again == (409, "TaskAgentQueueExistsException")


def test_a_queue_can_be_born_open(operator: Caller) -> None:
    made = operator.ok("POST", TEST, {"pool": {"id": 8}}, authorizePipelines="true")

    found = operator.ok("GET", f"/test/_apis/pipelines/pipelinepermissions/queue/{made['id']}")
    assert found["allPipelines"]["authorizedBy"]["displayName"] == "Pool Operator"


def test_a_name_alone_makes_a_pool_too(operator: Caller) -> None:
    made = operator.ok("POST", TEST, {"name": "surprise"})

    assert operator.ok("GET", f"{POOLS}/{made['pool']['id']}")["name"] == "surprise"
    assert operator.ok("POST", TEST, {"name": "other"})["pool"]["id"] == 8


def test_a_queue_needs_the_pool_and_the_project(operator: Caller) -> None:
    """Creator or Administrator in the project, and the right to use the pool."""
    ann = operator.by("ann")
    assert ann.refused("POST", TEST, {"pool": {"id": 7}}) == (403, "AccessDeniedException")
    operator.do.edit("set-role", organization="prime", who="ann", role="Creator", project="foreign")
    foreign = "/foreign/_apis/distributedtask/queues"
    assert ann.refused("POST", foreign, {"pool": {"id": 8}}) == (404, "TaskAgentPoolNotFoundException")
    operator.do.edit("set-role", organization="prime", who="ann", role="Reader", pool="other")
    assert ann.refused("POST", foreign, {"pool": {"id": 8}}) == (403, "AccessDeniedException")
    operator.do.edit("set-role", organization="prime", who="ann", role="Service Account", pool="other")
    assert ann.ok("POST", foreign, {"pool": {"id": 8}})["pool"]["name"] == "other"
    assert ann.refused("POST", foreign, {"name": "new pool"}) == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, (400, "ArgumentNullException")),
        ({"pool": {}}, (400, "ArgumentNullException")),
        ({"pool": 8}, (400, "ArgumentException")),
        ({"pool": {"id": "eight"}}, (400, "ArgumentException")),
        ({"pool": {"id": 99}}, (404, "TaskAgentPoolNotFoundException")),
        ({"name": 5, "pool": {"id": 8}}, (400, "ArgumentException")),
    ],
)
def test_a_queue_is_not_made_of_nonsense(operator: Caller, body: object, answer: object) -> None:
    assert operator.refused("POST", TEST, body) == answer
    assert ids(operator, TEST) == [71]


def test_a_queue_goes_and_the_pool_stays(operator: Caller) -> None:
    operator.ok("DELETE", f"{DEV}/70")

    assert ids(operator) == [80]
    assert operator.ok("GET", f"{POOLS}/7")["id"] == 7


def test_a_user_of_a_queue_cannot_delete_it(operator: Caller, bob: Caller) -> None:
    operator.do.edit("set-role", organization="prime", who="bob", role="User", pool="build", project="dev")

    assert ids(bob) == [70]
    assert ids(bob, actionFilter="manage") == []
    assert bob.refused("GET", f"{DEV}/70", actionFilter="manage") == (404, "TaskAgentQueueNotFoundException")
    assert bob.refused("DELETE", f"{DEV}/70") == (403, "AccessDeniedException")


@pytest.mark.parametrize("word", ["refused", "listed", "incomplete"])
def test_listing_without_a_project_is_a_switch(operator: Caller, word: str) -> None:
    """Neither answer is attested: the document makes the project optional, the real template does not."""
    operator.do.switch("devops.organization-queue-list", word)
    path = "/_apis/distributedtask/queues"

    if word == "refused":
        assert operator.call("GET", path).status_code == 404
    elif word == "incomplete":
        assert 0 < len(ids(operator, path)) < 3
    else:
        assert ids(operator, path) == [70, 71, 80]
        assert ids(operator, path, poolIds="7") == [70, 71]
        assert ids(operator.by("root"), path, poolIds="7") == [70, 71, 72, 73]

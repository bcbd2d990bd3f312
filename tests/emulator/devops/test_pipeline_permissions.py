"""Open access and single pipelines: one state behind two APIs."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import Caller, things

DEV = "/dev/_apis/pipelines/pipelinepermissions"
TEST = "/test/_apis/pipelines/pipelinepermissions"
OLD = "/{}/_apis/build/authorizedresources"
OPEN, CLOSED = {"allPipelines": {"authorized": True}}, {"allPipelines": {"authorized": False}}


def opened(caller: Caller, path: str) -> bool:
    return "allPipelines" in caller.ok("GET", path)


def old(caller: Caller, project: str = "dev", **query: object) -> list[str]:
    return [one["id"] for one in caller.values("GET", OLD.format(project), type="queue", **query)]


def test_an_open_queue_says_who_opened_it(operator: Caller) -> None:
    found = operator.ok("GET", f"{DEV}/queue/70")

    assert found["resource"] == {"type": "queue", "id": "70"}
    assert found["allPipelines"]["authorizedBy"]["displayName"] == "Ann Arbor"
    assert found["allPipelines"]["authorizedOn"] == "2026-01-02T03:04:05Z"


def test_a_closed_queue_has_no_word_of_all_pipelines(operator: Caller) -> None:
    found = operator.ok("PATCH", f"{DEV}/queue/70", CLOSED)

    assert found == {"resource": {"type": "queue", "id": "70"}, "pipelines": []}
    assert operator.ok("GET", f"{DEV}/queue/70") == found


def test_the_list_of_pipelines_is_merged_and_outlives_open_access(operator: Caller) -> None:
    operator.ok("PATCH", f"{TEST}/queue/71", {"pipelines": [{"id": 15, "authorized": True}]})
    operator.ok("PATCH", f"{TEST}/queue/71", OPEN)
    operator.ok("PATCH", f"{TEST}/queue/71", CLOSED)
    after = operator.ok("PATCH", f"{TEST}/queue/71", {"pipelines": [{"id": 6, "authorized": False}]})

    assert [one["id"] for one in after["pipelines"]] == [15]
    assert "allPipelines" not in after


def test_opening_twice_keeps_the_first_author(operator: Caller) -> None:
    assert operator.ok("PATCH", f"{DEV}/queue/70", OPEN)["allPipelines"]["authorizedBy"]["displayName"] == "Ann Arbor"


def test_clients_send_nulls_along_when_they_close(operator: Caller) -> None:
    operator.ok(
        "PATCH",
        f"{DEV}/queue/70",
        {"allPipelines": {"authorized": False, "authorizedBy": None, "authorizedOn": None}, "pipelines": None},
    )

    assert not opened(operator, f"{DEV}/queue/70")


def test_a_batch_is_of_one_project_and_all_or_nothing(operator: Caller) -> None:
    good = {"resource": {"type": "queue", "id": "70", "name": "build"}, **CLOSED}
    bad = {"resource": {"type": "queue", "id": "71"}, **OPEN}

    assert operator.refused("PATCH", DEV, [good, bad]) == (404, "TaskAgentQueueNotFoundException")
    assert opened(operator, f"{DEV}/queue/70")
    other = {"resource": {"type": "queue", "id": "80"}, **OPEN}
    after = operator.values("PATCH", DEV, [good, other])
    assert ["allPipelines" in one for one in after] == [False, True]


def test_both_apis_show_the_same_state(operator: Caller) -> None:
    assert old(operator) == ["70"]
    operator.ok("PATCH", f"{DEV}/queue/80", OPEN)
    assert old(operator) == ["70", "80"]
    operator.ok("PATCH", OLD.format("dev"), [{"type": "queue", "id": "70", "authorized": False}])
    assert old(operator, id="70") == []
    assert not opened(operator, f"{DEV}/queue/70")


def test_pipelines_see_what_is_authorized_for_them(operator: Caller) -> None:
    path = "/test/_apis/build/definitions/{}/resources"
    assert [one["id"] for one in operator.values("GET", path.format(6))] == ["71"]
    operator.ok("PATCH", path.format(15), [{"type": "queue", "id": "71", "authorized": True}])

    assert [one["id"] for one in operator.ok("GET", f"{TEST}/queue/71")["pipelines"]] == [6, 15]
    assert operator.refused("GET", path.format(99)) == (404, "DefinitionNotFoundException")


def test_writing_needs_the_administrator_of_the_queue(operator: Caller, bob: Caller) -> None:
    operator.do.edit("set-role", organization="prime", who="bob", role="User", pool="build", project="dev")

    assert opened(bob, f"{DEV}/queue/70")
    assert bob.refused("PATCH", f"{DEV}/queue/70", CLOSED) == (403, "AccessDeniedException")
    body = [{"type": "queue", "id": "70", "authorized": False}]
    assert bob.refused("PATCH", OLD.format("dev"), body) == (403, "AccessDeniedException")
    assert opened(bob, f"{DEV}/queue/70")


@pytest.mark.parametrize("word", ["empty", "not-found"])
def test_a_queue_that_does_not_exist_is_a_switch(operator: Caller, word: str) -> None:
    """Never an existence test: what one may not see has the same answer."""
    operator.do.switch("devops.permissions-of-missing-queue", word)

    for project, queue in (("dev", "99"), ("foreign", "73")):
        answer = operator.call("GET", f"/{project}/_apis/pipelines/pipelinepermissions/queue/{queue}")
        if word == "empty":
            assert answer.json() == {"resource": {"type": "queue", "id": queue}, "pipelines": []}
        else:
            assert answer.json()["typeKey"] == "TaskAgentQueueNotFoundException"
    assert operator.refused("PATCH", f"{DEV}/queue/99", OPEN) == (404, "TaskAgentQueueNotFoundException")


@pytest.mark.parametrize(("word", "found"), [("complete", ["70", "80"]), ("incomplete", ["80"])])
def test_whether_the_old_list_is_complete_is_a_switch(operator: Caller, word: str, found: list[str]) -> None:
    operator.ok("PATCH", f"{DEV}/queue/80", OPEN)
    operator.do.switch("devops.authorized-resources", word)

    assert old(operator) == found
    assert old(operator, id="70") == ["70"]


def test_the_old_list_can_refuse_to_do_without_an_id(operator: Caller) -> None:
    operator.do.switch("devops.authorized-resources", "refused")

    assert operator.refused("GET", OLD.format("dev"), type="queue") == (400, "ArgumentNullException")
    assert old(operator, id="70") == ["70"]


def test_the_build_area_answers_400_for_a_missing_project(operator: Caller) -> None:
    secret = operator.project("secret")

    assert operator.refused("GET", OLD.format(secret)) == (400, "ProjectDoesNotExistException")
    assert operator.refused("GET", f"/{secret}/_apis/build/definitions") == (400, "ProjectDoesNotExistException")


def test_the_first_write_can_be_lost(operator: Caller) -> None:
    """Answered 200 with the wanted state, and not applied; the second time it holds."""
    operator.do.switch("devops.open-access-write", "lost-once")

    assert "allPipelines" in operator.ok("PATCH", f"{DEV}/queue/80", OPEN)
    assert not opened(operator, f"{DEV}/queue/80")
    operator.ok("PATCH", f"{DEV}/queue/80", OPEN)
    assert opened(operator, f"{DEV}/queue/80")


def test_a_write_is_seen_after_the_lag(operator: Caller) -> None:
    operator.do.switch("devops.write-lag", 30)

    assert "allPipelines" in operator.ok("PATCH", f"{DEV}/queue/80", OPEN)
    assert not opened(operator, f"{DEV}/queue/80")
    operator.do.advance(31)
    assert opened(operator, f"{DEV}/queue/80")


@pytest.mark.parametrize(("word", "status"), [("accepted", 200), ("refused", 404)])
def test_whether_a_missing_pipeline_can_be_authorized_is_a_switch(operator: Caller, word: str, status: int) -> None:
    operator.do.switch("devops.permissions-of-missing-pipeline", word)
    body = {"pipelines": [{"id": 999, "authorized": True}]}

    assert operator.call("PATCH", f"{TEST}/queue/71", body).status_code == status


def test_other_resources_are_authorized_too(operator: Caller, root: Caller) -> None:
    """Terraform's pipeline authorization knows endpoints, variable groups, environments and repositories."""
    root.ok("PATCH", f"{DEV}/endpoint/abc", OPEN)

    assert opened(root, f"{DEV}/endpoint/abc")
    assert operator.refused("PATCH", f"{DEV}/endpoint/abc", CLOSED) == (403, "AccessDeniedException")
    assert operator.refused("GET", f"{DEV}/sandwich/1") == (400, "ArgumentException")


@pytest.mark.parametrize(
    "body",
    [
        {"allPipelines": True},
        {"allPipelines": {"authorized": "yes"}},
        {"allPipelines": {}},
        {"pipelines": {"id": 1}},
        {"pipelines": [7]},
        {"pipelines": [{"id": "x", "authorized": True}]},
        {"pipelines": [{"id": 6}]},
        [],
        None,
    ],
)
def test_nonsense_changes_nothing(operator: Caller, body: object) -> None:
    before = things(operator)

    status, key = operator.refused("PATCH", f"{DEV}/queue/70", body)
    assert (status, key) in {(400, "ArgumentException"), (400, "ArgumentNullException")}
    batch: list[dict[str, object]] = [
        {"resource": {"type": "queue", "id": "70"}, **CLOSED},
        {"resource": {"type": "queue", "id": "80"}},
    ]
    batch[1] |= body if isinstance(body, dict) else {"resource": 5}
    assert operator.refused("PATCH", DEV, batch)[0] == 400
    assert things(operator) == before


def test_the_old_list_holds_other_resources_too(root: Caller) -> None:
    root.ok("PATCH", f"{DEV}/variablegroup/5", OPEN)
    found = {(one["type"], one["id"]) for one in root.values("GET", OLD.format("dev"))}

    assert found == {("queue", "70"), ("variablegroup", "5")}

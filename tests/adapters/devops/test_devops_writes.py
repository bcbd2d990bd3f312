"""Each write is exactly the documented request, and what its answer already disproves is told at once."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.reads import DevOpsWrites
from reconciler.errors import Forbidden, NotEffective, ReconcilerError, Rejected, Unavailable
from reconciler.ports.devops import Identity, Queue, QueueCheck
from tests.adapters.devops.scripted import Reply, Scripted, failure, wrapped

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
QUEUES = f"/prime/{PROJECT}/_apis/distributedtask/queues"
PERMISSIONS = f"/prime/{PROJECT}/_apis/pipelines/pipelinePermissions/queue/12"
SCOPE = "distributedtask.agentpoolrole"
ROLES = f"/prime/_apis/securityroles/scopes/{SCOPE}/roleassignments/resources/7"
ANN = "81fa6389-0872-6fdd-a451-7ba7880f566a"
OID = "55c8c7b6-7ace-43bc-918f-304dfa2b6317"


def queue(id_: int, pool: int) -> dict[str, Any]:
    return {"id": id_, "projectId": PROJECT, "name": "pool", "pool": {"id": pool}}


def assignment(id_: str, role: str) -> dict[str, Any]:
    return {"identity": {"id": id_, "displayName": "x"}, "role": {"name": role}, "access": "assigned"}


def test_a_queue_is_made_with_the_pools_id_and_without_open_access(writes: DevOpsWrites, service: Scripted) -> None:
    """By name alone the service would make a new pool of that name."""
    service.reply("POST", QUEUES, queue(12, 7))

    assert writes.create_queue("prime", PROJECT, 7, "pool") == Queue(12, "pool", PROJECT, 7)
    assert service.only.json == {"name": "pool", "pool": {"id": 7}}
    assert service.only.query == {"authorizePipelines": "false"}
    assert service.only.version == "7.1-preview.1"


@pytest.mark.parametrize(("status", "key"), [(409, "TaskAgentQueueExistsException"), (400, "ArgumentException")])
def test_a_queue_that_is_there_already_is_the_answer(
    writes: DevOpsWrites, service: Scripted, status: int, key: str
) -> None:
    service.reply("POST", QUEUES, Reply(failure(key, "exists"), status=status))
    service.reply("GET", QUEUES, wrapped(queue(12, 7)))

    assert writes.create_queue("prime", PROJECT, 7, "pool") == Queue(12, "pool", PROJECT, 7)
    assert service.seen[1].query == {"poolIds": "7", "api-version": "7.1"}


def test_a_refused_queue_that_is_not_there_keeps_the_refusal(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("POST", QUEUES, Reply(failure("TaskAgentQueueExistsException", "name taken"), status=409))
    service.reply("GET", QUEUES, wrapped())

    with pytest.raises(Rejected, match="409 TaskAgentQueueExistsException: name taken"):
        writes.create_queue("prime", PROJECT, 7, "pool")


def test_a_queue_of_another_pool_is_not_taken_for_ours(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("POST", QUEUES, queue(12, 8))

    with pytest.raises(NotEffective, match=r"agent pool 7 .* of pool 8"):
        writes.create_queue("prime", PROJECT, 7, "pool")


@pytest.mark.parametrize("allow", [True, False])
def test_open_access_is_one_flag_and_touches_no_single_pipeline(
    writes: DevOpsWrites, service: Scripted, allow: bool
) -> None:
    service.reply("PATCH", PERMISSIONS, {"resource": {"type": "queue", "id": "12"}, "pipelines": []})
    writes.set_open_access("prime", PROJECT, 12, allow)

    assert service.only.json == {"allPipelines": {"authorized": allow}}
    assert service.only.query == {}
    assert service.only.version == "7.1-preview.1"
    assert service.only.headers["content-type"].startswith("application/json")


CHECKS = f"/prime/{PROJECT}/_apis/pipelines/checks/configurations"
APPROVAL = QueueCheck(0, "Approval", {"approvers": [{"id": ANN}]}, 60, "8c6f20a7-a545-4486-9777-f762fafe0d4d")


def made(queue_id: str, kind: str = "queue") -> dict[str, Any]:
    return {"id": 19, "type": {"id": APPROVAL.type_id, "name": "Approval"}, "resource": {"type": kind, "id": queue_id}}


def test_a_check_is_added_with_type_settings_timeout_and_queue(writes: DevOpsWrites, service: Scripted) -> None:
    """The body of the published example AddApprovalCheckConfiguration."""
    service.reply("POST", CHECKS, made("12"))

    writes.add_check("prime", PROJECT, 12, "build", APPROVAL)

    assert service.only.query == {"api-version": "7.1-preview.1"}
    assert service.only.json == {
        "type": {"id": APPROVAL.type_id, "name": "Approval"},
        "settings": {"approvers": [{"id": ANN}]},
        "timeout": 60,
        "resource": {"type": "queue", "id": "12", "name": "build"},
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [(made("13"), NotEffective), (made("12", "endpoint"), NotEffective), ({}, Unavailable), ({"id": "x"}, Unavailable)],
)
def test_a_check_on_something_else_is_no_success(
    writes: DevOpsWrites, service: Scripted, answer: dict[str, Any], error: type[ReconcilerError]
) -> None:
    service.reply("POST", CHECKS, answer)

    with pytest.raises(error, match="checks of queue 12"):
        writes.add_check("prime", PROJECT, 12, "build", APPROVAL)


DEFINITION = f"/prime/{PROJECT}/_apis/build/definitions/5"


def full(**more: Any) -> dict[str, Any]:
    jobs = [{"target": {"queue": {"id": queue, "name": "build"}}, "steps": [1]} for queue in (12, 13)]
    return {
        "id": 5,
        "revision": 7,
        "queue": {"id": 12, "pool": {"id": 1}},
        "process": {"type": 1, "phases": jobs},
        "variables": {"a": {"value": "1"}},
        **more,
    }


def test_a_definition_is_put_whole_with_the_new_queue_wherever_the_old_one_stood(
    writes: DevOpsWrites, service: Scripted
) -> None:
    service.reply("GET", DEFINITION, full())
    service.reply("PUT", DEFINITION, full())

    writes.repoint_pipeline("prime", PROJECT, 5, 12, 44)

    first, second = service.seen[-2:]
    assert (first.method, second.method) == ("GET", "PUT")
    jobs = [{"target": {"queue": {"id": 44}}, "steps": [1]}, full()["process"]["phases"][1]]
    assert second.json == full(queue={"id": 44}, process={"type": 1, "phases": jobs})
    assert second.query == {"api-version": "7.1"}


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (full(variables={"a": {"isSecret": True, "value": None}}), Rejected),
        (full(id=6), Unavailable),
        (full(process=None), Unavailable),
        ([], Unavailable),
    ],
)
def test_a_definition_that_could_lose_something_is_not_put(
    writes: DevOpsWrites, service: Scripted, found: Any, error: type[ReconcilerError]
) -> None:
    service.reply("GET", DEFINITION, found)

    with pytest.raises(error, match="definition 5"):
        writes.repoint_pipeline("prime", PROJECT, 5, 12, 44)
    assert service.only.method == "GET"


def test_a_definition_that_names_the_queue_no_more_is_left_alone(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("GET", DEFINITION, full())

    writes.repoint_pipeline("prime", PROJECT, 5, 99, 44)
    assert service.only.method == "GET"


def test_a_role_is_put_as_one_assignment(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("PUT", ROLES, wrapped(assignment(ANN.upper(), "Administrator")))
    writes.assign_role("prime", SCOPE, "7", ANN, "Administrator")

    assert service.only.json == [{"userId": ANN, "roleName": "Administrator"}]
    assert service.only.query == {"api-version": "7.1-preview.1"}
    assert service.only.headers["content-type"] == "application/json; charset=utf-8"


def test_a_role_given_to_nobody_is_not_success(writes: DevOpsWrites, service: Scripted) -> None:
    """So the service answers an Entra object id: 200, and an empty list."""
    service.reply("PUT", ROLES, wrapped())

    with pytest.raises(NotEffective, match=f"role Administrator for {ANN}: .* no role was assigned"):
        writes.assign_role("prime", SCOPE, "7", ANN, "Administrator")


def test_another_role_than_asked_is_not_success(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("PUT", ROLES, wrapped(assignment(ANN, "Reader")))

    with pytest.raises(NotEffective, match="the assigned role is Reader"):
        writes.assign_role("prime", SCOPE, "7", ANN, "Administrator")


def test_a_role_given_to_somebody_else_is_not_success(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("PUT", ROLES, wrapped(assignment("other", "Administrator")))

    with pytest.raises(NotEffective, match="no role was assigned"):
        writes.assign_role("prime", SCOPE, "7", ANN, "Administrator")


def test_an_empty_answer_to_a_role_proves_nothing(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("PUT", ROLES, Reply())

    with pytest.raises(Unavailable, match="contains no list"):
        writes.assign_role("prime", SCOPE, "7", ANN, "Administrator")


def test_a_role_is_removed_by_a_list_of_ids_and_no_query(writes: DevOpsWrites, service: Scripted) -> None:
    """The same route with a query and no body would switch inheritance."""
    service.reply("PATCH", ROLES, Reply())
    writes.remove_role("prime", SCOPE, "7", ANN)

    assert service.only.json == [ANN]
    assert service.only.query == {"api-version": "7.1-preview.1"}


@pytest.mark.parametrize(("inherit", "text"), [(True, "true"), (False, "false")])
def test_inheritance_is_switched_by_a_query_and_no_body(
    writes: DevOpsWrites, service: Scripted, inherit: bool, text: str
) -> None:
    """The same route with a body would remove assignments."""
    service.reply("PATCH", ROLES, Reply(status=204))
    writes.set_inheritance("prime", SCOPE, "7", inherit)

    assert service.only.body == b""
    assert service.only.headers["content-length"] == "0"
    assert "content-type" not in service.only.headers
    assert service.only.query == {"inheritPermissions": text, "api-version": "7.1-preview.1"}


def subject(**names: str) -> Reply:
    return Reply({"descriptor": "aad.x", "origin": "aad", "displayName": "Ann", **names}, status=201)


REFUSED = Reply(failure("GraphBadRequestException", "no such subject"), status=400)


def test_an_address_is_made_known_as_a_user(writes: DevOpsWrites, service: Scripted) -> None:
    """The body must be sent whole: the package's own model of it sends an empty object."""
    service.reply("POST", "/prime/_apis/graph/users", subject(principalName="Ann@fabrikam.com", originId=OID))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aad.x", {"value": ANN})

    expected = Identity(ANN, "Ann", "Ann@fabrikam.com", "aad.x", OID)
    assert writes.materialise("prime", "ann@fabrikam.com") == expected
    assert service.seen[0].json == {"principalName": "ann@fabrikam.com"}
    assert service.seen[0].query == {"api-version": "7.1-preview.1"}


def test_an_address_is_tried_as_mail_of_a_user_and_of_a_group(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("POST", "/prime/_apis/graph/users", REFUSED)
    service.reply("POST", "/prime/_apis/graph/groups", subject(mailAddress="team@fabrikam.com"))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aad.x", {"value": ANN})

    assert writes.materialise("prime", "team@fabrikam.com").id == ANN
    assert [seen.json for seen in service.seen[:3]] == [
        {"principalName": "team@fabrikam.com"},
        {"mailAddress": "team@fabrikam.com"},
        {"mailAddress": "team@fabrikam.com"},
    ]


def test_an_object_id_is_tried_as_user_group_and_service_principal(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("POST", "/prime/_apis/graph/users", REFUSED)
    service.reply("POST", "/prime/_apis/graph/groups", REFUSED)
    service.reply("POST", "/prime/_apis/graph/serviceprincipals", subject(originId=OID, principalName="app"))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aad.x", {"value": ANN})

    assert writes.materialise("prime", OID) == Identity(ANN, "Ann", "app", "aad.x", OID)
    assert [(seen.path.rpartition("/")[2], seen.json) for seen in service.seen[:3]] == [
        ("users", {"originId": OID}),
        ("groups", {"originId": OID}),
        ("serviceprincipals", {"originId": OID}),
    ]


def test_a_principal_that_no_kind_takes_is_rejected_with_the_services_words(
    writes: DevOpsWrites, service: Scripted
) -> None:
    for kind in ("users", "groups", "serviceprincipals"):
        service.reply("POST", f"/prime/_apis/graph/{kind}", REFUSED)

    with pytest.raises(
        Rejected, match=f"principal {OID}: not found in any directory; POST serviceprincipals .*: no such subject"
    ):
        writes.materialise("prime", OID)


def test_an_answer_about_somebody_else_is_not_used(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("POST", "/prime/_apis/graph/users", subject(principalName="bob@fabrikam.com"))

    with pytest.raises(NotEffective, match="about another subject"):
        writes.materialise("prime", "ann@fabrikam.com")


def test_a_missing_right_ends_the_attempts(writes: DevOpsWrites, service: Scripted) -> None:
    service.reply("POST", "/prime/_apis/graph/users", Reply(failure("AccessDeniedException", "no"), status=403))

    with pytest.raises(Forbidden):
        writes.materialise("prime", OID)
    assert len(service.seen) == 1


def test_a_group_of_azure_devops_cannot_be_made_known(writes: DevOpsWrites, service: Scripted) -> None:
    with pytest.raises(Rejected, match="cannot be added from Entra"):
        writes.materialise("prime", "[prime]\\Platform")
    assert service.everything == []


@pytest.mark.parametrize("fault", ["reset", "cut"])
def test_a_write_that_may_have_arrived_is_not_sent_again(writes: DevOpsWrites, service: Scripted, fault: str) -> None:
    service.reply("POST", QUEUES, Reply(queue(12, 7), fault=fault))

    with pytest.raises(Unavailable, match=r"POST queue of agent pool 7 .*: the connection broke off"):
        writes.create_queue("prime", PROJECT, 7, "pool")
    assert len(service.seen) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_write_that_was_answered_with_trouble_is_not_sent_again(
    writes: DevOpsWrites, service: Scripted, status: int
) -> None:
    service.reply("PATCH", ROLES, Reply(status=status))

    with pytest.raises(ReconcilerError, match=f"organization prime: PATCH roles of {SCOPE}/7: {status}"):
        writes.remove_role("prime", SCOPE, "7", ANN)
    assert len(service.seen) == 1

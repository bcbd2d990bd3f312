"""Each read is exactly the documented request, and an answer is believed only where it holds what it must."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.adapters.devops.reads import DevOps
from reconciler.errors import ReconcilerError, Refused, Rejected, Unavailable
from reconciler.ports.devops import (
    AgentPool,
    Authorization,
    Group,
    Identity,
    PipelinePermissions,
    Project,
    Queue,
    RoleAssignment,
)
from tests.adapters.devops.scripted import Reply, Scripted, failure, table, wrapped

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
POOLS = "/prime/_apis/distributedtask/pools"
QUEUES = f"/prime/{PROJECT}/_apis/distributedtask/queues"
AUTHORIZED = f"/prime/{PROJECT}/_apis/build/authorizedresources"
PERMISSIONS = f"/prime/{PROJECT}/_apis/pipelines/pipelinePermissions/queue/12"
ROLES = "/prime/_apis/securityroles/scopes/distributedtask.agentpoolrole/roleassignments/resources/7"
ACLS = "/prime/_apis/AccessControlLists/101eae8c-1709-47f9-b228-0e476c35b3ba"
PROJECTS = "/prime/_apis/projects"


def queue(id_: int, pool: int) -> dict[str, Any]:
    return {"id": id_, "projectId": PROJECT, "name": f"pool-{pool}", "pool": {"id": pool, "name": f"pool-{pool}"}}


def test_every_request_carries_the_token_and_asks_not_to_be_sent_to_a_sign_in_page(
    reads: DevOps, service: Scripted
) -> None:
    service.reply("GET", POOLS, wrapped())
    reads.agent_pools("prime")

    for seen in service.everything:
        assert seen.headers["authorization"] == "Bearer canary-devops-token"
        assert seen.headers["x-tfs-fedauthredirect"] == "Suppress"
        assert seen.headers["x-vss-forcemsapassthrough"] == "true"


def test_agent_pools_are_all_automation_pools_with_fields_no_model_knows(reads: DevOps, service: Scripted) -> None:
    """The raw document is kept: what marks a Managed DevOps Pool is published nowhere, so nothing may be dropped."""
    document = {"id": 7, "name": "Fabrikam", "autoProvision": False, "isHosted": False, "somethingNew": {"a": 1}}
    service.reply("GET", POOLS, wrapped(document))

    expected = AgentPool(7, "Fabrikam", auto_provision=False, facts=document, hosted=False)
    assert reads.agent_pools("prime") == [expected]
    assert service.only.query == {"poolType": "automation"}
    assert service.only.version == "7.1-preview.1"


@pytest.mark.parametrize(
    ("fields", "hosted", "created_on"),
    [
        ({"createdOn": "2026-06-01T12:00:00.1234567Z"}, None, datetime(2026, 6, 1, 12, 0, 0, 123456, UTC)),
        ({"createdOn": "2026-06-01T14:00:00+02:00"}, None, datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ({"createdOn": None}, None, None),
        ({"isHosted": True}, True, None),
        ({"isHosted": False}, False, None),
        ({"isHosted": None}, None, None),
    ],
)
def test_what_an_agent_pool_does_not_say_is_not_guessed(
    reads: DevOps, service: Scripted, fields: dict[str, Any], hosted: bool | None, created_on: datetime | None
) -> None:
    service.reply("GET", POOLS, wrapped({"id": 7, "name": "Fabrikam", **fields}))

    (found,) = reads.agent_pools("prime")
    assert (found.hosted, found.created_on) == (hosted, created_on)


def test_projects_follow_the_header_that_names_the_next_page(reads: DevOps, service: Scripted) -> None:
    first = Reply(wrapped({"id": "A1", "name": "Web"}), headers={"X-MS-ContinuationToken": "1"})
    service.reply("GET", PROJECTS, first, wrapped({"id": "b2", "name": "Api"}))

    assert reads.projects("prime") == [Project("a1", "Web"), Project("b2", "Api")]
    assert [seen.query for seen in service.seen] == [
        {"stateFilter": "wellFormed", "$top": "500", "api-version": "7.1"},
        {"stateFilter": "wellFormed", "$top": "500", "continuationToken": "1", "api-version": "7.1"},
    ]


def test_a_full_page_of_projects_is_not_believed_to_be_the_last(reads: DevOps, service: Scripted) -> None:
    """A gateway that drops the header would otherwise make half of the projects look deleted."""
    full = wrapped(*({"id": f"p{n}", "name": f"P{n}"} for n in range(500)))
    service.reply("GET", PROJECTS, full, wrapped({"id": "last", "name": "Last"}))

    assert len(reads.projects("prime")) == 501
    assert service.seen[1].query["$skip"] == "500"


def test_pages_of_projects_that_never_end_are_an_error(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", PROJECTS, Reply(wrapped(), headers={"X-MS-ContinuationToken": "1"}))

    with pytest.raises(Unavailable, match="organization prime: projects: pagination did not end"):
        reads.projects("prime")
    assert len(service.seen) == 2


def test_queues_are_asked_for_by_pool_ids(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", QUEUES, wrapped(queue(12, 7), queue(13, 8), queue(14, 99)))

    assert reads.queues("prime", PROJECT, [7, 8]) == [
        Queue(12, "pool-7", PROJECT, 7),
        Queue(13, "pool-8", PROJECT, 8),
    ]
    assert service.only.query == {"poolIds": "7,8", "api-version": "7.1"}


def test_many_pools_are_asked_for_in_urls_of_fewer_than_2000_characters(reads: DevOps, service: Scripted) -> None:
    ids = list(range(1_000_000_000, 1_000_000_400))
    service.reply("GET", QUEUES, wrapped())
    reads.queues("prime", PROJECT, ids)

    asked = [seen.query["poolIds"].split(",") for seen in service.seen]
    assert [int(id_) for some in asked for id_ in some] == ids
    assert max(len(",".join(some)) for some in asked) < 1900


def test_two_hundred_pools_with_ids_as_the_service_gives_them_need_one_request(
    reads: DevOps, service: Scripted
) -> None:
    service.reply("GET", QUEUES, wrapped())
    reads.queues("prime", PROJECT, list(range(100_000, 100_200)))

    assert len(service.seen) == 1


def test_no_pools_need_no_request(reads: DevOps, service: Scripted) -> None:
    assert reads.queues("prime", PROJECT, []) == []
    assert service.everything == []


def test_an_open_queue_says_who_opened_it(reads: DevOps, service: Scripted) -> None:
    service.reply(
        "GET",
        PERMISSIONS,
        {
            "resource": {"type": "queue", "id": "12"},
            "allPipelines": {
                "authorized": True,
                "authorizedBy": {"displayName": "Ann", "id": "x"},
                "authorizedOn": "2026-03-01T10:11:12.3456789Z",
            },
            "pipelines": [
                {
                    "id": 6,
                    "authorized": True,
                    "authorizedBy": {"uniqueName": "bo@fabrikam.com"},
                    "authorizedOn": "2026-03-01T10:11:12Z",
                },
                {"id": 9, "authorized": False},
            ],
        },
    )

    assert reads.pipeline_permissions("prime", PROJECT, 12) == PipelinePermissions(
        all_pipelines=True,
        pipelines=frozenset({6}),
        authorizations=(
            Authorization(None, "Ann", "2026-03-01T10:11:12Z"),
            Authorization(6, "bo@fabrikam.com", "2026-03-01T10:11:12Z"),
        ),
    )
    assert service.only.version == "7.1-preview.1"


def test_a_queue_without_the_flag_is_closed(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", PERMISSIONS, {"resource": {"type": "queue", "id": "12"}, "pipelines": []})

    assert reads.pipeline_permissions("prime", PROJECT, 12) == PipelinePermissions(all_pipelines=False)


@pytest.mark.parametrize("answer", [{}, {"resource": {"type": "queue", "id": "13"}, "pipelines": []}])
def test_permissions_of_another_queue_do_not_say_that_this_one_is_closed(
    reads: DevOps, service: Scripted, answer: dict[str, Any]
) -> None:
    service.reply("GET", PERMISSIONS, answer)

    with pytest.raises(Unavailable, match="about another resource"):
        reads.pipeline_permissions("prime", PROJECT, 12)


def test_a_group_knows_its_project(reads: DevOps, service: Scripted) -> None:
    mine = {
        "descriptor": "vssgp.a",
        "principalName": "[Web]\\Readers",
        "domain": f"vstfs:///Classification/TeamProject/{PROJECT}",
    }
    top = {"descriptor": "vssgp.b", "principalName": "[prime]\\Operators", "domain": "vstfs:///Framework/x/1"}
    service.reply("GET", "/prime/_apis/graph/groups", wrapped(mine, top))

    found = reads.groups("prime")

    assert found == [
        Group("[Web]\\Readers", descriptor="vssgp.a", project=PROJECT),
        Group("[prime]\\Operators", descriptor="vssgp.b"),
    ]
    assert [group.scope for group in found] == ["Web", "prime"]
    assert service.only.query == {"subjectTypes": "vssgp", "api-version": "7.1-preview.1"}


def test_role_assignments_tell_assigned_from_inherited(reads: DevOps, service: Scripted) -> None:
    service.reply(
        "GET",
        ROLES,
        wrapped(
            {
                "identity": {"displayName": "Ann", "id": "AAAA", "uniqueName": "ann@fabrikam.com"},
                "role": {"name": "Administrator", "scope": "distributedtask.agentpoolrole"},
                "access": "assigned",
            },
            {"identity": {"displayName": "Bo", "id": "b"}, "role": {"name": "Reader"}, "access": "inherited"},
        ),
    )

    assert reads.role_assignments("prime", "distributedtask.agentpoolrole", "7") == [
        RoleAssignment(Identity("aaaa", "Ann", "ann@fabrikam.com"), "Administrator", inherited=False),
        RoleAssignment(Identity("b", "Bo"), "Reader", inherited=True),
    ]
    assert service.only.query == {"api-version": "7.1-preview.1"}


@pytest.mark.parametrize("entry", [{}, {"identity": {"id": "a"}, "role": {"name": "Reader"}, "access": "other"}])
def test_a_role_assignment_that_is_not_whole_is_not_skipped(
    reads: DevOps, service: Scripted, entry: dict[str, Any]
) -> None:
    """Skipped, it would be an administrator who is in no plan."""
    service.reply("GET", ROLES, wrapped(entry))

    with pytest.raises(Unavailable, match="an entry of the response is incomplete"):
        reads.role_assignments("prime", "distributedtask.agentpoolrole", "7")


def test_inheritance_of_all_pools_is_one_read(reads: DevOps, service: Scripted) -> None:
    service.reply(
        "GET",
        ACLS,
        wrapped(
            {"inheritPermissions": True, "token": "AgentPools", "acesDictionary": {}},
            {"inheritPermissions": False, "token": "AgentPools/7", "acesDictionary": {}},
            {"inheritPermissions": True, "token": "AgentPools/8", "acesDictionary": {}},
            {"inheritPermissions": False, "token": "AgentQueues/8", "acesDictionary": {}},
        ),
    )

    assert reads.inheritance("prime") == {7: False, 8: True}
    assert service.only.query == {"token": "AgentPools", "includeExtendedInfo": "false", "recurse": "true"}


def test_an_access_control_list_without_the_switch_does_not_mean_off(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", ACLS, wrapped({"token": "AgentPools/7"}))

    with pytest.raises(Unavailable, match="inheritPermissions in the response is neither"):
        reads.inheritance("prime")


def test_we_are_whom_connection_data_says(reads: DevOps, service: Scripted) -> None:
    user = {
        "id": "0AC7-ME",
        "providerDisplayName": "operator",
        "subjectDescriptor": "aadsp.abc",
        "properties": {"Account": {"$type": "System.String", "$value": "op@fabrikam.com"}},
    }
    service.reply("GET", "/prime/_apis/ConnectionData", {"authenticatedUser": user})

    assert reads.me("prime") == Identity("0ac7-me", "operator", "op@fabrikam.com", "aadsp.abc")
    assert service.only.version == "7.1-preview.1"


def test_nobody_is_not_an_identity(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", "/prime/_apis/ConnectionData", {})

    with pytest.raises(Unavailable, match="names no user"):
        reads.me("prime")


@pytest.mark.parametrize("answer", [{}, {"value": None}, {"count": 2, "value": []}, [], "text", {"value": {"a": 1}}])
@pytest.mark.parametrize("read", ["pools", "projects", "queues", "authorized", "roles", "inheritance"])
def test_what_is_no_whole_list_is_an_error_and_never_an_empty_one(
    reads: DevOps, service: Scripted, read: str, answer: Any
) -> None:
    """Absence is what writes are decided on."""
    calls: dict[str, tuple[str, Callable[[], object]]] = {
        "pools": (POOLS, lambda: reads.agent_pools("prime")),
        "projects": (PROJECTS, lambda: reads.projects("prime")),
        "queues": (QUEUES, lambda: reads.queues("prime", PROJECT, [7])),
        "authorized": (AUTHORIZED, lambda: reads.authorized_queues("prime", PROJECT)),
        "roles": (ROLES, lambda: reads.role_assignments("prime", "distributedtask.agentpoolrole", "7")),
        "inheritance": (ACLS, lambda: reads.inheritance("prime")),
    }
    path, call = calls[read]
    service.reply("GET", path, answer)

    with pytest.raises(Unavailable, match="organization prime: "):
        call()


@pytest.mark.parametrize(
    "entry", [{}, None, "queue", {"id": 12, "name": "a"}, {"id": "12", "name": "a", "pool": {"id": 7}}]
)
def test_a_queue_that_is_not_whole_is_not_skipped(reads: DevOps, service: Scripted, entry: Any) -> None:
    """Skipped, it would look missing, and be made again."""
    service.reply("GET", QUEUES, wrapped(entry))

    with pytest.raises(Unavailable, match="is incomplete"):
        reads.queues("prime", PROJECT, [7])


@pytest.mark.parametrize(
    "entry",
    [{"id": "seven", "name": "x"}, {"name": "no id"}, {"id": 7}, {"id": 7, "name": "x", "createdOn": "not a date"}],
)
def test_an_entry_that_cannot_be_read_is_an_error(reads: DevOps, service: Scripted, entry: dict[str, Any]) -> None:
    service.reply("GET", POOLS, wrapped(entry))

    with pytest.raises(Unavailable):
        reads.agent_pools("prime")


def test_a_route_that_the_organization_does_not_have_is_rejected(reads: DevOps, service: Scripted) -> None:
    service.reply("OPTIONS", "/bare/_apis", table("pools"))

    with pytest.raises(Rejected, match="agent pools: the organization does not list this route"):
        reads.agent_pools("bare")
    assert {seen.path for seen in service.everything} == {"/bare/_apis"}


def test_an_empty_table_of_routes_is_not_kept(reads: DevOps, service: Scripted) -> None:
    """The package would keep it for as long as the process runs."""
    service.reply("OPTIONS", "/young/_apis", wrapped(), table())
    service.reply("GET", "/young/_apis/distributedtask/pools", wrapped())

    with pytest.raises(Unavailable, match="OPTIONS routes: 200: the response contains no routes"):
        reads.agent_pools("young")
    assert reads.agent_pools("young") == []


def test_discovery_is_one_request_for_each_endpoint(reads: DevOps, service: Scripted) -> None:
    """Resource areas are never asked for: what they say decides where the package sends the token."""
    service.reply("GET", "/calm/_apis/distributedtask/pools", wrapped())
    service.reply("GET", f"/calm/{PROJECT}/_apis/distributedtask/queues", wrapped())
    for _ in range(3):
        reads.agent_pools("calm")
        reads.queues("calm", PROJECT, [1])

    assert [seen.path for seen in service.everything if seen.method == "OPTIONS"] == ["/calm/_apis"]
    assert not [seen for seen in service.seen if "ResourceAreas" in seen.path]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "evil.example", "a b", "-a", "https://evil.example"])
def test_what_is_no_name_of_an_organization_is_not_called(reads: DevOps, service: Scripted, name: str) -> None:
    with pytest.raises(Refused, match="not a name of an organization"):
        reads.agent_pools(name)
    with pytest.raises(Refused, match="not a name of an organization"):
        reads.projects(name)
    assert service.everything == []


def test_a_hidden_project_says_which_call_and_what_the_service_said(reads: DevOps, service: Scripted) -> None:
    body = failure("AccessDeniedException", "Access denied.\n  Ann needs View permissions.")
    service.reply("GET", QUEUES, Reply(body, status=403))

    with pytest.raises(ReconcilerError) as caught:
        reads.queues("prime", PROJECT, [7])
    assert str(caught.value) == (
        f"organization prime: GET queues of project {PROJECT}: 403 AccessDeniedException: "
        "Access denied. Ann needs View permissions."
    )

"""What people do by hand shows in their name, and mistakes say what there is."""

from __future__ import annotations

import pytest

from emulator.control import ControlError
from tests.emulator.devops.fabrikam import POOLS, Caller

DEV = "/dev/_apis/pipelines/pipelinepermissions/queue/70"


def edit(caller: Caller, what: str, **arguments: object) -> object:
    return caller.do.edit(what, organization="prime", **arguments)


def test_open_access_by_hand_shows_whose_hand_it_was(operator: Caller) -> None:
    edit(operator, "close-access", pool="build", project="dev", by="bob")
    assert "allPipelines" not in operator.ok("GET", DEV)
    edit(operator, "open-access", pool="build", project="dev", by="bob")

    assert operator.ok("GET", DEV)["allPipelines"]["authorizedBy"]["displayName"] == "Bob Bobson"
    (entry,) = [e for e in events(operator) if e["actionId"] == "Pipelines.ResourceAuthorizedForProject"]
    assert (entry["actorDisplayName"], entry["data"]) == (
        "Bob Bobson",
        {"ResourceType": "queue", "ResourceId": "70"},
    )


@pytest.mark.parametrize("told", [True, False])
def test_an_entry_may_have_the_name_of_the_program(operator: Caller, *, told: bool) -> None:
    """Of the call that caused it."""
    operator.do.switch("devops.audit-user-agent", told)
    operator.session.headers["User-Agent"] = "fabrikam/1"

    for authorized in (False, True):
        operator.ok("PATCH", DEV, {"allPipelines": {"authorized": authorized}})

    found = [e["userAgent"] for e in events(operator) if e["actionId"] == "Pipelines.ResourceAuthorizedForProject"]
    assert found[-1:] == (["fabrikam/1"] if told else [""])


def events(caller: Caller) -> list[dict[str, object]]:
    root = caller.by("root")
    return list(root.ok("GET", "/_apis/audit/auditlog", batchSize=100)["decoratedAuditLogEntries"])


def test_projects_come_go_hide_and_change_their_names(operator: Caller) -> None:
    assert isinstance(edit(operator, "create-project", name="new"), str)
    edit(operator, "rename-project", project="new", to="newer")
    edit(operator, "hide-project", project="dev")
    edit(operator, "delete-project", project="test")
    found = {one["name"] for one in operator.values("GET", "/_apis/projects")}
    assert found == {"newer", "foreign"}

    edit(operator, "show-project", project="dev")
    edit(operator, "restore-project", project="test")
    found = {one["name"] for one in operator.values("GET", "/_apis/projects")}
    assert found == {"newer", "foreign", "dev", "test"}
    published = {e["actionId"] for e in events(operator)}
    assert {f"Project.{word}Completed" for word in ("Create", "UpdateRename", "SoftDelete", "Restore")} <= published


def test_pools_come_go_hide_and_change_their_names(operator: Caller) -> None:
    edit(operator, "create-pool", pool="fresh")
    edit(operator, "rename-pool", pool="build", to="built")
    edit(operator, "hide-pool", pool="other")
    assert [one["name"] for one in operator.values("GET", POOLS)] == ["built", "fresh"]

    edit(operator, "show-pool", pool="other")
    edit(operator, "delete-pool", pool="fresh")
    assert [one["name"] for one in operator.values("GET", POOLS)] == ["built", "other"]


def test_queues_and_pipelines_are_made_and_authorized(operator: Caller) -> None:
    queue = edit(operator, "create-queue", pool="other", project="test")
    pipeline = edit(operator, "create-pipeline", project="test", name="late", path="\\x")
    edit(operator, "authorize-pipeline", pool="other", project="test", pipeline=pipeline)
    path = f"/test/_apis/pipelines/pipelinepermissions/queue/{queue}"
    found = operator.by("root").ok("GET", path)
    assert [one["id"] for one in found["pipelines"]] == [pipeline]

    edit(operator, "authorize-pipeline", pool="other", project="test", pipeline=pipeline, authorized=False)
    assert operator.by("root").ok("GET", path)["pipelines"] == []
    edit(operator, "delete-queue", pool="build", project="dev")
    assert operator.call("GET", "/dev/_apis/distributedtask/queues/70").status_code == 404


def test_people_come_and_go(operator: Caller) -> None:
    edit(operator, "add-identity", principal="carl")
    edit(operator, "add-member", group="[Prime]\\Platform", member="carl")
    assert operator.by("carl").ok("GET", f"{POOLS}/7")["id"] == 7
    edit(operator, "remove-member", group="[Prime]\\Platform", member="carl")
    assert operator.by("carl").call("GET", f"{POOLS}/7").status_code == 404
    edit(operator, "remove-identity", principal="carl")
    assert operator.by("carl").call("GET", f"{POOLS}/7").status_code == 401


def test_roles_and_inheritance_are_set_by_hand(operator: Caller) -> None:
    path = "/_apis/securityroles/scopes/distributedtask.agentpoolrole/roleassignments/resources/7"
    edit(operator, "set-role", who="bob", role="Reader", pool="build", by="ann")
    edit(operator, "set-inheritance", on=False, pool="build", by="ann")
    held = {one["identity"]["displayName"]: one["access"] for one in operator.by("ann").values("GET", path)}
    assert held == {"Ann Arbor": "assigned", "[Prime]\\Platform": "assigned", "Bob Bobson": "assigned"}

    edit(operator, "remove-role", who="bob", pool="build", by="ann")
    assert len(operator.by("ann").values("GET", path)) == 2


def test_the_operator_can_lose_every_right(operator: Caller) -> None:
    edit(operator, "take-rights")

    assert operator.values("GET", POOLS) == []
    assert operator.values("GET", "/dev/_apis/distributedtask/queues") == []
    assert operator.values("GET", "/_apis/projects")


@pytest.mark.parametrize(
    ("what", "arguments", "words"),
    [
        ("create-projekt", {}, "did you mean 'create-project'"),
        ("xyzzy", {}, "there are"),
        ("create-project", {}, "missing a required argument"),
        ("create-project", {"name": "dev"}, "exists"),
        ("create-project", {"name": "x", "colour": "red"}, "it takes name"),
        ("create-pool", {"pool": "build"}, "exists"),
        ("create-queue", {"pool": "build", "project": "dev"}, "has a queue"),
        ("rename-project", {"project": "nothing", "to": "x"}, "'nothing' does not exist"),
        ("rename-pool", {"pool": "nothing", "to": "x"}, "there are: build, other, unseen"),
        ("delete-queue", {"pool": "other", "project": "test"}, "has no queue"),
        ("add-identity", {"principal": "nobody"}, "principals"),
        ("remove-identity", {"principal": "carl"}, "not an identity"),
        ("set-role", {"who": "bob", "role": "Emperor", "pool": "build"}, "there are Reader"),
        ("open-access", {"pool": "build", "project": "dev", "by": "nobody"}, "by: 'nobody'"),
    ],
)
def test_a_mistake_says_what_there_is(operator: Caller, what: str, arguments: dict[str, str], words: str) -> None:
    with pytest.raises(ControlError, match=words):
        edit(operator, what, **arguments)


def test_the_organization_has_to_be_named_where_there_are_several(operator: Caller) -> None:
    with pytest.raises(ControlError, match="there are prime, second"):
        operator.do.edit("create-project", name="x")


def test_what_is_open_already_keeps_its_author(operator: Caller) -> None:
    edit(operator, "open-access", pool="build", project="dev", by="bob")

    assert operator.ok("GET", DEV)["allPipelines"]["authorizedBy"]["displayName"] == "Ann Arbor"

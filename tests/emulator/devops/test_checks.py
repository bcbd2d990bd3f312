"""Approvals and checks on queues, and the queues that definitions name by id."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.devops.fabrikam import Caller, estate, things

CHECKS = "/dev/_apis/pipelines/checks/configurations"
DEFINITIONS = "/dev/_apis/build/definitions"
APPROVAL = {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d", "name": "Approval"}
SETTINGS = {"approvers": [{"displayName": "Ann Arbor", "id": "1"}], "minRequiredApprovers": 1}
ON_DEV = {"resourceType": "queue", "resourceId": "70"}


def wanted(**more: Any) -> dict[str, Any]:
    return {
        "type": APPROVAL,
        "settings": SETTINGS,
        "timeout": 60,
        "resource": {"type": "queue", "id": "70"},
        **more,
    }


def test_a_check_is_added_read_changed_and_removed(operator: Caller) -> None:
    made = operator.ok("POST", CHECKS, wanted())
    one = f"{CHECKS}/{made['id']}"

    assert (made["type"], made["settings"], made["timeout"]) == (APPROVAL, SETTINGS, 60)
    assert made["resource"] == {"type": "queue", "id": "70", "name": "build"}
    (listed,) = operator.values("GET", CHECKS, **ON_DEV)
    assert "settings" not in listed
    (whole,) = operator.values("GET", CHECKS, __expand="settings", **ON_DEV)
    assert whole["settings"] == SETTINGS
    assert operator.values("GET", CHECKS, resourceType="queue", resourceId="80") == []
    changed = operator.ok("PATCH", one, {"settings": {"minRequiredApprovers": 2}, "timeout": 5})
    assert (changed["settings"], changed["timeout"]) == ({"minRequiredApprovers": 2}, 5)
    assert (changed["modifiedOn"] >= made["createdOn"], changed["createdBy"]) == (True, made["createdBy"])
    assert operator.call("DELETE", one).status_code == 204
    assert operator.values("GET", CHECKS, **ON_DEV) == []
    assert operator.call("GET", one).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"type": {}}, {"type": {"id": "x"}}, {"resource": {"type": "queue"}}, {"settings": 5}, {"resource": 5}]
)
def test_an_invalid_check_is_refused(operator: Caller, wrong: dict[str, Any]) -> None:
    before = things(operator)

    assert operator.call("POST", CHECKS, wanted(**wrong)).status_code == 400
    assert things(operator) == before


def test_only_an_administrator_of_the_queue_writes_checks(operator: Caller, bob: Caller) -> None:
    number = operator.ok("POST", CHECKS, wanted())["id"]
    before = things(operator)

    for method, path, body in (("POST", CHECKS, wanted()), ("PATCH", f"{CHECKS}/{number}", {"timeout": 1})):
        assert bob.call(method, path, body).status_code in {403, 404}
    assert bob.call("DELETE", f"{CHECKS}/{number}").status_code in {403, 404}
    assert things(operator) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": {"type": "queue", "id": "80"}},
        {"type": {"id": "fe1de3ee-a436-41b4-bb20-f6eb4cb879a7"}},
        {"settings": 5},
        {"timeout": "x"},
        {"isDisabled": "yes"},
    ],
)
def test_a_check_keeps_its_queue_and_its_type(operator: Caller, wrong: dict[str, Any]) -> None:
    number = operator.ok("POST", CHECKS, wanted())["id"]
    before = things(operator)

    assert operator.call("PATCH", f"{CHECKS}/{number}", wanted(**wrong)).status_code == 400
    assert things(operator) == before


def test_who_changed_a_check_and_that_it_is_disabled_is_told_and_dumped(operator: Caller, bob: Caller) -> None:
    number = operator.do.edit("add-check", organization="prime", pool="build", project="dev", settings=SETTINGS)
    operator.do.edit("set-role", organization="prime", pool="build", project="dev", who="bob", role="Administrator")
    changed = bob.ok("PATCH", f"{CHECKS}/{number}", {"isDisabled": True})
    operator.do.replace(operator.do.state())

    found = operator.ok("GET", f"{CHECKS}/{number}")
    assert found["isDisabled"] is True
    assert found["modifiedBy"]["id"] == changed["modifiedBy"]["id"] != found["createdBy"]["id"]


@pytest.mark.parametrize(("word", "more"), [("as-written", 0), ("completed", 4)])
def test_what_an_approval_leaves_out_is_filled_in_or_not(operator: Caller, word: str, more: int) -> None:
    operator.do.switch("devops.check-settings", word)

    made = operator.ok("POST", CHECKS, wanted())

    assert {name: made["settings"][name] for name in SETTINGS} == SETTINGS
    assert len(made["settings"]) == len(SETTINGS) + more


@pytest.mark.parametrize(
    ("word", "status", "kept"), [("kept", 200, True), ("dropped", 200, False), ("refused", 400, None)]
)
def test_a_setting_that_an_approval_does_not_have_is_kept_or_not(
    operator: Caller, word: str, status: int, kept: bool | None
) -> None:
    operator.do.switch("devops.check-unknown-settings", word)

    asked = wanted()
    made = operator.call("POST", CHECKS, {**asked, "settings": {**asked["settings"], "quorum": 2}})

    assert (made.status_code, ("quorum" in made.json()["settings"]) if kept is not None else None) == (status, kept)
    assert operator.call("POST", CHECKS, asked).status_code == 200


@pytest.mark.parametrize(("word", "status"), [("taken", 200), ("known", 400)])
def test_an_unknown_approver_is_taken_or_refused(operator: Caller, word: str, status: int) -> None:
    operator.do.switch("devops.check-approvers", word)

    assert operator.call("POST", CHECKS, wanted()).status_code == status


@pytest.mark.parametrize(("word", "status", "count"), [("listed", 200, 1), ("empty", 200, 0), ("refused", 403, 0)])
def test_what_an_onlooker_gets_is_a_switch(operator: Caller, bob: Caller, word: str, status: int, count: int) -> None:
    operator.do.edit("add-check", organization="prime", pool="build", project="dev")
    operator.do.edit("set-role", organization="prime", pool="build", project="dev", who="bob", role="Reader")
    operator.do.switch("devops.checks-without-administrator", word)

    answer = bob.call("GET", CHECKS, **ON_DEV)

    assert answer.status_code == status
    assert len(answer.json().get("value") or ()) == count
    assert len(operator.values("GET", CHECKS, **ON_DEV)) == 1


def test_checks_go_with_their_queue_and_stay_in_a_dump(operator: Caller) -> None:
    number = operator.do.edit("add-check", organization="prime", pool="build", project="dev", settings=SETTINGS)
    operator.do.replace(operator.do.state())

    assert operator.ok("GET", f"{CHECKS}/{number}", __expand="settings")["settings"] == SETTINGS
    operator.do.edit("delete-queue", organization="prime", pool="build", project="dev")
    operator.do.edit("create-queue", organization="prime", pool="build", project="dev")
    assert operator.values("GET", CHECKS, resourceType="queue") == []


def test_a_definition_keeps_the_id_of_a_queue_that_is_gone(operator: Caller) -> None:
    """By default and by the jobs of a classic definition; these are in the full form alone."""
    edit = {"organization": "prime", "project": "dev"}
    operator.do.edit("create-pipeline", name="a", pool="build", **edit)
    operator.do.edit("create-pipeline", name="b", job_pool="build", **edit)
    operator.do.edit("create-pipeline", name="c", **edit)
    short = operator.values("GET", DEFINITIONS)
    assert [one.get("queue", {}).get("name") for one in short] == ["build", None, None]
    assert not any("process" in one for one in short)

    operator.do.edit("delete-queue", organization="prime", pool="build", project="dev")
    operator.do.replace(operator.do.state())
    a, b, c = operator.values("GET", DEFINITIONS, includeAllProperties="true")

    assert a["queue"] == {"id": 70}
    assert [phase["target"]["queue"] for phase in b["process"]["phases"]] == [{"id": 70}]
    assert (a["process"]["type"], b["process"]["type"], "queue" in c) == (2, 1, False)
    assert operator.ok("GET", f"{DEFINITIONS}/{b['id']}")["process"] == b["process"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"phases": ["x"]}, "phases: 'x' is not a whole number"),
        ({"queue": "x"}, "queue: 'x' is not a whole number"),
    ],
)
def test_a_wrong_queue_of_a_definition_is_named(operator: Caller, wrong: dict[str, Any], message: str) -> None:
    given = estate(projects=[{"name": "dev", "pipelines": [{"name": "a", **wrong}]}], agentPools=[])

    with pytest.raises(Exception, match=message):
        operator.do.replace(given)


SECRET = {"token": {"value": "hunter2", "isSecret": True}, "plain": {"value": "1"}}


@pytest.mark.parametrize(("word", "kept"), [("kept", "hunter2"), ("lost", None)])
def test_a_definition_is_changed_whole_at_its_revision(operator: Caller, word: str, kept: str | None) -> None:
    """Values of secret variables are never returned; what an update without them does is a switch."""
    operator.do.switch("devops.definition-secrets", word)
    operator.do.edit("add-member", organization="prime", group="[dev]\\Project Administrators", member="operator")
    edit = {"organization": "prime", "project": "dev"}
    number = operator.do.edit("create-pipeline", name="a", job_pool="build", variables=SECRET, **edit)
    one = f"{DEFINITIONS}/{number}"
    found = operator.ok("GET", one)
    assert found["variables"]["token"] == {"value": None, "isSecret": True}

    changed = operator.ok("PUT", one, {**found, "queue": {"id": 70}})

    assert (changed["revision"], changed["queue"]["id"]) == (found["revision"] + 1, 70)
    assert operator.call("PUT", one, found).status_code == 409
    operator.do.replace(operator.do.state())
    prime = next(one for one in operator.do.state()["organizations"] if one["name"].lower() == "prime")
    (stored,) = [p for project in prime["projects"] for p in project["pipelines"] if p["id"] == number]
    assert stored["variables"]["token"]["value"] == kept
    before = things(operator)
    for wrong in ({"id": 9}, {"queue": {"id": 999}}, {"process": 5}, {"variables": 5}):
        assert operator.call("PUT", one, {**changed, **wrong}).status_code == 400
    assert things(operator) == before


def test_who_may_not_edit_pipelines_changes_no_definition(operator: Caller) -> None:
    number = operator.do.edit("create-pipeline", name="a", pool="build", organization="prime", project="dev")
    found = operator.ok("GET", f"{DEFINITIONS}/{number}")

    assert operator.call("PUT", f"{DEFINITIONS}/{number}", found).status_code == 403

"""Approvals and checks of queues are added again after a replacement, before anything is opened; or nothing is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from reconciler.plan.rights.required import COLLECTION_ADMINISTRATORS as COLLECTION
from tests.scenarios.drafts import POOL, TAILSPIN, managed, organization
from tests.scenarios.test_replacement import POLICY, location, moved, stalled
from tests.scenarios.world import World, gaps, positions, rules

OPENING = "pipelinepermissions.update"
WEB = {"organization": TAILSPIN, "pool": POOL, "project": "Web"}
HOURS = {
    "displayName": "Business Hours",
    "definitionRef": {
        "id": "445fde2f-6c39-441c-807f-8a59ff2e075f",
        "name": "evaluateBusinessHours",
        "version": "0.0.1",
    },
    "inputs": {"businessDays": "Monday", "timeZone": "UTC", "startTime": "04:00", "endTime": "11:00"},
    "retryInterval": 5,
}
BRANCHES = {
    "displayName": "Branch control",
    "definitionRef": {
        "id": "86b05a0c-73e6-4f7d-b3cf-e38f3b39a75b",
        "name": "evaluatebranchProtection",
        "version": "0.0.1",
    },
    "inputs": {"allowedBranches": "refs/heads/main", "ensureProtectionOfBranch": "true"},
}
FUNCTION = {
    "displayName": "Ask the gate",
    "definitionRef": {"id": "x", "name": "AzureFunction", "version": "1"},
    "inputs": {"function": "https://gate.example", "key": None},
}


@pytest.fixture
def settled(world: World) -> World:
    """One pool, in sync; each test says which checks its queues have before it is wanted elsewhere."""
    world.policy(POLICY)
    world.only(POOL)
    world.settle()
    world.do.reset_log()
    return world


def approval(world: World, who: str = "ann") -> dict[str, Any]:
    return {
        "approvers": [{"displayName": who.title(), "id": local_id(world, who)}],
        "executionOrder": "anyOrder",
        "minRequiredApprovers": 1,
        "instructions": "Look at the change first",
    }


def local_id(world: World, who: str) -> str:
    identities = world.truth.organization(TAILSPIN)["identities"]
    return str(next(one["id"] for one in identities if one["principal"] == who))


def checks(world: World, project: str = "Web") -> list[dict[str, Any]]:
    """The checks of the project's queue, with people by their ids alone."""
    queues = world.truth.agent_pool(TAILSPIN, POOL)["queues"]
    (queue,) = [one for one in queues if one["project"] == project]
    found = []
    for check in queue.get("checks", ()):
        settings = dict(check["settings"])
        if "approvers" in settings:
            settings["approvers"] = [one["id"] for one in settings["approvers"]]
        found.append({"type": check["type"]["name"], "settings": settings, "timeout": check["timeout"]})
    return sorted(found, key=str)


def is_open(world: World, project: str = "Web") -> bool:
    return bool(world.truth.opened(TAILSPIN, POOL)[project])


def one_after_the_other(world: World) -> None:
    """Delete, and let the new pool be created and read once."""
    world.spec(moved())
    assert world.apply().outcome is Outcome.PROGRESSING
    world.do.settle()


def test_checks_are_on_the_new_queue_before_it_is_opened(settled: World) -> None:
    settled.by_hand("add-check", settings=approval(settled), **WEB)
    settled.by_hand("add-check", kind="Task Check", settings=HOURS, **WEB)
    settled.by_hand("add-check", kind="Task Check", settings=BRANCHES, **WEB)
    settled.by_hand("add-check", kind="ExclusiveLock", **WEB)
    settled.by_hand("add-check", settings=approval(settled, "bob"), **{**WEB, "project": "Data"})
    before = {project: checks(settled, project) for project in ("Web", "Data", "Mobile")}
    assert is_open(settled)
    settled.spec(moved())

    (change,) = settled.plan().changes
    again = {line.path: line for line in change.details}[f"{TAILSPIN} approvals and checks"]
    assert (again.after, len(again.before)) == ("created again afterwards", 5)
    settled.settle()

    assert location(settled) == "westeurope"
    assert {project: checks(settled, project) for project in before} == before
    assert is_open(settled)
    routes = [(entry["route"], entry["body"]) for entry in settled.writes()]
    (created,) = [body for route, body in routes if route == "Pools_CreateOrUpdate"]
    uses = created["properties"]["organizationProfile"]["organizations"]
    assert not any(one.get("openAccess") for one in uses if one["url"].endswith(TAILSPIN))
    names = [route for route, _ in routes]
    added = positions(names, "checks.add")
    # Mobile's queue had no check and does not wait; the others are opened after the last of theirs.
    opened = positions(names, OPENING)
    assert (len(added), len(opened), len([one for one in opened if one > max(added)])) == (5, 3, 3)
    assert settled.apply().status.replacing is None


@pytest.mark.parametrize("word", ["as-written", "completed"])
def test_what_the_service_adds_to_settings_does_no_harm(settled: World, word: str) -> None:
    settled.switch(devops__check_settings=word)
    settings = {"approvers": [{"id": local_id(settled, "ann")}], "minRequiredApprovers": 1}
    settled.by_hand("add-check", settings=settings, **WEB)
    one_after_the_other(settled)
    settled.settle()

    assert [one["type"] for one in checks(settled)] == ["Approval"]
    assert is_open(settled)


@pytest.mark.parametrize("word", ["kept", "dropped", "refused"])
def test_a_setting_that_this_release_does_not_know_is_added_again_or_a_person_is_asked(
    settled: World, word: str
) -> None:
    """Without it the check may be weaker than the one that was there, so nothing is opened behind it."""
    before = {**approval(settled), "quorum": {"of": ["ann"]}}
    settled.by_hand("add-check", settings=before, **WEB)
    settled.switch(devops__check_unknown_settings=word)
    one_after_the_other(settled)
    settled.settle()

    result = settled.apply()
    if word == "kept":
        assert [one["settings"].get("quorum") for one in checks(settled)] == [before["quorum"]]
        assert is_open(settled)
        return
    assert (result.outcome, len(checks(settled)), is_open(settled)) == (Outcome.STALLED, word == "dropped", False)
    assert "quorum" in stalled(result)[1]
    assert ("by hand" in stalled(result)[1]) == (word == "dropped")
    for one in settled.truth.agent_pool(TAILSPIN, POOL)["queues"]:
        for check in one.get("checks", ()):
            settled.by_hand("remove-check", check=check["id"], **WEB)
    settled.by_hand("add-check", settings=approval(settled), by="bob", **WEB)
    settled.settle()
    assert ([one["type"] for one in checks(settled)], is_open(settled)) == (["Approval"], True)


@pytest.mark.parametrize("kind", ["Approval", "Task Check"])
def test_a_check_that_cannot_be_added_again_keeps_the_pool(settled: World, kind: str) -> None:
    """An approval whose approvers have no ids, a task whose inputs may be secrets."""
    number = settled.by_hand("add-check", kind=kind, settings=FUNCTION if kind == "Task Check" else {}, **WEB)
    settled.spec(moved())

    result = settled.apply()

    reason, message = stalled(result)
    assert (reason, rules(result.plan), settled.routes()) == ("Refused", ["checks-lost"], [])
    assert ("its inputs may be secrets" if kind == "Task Check" else "names no ids of its approvers") in message
    settled.by_hand("remove-check", check=number, **WEB)
    settled.settle()
    assert location(settled) == "westeurope"


def test_an_operator_that_could_not_add_checks_again_deletes_nothing(settled: World) -> None:
    """It administers this queue, by a role that goes with it, and not all queues of the project."""
    settled.by_hand("add-check", settings=approval(settled), **WEB)
    operator = {"organization": TAILSPIN, "who": "operator"}
    settled.by_hand("remove-member", organization=TAILSPIN, group=f"[{TAILSPIN}]\\{COLLECTION}", member="operator")
    settled.by_hand("set-role", **operator, project="Web", role="Reader")
    settled.by_hand("set-role", **operator, project="Web", pool=POOL, role="Administrator")
    for project in ("Mobile", "Data"):
        settled.by_hand("set-role", **operator, project=project, role="Administrator")
    settled.spec(moved())

    result = settled.apply()

    assert (rules(result.plan), settled.routes()) == (["checks-lost"], [])
    assert "does not administer all queues of the project" in stalled(result)[1]
    settled.only_these([managed()])


def test_while_a_check_cannot_be_added_its_project_stays_closed_and_the_others_are_opened(settled: World) -> None:
    settled.by_hand("add-check", settings=approval(settled), **WEB)
    settled.do.fault("503", route="checks.add", count=None)
    one_after_the_other(settled)
    for _ in range(3):
        result = settled.apply()
        settled.do.settle()

    assert (is_open(settled, "Web"), is_open(settled, "Mobile")) == (False, True)
    assert ("open_access", f"{TAILSPIN}/Web", "not ready") in gaps(result.plan)
    assert result.status.replacing is not None
    assert result.status.replacing.created
    assert result.outcome is Outcome.FAILED
    settled.do.clear_faults()
    settled.later(7200)
    settled.settle()
    assert (len(checks(settled)), is_open(settled)) == (1, True)


def test_an_approver_who_is_gone_is_for_a_person_whose_check_counts(settled: World) -> None:
    settled.switch(devops__check_approvers="known")
    gone = {**approval(settled), "approvers": [{"id": "99999999-0000-4000-8000-000000000009"}]}
    settled.by_hand("add-check", settings=gone, **WEB)
    one_after_the_other(settled)
    settled.settle()

    result = settled.apply()
    assert (result.outcome, checks(settled), is_open(settled)) == (Outcome.STALLED, [], False)
    assert "is unknown" in stalled(result)[1]

    settled.by_hand("add-check", settings=approval(settled, "bob"), by="bob", **WEB)
    settled.settle()
    assert [one["settings"]["approvers"] for one in checks(settled)] == [[local_id(settled, "bob")]]
    assert is_open(settled)


def test_what_is_owed_outlives_the_process_and_the_word_in_the_spec(settled: World) -> None:
    settled.by_hand("add-check", settings=approval(settled), **WEB)
    before = checks(settled)
    one_after_the_other(settled)
    settled.restart()
    document = moved()
    del document["replace"]
    settled.spec(document)
    settled.settle()

    assert (checks(settled), is_open(settled)) == (before, True)


def test_a_pool_that_was_not_deleted_after_all_is_owed_nothing(settled: World) -> None:
    """Its queues are the old ones: what a person removes there meanwhile stays removed."""
    number = settled.by_hand("add-check", settings=approval(settled), **WEB)
    settled.do.fault("409", route="Pools_Delete", count=1)
    settled.spec(moved())
    settled.apply()
    settled.by_hand("remove-check", check=number, **WEB)
    settled.only_these([managed()])
    settled.settle()

    assert (checks(settled), positions(settled.routes(), "checks.add")) == ([], [])
    assert settled.apply().status.replacing is None


def test_a_project_that_is_left_out_meanwhile_is_owed_nothing(settled: World) -> None:
    settled.by_hand("add-check", settings=approval(settled), **WEB)
    one_after_the_other(settled)
    settled.by_hand("delete-project", organization=TAILSPIN, project="Web")
    document = moved()
    uses = document["pool"]["properties"]["organizationProfile"]["organizations"]
    uses[:] = [organization(TAILSPIN, ["Mobile", "Data"], open_access=True, parallelism=one["parallelism"]) if one["url"].endswith(TAILSPIN) else one for one in uses]  # fmt: skip
    settled.spec(document)
    settled.settle()

    assert is_open(settled, "Mobile")
    assert settled.apply().status.replacing is None


def definition(world: World, name: str) -> dict[str, Any]:
    (project,) = [one for one in world.truth.organization(TAILSPIN)["projects"] if one["name"] == "Web"]
    return dict(next(one for one in project["pipelines"] if one["name"] == name))


def pipelines(world: World) -> None:
    """One by default, one by a classic job, one with a secret variable, one that names no queue."""
    where = {"organization": TAILSPIN, "project": "Web"}
    secret = {"token": {"value": "hunter2", "isSecret": True}}
    world.by_hand("create-pipeline", name="default", pool=POOL, variables={"a": {"value": "1"}}, **where)
    world.by_hand("create-pipeline", name="classic", job_pool=POOL, **where)
    world.by_hand("create-pipeline", name="secret", pool=POOL, variables=secret, **where)
    world.by_hand("create-pipeline", name="yaml", **where)


def web_queue(world: World) -> int:
    queues = world.truth.agent_pool(TAILSPIN, POOL)["queues"]
    return next(int(one["id"]) for one in queues if one["project"] == "Web")


@pytest.mark.parametrize("word", ["kept", "lost"])
def test_definitions_that_name_the_old_queue_are_changed_where_the_spec_says_so(settled: World, word: str) -> None:
    """Not one with secret variables: what an update does to them is not published."""
    settled.switch(devops__definition_secrets=word)
    pipelines(settled)
    old = web_queue(settled)
    settled.spec(moved(repairDefinitions=True))

    lines = {(line.path, line.after): line.before for line in settled.plan().changes[0].details}
    kind = f"{TAILSPIN} pipelines that name the queue by id"
    assert lines[kind, "changed to the new queue afterwards"] == ["Web \\classic", "Web \\default"]
    assert lines[kind, None] == ["Web \\secret (has secret variables: choose the agent pool by hand)"]
    settled.settle()

    new = web_queue(settled)
    assert new != old
    assert (definition(settled, "default")["queue"], definition(settled, "classic")["phases"]) == (new, [new])
    assert definition(settled, "default")["variables"] == {"a": {"value": "1"}}
    secret = definition(settled, "secret")
    assert (secret["queue"], secret["variables"]["token"]["value"]) == (old, "hunter2")
    assert len(positions(settled.routes(), "definitions.update")) == 2
    assert settled.apply().status.replacing is None


def test_without_the_word_no_definition_is_changed(settled: World) -> None:
    pipelines(settled)
    old = web_queue(settled)
    settled.spec(moved())
    settled.settle()

    assert (definition(settled, "default")["queue"], definition(settled, "classic")["phases"]) == (old, [old])
    assert positions(settled.routes(), "definitions.update") == []


def test_an_edit_that_is_refused_stalls_the_pool_and_holds_nothing_back(settled: World) -> None:
    pipelines(settled)
    settled.do.fault("403", route="definitions.update", count=None)
    settled.spec(moved(repairDefinitions=True))
    assert settled.apply().outcome is Outcome.PROGRESSING
    settled.do.settle()
    for _ in range(3):
        result = settled.apply()
        settled.do.settle()

    assert (result.outcome, is_open(settled)) == (Outcome.STALLED, True)
    assert stalled(result)[0] == "Forbidden"
    settled.do.clear_faults()
    settled.settle()
    assert definition(settled, "default")["queue"] == web_queue(settled)


def test_a_spec_that_takes_the_word_out_leaves_the_rest_as_it_is(settled: World) -> None:
    pipelines(settled)
    old = web_queue(settled)
    settled.spec(moved(repairDefinitions=True))
    settled.apply()
    settled.do.settle()
    settled.spec(moved())
    settled.settle()

    assert definition(settled, "default")["queue"] == old
    assert settled.apply().status.replacing is None

"""`import` over HTTP: what is there becomes specs whose plan is empty, and no file is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import Running, start
from reconciler import bootstrap
from reconciler.config.settings import Settings
from reconciler.spec.loader import load
from reconciler.tools.import_ import draft_spec, observe_pools
from reconciler.tools.spec_writer import text
from tests.examples import tries
from tests.shell import DEMO, Shell
from tests.tools.import_.estates import SUBSCRIPTION, estates

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


@pytest.fixture(scope="module")
def any_estate() -> Iterator[Running]:
    """One emulator whose estate is replaced again and again."""
    with start(DEMO / "estate.yaml") as running:
        yield running


def tools(running: Running) -> bootstrap.Tools:
    values = {
        "ALLOW_LOOPBACK": "1",
        "CREDENTIAL": "static",
        "ARM_ENDPOINT": running.arm,
        "DEVOPS_ENDPOINT": running.devops,
        "ARM_TOKEN": running.tokens["arm"],
        "DEVOPS_TOKEN": running.tokens["devops"],
    }
    return bootstrap.tools(Settings.read(above={f"RECONCILER_{name}": value for name, value in values.items()}))


def imported(at: bootstrap.Tools, *, access_only: bool = False) -> dict[str, str]:
    """Files of all pools, by name."""
    documents = [one for s in at.subscriptions.subscriptions() for one in at.planner.readers.arm.pools(s)]
    found = observe_pools(at.planner.readers, documents)
    return {f"{one.name}.yaml": text(draft_spec(one, access_only=access_only)) for one in found}


def test_the_story_of_an_estate_that_is_taken_under_control(signed_in: Shell, world: Running) -> None:
    """Two pools that people clicked together; nothing is written to either plane, and the plan of the files is empty."""
    before = world.do.state()

    ended = signed_in.run("import", "--to", "imported")
    plan = signed_in.run("plan", "--specs", "imported")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())

    assert ended.code == 0, ended.out + ended.err
    assert f"imported/{POOL}.yaml: written, its plan is empty" in ended.out
    assert plan.code == 0, plan.out
    assert world.do.state() == before
    assert written["mode"] == "report"
    tailspin, prime = written["pool"]["properties"]["organizationProfile"]["organizations"]
    assert (tailspin["openAccess"], prime["openAccess"]) == (False, True)
    assert written["access"] == {
        "agentPools": [{"organization": "fabrikam-tailspin", "autoProvision": False}],
        "roles": [
            {"organization": "fabrikam-prime", "administrators": ["ann@fabrikam.com", "bob@fabrikam.com"]},
        ],
        "openAccess": [{"project": "fabrikam-tailspin/Mobile", "allow": True, "reason": "as found at the import"}],
        "withoutQueue": [{"project": "fabrikam-tailspin/Data", "reason": "without a queue at the import"}],
    }
    assert (
        "# openAccess of fabrikam-tailspin is a guess: 1 of 2 projects are open, the others are excepted" in ended.out
    )


def test_a_file_that_is_there_is_not_overwritten_without_leave(signed_in: Shell) -> None:
    mine = signed_in.write(f"imported/{POOL}.yaml", "mine\n")

    kept = signed_in.run("import", POOL, "--to", "imported")
    assert (kept.code, mine.read_text()) == (1, "mine\n")
    assert kept.err == f"error: imported/{POOL}.yaml: not written: a different file exists; --force overwrites it\n"

    forced = signed_in.run("import", POOL, "--to", "imported", "--force", "--mode", "enforce")
    assert forced.code == 0
    assert "mode: enforce" in mine.read_text()

    again = signed_in.run("import", POOL, "--to", "imported", "--mode", "enforce", "--output", "json")
    assert again.code == 0, "the same words are no reason to complain"
    assert again.document["pools"][0]["plan"]["inSync"] is True


def test_bad_input_is_one_line(signed_in: Shell) -> None:
    unknown = signed_in.run("import", "fabrikam-managed-pol", "--to", "imported")
    nonsense = signed_in.run("import", "--subscription", "build", "--to", "imported")
    blocked = signed_in.run("import", "--to", str(signed_in.write("file", "") / "below"))

    assert unknown.err.startswith("error: NotFound: import: no pool is named 'fabrikam-managed-pol'; nearest: ")
    assert len(unknown.err.splitlines()) == 1
    assert nonsense.err.splitlines() == ["error: SpecInvalid: subscription: 'build' is no subscription id"]
    assert blocked.code == 1
    assert "Not a directory" in blocked.err


def test_what_arm_does_not_say_is_marked_as_a_guess(signed_in: Shell, world: Running) -> None:
    world.do.switch("arm.hide-permission-profile", "always")
    ended = signed_in.run("import", RELEASE, "--to", "imported")
    lines = (signed_in.folder / "imported" / f"{RELEASE}.yaml").read_text().splitlines()

    assert ended.code == 0
    at = next(number for number, line in enumerate(lines) if "permissionProfile:" in line)
    assert lines[at].strip() == "permissionProfile: { kind: Inherit }"
    assert lines[at - 1].strip().startswith("# ARM does not return it; guessed from the inheritance of roles")


def test_one_organization_that_cannot_be_read_does_not_stop_the_rest(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="pools.list", organization="fabrikam-tailspin", count=None)

    ended = signed_in.run("import", "--to", "imported", "--output", "json")
    first, second = ended.document["pools"]

    assert ended.code == 2
    assert [fact.partition(" not read: ")[0] for fact in first["unread"]] == ["fabrikam-tailspin: agent pool"]
    assert set(first["unread"]) <= set(first["notes"])
    assert (first["complete"], second["complete"]) == (False, True)
    assert (first["plan"]["inSync"], second["plan"]["inSync"]) == (False, True)


def test_a_project_that_cannot_be_read_is_named(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="pipelinepermissions.get", count=None, organization="fabrikam-prime")
    world.do.fault("403", route="queues.list", count=None, organization="fabrikam-tailspin")

    ended = signed_in.run("import", POOL, "--to", "imported", "--output", "json")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())

    (pool,) = ended.document["pools"]
    assert ended.code == 2
    assert [fact.partition(" not read: ")[0] for fact in pool["unread"]] == [
        *(f"fabrikam-tailspin/{name}: queue" for name in ("Data", "Mobile", "Web")),
        *(f"fabrikam-prime/{name}: pipeline permissions" for name in ("fabrikam-dev", "fabrikam-test")),
    ]
    assert pool["notes"].count("openAccess is left out: it was read of no queue") == 2, "one for each organization"
    assert "openAccess" not in written["access"]
    assert {entry["reason"] for entry in written["access"]["withoutQueue"]} == {"not read at the import"}


def test_a_hidden_project_that_arm_lists_is_left_out_and_said(signed_in: Shell, world: Running) -> None:
    world.do.edit("hide-project", organization="fabrikam-prime", project="fabrikam-test")

    ended = signed_in.run("import", POOL, "--to", "imported")

    lines = (signed_in.folder / "imported" / f"{POOL}.yaml").read_text().splitlines()
    said = "project not read: it is hidden from the operator, or does not exist"

    assert ended.code == 2, ended.out
    assert f"imported/{POOL}.yaml: written, but incomplete: 1 fact could not be read" in ended.out
    at = lines.index("    - { project: fabrikam-prime/fabrikam-test, reason: not read at the import }")
    assert lines[at - 1] == f"    # fabrikam-prime/fabrikam-test: {said}"


@pytest.mark.parametrize("on", [True, False])
def test_the_agent_pools_flag_is_written_where_all_projects_are_meant(
    signed_in: Shell, world: Running, on: bool
) -> None:
    """Beside a list of projects a spec has no word for on; it is told, and the plan is empty all the same."""
    state = world.do.state()
    for organization in state["organizations"]:
        for agent_pool in organization["agentPools"]:
            agent_pool["autoProvision"] = on
    world.do.replace(state)

    ended = signed_in.run("import", POOL, "--to", "imported", "--output", "json")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())

    assert ended.code == 0, ended.out
    assert written["access"]["agentPools"] == [{"organization": "fabrikam-tailspin", "autoProvision": on}]
    told = [one for one in ended.document["pools"][0]["notes"] if "autoProvision" in one]
    assert told == (
        ["new projects get a queue of the pool, listed or not; access.agentPools can switch autoProvision off"]
        if on
        else []
    )


@pytest.mark.parametrize("names", [("TimeZone", "DaysData"), ("timeZone", "daysData")])
def test_a_schedule_of_the_azurerm_provider_is_imported_whole(
    signed_in: Shell, world: Running, names: tuple[str, str]
) -> None:
    """Its names are those of Go fields; the schedule was lost, and the plan showed drift for ever."""
    state = world.do.state()
    (found,) = [one for one in state["subscriptions"][0]["pools"] if one["name"] == POOL]
    schedule = dict(zip(names, ("UTC", [{"09:00:00": 1}]), strict=True))
    found["properties"]["agentProfile"] = {"kind": "Stateless", "resourcePredictions": schedule}
    world.do.replace(state)

    ended = signed_in.run("import", POOL, "--to", "imported")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())

    assert ended.code == 0, ended.out
    assert written["pool"]["properties"]["agentProfile"]["resourcePredictions"] == {
        "timeZone": "UTC",
        "daysData": [{"09:00:00": 1}],
    }
    planned = signed_in.run("plan", "--specs", "imported")
    assert planned.code == 0, planned.out


def test_roles_on_a_queue_are_imported(signed_in: Shell, world: Running) -> None:
    place = {"organization": "fabrikam-prime", "pool": RELEASE, "project": "fabrikam-release"}
    world.do.edit("set-role", **place, who="ann", role="User")
    world.do.edit("set-role", **place, who="operator", role="Administrator")

    assert signed_in.run("import", RELEASE, "--to", "imported").code == 0
    written = yaml.safe_load((signed_in.folder / "imported" / f"{RELEASE}.yaml").read_text())

    assert written["access"]["queueRoles"] == [
        {"project": "fabrikam-prime/fabrikam-release", "users": ["ann@fabrikam.com"]}
    ]

    world.do.fault("403", route="roleassignments.list", count=None, path="*agentqueuerole*")
    signed_in.run("import", RELEASE, "--to", "unread")
    unread = (signed_in.folder / "unread" / f"{RELEASE}.yaml").read_text()
    assert "queueRoles" not in unread
    assert "# fabrikam-prime/fabrikam-release: roles on the queue not read: " in unread


def test_strays_of_both_planes_are_listed(signed_in: Shell, world: Running) -> None:
    """A pool that is not managed is where the next incident comes from."""
    (signed_in.folder / "specs" / f"{RELEASE}.yaml").unlink()
    text_of = (signed_in.folder / "specs" / f"{POOL}.yaml").read_text()
    signed_in.write("specs/new.yaml", text_of.replace(POOL, "fabrikam-planned"))
    state = world.do.state()
    prime = next(one for one in state["organizations"] if one["name"] == "fabrikam-prime")
    prime["agentPools"] += [{"name": "left-behind", "agentCloudId": 9}, {"name": "our-own-machines"}]
    prime["agentPools"] += [{"name": "Azure Pipelines", "agentCloudId": 1, "isHosted": True}]
    world.do.replace(state)
    world.do.edit("hide-pool", organization="fabrikam-tailspin", pool=POOL)

    ended = signed_in.run("status", "--unmanaged", "--output", "json")

    assert ended.code == 2
    assert [(one["kind"], one["subject"]) for one in ended.document["strays"]] == [
        ("ARM pool without an agent pool", f"fabrikam-tailspin/{POOL}"),
        ("agent pool without an ARM pool", "fabrikam-prime/left-behind"),
        ("pool without a spec", RELEASE),
        ("spec without a pool", "fabrikam-planned"),
    ]
    assert (
        f"pool without a spec  {RELEASE}: `import {RELEASE}` writes a spec"
        in signed_in.run("status", "--unmanaged").out
    )


def test_nothing_astray_is_said_and_a_dead_organization_is_an_error(signed_in: Shell, world: Running) -> None:
    assert signed_in.run("status", "--unmanaged").out.strip() == "every pool has its spec, and exists on both planes"

    world.do.fault("403", route="pools.list", organization="fabrikam-prime", count=None)
    ended = signed_in.run("status", "--unmanaged")

    assert ended.code == 1
    assert "error: fabrikam-prime: Forbidden" in ended.err


def test_a_subscription_that_cannot_be_read_hides_no_other_and_proves_nothing(signed_in: Shell, world: Running) -> None:
    """Its pools are not called missing, nor the agent pools that specs name there left behind."""
    state = world.do.state()
    other = "22222222-2222-3333-4444-555555555555"
    state["subscriptions"] += [{"id": other, "name": "Other", "resourceGroups": ["rg-build"], "pools": []}]
    world.do.replace(state)
    world.do.fault("403", route="Pools_ListBySubscription", path=f"*{SUBSCRIPTION}*", count=None)

    listed = signed_in.run("status", "--unmanaged", "--output", "json")
    imported_none = signed_in.run("import", "--to", "imported")

    assert (listed.code, listed.document["strays"]) == (1, [])
    assert listed.document["troubles"][0].startswith(f"subscription {SUBSCRIPTION}: Forbidden: ")
    assert imported_none.code == 1
    assert f"error: subscription {SUBSCRIPTION}: Forbidden: " in imported_none.err


def test_before_there_is_a_spec_every_pool_is_one_without(signed_in: Shell) -> None:
    """The first question of a new user; and a broken spec makes no pool unmanaged without a line."""
    for path in (signed_in.folder / "specs").iterdir():
        path.unlink()
    nobody = signed_in.run("status", "--unmanaged")
    assert nobody.code == 2
    assert "no .yaml, .yml, .json file; every pool counts as one without a spec" in nobody.err
    assert len(nobody.out.splitlines()) == 2

    signed_in.write("specs/broken.yaml", "kind: nothing\n")
    broken = signed_in.run("status", "--unmanaged")
    assert broken.code == 1
    assert "problems, their pools may be listed as without a spec; run `validate`" in broken.err


def test_what_a_deleted_pool_left_behind_is_known_by_its_spec(signed_in: Shell, world: Running) -> None:
    """Nothing published marks an agent pool as managed; the name in git does."""
    state = world.do.state()
    state["subscriptions"][0]["pools"] = [p for p in state["subscriptions"][0]["pools"] if p["name"] != RELEASE]
    world.do.replace(state)

    strays = signed_in.run("status", "--unmanaged", "--output", "json").document["strays"]

    assert [(one["kind"], one["subject"]) for one in strays] == [
        ("agent pool without an ARM pool", f"fabrikam-prime/{RELEASE}"),
        ("spec without a pool", RELEASE),
    ]


def test_a_permission_profile_is_not_denied_where_nobody_could_look(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="pools.list", organization="fabrikam-prime", count=None)

    notes = signed_in.run("import", RELEASE, "--to", "imported", "--output", "json").document["pools"][0]["notes"]

    assert "ARM has Inherit; whether it holds was not read, so it is not managed" in notes


def test_an_authorized_pipeline_that_nobody_can_see_is_a_comment(signed_in: Shell, world: Running) -> None:
    """It keeps its authorization, and a spec could name it by an id that cannot be checked."""
    prime = {"organization": "fabrikam-prime"}
    world.do.edit("authorize-pipeline", **prime, pool=RELEASE, project="fabrikam-release", pipeline=77)

    ended = signed_in.run("import", RELEASE, "--to", "imported")

    said = "left out: fabrikam-prime/fabrikam-release: authorized pipelines that are hidden or deleted: 77"
    assert ended.code == 2
    assert f"# {said}" in ended.out


def test_an_operation_that_failed_is_told(any_estate: Running) -> None:
    document = {"name": "build", "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/x/pools/build"}
    at = tools(any_estate)
    body: dict[str, Any] = {**document, "location": "eastus", "properties": {"provisioningState": "Failed"}}

    (found,) = observe_pools(at.planner.readers, [body])

    assert ("pool",) in [path for path, _ in draft_spec(found, "enforce").notes]


@settings(
    max_examples=tries(7), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(estate=estates(), access_only=st.booleans())
def test_the_plan_of_what_was_imported_is_empty(any_estate: Running, estate: dict[str, Any], access_only: bool) -> None:
    """On any estate; and importing once more writes the same files."""
    any_estate.do.replace(estate)
    at = tools(any_estate)

    files = imported(at, access_only=access_only)
    loaded = load({name: content.encode() for name, content in files.items()})

    assert loaded.problems == ()
    survey = at.planner.survey(loaded.specs)
    for spec in loaded.specs:
        plan = at.planner.plan(spec, survey, "")
        assert plan.in_sync, (plan, files)
    assert imported(at, access_only=access_only) == files

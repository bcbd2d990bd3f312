"""`doctor` over HTTP: what is missing is named with its grant, and nothing is tried out."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Running
from reconciler.ports.azure_resources import Right, allows
from tests.shell import DEMO, Shell, with_alias

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/build"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub"


def missing(document: Any) -> dict[tuple[str, str], str]:
    return {
        (check["place"], check["what"]): check["grant"]["role"]
        for check in document["checks"]
        if check["verdict"] == "missing"
    }


def with_roles(world: Running, *roles: tuple[str, str]) -> None:
    """The operator has these roles in Azure, and no others."""
    state = world.do.state()
    operator = next(one for one in state["principals"] if one["name"] == "operator")
    operator["roles"] = [{"role": role, "scope": scope} for role, scope in roles]
    world.do.replace(state)


def test_the_story_of_an_operator_that_was_given_too_little(signed_in: Shell, world: Running) -> None:
    """Reader in Azure, no member of one organization: each grant is named, with whom and where; nothing is written."""
    with_roles(world, ("Reader", "/subscriptions/11111111-2222-3333-4444-555555555555"))
    world.do.edit("take-rights", organization="fabrikam-tailspin")
    before = world.do.state()

    ended = signed_in.run("doctor", POOL)

    assert ended.code == 2, ended.err
    lines = ended.out.splitlines()
    at = lines.index(f"  missing  {GROUP}: write pools")
    assert lines[at + 1].strip() == f"mode enforce requires DevOps Infrastructure Contributor on {GROUP}"
    assert lines[at + 3].strip() == (
        "az role assignment create --assignee-object-id OBJECT_ID --assignee-principal-type ServicePrincipal "
        f'--role "DevOps Infrastructure Contributor" --scope {GROUP}'
    )
    at = next(n for n, line in enumerate(lines) if "fabrikam-tailspin agent pool" in line and "missing" in line)
    assert "on all agent pools of fabrikam-tailspin" in lines[at + 1]
    assert "for Pool operator (" in lines[at + 2]
    assert "https://dev.azure.com/fabrikam-tailspin/_settings/agentpools, Security, Add" in lines[at + 3]
    held = "  ok       fabrikam-prime/fabrikam-dev: Administrator on all agent pools of the project"
    assert not [line for line in lines if line.startswith("  ok ")]
    assert held in signed_in.run("doctor", POOL, "--all").out.splitlines()
    assert lines[-1] == signed_in.run("doctor", POOL, "--output", "markdown").out.splitlines()[-1]
    assert " ok, " in lines[-1]
    assert world.do.state() == before
    assert world.do.count(writes=True) == 0


def test_report_needs_less_than_enforce(signed_in: Shell, world: Running) -> None:
    with_roles(world, ("Reader", GROUP))

    report = signed_in.run("doctor", "--mode", "report")
    enforce = signed_in.run("doctor", "--mode", "enforce", "--output", "json")

    assert report.code == 0, report.out
    assert missing(enforce.document) == {(GROUP, "write pools"): "DevOps Infrastructure Contributor"}


def test_what_is_asked_twice_is_told_once(signed_in: Shell) -> None:
    checks = signed_in.run("doctor", "--output", "json").document["checks"]

    assert len(checks) == len({(check["place"], check["what"]) for check in checks})
    assert all("grant" not in check for check in checks)


@pytest.mark.parametrize("edit", ["hide-pool", "delete-pool"])
def test_an_agent_pool_that_is_gone_is_no_missing_right(signed_in: Shell, world: Running, edit: str) -> None:
    """With the role on all agent pools in place, a right is not what is missing: the text says what brings it back."""
    world.do.edit(edit, organization="fabrikam-tailspin", pool=POOL)

    ended = signed_in.run("doctor", POOL)

    assert ended.code == 2
    lines = [line.strip() for line in ended.out.splitlines()]
    at = next(n for n, line in enumerate(lines) if "the agent pool exists" in line)
    assert lines[at].startswith(f"missing  fabrikam-tailspin agent pool {POOL}: the agent pool exists")
    assert "requires the agent pool that ARM's pool uses at fabrikam-tailspin" in lines[at + 1]
    assert "to have ARM create it again, take fabrikam-tailspin out of the spec, apply, put it back" in lines[at + 3]
    assert f"fabrikam-tailspin agent pool {POOL}: read the agent pool" not in ended.out


def test_a_project_and_a_pool_that_are_hidden_are_named(signed_in: Shell, world: Running) -> None:
    world.do.edit("hide-project", organization="fabrikam-prime", project="fabrikam-dev")
    world.do.edit("hide-pool", organization="fabrikam-tailspin", pool=POOL)

    found = missing(signed_in.run("doctor", "--output", "json").document)

    assert found == {
        ("fabrikam-prime/fabrikam-dev", "reader of the project"): "Readers",
        (f"fabrikam-tailspin agent pool {POOL}", "the agent pool exists"): "the agent pool that ARM's pool uses",
    }


def test_a_pool_that_is_still_to_come_is_not_called_hidden(signed_in: Shell) -> None:
    """Its agent pool comes with it; the rights that count then are those on all agent pools."""
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text().replace(RELEASE, "fabrikam-new-pool")
    signed_in.write("specs/new.yaml", text)

    ended = signed_in.run("doctor", "fabrikam-new-pool")

    assert ended.code == 0, ended.out
    assert "read the agent pool" not in ended.out


def test_who_is_no_member_is_asked_nothing_more(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="connectiondata.get", organization="fabrikam-prime", count=None)

    ended = signed_in.run("doctor", RELEASE, "--output", "markdown")

    assert ended.code == 2
    rows = [line for line in ended.out.splitlines() if "fabrikam-prime" in line and "missing" in line]
    assert len(rows) == 1
    assert "user with access level Basic" in rows[0]


def test_what_could_not_be_asked_is_not_called_missing(signed_in: Shell, world: Running) -> None:
    world.do.fault("500", route="permissions.has", count=None)

    ended = signed_in.run("doctor", RELEASE)

    assert ended.code == 1
    assert "0 missing, 4 unknown" in ended.out.splitlines()[-1]


def test_projects_that_cannot_be_listed_and_queues_that_cannot_be_read(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="projects.list", organization="fabrikam-tailspin", count=None)
    world.do.fault("403", route="queues.list", organization="fabrikam-prime", count=None)
    world.do.fault("403", route="Pools_Get", count=None)
    world.do.fault("403", route="Pools_ListBySubscription", count=None)
    left_out = missing(signed_in.run("doctor", POOL, "--output", "json").document)
    signed_in.write(f"specs/{POOL}.yaml", with_alias((DEMO / "specs" / f"{POOL}.yaml").read_text(), POOL))

    found = missing(signed_in.run("doctor", POOL, "--output", "json").document)

    assert ("fabrikam-tailspin", "read the projects") in found
    assert ("fabrikam-prime/fabrikam-dev", "read queues") in found
    assert any(what == "read the pool" for _, what in found)
    assert ("fabrikam-prime/fabrikam-dev", "read queues") not in left_out, (
        "without an alias ARM alone says which agent pool it is"
    )


def test_identities_and_subnets_need_grants_of_their_own(signed_in: Shell, world: Running) -> None:
    """ARM refuses the whole pool where the writer may not give its identity away, or may not join its subnet."""
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text()
    identity = f"  identity: {{ type: UserAssigned, userAssignedIdentities: {{ {IDENTITY}: {{}} }} }}\n"
    network = f"      networkProfile: {{ subnetId: {NETWORK}/subnets/agents }}\n"
    text = text.replace("  properties:\n", f"{identity}  properties:\n", 1)
    signed_in.write(f"specs/{RELEASE}.yaml", text.replace("      kind: Vmss\n", f"      kind: Vmss\n{network}"))
    state = world.do.state()
    delegated = {"delegations": [{"properties": {"serviceName": "Microsoft.DevOpsInfrastructure/pools"}}]}
    state["subscriptions"][0]["resources"] = [
        {"id": IDENTITY, "properties": {"tenantId": "7a394543-62fd-4274-a7d2-8fac775942b6"}},
        {"id": f"{NETWORK}/subnets/agents", "properties": delegated},
    ]
    world.do.replace(state)
    with_roles(world, ("DevOps Infrastructure Contributor", GROUP))

    lacking = missing(signed_in.run("doctor", RELEASE, "--output", "json").document)
    with_roles(
        world,
        ("DevOps Infrastructure Contributor", GROUP),
        ("Managed Identity Operator", IDENTITY),
        ("Network Contributor", NETWORK),
    )
    enough = signed_in.run("doctor", RELEASE)

    assert lacking == {
        (IDENTITY, "attach the identity to the pool"): "Managed Identity Operator",
        (f"{NETWORK}/subnets/agents", "join the subnet"): "Network Contributor",
    }
    assert enough.code == 0, enough.out


def test_a_bad_spec_beside_good_ones_is_an_error(signed_in: Shell) -> None:
    signed_in.write("specs/bad.yaml", "apiVersion: x\n")

    assert signed_in.run("doctor").code == 1


@pytest.mark.parametrize(
    ("actions", "excepted", "may"),
    [
        (("*",), (), True),
        (("*/read",), (), False),
        (("microsoft.devopsinfrastructure/*",), (), True),
        (("*",), ("Microsoft.DevOpsInfrastructure/pools/write",), False),
        ((), (), False),
    ],
)
def test_a_right_counts_unless_the_same_entry_excepts_it(
    actions: tuple[str, ...], excepted: tuple[str, ...], may: bool
) -> None:
    assert allows([Right(actions, excepted)], "Microsoft.DevOpsInfrastructure/pools/write") is may


def test_without_arm_the_agent_pool_is_read_all_the_same(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="Pools_Get", count=None)
    world.do.edit("hide-pool", organization="fabrikam-prime", pool=RELEASE)

    checks = signed_in.run("doctor", RELEASE, "--output", "json").document["checks"]

    assert "read the agent pool" in {check["what"] for check in checks if check["verdict"] == "missing"}


def test_a_spec_that_opens_no_queue_requires_no_administrator_of_queues(signed_in: Shell) -> None:
    """The facets that a spec manages decide, project by project."""
    spec = next((DEMO / "specs").glob(f"{POOL}.yaml")).read_text()
    closed = "\n".join(line for line in spec.splitlines() if "openAccess: true" not in line)
    signed_in.write(f"specs/{POOL}.yaml", closed.partition("\naccess:")[0])

    checks = signed_in.run("doctor", POOL, "--output", "json").document["checks"]

    queues = {one["place"]: one["what"] for one in checks if one["requirement"].startswith("role on project")}
    assert set(queues.values()) == {"Creator on all agent pools of the project"}
    signed_in.write(f"specs/{POOL}.yaml", f"replace: allowed\n{closed.partition(chr(10) + 'access:')[0]}")
    checks = signed_in.run("doctor", POOL, "--output", "json").document["checks"]
    queues = {one["place"]: one["what"] for one in checks if one["requirement"].startswith("role on project")}
    assert set(queues.values()) == {"Administrator on all agent pools of the project"}, "checks are added again"


def test_an_agent_pool_without_inheritance_is_out_of_reach_of_the_role_on_all(signed_in: Shell, world: Running) -> None:
    state = world.do.state()
    prime = next(one for one in state["organizations"] if one["name"] == "fabrikam-prime")
    prime["administrators"], prime["roles"] = ["dan"], {"Administrator": ["operator"]}
    for project in prime["projects"]:
        project["roles"] = {"Administrator": ["operator"]}
    pool = next(one for one in prime["agentPools"] if one["name"] == RELEASE)
    pool["inherit"], pool["roles"] = False, {"Reader": ["operator"]}
    world.do.replace(state)

    ended = signed_in.run("doctor", RELEASE, "--mode", "enforce", "--output", "json")

    (lacking,) = [one for one in ended.document["checks"] if one["verdict"] == "missing"]
    assert lacking["what"] == "Administrator through inheritance"
    assert lacking["place"].endswith(f" agent pool {RELEASE}")
    assert lacking["grant"]["where"].endswith(f" agent pool {RELEASE}, whose inheritance is off")


@pytest.mark.parametrize(
    ("level", "verdict"),
    [("stakeholder", "missing"), ("none", "missing"), ("express", "ok"), ("advanced", "ok"), ("earlyAdopter", "ok")],
)
def test_an_access_level_that_is_too_low_is_missing_although_signing_in_works(
    signed_in: Shell, world: Running, level: str, verdict: str
) -> None:
    state = world.do.state()
    for organization in state["organizations"]:
        next(one for one in organization["identities"] if one["principal"] == "operator")["license"] = level
    world.do.replace(state)

    checks = signed_in.run("doctor", RELEASE, "--output", "json").document["checks"]

    assert {one["verdict"] for one in checks if one["what"] == "access level Basic"} == {verdict}


def test_an_access_level_that_only_administrators_may_read_counts_by_signing_in(
    signed_in: Shell, world: Running
) -> None:
    world.do.switch("devops.entitlement-reading", "administrators")

    checks = signed_in.run("doctor", RELEASE, "--output", "json").document["checks"]

    assert {one["verdict"] for one in checks if one["what"] == "access level Basic"} == {"ok"}

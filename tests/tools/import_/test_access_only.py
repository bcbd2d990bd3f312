"""`import --access-only`: the ARM body stays with another tool, and the operator keeps what holds in Azure DevOps."""

from __future__ import annotations

import re

import yaml

from emulator import Running
from tests.shell import Shell

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
PATH = "11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools"


def test_a_spec_names_of_the_body_what_belongs_to_azure_devops(signed_in: Shell, world: Running) -> None:
    ended = signed_in.run("import", "--access-only", "--to", "imported")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())

    assert ended.code == 0, ended.out + ended.err
    assert list(written["pool"]) == ["properties"]
    assert list(written["pool"]["properties"]) == ["organizationProfile"]
    profile = written["pool"]["properties"]["organizationProfile"]
    assert [set(one) for one in profile["organizations"]] == [{"url", "openAccess"}] * 2
    assert written["access"]["withoutQueue"] == [
        {"project": "fabrikam-tailspin/Data", "reason": "without a queue at the import"}
    ]
    assert signed_in.run("plan", "--specs", "imported").code == 0


def test_what_the_other_tool_changes_is_followed(signed_in: Shell, world: Running) -> None:
    """Size and projects are its own: the plan has no line for ARM, and the new project is opened."""
    signed_in.run("import", RELEASE, "--access-only", "--mode", "enforce", "--to", "imported")
    state = world.do.state()
    pool = next(one for one in state["subscriptions"][0]["pools"] if one["name"] == RELEASE)
    organization = pool["properties"]["organizationProfile"]["organizations"][0]
    organization |= {"projects": ["fabrikam-release", "fabrikam-test"], "parallelism": 7}
    pool["properties"]["maximumConcurrency"] = 7
    pool["tags"] = {"owner": "terraform"}
    world.do.replace(state)

    planned = signed_in.run("plan", "--specs", "imported").out

    assert re.findall(r"^  [+~!-] (\w+(?: \w+)?)  +(\S+)", planned, re.MULTILINE) == [
        ("queue", "fabrikam-prime/fabrikam-test"),
        ("open access", "fabrikam-prime/fabrikam-test"),
    ]
    assert "ARM" not in planned
    assert signed_in.run("apply", "--specs", "imported").code == 0
    arm = [one for one in world.do.requests() if one["plane"] == "arm" and one["method"] != "GET"]
    assert arm == []


def test_a_pool_of_github_has_nothing_to_import(signed_in: Shell, world: Running) -> None:
    """It has no second plane: the spec names the pool and manages nothing, and says nothing wrong."""
    state = world.do.state()
    pool = next(one for one in state["subscriptions"][0]["pools"] if one["name"] == RELEASE)
    pool["properties"]["organizationProfile"] = {
        "kind": "GitHub", "organizations": [{"url": "https://github.com/fabrikam", "repositories": ["web"]}],
    }  # fmt: skip
    world.do.replace(state)

    ended = signed_in.run("import", RELEASE, "--access-only", "--to", "imported")

    assert ended.code == 0, ended.out + ended.err
    assert signed_in.run("plan", "--specs", "imported").code == 0

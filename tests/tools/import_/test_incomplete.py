"""`import` over HTTP where facts are missing: each is a comment at its place and exit code 2, and hides no other fact."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from emulator import Running
from tests.shell import Said, Shell

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
PRIME, TAILSPIN = {"organization": "fabrikam-prime"}, {"organization": "fabrikam-tailspin"}
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def imported(shell: Shell, name: str, *more: str) -> tuple[Said, dict[str, Any], dict[str, Any], list[str]]:
    """How it ended, the pool in its JSON, the file as a document, and its lines."""
    ended = shell.run("import", name, "--to", "imported", "--output", "json", *more)
    (pool,) = ended.document["pools"]
    text = (shell.folder / "imported" / f"{name}.yaml").read_text()
    return ended, pool, yaml.safe_load(text), [line.strip() for line in text.splitlines()]


def what(pool: dict[str, Any]) -> list[str]:
    """The facts that were not read, without the service's words."""
    return [fact.partition(" not read: ")[0] for fact in pool["unread"]]


def many(world: Running, organization: str, **more: list[Any]) -> None:
    """Put more projects or pipelines into an organization."""
    state = world.do.state()
    found = next(one for one in state["organizations"] if one["name"] == organization)
    found["projects"] += more.get("projects", [])
    for project in found["projects"]:
        if isinstance(project, dict) and "pipelines" in more:
            project["pipelines"] = more["pipelines"]
    world.do.replace(state)


def test_more_than_a_thousand_pipelines_are_read_page_by_page(signed_in: Shell, world: Running) -> None:
    """Without an order the service rejects the second page, and the whole access of the organization was lost."""
    many(world, "fabrikam-prime", pipelines=[{"id": n, "name": f"p{n:04}"} for n in range(1, 1102)])
    world.do.edit("authorize-pipeline", **PRIME, pool=RELEASE, project="fabrikam-release", pipeline=1101)
    world.do.reset_log()

    ended, pool, written, lines = imported(signed_in, RELEASE)

    pages = [entry["query"] for entry in world.do.requests() if entry["path"].endswith("/build/definitions")]
    assert (ended.code, pool["complete"], pool["unread"]) == (0, True, [])
    assert written["access"]["pipelines"] == [{"project": "fabrikam-prime/fabrikam-release", "pipelines": [1101]}]
    assert "# 1101 is \\p1101" in lines
    assert [page.get("continuationtoken") for page in pages] == [None, "1000"] * 2, (
        "the import, and the plan of its file"
    )


def test_a_second_page_that_fails_takes_one_fact_and_no_other(signed_in: Shell, world: Running) -> None:
    many(world, "fabrikam-prime", pipelines=[{"id": n, "name": f"p{n:04}"} for n in range(1, 1102)])
    world.do.edit("authorize-pipeline", **PRIME, pool=RELEASE, project="fabrikam-release", pipeline=1101)
    world.do.fault("403", path="*/build/definitions", skip=1, count=None)

    ended, pool, written, lines = imported(signed_in, RELEASE)

    assert (ended.code, pool["complete"]) == (2, False)
    assert what(pool) == ["fabrikam-prime/fabrikam-release: names of authorized pipelines"]
    assert any(line.startswith("# fabrikam-prime/fabrikam-release: names of authorized pipelines") for line in lines)
    assert written["pool"]["properties"]["organizationProfile"]["organizations"][0]["openAccess"] is True
    assert "pipelines" not in written.get("access", {})


def test_the_summary_names_the_missing_facts_and_never_an_empty_plan(signed_in: Shell, world: Running) -> None:
    """The plan of a spec that says less is empty all the more."""
    world.do.fault("403", route="roleassignments.list", path="*agentqueuerole*", count=None)

    ended = signed_in.run("import", RELEASE, "--to", "imported")

    assert ended.code == 2
    assert f"imported/{RELEASE}.yaml: written, but incomplete: 1 fact could not be read" in ended.out
    assert "its plan is empty" not in ended.out


def test_one_project_that_refuses_is_out_of_reach_and_takes_no_other(signed_in: Shell, world: Running) -> None:
    """Nothing is opened there by what most projects have: what was not read is no reason to grant access."""
    world.do.fault("403", route="pipelinepermissions.get", **TAILSPIN, count=1)

    ended, pool, written, lines = imported(signed_in, POOL)

    (missing,) = what(pool)
    place = missing.removesuffix(": pipeline permissions")
    assert ended.code == 2
    assert {"project": place, "reason": "not read at the import"} in written["access"]["withoutQueue"]
    at = lines.index(f"- {{ project: {place}, reason: not read at the import }}")
    assert lines[at - 1].startswith(f"# {place}: pipeline permissions not read: ")
    assert "openAccess" in written["pool"]["properties"]["organizationProfile"]["organizations"][0]
    assert "openAccess" in written["pool"]["properties"]["organizationProfile"]["organizations"][1]


def test_hidden_projects_are_missing_facts_where_all_projects_are_meant(signed_in: Shell, world: Running) -> None:
    world.do.edit("create-project", **TAILSPIN, name="Secret")
    world.do.edit("hide-project", **TAILSPIN, project="Secret")

    ended, pool, written, _ = imported(signed_in, POOL)

    assert ended.code == 2
    assert what(pool) == ["fabrikam-tailspin/Secret: project"]
    assert {"project": "fabrikam-tailspin/Secret", "reason": "not read at the import"} in written["access"][
        "withoutQueue"
    ]


def test_a_list_of_groups_that_fails_leaves_hidden_projects_unknown(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", path="*/graph/groups", **TAILSPIN, count=None)

    ended, pool, written, lines = imported(signed_in, POOL)

    tailspin = written["pool"]["properties"]["organizationProfile"]["organizations"][0]
    at = next(number for number, line in enumerate(lines) if "fabrikam-tailspin" in line and line.startswith("- {"))
    assert ended.code == 2
    assert what(pool) == ["fabrikam-tailspin: hidden projects"]
    assert any(line.startswith("# fabrikam-tailspin: hidden projects not read: ") for line in lines[at - 3 : at])
    assert tailspin["openAccess"] is False, "what was read is there"


@pytest.mark.parametrize(
    ("fault", "facts", "kept"),
    [
        (
            {"path": "*/accesscontrollists/*"},
            ["fabrikam-prime: inheritance of roles"],
            ("openAccess", "administrators"),
        ),
        (
            {"route": "roleassignments.list", "path": "*agentpoolrole*"},
            ["fabrikam-prime: administrators of the agent pool"],
            ("openAccess",),
        ),
        ({"path": "*/_apis/projects"}, ["fabrikam-prime: projects"], ("administrators",)),
    ],
)
def test_a_list_of_an_organization_that_fails_takes_what_it_holds_alone(
    signed_in: Shell, world: Running, fault: dict[str, str], facts: list[str], kept: tuple[str, ...]
) -> None:
    world.do.edit("set-role", **PRIME, pool=RELEASE, who="ann", role="Administrator")
    world.do.fault("403", **fault, **PRIME, count=None)

    ended, pool, _, lines = imported(signed_in, RELEASE)

    text = "\n".join(lines)
    assert ended.code == 2
    assert what(pool) == facts
    assert any(line.startswith(f"# {facts[0]} not read: ") for line in lines)
    assert all(f"{field}:" in text for field in kept), text
    assert sum(f"{field}:" in text for field in ("openAccess", "administrators")) == len(kept)


def test_an_operator_that_does_not_know_itself_lists_no_administrators(signed_in: Shell, world: Running) -> None:
    """Its own assignment must not become an entry of the spec."""
    world.do.fault("403", path="*/_apis/connectiondata", **PRIME, count=None)

    ended, pool, written, _ = imported(signed_in, RELEASE)

    assert ended.code == 2
    assert "fabrikam-prime: identity of the operator" in what(pool)
    assert not any("administrators" in entry for entry in written.get("access", {}).get("roles", []))


def test_a_name_that_could_not_be_looked_up_is_a_missing_fact(signed_in: Shell, world: Running) -> None:
    """It is not the same as an identity that no name leads back to."""
    world.do.edit("set-role", **PRIME, pool=RELEASE, who="ann", role="Administrator")
    world.do.fault("403", path="*/_apis/identities", **PRIME, count=None)

    ended, pool, _, _ = imported(signed_in, RELEASE)

    assert ended.code == 2
    assert "fabrikam-prime: Ann Example: name" in what(pool)


def test_codes_say_what_was_written(signed_in: Shell, world: Running) -> None:
    """1 where nothing was; 2 where a file was kept beside one that is written, or a subscription is missing."""
    signed_in.write(f"imported/{POOL}.yaml", "mine\n")
    assert signed_in.run("import", "--to", "imported").code == 2
    assert signed_in.run("import", POOL, "--to", "imported").code == 1

    state = world.do.state()
    other = "22222222-2222-3333-4444-555555555555"
    state["subscriptions"] += [{"id": other, "name": "Other", "resourceGroups": ["rg-build"], "pools": []}]
    world.do.replace(state)
    world.do.fault("403", route="Pools_ListBySubscription", path=f"*{other}*", count=None)
    ended = signed_in.run("import", "--to", "elsewhere")
    assert ended.code == 2
    assert ended.err.startswith(f"error: subscription {other}: Forbidden: ")


def test_a_part_that_no_spec_can_hold_makes_it_incomplete(signed_in: Shell, world: Running) -> None:
    state = world.do.state()
    pool = next(one for one in state["subscriptions"][0]["pools"] if one["name"] == RELEASE)
    pool["tags"] = {"team": "[concat('a', 'b')]"}
    world.do.replace(state)

    ended = signed_in.run("import", RELEASE, "--to", "imported")

    assert ended.code == 2
    assert f"imported/{RELEASE}.yaml: written, but incomplete: 1 part left out" in ended.out
    assert "# left out: pool.tags.team looks like an expression of a template" in ended.out

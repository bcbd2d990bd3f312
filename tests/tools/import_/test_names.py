"""By which names `import` writes people: those that lead back to the same identity, and to no other."""

from __future__ import annotations

import pytest
import yaml

from emulator import Running
from tests.shell import Shell
from tests.tools.import_.test_import import POOL


def test_an_administrator_without_a_name_of_its_own_is_a_comment(signed_in: Shell, world: Running) -> None:
    """Two groups of one name: a spec that named them would mean either."""
    world.do.edit("create-group", organization="fabrikam-prime", name="Builders")
    builders = {"organization": "fabrikam-prime", "who": "[fabrikam-prime]\\Builders"}
    world.do.edit("set-role", pool=POOL, role="Administrator", **builders)
    world.do.edit("double-identity", **builders)

    notes = signed_in.run("import", POOL, "--to", "imported", "--output", "json").document["pools"][0]["notes"]

    assert "fabrikam-prime: [fabrikam-prime]\\Builders administers too, and no spec can name this identity" in notes


def test_of_two_people_with_one_address_each_is_written_by_the_object_id(signed_in: Shell, world: Running) -> None:
    state = world.do.state()
    state["principals"] += [{"name": "twin", "kind": "user", "mail": "bob@fabrikam.com", "displayName": "Bob's twin"}]
    prime = next(one for one in state["organizations"] if one["name"] == "fabrikam-prime")
    prime["identities"].append("twin")
    world.do.replace(state)

    signed_in.run("import", POOL, "--to", "imported")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())
    bob = next(one["oid"] for one in state["principals"] if one["name"] == "bob")
    roles = {entry["organization"]: entry["administrators"] for entry in written["access"]["roles"]}

    assert roles["fabrikam-prime"] == [bob, "ann@fabrikam.com"]


@pytest.mark.parametrize("unique", ["full-name", "domain"])
def test_administrators_are_written_by_names_that_lead_back_to_them(
    signed_in: Shell, world: Running, unique: str
) -> None:
    """A person who is displayed like another, or has a namesake, is written by what no one else can have."""
    one = "fabrikam-prime"
    world.do.switch("devops.unique-name-of-groups", unique)
    project = world.do.edit("create-project", organization=one, name=one)
    theirs = world.do.edit("create-group", organization=one, name="Builders", project=one)
    world.do.edit("create-group", organization=one, name="Builders")
    world.do.edit("create-build-service", organization=one, project=one)
    world.do.edit("rename-identity", organization=one, who="ann", to="bob@fabrikam.com")
    holders = (f"[{project}]\\Builders", f"{one} Build Service ({one})")
    for who in holders:
        world.do.edit("set-role", organization=one, pool=POOL, who=who, role="Administrator")

    ended = signed_in.run("import", POOL, "--to", "imported")
    written = yaml.safe_load((signed_in.folder / "imported" / f"{POOL}.yaml").read_text())
    roles = {entry["organization"]: entry["administrators"] for entry in written["access"]["roles"]}

    assert ended.code == 0, ended.out + ended.err
    assert theirs
    assert set(roles[one]) == {"ann@fabrikam.com", "bob@fabrikam.com", *holders}
    assert signed_in.run("plan", "--specs", "imported").code == 0

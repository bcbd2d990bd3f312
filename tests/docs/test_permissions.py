"""docs/permissions.md says of each role what the templates do: its id, where it is given, in which mode."""

from __future__ import annotations

import re
from pathlib import Path

from tests.infra import shape
from tests.infra.world import world

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
ROLES = world().json("roles.json")["ids"]


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    return [row for row in found if not set("".join(row)) <= {"-"}]


def test_ids_are_those_of_the_templates() -> None:
    """An administrator grants a role by hand from this table."""
    listed = dict(re.findall(r"^\| ([\w ]+) \| `([0-9a-f-]{36})` \|$", PAGE, re.MULTILINE))

    assert listed == ROLES


def test_what_is_given_in_enforce_mode_alone_is_said_so() -> None:
    given = {
        role: enforcing
        for _, expression, enforcing in shape.SCOPES.values()
        for role in re.findall(r"roles(?:\['|\.)([\w ]+)", expression)
        if role not in ("Reader", "DevOps Infrastructure Contributor", "Key Vault Secrets User")
    }
    said: dict[str, str] = {}
    for row in rows(section("Azure: on pools"))[1:]:
        said.setdefault(row[0], row[3])

    assert given
    assert {role: said[role].startswith("enforce") for role in given} == given
    assert said["DevOps Infrastructure Contributor"] == "enforce"
    assert any(row[0] == "Reader" and row[3] == "report" for row in rows(section("Azure: on pools")))
    assert any(row[0] == "Reader" and "dev center" in row[1] for row in rows(section("Azure: on pools")))


def test_every_role_of_the_deployment_itself_is_listed() -> None:
    """The worker's, the ingress's and the topics' own."""
    files = world().files
    granted = {
        role
        for text in (files["modules/ingress.bicep"].text, files["main.bicep"].text)
        for role in re.findall(r"(?:roles|ids)\['([\w ]+)'\]", text)
    }
    kept = re.findall(
        r"\['([\w ]+)'\]",
        " ".join(map(str, files["modules/roles.bicep"].modules["storage"].value["params"]["roleIds"])),
    )
    listed = {row[0] for row in rows(section("Azure: for the deployment itself")) if not row[1].startswith("`")}

    assert granted | set(kept) == listed - {"role"}


def test_the_role_of_our_own_is_told_whole() -> None:
    permissions = actions_of_the_role()
    told = next(row[0] for row in rows(section("Azure: on pools")) if row[0].startswith("Pool Reconciler Subnet Join"))

    assert {action.partition("virtualNetworks/")[2] for action in permissions} == set(re.findall(r"`([\w/]+)`", told))


def actions_of_the_role() -> list[str]:
    (found,) = world().files["roles/subnet-role.bicep"].resources["joiner"].value["properties"]["permissions"]
    actions: list[str] = found["actions"]
    return actions


def test_roles_that_the_program_asks_for_are_the_pages() -> None:
    """`doctor` names a role; this page explains it."""
    source = "".join(path.read_text() for path in sorted((ROOT / "reconciler" / "tools" / "doctor").glob("*.py")))
    asked = {role for role in ROLES if f'"{role}"' in source}

    assert len(asked) > 2
    assert asked <= {row[0] for row in rows(PAGE)}


def test_the_page_names_no_id_that_nothing_uses() -> None:
    known = set(ROLES.values())

    assert set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", PAGE)) == known
    assert shape.ROLES == ROLES

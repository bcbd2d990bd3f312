"""Roles of a principal, and what a role allows."""

from __future__ import annotations

import pytest

from tests.emulator.wire import GROUP_PATH, Wire

VAULT = f"{GROUP_PATH}/providers/Microsoft.KeyVault/vaults/build"
ROLES = f"{VAULT}/providers/Microsoft.Authorization"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
OID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"


@pytest.fixture
def assigned(wire: Wire) -> Wire:
    """A principal with the role on the vault, and on another one."""
    state = wire.do.state()
    roles = [{"role": "Key Vault Secrets User", "scope": scope} for scope in (VAULT, f"{VAULT}-two")]
    state["principals"].append({"name": "build", "kind": "managedIdentity", "oid": OID, "roles": roles})
    wire.do.replace(state)
    return wire


def test_assignments_at_a_scope_are_those_of_every_principal(assigned: Wire) -> None:
    path = f"{ROLES}/roleAssignments?$filter=atScope()&api-version=2022-04-01"
    found = [one["properties"] for one in assigned.arm("GET", path).json()["value"]]

    assert [one["scope"] for one in found if one["principalId"] == OID] == [VAULT]
    assert len({one["principalId"] for one in found}) > 1
    assert all(VAULT.lower().startswith(one["scope"].lower()) for one in found)


@pytest.mark.parametrize(
    ("filtered", "scopes"),
    [
        (f"principalId eq {OID}", [VAULT, f"{VAULT}-two"]),
        (f"principalId eq '{OID}'", [VAULT, f"{VAULT}-two"]),
        (f"assignedTo('{OID}')", [VAULT, f"{VAULT}-two"]),
        (f"atScope() and assignedTo('{OID.upper()}')", [VAULT]),
        ("assignedTo('99999999-0000-1111-2222-bbbbbbbbbbbb')", []),
    ],
)
def test_assignments_are_those_that_the_filter_asks_for(assigned: Wire, filtered: str, scopes: list[str]) -> None:
    found = assigned.arm("GET", f"{ROLES}/roleAssignments?$filter={filtered}&api-version=2022-04-01").json()["value"]

    assert [one["properties"]["scope"] for one in found] == scopes
    assert all(one["properties"]["roleDefinitionId"].endswith(SECRETS_USER) for one in found)


def test_a_filter_that_nobody_knows_is_refused(assigned: Wire) -> None:
    answer = assigned.arm("GET", f"{ROLES}/roleAssignments?$filter=roleName eq 'Reader'&api-version=2022-04-01")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFilter")


def test_a_role_says_what_it_allows(wire: Wire) -> None:
    found = wire.arm("GET", f"{ROLES}/roleDefinitions/{SECRETS_USER}?api-version=2022-04-01").json()["properties"]

    assert found["roleName"] == "Key Vault Secrets User"
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in found["permissions"][0]["dataActions"]


def test_a_role_that_nobody_made_is_missing(wire: Wire) -> None:
    answer = wire.arm("GET", f"{ROLES}/roleDefinitions/{OID}?api-version=2022-04-01")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RoleDefinitionDoesNotExist")

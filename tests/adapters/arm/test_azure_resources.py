"""Reads around pools: exact requests, and answers that are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.adapters.arm.inspection import ArmInspection
from reconciler.errors import Rejected, Unavailable
from reconciler.ports.azure_resources import Assignment, Right
from tests.adapters.arm.arm_kit import POOL_ID, SUB, Kit, error
from tests.adapters.loopback import Answer, Script, serving

VAULT = f"/subscriptions/{SUB}/resourceGroups/rg-build/providers/Microsoft.KeyVault/vaults/build"
ROLE = "4633458b-17de-408a-b874-0445c86b69e6"
PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


def test_roles_are_asked_for_with_those_of_groups_and_told_by_id(script: Script) -> None:
    """A filter by principal would leave out rights that an identity has through a group, and report them as missing."""
    one = {"roleDefinitionId": f"/providers/Microsoft.Authorization/RoleDefinitions/{ROLE.upper()}", "scope": "/"}
    script.say(Answer(200, {"value": [{"properties": one}]}))

    assert ArmInspection(Kit(script.url).arm).assignments(VAULT, PRINCIPAL) == [Assignment(ROLE, "/")]
    assert script.asked[0].path == (
        f"{VAULT}/providers/Microsoft.Authorization/roleAssignments"
        f"?$filter=atScope%28%29%20and%20assignedTo%28%27{PRINCIPAL}%27%29&api-version=2022-04-01"
    )


def test_a_role_says_what_it_allows(script: Script) -> None:
    entry = {"actions": ["*/read"], "notActions": [], "dataActions": ["a/*"], "notDataActions": ["a/b"]}
    script.say(Answer(200, {"properties": {"permissions": [entry]}}))

    found = ArmInspection(Kit(script.url).arm).role(VAULT, ROLE)

    assert found == [Right(("*/read",), (), ("a/*",), ("a/b",))]
    assert script.asked[0].path == (
        f"{VAULT}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}?api-version=2022-04-01"
    )


@pytest.mark.parametrize("body", [{}, {"properties": {"permissions": None}}, {"properties": {"permissions": ["x"]}}])
def test_a_role_without_permissions_is_no_answer(script: Script, body: dict[str, Any]) -> None:
    script.say(Answer(200, body))

    with pytest.raises(Unavailable, match=r"definition without permissions|is no object"):
        ArmInspection(Kit(script.url).arm).role(VAULT, ROLE)


ADVICE = (
    "the subnet has to be delegated to Microsoft.DevOpsInfrastructure/pools, and the service principal "
    "DevOpsInfrastructure needs Reader and Network Contributor on its virtual network"
)


@pytest.mark.parametrize("message", ["", "No access to the subnet."])
def test_what_a_subnet_needs_is_named_when_arm_refuses_it(script: Script, message: str) -> None:
    """Whether at once or at the end of the operation; the service's own rights cannot be asked for before."""
    refused = error("UnauthorizedAccessToVirtualNetwork", message)
    script.say(Answer(400, refused), Answer(200, {"status": "Failed", **refused}))
    kit = Kit(script.url)

    with pytest.raises(Rejected) as caught:
        kit.arm.pool(POOL_ID)
    operation = kit.arm.operation(f"{script.url}{POOL_ID}?api-version=2026-06-02")

    said = f"{message}; {ADVICE}" if message else ADVICE
    assert str(caught.value).endswith(f"400 UnauthorizedAccessToVirtualNetwork: {said}")
    assert (operation.state, operation.message) == ("failed", said)

"""A pool in a subnet is deleted only where the service may leave the subnet, as far as roles tell."""

from __future__ import annotations

import pytest

from reconciler.facets.support.replacement.network import holds_back
from reconciler.ports.azure_resources import Assignment, Right
from tests.facets.around import SUBNET, Around

LINKS = "Microsoft.Network/virtualNetworks/subnets/serviceAssociationLinks"
WITHOUT = Right((f"{LINKS}/validate/action", f"{LINKS}/write"))
WITH = Right((*WITHOUT.actions, f"{LINKS}/delete"))
DELETES = Right((f"{LINKS}/delete",))
NETWORK = Right(("Microsoft.Network/*",))
JOINS = Right(("Microsoft.Network/virtualNetworks/subnets/join/action",))
DOCUMENT = {"properties": {"fabricProfile": {"networkProfile": {"subnetId": SUBNET}}}}
ROLES = {"without": WITHOUT, "with": WITH, "network": NETWORK, "joins": JOINS, "deletes": DELETES}


def around(*held: tuple[str, str]) -> Around:
    """Principal and role, of each assignment at the subnet."""
    return Around(assigned=[Assignment(role, SUBNET, who) for who, role in held], roles=dict(ROLES))


@pytest.mark.parametrize(
    "held",
    [
        [("service", "with")],
        [("service", "network"), ("operator", "joins")],
        [("service", "without"), ("service", "deletes")],
    ],
)
def test_a_service_that_may_delete_its_links_holds_nothing_back(held: list[tuple[str, str]]) -> None:
    assert holds_back(DOCUMENT, around(*held)) == ""


def test_a_role_that_writes_links_and_does_not_delete_them_is_named_whoever_else_may() -> None:
    found = holds_back(DOCUMENT, around(("service", "without"), ("deployer", "network")))

    assert found.startswith(f"service may write service association links of {SUBNET} and not delete them: give ")
    assert f"{LINKS}/delete" in found


@pytest.mark.parametrize("held", [[], [("operator", "joins")]])
def test_without_any_role_that_deletes_links_a_deletion_would_fail(held: list[tuple[str, str]]) -> None:
    assert holds_back(DOCUMENT, around(*held)).startswith("no role lets a principal delete")


@pytest.mark.parametrize("read", ["assignments", "role"])
def test_what_cannot_be_read_holds_the_deletion_back(read: str) -> None:
    here = around(("service", "with"))
    here.refused.add(read)

    assert "cannot be read" in holds_back(DOCUMENT, here)
    assert "RECONCILER_PREREQUISITES is 0" in holds_back(DOCUMENT, None)


@pytest.mark.parametrize("document", [{}, {"properties": {"fabricProfile": {"networkProfile": {"subnetId": ""}}}}])
def test_a_pool_without_a_subnet_costs_no_read(document: dict[str, object]) -> None:
    here = around()

    assert (holds_back(document, here), holds_back(document, None), here.asked) == ("", "", [])

"""Pools that a person moves to another resource group or subscription."""

from __future__ import annotations

import pytest

from emulator.control import ControlError
from tests.emulator.wire import POOLS, Wire

OTHER = POOLS.replace("rg-build", "rg-other")


@pytest.mark.parametrize(("word", "kept"), [("kept", True), ("renewed", False)])
def test_a_moved_pool_is_found_at_its_new_place_alone(wire: Wire, word: str, kept: bool) -> None:
    before = wire.arm("GET", f"{POOLS}/old-pool").json()
    wire.do.switch("arm.moved-created-at", word)

    wire.do.edit("move-pool", pool="old-pool", group="RG-other")

    assert wire.arm("GET", f"{POOLS}/old-pool").status_code == 404
    after = wire.arm("GET", f"{OTHER}/old-pool").json()
    assert (after["location"], after["properties"]) == (before["location"], before["properties"])
    assert "/resourceGroups/rg-other/" in after["id"]
    assert (after["systemData"]["createdAt"] == before["systemData"]["createdAt"]) is kept
    wire.do.edit("move-pool", pool="old-pool", group="rg-build")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pool": "none", "group": "rg-other"}, "there are: old-pool"),
        ({"pool": "old-pool", "group": "none"}, "resource group 'none' does not exist"),
        ({"pool": "old-pool", "group": "rg-other", "subscription": "none"}, "subscription 'none' does not exist"),
        ({"pool": "old-pool"}, "takes pool, group, subscription; got pool"),
        ({"pool": "old-pool", "group": "rg-other", "to": 1}, "got group, pool, to"),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_the_reason(
    wire: Wire, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ControlError, match=message):
        wire.do.edit("move-pool", **arguments)


def test_a_pool_with_an_operation_under_way_is_not_moved(wire: Wire) -> None:
    wire.arm("PUT", f"{POOLS}/old-pool", wire.arm("GET", f"{POOLS}/old-pool").json())

    with pytest.raises(ControlError, match="an operation is under way"):
        wire.do.edit("move-pool", pool="old-pool", group="rg-other")

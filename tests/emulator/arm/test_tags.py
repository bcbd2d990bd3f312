"""Tags of a pool through the tags API, and what is announced of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.wire import POOLS, Wire

PATH = f"{POOLS}/old-pool/providers/Microsoft.Resources/tags/default"
VERSION = "2021-04-01"


def body(operation: str = "", **tags: Any) -> dict[str, Any]:
    return {**({"operation": operation} if operation else {}), "properties": {"tags": tags}}


def tags_of(wire: Wire) -> dict[str, str]:
    shown: dict[str, str] = wire.arm("GET", f"{POOLS}/old-pool").json().get("tags", {})
    return shown


@pytest.mark.parametrize(
    ("operation", "given", "kept"),
    [
        ("Merge", {"TEAM": "b", "x": "1"}, {"TEAM": "b", "x": "1"}),
        ("Replace", {"x": "1"}, {"x": "1"}),
        ("Delete", {"Team": "a"}, {}),
        ("Delete", {"team": "other"}, {"team": "a"}),
    ],
)
def test_a_patch_merges_replaces_or_deletes(
    wire: Wire, operation: str, given: dict[str, str], kept: dict[str, str]
) -> None:
    assert wire.arm("PUT", PATH, body(team="a"), version=VERSION).json()["properties"] == {"tags": {"team": "a"}}

    answer = wire.arm("PATCH", PATH, body(operation, **given), version=VERSION)

    assert answer.status_code == 200
    assert answer.json()["properties"]["tags"] == kept == tags_of(wire)
    assert wire.arm("GET", PATH, version=VERSION).json()["type"] == "Microsoft.Resources/tags"


def test_deleting_the_extension_removes_all_tags(wire: Wire) -> None:
    wire.arm("PUT", PATH, body(team="a"), version=VERSION)

    assert wire.arm("DELETE", PATH, version=VERSION).status_code == 200
    assert tags_of(wire) == {}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (body("Add", team="a"), "InvalidTagPatchOperation"),
        (body(team="a"), "InvalidTagPatchOperation"),
        ({"operation": "Merge"}, "InvalidRequestContent"),
        (body("Merge", team=1), "InvalidRequestContent"),
        (body("Merge", **{f"t{number}": "x" for number in range(51)}), "InvalidTagCount"),
    ],
)
def test_what_is_no_edit_of_tags_is_refused(wire: Wire, sent: dict[str, Any], code: str) -> None:
    answer = wire.arm("PATCH", PATH, sent, version=VERSION)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_reader_and_a_missing_pool_get_arm_s_refusals(wire: Wire) -> None:
    assert wire.arm("PATCH", PATH, body("Merge", team="b"), token="arm-reader", version=VERSION).status_code == 403
    assert wire.arm("GET", PATH.replace("old-pool", "no-pool"), version=VERSION).status_code == 404


@pytest.mark.parametrize(
    ("word", "suffix"), [("resource", ""), ("extension", "/providers/Microsoft.Resources/tags/default")]
)
def test_an_edit_of_tags_is_announced_as_such_alone(wire: Wire, word: str, suffix: str) -> None:
    wire.do.switch("arm.tags-subject", word)
    before = len(wire.do.events())

    wire.arm("PATCH", PATH, body("Merge", team="b"), version=VERSION)

    (event,) = [entry["event"] for entry in wire.do.events()[before:]]
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["data"]["operationName"] == "Microsoft.Resources/tags/write"
    assert event["subject"].removesuffix(suffix).lower() == f"{POOLS}/old-pool".lower()


def test_a_move_is_announced_as_an_action_of_the_group_that_was_left(wire: Wire) -> None:
    before = len(wire.do.events())

    wire.do.edit("move-pool", pool="old-pool", group="rg-other")

    (event,) = [entry["event"] for entry in wire.do.events()[before:]]
    assert event["data"]["operationName"].endswith("/resourceGroups/moveResources/action")
    assert event["subject"].endswith("/resourceGroups/rg-build")

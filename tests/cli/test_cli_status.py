"""`status`: JSON holds the facts that the text shows, and a state that does not exist is said and is no calm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.process import Desk

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
FACTS = ("next", "nextRead", "lastWrite", "lastWriteUnread", "runbook")


def pools(desk: Desk, *names: str) -> dict[str, Any]:
    return {one["key"]: one for one in json.loads(desk.run("status", *names, "--output", "json").out)["pools"]}


def lines(desk: Desk, *names: str) -> dict[str, str]:
    """Label → what stands behind it, of one pool."""
    found = [line.strip().partition(": ") for line in desk.run("status", *names).out.splitlines()]
    return {label: text for label, mark, text in found if mark}


def test_json_has_what_the_text_says(online: Desk) -> None:
    assert online.run("apply", POOL).code == 0
    assert online.run("pause", POOL, "--until", "4h", "--reason", "incident 7").code == 0
    spec = online.folder / "specs" / f"{POOL}.yaml"
    spec.write_text(spec.read_text().replace("Standard_D2ads_v5", "Standard_D4ads_v5"))
    online.run("apply", POOL)

    shown, text = pools(online)[POOL], lines(online)

    assert shown["next"] == text["next"]
    assert "its pause ends" in shown["next"]
    assert shown["runbook"] == text["runbook"] == "docs/operations.md#suspended"
    assert shown["unreadySince"] is not None
    assert (shown["nextRead"], shown["lastWriteUnread"]) == (None, None)
    assert shown["lastWrite"]["at"][:10] == text["last write"][:10]
    assert f" {shown['lastWrite']['subject']}: " in text["last write"]


def test_a_pool_in_sync_says_more_where_it_is_named(online: Desk) -> None:
    assert online.run("apply", RELEASE).code == 0

    named, listed = pools(online, RELEASE)[RELEASE], pools(online)[RELEASE]

    assert named["next"] == lines(online, RELEASE)["next"]
    assert {name: listed[name] for name in FACTS} == dict.fromkeys(FACTS)


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_a_state_that_does_not_exist_is_an_error(desk: Desk, output: str) -> None:
    desk.environment |= {"RECONCILER_STATE": "stat.db"}

    ended = desk.run("status", "--output", output)

    assert (ended.code, ended.out) == (1, "")
    assert ended.errors == [
        "error: NotFound: state file stat.db: does not exist, so no run is stored there; is that the deployment's?"
    ]
    assert desk.files() == set()


@pytest.mark.parametrize("command", [("status",), ("mode",), ("history",), ("notify", "list"), ("resume", "x")])
def test_commands_on_the_state_agree_where_there_is_none(desk: Desk, command: tuple[str, ...]) -> None:
    ended = desk.run(*command)

    assert ended.code == 1
    (line,) = ended.errors
    assert "state.db: does not exist, so no" in line
    assert line.endswith("; RECONCILER_STATE names the deployment's")
    assert desk.files() == set()


def test_a_state_that_the_policy_names_counts(desk: Desk) -> None:
    """The file in the home folder, which the settings name otherwise, decides nothing."""
    desk.spec()
    (desk.folder / "policy.yaml").write_text("apiVersion: policy/v2\nstate: here.db\nallow: []\n")
    desk.environment |= {"RECONCILER_POLICY": "policy.yaml"}

    for command in (("status",), ("history",), ("notify", "list")):
        ended = desk.run(*command)
        assert (ended.code, "here.db: does not exist" in ended.err) == (1, True), ended.err

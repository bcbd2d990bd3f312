"""What tests of onboarding run and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import requests

from emulator import Running
from tests.shell import Said, Shell
from tests.tools.onboard.fabrikam import ROBOT

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
LEVEL, DEV, TEST = ("access_level", "prime"), ("project_reader", "prime/dev"), ("project_reader", "prime/test")
POOLS = ("pool_role", "prime")
DEV_QUEUES, TEST_QUEUES = ("queue_role", "prime/dev"), ("queue_role", "prime/test")
EVERYTHING = (LEVEL, DEV, TEST, POOLS, DEV_QUEUES, TEST_QUEUES)
"""In the order of granting."""
Become = Callable[[str], None]
Key = tuple[str, str]
"""Facet and subject."""


def run(shell: Shell, *more: str, mode: str = "enforce", organizations: tuple[str, ...] = ("prime",)) -> Said:
    return shell.run("onboard", *organizations, "--identity", ROBOT, "--mode", mode, "--output", "json", *more)


def plan(said: Said, organization: int = 0) -> Any:
    """The plan of a dry run, or what is left after an apply."""
    document = said.document
    return document["plans"][organization] if "plans" in document else document["results"][organization]["left"]


def planned(said: Said, organization: int = 0) -> list[Key]:
    return [_key(change["id"]) for change in plan(said, organization)["changes"]]


def granted(said: Said, organization: int = 0) -> list[Key]:
    return [_key(one) for one in said.document["results"][organization]["verified"]]


def refused(said: Said) -> dict[Key, str]:
    """With its rule."""
    return {_key(one["change"]["id"]): one["rule"] for one in plan(said)["refusals"]}


def failed(said: Said) -> dict[Key, str]:
    """With the error."""
    return {_key(one["change"]): one["reason"] for one in said.document["results"][0]["failures"]}


def gaps(said: Said, organization: int = 0) -> dict[Key, str]:
    """With their kind."""
    return {(gap["facet"], gap["subject"]): gap["kind"] for gap in plan(said, organization)["gaps"]}


def remarks(said: Said) -> list[str]:
    return [one["message"] for one in plan(said)["remarks"]]


def messages(said: Said, kind: str) -> str:
    """The texts of one kind in one line."""
    found: Iterable[Any] = said.document["results"][0]["failures"] if kind == "failures" else plan(said)[kind]
    return "; ".join(one["message"] for one in found)


def writes(world: Running) -> int:
    return world.do.count(writes=True)


def added(world: Running, level: str = "express") -> None:
    """Robot is a member with this access level."""
    state = world.do.state()
    state["organizations"][0]["identities"].append({"principal": "robot", "license": level})
    world.do.replace(state)


def as_robot(world: Running, path: str) -> Any:
    """The response to the operator itself."""
    headers = {"Authorization": "Bearer devops-robot", "X-TFS-FedAuthRedirect": "Suppress"}
    answer = requests.get(f"{world.devops}/prime{path}", headers=headers, params={"api-version": "7.1"}, timeout=20)
    return answer.json()["value"]


def may(world: Running, token: str, bits: int) -> bool:
    return bool(as_robot(world, f"/_apis/permissions/{NAMESPACE}/{bits}?tokens={token}")[0])


def _key(change: str) -> Key:
    facet, _, subject = change.split(":", 2)
    return facet, subject

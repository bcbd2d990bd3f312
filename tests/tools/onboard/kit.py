"""What tests of onboarding run and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from emulator import Running
from tests.shell import Said, Shell
from tests.tools.onboard.fabrikam import ROBOT

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
ALL = ("member", "prime"), ("project", "prime/dev"), ("project", "prime/test"), ("pools", "prime")
EVERYTHING = (*ALL, ("queues", "prime/dev"), ("queues", "prime/test"))
Become = Callable[[str], None]


def run(shell: Shell, *more: str, mode: str = "enforce", organizations: tuple[str, ...] = ("prime",)) -> Said:
    return shell.run("onboard", *organizations, "--identity", ROBOT, "--mode", mode, "--output", "json", *more)


def standings(said: Said, organization: int = 0) -> dict[tuple[str, str], str]:
    steps = said.document["organizations"][organization]["steps"]
    return {(step["kind"], step["place"]): step["standing"] for step in steps}


def details(said: Said) -> dict[tuple[str, str], str]:
    return {(step["kind"], step["place"]): step["detail"] for step in said.document["organizations"][0]["steps"]}


def writes(world: Running) -> int:
    return world.do.count(writes=True)


def added(world: Running, level: str = "express") -> None:
    """Robot is a member with this access level."""
    state = world.do.state()
    state["organizations"][0]["identities"].append({"principal": "robot", "license": level})
    world.do.replace(state)


def as_robot(world: Running, path: str) -> Any:
    """What the operator itself is answered."""
    headers = {"Authorization": "Bearer devops-robot", "X-TFS-FedAuthRedirect": "Suppress"}
    answer = requests.get(f"{world.devops}/prime{path}", headers=headers, params={"api-version": "7.1"}, timeout=20)
    return answer.json()["value"]


def may(world: Running, token: str, bits: int) -> bool:
    return bool(as_robot(world, f"/_apis/permissions/{NAMESPACE}/{bits}?tokens={token}")[0])

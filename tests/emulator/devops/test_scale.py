"""A list of a large organization costs the emulator as much work as one of a small one."""

from __future__ import annotations

import threading
from collections import Counter
from types import FrameType
from typing import Any, Self

import requests

import emulator
from tests.emulator.devops.fabrikam import Caller

POOLS = 20


class Counted:
    """Counts the calls of the emulator's functions, in every thread that begins while it lasts."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __enter__(self) -> Self:
        threading.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        threading.setprofile(None)

    def _count(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith("emulator."):
            self.calls[frame.f_code.co_name] += 1


def calls_of_a_list(projects: int) -> int:
    """How many functions the emulator calls to list the queues of one project among so many."""
    names = [f"project-{number}" for number in range(projects)]
    document = {
        "principals": [{"name": "operator", "kind": "managedIdentity"}],
        "organizations": [
            {
                "name": "prime",
                "identities": ["operator"],
                "roles": {"Administrator": ["operator"]},
                "projects": [{"name": name, "roles": {"Administrator": ["operator"]}} for name in names],
                "agentPools": [{"name": f"pool-{n}", "openAccess": True, "queues": names} for n in range(POOLS)],
            }
        ],
    }
    ids = ",".join(str(number) for number in range(1, POOLS + 1))
    with Counted() as counted, emulator.start(document) as running, requests.Session() as session:
        caller = Caller(running, session)
        caller.values(
            "GET", f"/{names[0]}/_apis/distributedtask/queues", poolIds=ids
        )  # memberships are worked out once
        counted.calls.clear()
        assert len(caller.values("GET", f"/{names[-1]}/_apis/distributedtask/queues", poolIds=ids)) == POOLS
    return counted.calls.total()


def test_a_list_of_five_hundred_projects_costs_no_more_than_one_of_five() -> None:
    """20 pools in 500 projects are 10,000 queues; a search through all of them would make tests too slow."""
    few, many = calls_of_a_list(5), calls_of_a_list(500)

    assert few > POOLS
    assert many <= few * 1.2

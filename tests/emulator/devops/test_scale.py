"""A large estate answers as fast as a small one."""

from __future__ import annotations

import time

import requests

import emulator
from tests.emulator.devops.fabrikam import Caller

PROJECTS, POOLS = 500, 20


def test_five_hundred_projects_by_twenty_pools_answer_at_once() -> None:
    """About a millisecond a list on an idle machine; the bound leaves room for a busy one."""
    projects = [f"project-{number}" for number in range(PROJECTS)]
    document = {
        "principals": [{"name": "operator", "kind": "managedIdentity"}],
        "organizations": [
            {
                "name": "prime",
                "identities": ["operator"],
                "roles": {"Administrator": ["operator"]},
                "projects": [{"name": name, "roles": {"Administrator": ["operator"]}} for name in projects],
                "agentPools": [{"name": f"pool-{n}", "openAccess": True, "queues": projects} for n in range(POOLS)],
            }
        ],
    }
    with emulator.start(document) as running, requests.Session() as session:
        caller = Caller(running, session)
        ids = ",".join(str(number) for number in range(1, POOLS + 1))
        times = []
        for name in projects[:100]:
            begun = time.perf_counter()
            found = caller.values("GET", f"/{name}/_apis/distributedtask/queues", poolIds=ids)
            times.append(time.perf_counter() - begun)
            assert len(found) == POOLS
        assert sorted(times)[len(times) // 2] < 0.05

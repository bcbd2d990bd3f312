"""What a resync costs in the store where nothing changed: a fixed number for each organization, and none for a pool.

Counted at the ports over SQLite, and as requests that Azurite receives; those of the queues are among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from benchmarks.estates import GROUP, SUBSCRIPTION, properties
from emulator import start
from reconciler.adapters.sqlite.store import Local
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.service.triggers import composition, messages, timers
from reconciler.telemetry import MemoryTelemetry
from tests.adapters.git.git_kit import Work
from tests.contract.azurite import Azurite
from tests.contract.counting import CountedStores, Relay, relay
from tests.contract.families import Settable
from tests.deployment import enforce, spec
from tests.examples import whole
from tests.service.queue.hall import ORG, Hall

PROJECTS = ("Web", "Api")


def allowed(pools: int) -> int:
    """Transactions of a resync of one organization in which nothing changed."""
    return 12 + -(-pools // 100)


@dataclass
class Counting:
    """A worker on SQLite, each time with a process of its own: nothing is known but what is stored."""

    folder: Path
    pools: int

    def __post_init__(self) -> None:
        self.clock = Settable()
        self.stores = CountedStores(Local(self.folder / "state.db", self.clock))
        Safety(self.stores.safety, self.clock).set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")
        self.estate = self._hall().estate

    def _hall(self, **given: Any) -> Hall:
        safety = Safety(self.stores.safety, self.clock, service=True)
        return Hall(self.stores, self.clock, self.pools, safety=safety, **given)

    def resync(self) -> Counter[str]:
        """One resync, worked off; what it cost by port and method."""
        self.clock.advance(900)
        hall = self._hall(estate=self.estate)
        self.stores.calls.clear()
        hall.outbox.sweep(hall.worker.catalogue.specs().by_key.values())
        while hall.outbox.sweeps.length():
            hall.turn(hall.outbox.sweeps)
        assert Counter(report.what for report in hall.told) == {"in-sync": self.pools}
        self.stores.calls[:] = [call for call in self.stores.calls if call != "queue.length"]
        self.named = [call for call in self.stores.calls if "pool-" in call]
        return self.stores.counted()


@pytest.mark.soaked
@pytest.mark.parametrize("pools", [1, 40, whole(300, usual=120)])
def test_an_unchanged_resync_costs_a_fixed_number_of_transactions_and_none_for_a_pool(
    tmp_path: Path, pools: int
) -> None:
    counting = Counting(tmp_path, pools)
    counting.resync()
    counting.resync()  # what was stored by the first is read once

    cost = counting.resync()

    assert cost.total() <= allowed(pools), cost
    assert counting.named == []
    assert counting.resync() == cost
    assert counting.estate.writes == []


def test_a_pool_that_changed_costs_its_own_transactions_and_the_others_none(tmp_path: Path) -> None:
    counting = Counting(tmp_path, 40)
    for _ in range(3):
        counting.resync()
    specs = counting._hall(estate=counting.estate).files.files
    assert len(specs) == 40
    name = next(queue.id for queue in counting.estate.queues[ORG] if queue.name == "pool-7")
    counting.estate.open.discard(name)

    with pytest.raises(AssertionError, match="applied"):
        counting.resync()

    assert {call.rpartition("/")[2].rpartition(" ")[2] for call in counting.stores.calls if "pool-" in call} == {
        "pool-7"
    }


# --- a storage account -----------------------------------------------------------------------------------------


@contextmanager
def account(azurite: Azurite, folder: Path, pools: int) -> Iterator[tuple[dict[str, str], Relay]]:
    """One organization on the emulator, specs in Git, and a storage account whose requests are counted."""
    names = [f"pool-{number}" for number in range(pools)]
    queues = [{"project": project, "openAccess": True} for project in PROJECTS]
    roles = {"Administrator": ["operator"]}
    agents = {"managed": True, "allProjects": True, "inherit": False, "queues": queues, "roles": roles}
    arm = {"resourceGroup": GROUP, "location": "eastus", "properties": properties(ORG)}
    organization = {"name": ORG, "identities": ["operator"], "administrators": ["operator"], "projects": list(PROJECTS)}
    world = {
        "principals": [{"name": "operator", "kind": "servicePrincipal"}],
        "subscriptions": [
            {"id": SUBSCRIPTION, "resourceGroups": [GROUP], "pools": [{**arm, "name": name} for name in names]}
        ],
        "organizations": [{**organization, "agentPools": [{**agents, "name": name} for name in names]}],
    }
    repository = Work(folder / "repository")
    repository.commit(**{f"specs__{name}": spec(name, ORG) for name in names})
    own = f"t{uuid4().hex[:12]}"
    with relay(azurite) as counted, start(world) as cloud:
        given = {
            "SPECS": f"{repository.path}#main:specs", "STATE": counted.azurite.connection, "ALLOW_LOOPBACK": "1",
            "CREDENTIAL": "static", "ARM_ENDPOINT": cloud.arm, "DEVOPS_ENDPOINT": cloud.devops,
            "AUDIT_ENDPOINT": cloud.devops, "ARM_TOKEN": cloud.tokens["arm"], "DEVOPS_TOKEN": cloud.tokens["devops"],
            "CACHE": str(folder / "cache"), "CONTAINER": own, "WORK_QUEUE": f"{own}-work", "SWEEP_QUEUE": f"{own}-sweep",
        }  # fmt: skip
        environment = {f"RECONCILER_{name}": value for name, value in given.items()}
        yield {**environment, "AZURE_DEVOPS_CACHE_DIR": str(folder / "cache")}, counted


def test_the_same_counted_as_requests_that_a_storage_account_receives(azurite: Azurite, tmp_path: Path) -> None:
    """By the worker as it is deployed, a new process for each resync. Polls of an empty queue do not count."""
    pools = 6
    costs: list[list[str]] = []
    with account(azurite, tmp_path, pools) as (environment, counted):
        for number in range(5):
            context = composition.build(
                Settings.read(environment, beneath=state(environment)), Hosting.read(environment), MemoryTelemetry()
            )
            if not number:
                enforce(context)
            timers.keep_swept(context)  # once in a process it reads whether a resync is overdue
            context.catalogue.specs()
            counted.requests.clear()
            context.outbox.sweep(context.catalogue.specs().by_key.values())
            (message,) = context.outbox.sweeps.take(1, 330)
            messages.work(context, message.text, message.inserted)
            context.outbox.sweeps.ack(message)
            costs.append(list(counted.requests))

    # Now and then the figures of the organization's rate are stored too, when they changed.
    least = min(costs[2:], key=len)
    assert len(least) <= allowed(pools), least
    assert [one for cost in costs[2:] for one in cost if "pool-" in one] == []

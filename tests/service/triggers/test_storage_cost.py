"""What a resync costs in the store where nothing changed: a fixed number for each organization, and none for a pool.

Counted at the ports over SQLite, and as requests that Azurite receives, with the queue's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.estates import GROUP, SUBSCRIPTION, properties
from emulator import start
from reconciler.adapters.sqlite.store import Local
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.service.triggers import TriggerContext, composition, timers
from tests.adapters.git.git_kit import Work
from tests.contract.azurite import Azurite
from tests.contract.counting import CountedStores, Relay, relay
from tests.contract.families import Settable
from tests.deployment import enforce, spec, work_off
from tests.service.queue.hall import ORG, Hall


def allowed(pools: int) -> int:
    """Transactions of a resync of one organization."""
    return 12 + -(-pools // 100)


def counted_hall(folder: Path, pools: int) -> tuple[Hall, Settable, CountedStores]:
    clock = Settable()
    stores = CountedStores(Local(folder / "state.db", clock))
    safety = Safety(stores.safety, clock, service=True)
    safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")
    return Hall(stores, clock, pools, safety=safety), clock, stores


def resync(hall: Hall, clock: Settable) -> Counter[str]:
    """One resync, worked off; what it cost by port and method."""
    clock.advance(900)
    stores = hall.stores
    assert isinstance(stores, CountedStores)
    stores.counted()
    hall.told.clear()
    hall.outbox.sweep(hall.worker.catalogue.specs().by_key.values())
    while hall.outbox.sweeps.length():
        hall.turn(hall.outbox.sweeps)
    assert Counter(report.what for report in hall.told) == {"in-sync": hall.pools}
    return Counter({name: count for name, count in stores.counted().items() if name != "queue.length"})

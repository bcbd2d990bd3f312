"""What the processes of the race run; in a module of its own, so that they can import it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from reconciler.errors import LeaseHeld
from tests.contract.families import Family


def race(family: Family, key: str, threads: int) -> int:
    """How many of so many threads, each a worker of its own, got the lease."""

    def attempt(_: int) -> int:
        worker = family.worker()
        try:
            worker.leases.acquire(key, 60)
        except LeaseHeld:
            return 0
        else:
            return 1
        finally:
            worker.close()

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(attempt, range(threads)))

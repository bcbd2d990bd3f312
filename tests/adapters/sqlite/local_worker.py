"""What other processes run in the tests of the local file; in a module of its own, so that they can import it."""

from __future__ import annotations

from reconciler.adapters.sqlite.store import Local


def put_many(path: str, key: str, count: int) -> None:
    stores = Local(path)
    for _ in range(count):
        stores.queue.put(key)
    stores.close()

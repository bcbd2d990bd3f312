"""Several workers on one store, in either store: no notice is lost, and none is sent twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.webhooks import WebhookSender
from reconciler.service.notify import letters, waiting
from reconciler.service.notify.flush import Flush, Receivers
from reconciler.service.notify.waiting import NoticeOutbox
from reconciler.telemetry import MemoryTelemetry
from tests.contract.families import Family, local_family, storage_family
from tests.service.notify.kit import notice, status
from tests.service.notify.receivers import Post

WORKERS = 6


@pytest.fixture(params=["local", pytest.param("storage", marks=pytest.mark.azurite)])
def family(request: pytest.FixtureRequest, tmp_path: Path) -> Family:
    if request.param == "local":
        return local_family(tmp_path)
    return storage_family(request.getfixturevalue("azurite").connection)


def test_what_several_workers_hand_over_at_once_is_sent_once(family: Family, post: Post) -> None:
    clock, telemetry = SystemClock(), MemoryTelemetry()
    statuses = {
        number: [status(notice(f"pool-{number}-{each}", at=clock.now())) for each in range(5)]
        for number in range(WORKERS)
    }

    def hand_over(number: int) -> None:
        stores = family.worker()
        outbox = NoticeOutbox(stores.state, stores.named("work"), clock, telemetry)
        for one in statuses[number]:
            outbox.hand_over([one])
        stores.close()

    def flush(_: int) -> None:
        stores = family.worker()
        receivers = Receivers(post.targets("webhook"), WebhookSender())
        Flush(
            stores.state, stores.leases, stores.named("work"), clock, telemetry, receivers, lambda *_, **__: None
        ).run()
        stores.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(hand_over, range(WORKERS)))
    for number in range(WORKERS):
        hand_over(number)  # as the next look at each pool does, for those that others overtook too often
    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(flush, range(WORKERS)))
    flush(0)

    events = [event["data"] for event in post.accepted()]
    told = [one["pool"] for data in events for one in data["notices"]]
    assert sorted(told) == sorted(f"pool-{number}-{each}" for number in range(WORKERS) for each in range(5))
    stores = family.worker()
    kept = stores.state.load(letters.DOCUMENT)
    left = stores.state.load(waiting.DOCUMENT)
    assert letters.Letters.from_json(None if kept is None else kept.body).open == ()
    assert waiting.WaitingNotices.from_json(None if left is None else left.body).notices == ()
    stores.close()

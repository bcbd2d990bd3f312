"""One missing right stalls all pools: one message, and one at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.webhooks import WebhookSender
from reconciler.errors import Forbidden
from reconciler.service.notify.flush import Flush, Receivers
from reconciler.service.notify.waiting import NoticeOutbox
from tests.examples import whole
from tests.service.notify.receivers import Post
from tests.service.queue.hall import failing, hall

POOLS = whole(100, usual=30)


@pytest.mark.soaked
def test_many_pools_that_one_right_stalls_are_one_message_and_their_recovery_another(
    tmp_path: Path, post: Post
) -> None:
    with hall(tmp_path, POOLS) as (made, clock):
        state, queue = made.stores.state, made.outbox.events
        made.worker = replace(made.worker, notices=NoticeOutbox(state, queue, clock, made.telemetry))
        receivers = Receivers(post.targets(), WebhookSender(clock.now), "https://page.example", "prod")
        flush = Flush(state, made.stores.leases, queue, clock, made.telemetry, receivers, lambda *_, **__: None)

        def resync() -> Counter[str]:
            clock.advance(900)
            made.told.clear()
            made.outbox.sweep(made.worker.catalogue.specs().by_key.values())
            made.turn(made.outbox.sweeps)
            clock.advance(60)
            for message in queue.take(32, 330):
                queue.ack(message)
            flush.run()
            return Counter(report.what for report in made.told)

        assert resync() == {"in-sync": POOLS}
        assert post.received == []
        made.estate.before = failing("queues", Forbidden("may not read agent queues"))
        for _ in range(4):
            assert resync() == {"stalled": POOLS}
        assert [len(post.accepted(one)) for one in ("teams", "slack", "webhook")] == [1, 1, 1]
        assert (post.kinds(), post.accepted()[0]["data"]["pools"]) == (["stalled"], POOLS)

        made.estate.before = failing("nothing", Forbidden("never"))
        for _ in range(3):
            assert resync() == {"in-sync": POOLS}

        assert post.kinds() == ["stalled", "recovered"]
        assert post.accepted()[1]["data"]["pools"] == POOLS
        assert made.estate.writes == []

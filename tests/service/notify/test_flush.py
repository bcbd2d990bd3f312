"""From what waits to what was sent: grouped, once, retried, and in the end a dead letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.adapters.webhooks import WebhookSender
from reconciler.config.notify import NotifyTarget
from reconciler.documents import Json
from reconciler.engine.notice_state import LASTS
from reconciler.errors import NotFound, Unavailable
from reconciler.ports.notices import NoticeKind
from reconciler.ports.stores import StateStore, StoredDocument
from reconciler.service.notify import letters, waiting
from reconciler.service.notify.flush import Flush, Receivers, is_flush, resend
from reconciler.service.notify.waiting import FLUSH, TOGETHER, NoticeOutbox
from reconciler.telemetry import MemoryTelemetry
from tests.contract.counting import CountedStores
from tests.contract.families import Settable
from tests.service.notify.kit import notice, status
from tests.service.notify.receivers import Post


@dataclass
class Disk:
    """A state store on a disk that may be full."""

    state: StateStore
    full: bool = False

    def load(self, name: str) -> StoredDocument | None:
        return self.state.load(name)

    def save(self, name: str, body: Json, etag: str | None) -> str:
        if self.full:
            raise Unavailable("the disk is full")
        return self.state.save(name, body, etag)

    def versions(self, prefix: str) -> Mapping[str, str]:
        return self.state.versions(prefix)

    def names(self, prefix: str) -> Sequence[str]:
        return self.state.names(prefix)


@dataclass
class Office:
    """Stores and receivers; each call is by a process of its own."""

    folder: Path
    post: Post
    targets: tuple[NotifyTarget, ...] = ()
    clock: Settable = field(default_factory=Settable)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stores = CountedStores(Local(self.folder / "state.db", self.clock))
        self.targets = self.targets or self.post.targets("webhook")
        self.queue = self.stores.named("work")
        self.disk = Disk(self.stores.state)

    def outbox(self) -> NoticeOutbox:
        return NoticeOutbox(self.disk, self.queue, self.clock, self.telemetry)

    def hand_over(self, *pools: str, **given: Any) -> None:
        self.outbox().hand_over(status(notice(pool, at=self.clock.now(), **given)) for pool in pools)

    def flush(self) -> Flush:
        receivers = Receivers(self.targets, WebhookSender(self.clock.now, 2.0), "https://page.example", "prod")
        return Flush(
            self.disk, self.stores.leases, self.queue, self.clock, self.telemetry, receivers,
            lambda name, **fields: self.said.append((name, fields)),
        )  # fmt: skip

    def later(self, seconds: float = TOGETHER + 1) -> int:
        """Time passes, and messages that are due are handled; how many there were."""
        self.clock.advance(seconds)
        taken = self.queue.take(32, 330)
        for message in taken:
            assert is_flush(message.text)
            self.flush().run()
            self.queue.ack(message)
        return len(taken)

    def letters(self) -> letters.Letters:
        document = self.stores.state.load(letters.DOCUMENT)
        return letters.Letters.from_json(None if document is None else document.body)


@pytest.fixture
def office(tmp_path: Path, post: Post) -> Office:
    return Office(tmp_path, post)


def test_a_hundred_pools_that_one_cause_stalls_are_one_message(office: Office) -> None:
    for start in range(0, 100, 10):
        office.hand_over(*(f"pool-{number:03}" for number in range(start, start + 10)))
    assert office.queue.length() == 1

    office.later()

    (event,) = office.post.accepted()
    assert (event["data"]["pools"], event["data"]["kind"], event["data"]["cause"]) == (100, "stalled", "Forbidden")
    assert len(event["data"]["notices"]) + event["data"]["more"] == 100
    assert office.later(3600) == 0
    assert office.telemetry.total("reconciler.notices.sent", receiver="webhook", notice="stalled") == 1


def test_causes_organizations_and_kinds_are_messages_of_their_own_the_most_urgent_first(office: Office) -> None:
    office.hand_over("a", kind=NoticeKind.RECOVERED)
    office.hand_over("b", "c")
    office.hand_over("d", cause="NotFound")
    office.hand_over("e", organization="fabrikam-tailspin")
    office.hand_over("f", kind=NoticeKind.FIGHT)
    office.later()
    found = [(one["data"]["kind"], one["data"]["organization"], one["data"]["pools"]) for one in office.post.accepted()]
    assert found == [
        ("fight", "fabrikam-prime", 1), ("stalled", "fabrikam-prime", 2), ("stalled", "fabrikam-prime", 1),
        ("stalled", "fabrikam-tailspin", 1), ("recovered", "fabrikam-prime", 1),
    ]  # fmt: skip


def test_a_notice_that_is_handed_over_by_every_look_is_sent_once(office: Office) -> None:
    told = status(notice(at=office.clock.now()))
    for _ in range(5):
        office.outbox().hand_over([told, told])
        office.later(700)
    assert len(office.post.received) == 1
    office.clock.advance(LASTS.total_seconds())
    office.stores.calls.clear()
    office.outbox().hand_over([told])
    assert office.stores.calls == []


def test_a_look_at_pools_without_notices_touches_nothing(office: Office) -> None:
    office.stores.calls.clear()
    office.outbox().hand_over([])
    assert office.stores.calls == []
    outbox = office.outbox()
    told = status(notice(at=office.clock.now()))
    outbox.hand_over([told])
    office.stores.calls.clear()
    outbox.hand_over([told])
    assert office.stores.calls == [], "the same process knows that it handed it over"


def test_filters_decide_who_gets_what_and_what_no_one_wants_is_dropped(office: Office) -> None:
    environment = {**office.post.environment, "RECONCILER_NOTIFY_WEBHOOK_FILTER": "kinds=stalled; pools=prod-*"}
    from reconciler.config.triggers import Hosting  # noqa: PLC0415

    office.targets = tuple(one for one in Hosting.read(environment).notify if one.name != "teams")
    office.hand_over("PROD-1", "dev-1")
    office.later()
    assert [[one["pool"] for one in event["data"]["notices"]] for event in office.post.accepted()] == [["PROD-1"]]
    assert len(office.post.accepted("slack")) == 1
    office.targets = office.targets[1:]
    office.hand_over("dev-2")
    office.later()
    assert len(office.post.received) == 2
    assert office.letters().open == ()


def test_a_receiver_that_asks_for_time_gets_it_and_one_that_fails_too(office: Office) -> None:
    office.post.answers[:] = [(429, {"Retry-After": "120"}), (500, {})]
    office.hand_over("a")
    office.later()
    assert office.later(100) == 0
    assert office.later(25) == 1
    assert office.post.accepted() == []
    for _ in range(3):
        office.later(60)
    assert len(office.post.accepted()) == 1
    assert {one.headers["webhook-id"] for one in office.post.received} == {office.post.accepted()[0]["id"]}
    assert len({one.headers["webhook-timestamp"] for one in office.post.received}) == 3


def test_messages_to_a_receiver_that_is_down_wait_together_and_the_queue_does_not_grow(office: Office) -> None:
    office.targets = office.post.targets("slack", "webhook")
    office.post.answers[:] = [(503, {"Retry-After": "600"})]
    office.hand_over("a")
    office.later()
    assert [one.receiver for one in office.post.received] == ["slack", "webhook"]
    for number in range(5):
        office.hand_over(f"b-{number}", cause=f"Cause{number}")
        office.later(40)
    assert [one.receiver for one in office.post.received] == ["slack", "webhook", *["webhook"] * 5]
    assert office.queue.length() == 1
    office.later(600)
    assert len(office.post.accepted("slack")) == 6


@pytest.mark.parametrize("status_code", [301, 400, 403, 404, 410])
def test_a_rejected_message_is_a_dead_letter_at_once_and_can_be_sent_again(office: Office, status_code: int) -> None:
    office.post.answers[:] = [(status_code, {"Location": office.post.url})]
    office.hand_over("a")
    office.hand_over("b", cause="Other")
    office.later()
    (dead,) = office.letters().dead
    assert str(status_code) in dead.why
    assert len(office.post.accepted()) == 1, "the message after it is not held back"
    assert len(office.post.received) == 2
    assert office.telemetry.total("reconciler.notices.dead", receiver="webhook") == 1
    assert [name for name, _ in office.said].count("dead") == 1
    with pytest.raises(NotFound, match="no dead letter has the id"):
        resend(office.stores.state, office.stores.leases, office.queue, ["other"])

    assert resend(office.stores.state, office.stores.leases, office.queue, [dead.id]) == 1
    office.later(5)

    assert len(office.post.accepted()) == 2
    assert office.letters() == letters.Letters()


def test_what_fails_too_often_is_a_dead_letter(office: Office) -> None:
    office.post.answers[:] = [(502, {})] * 50
    office.hand_over("a")
    for _ in range(200):
        office.later(120)
    assert len(office.post.received) == letters.ATTEMPTS
    assert [one.attempts for one in office.letters().dead] == [letters.ATTEMPTS]
    assert office.queue.length() == 0


def test_a_process_that_dies_after_it_sent_sends_the_same_message_again(office: Office) -> None:
    office.hand_over("a")
    office.clock.advance(60)
    flush = office.flush()

    class Died(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Died

    with pytest.raises(Died):
        Flush(
            flush.state, flush.leases, flush.queue, flush.clock, flush.telemetry, flush.receivers, dies
        ).run()  # fmt: skip
    office.hand_over("b")
    office.later(61)
    ids = [one["id"] for one in office.post.accepted()]
    assert len(ids) == 3
    assert len(set(ids)) == 2


def test_a_store_that_fails_delays_notices_and_raises_nothing(office: Office) -> None:
    told = status(notice(at=office.clock.now()))
    office.disk.full = True
    office.outbox().hand_over([told])
    assert office.telemetry.total("reconciler.notices.failed", reason="Unavailable") == 1
    office.disk.full = False
    office.outbox().hand_over([told])
    office.disk.full = True
    office.later()
    assert office.post.received == []
    office.disk.full = False
    office.later(61)
    assert len(office.post.accepted()) == 1


def test_two_workers_flush_one_after_the_other(office: Office) -> None:
    office.hand_over("a")
    lease = office.stores.leases.acquire(letters.DOCUMENT, 60)
    office.later()
    assert office.post.received == []
    lease.release()
    office.later(61)
    assert len(office.post.accepted()) == 1


def test_documents_stay_bounded(office: Office) -> None:
    for start in range(0, waiting.MOST + 300, 100):
        office.hand_over(*(f"pool-{number}" for number in range(start, start + 100)))
    assert office.telemetry.total("reconciler.notices.dropped") == 300
    office.later()
    office.clock.advance(3 * LASTS.total_seconds())
    office.hand_over("last")
    office.later()
    document = office.stores.state.load(waiting.DOCUMENT)
    assert document is not None
    assert list(waiting.WaitingNotices.from_json(document.body).taken) == [
        notice("last", at=office.clock.now() - timedelta(seconds=TOGETHER + 1)).id
    ]


def test_a_text_of_the_queue_is_a_flush_or_not() -> None:
    assert is_flush(FLUSH)
    assert is_flush('{ "notify": "flush" }')
    assert not any(map(is_flush, ("", '{"keys":["notify"]}', '{"notify"', '["notify"]', "notify" + "[" * 500)))

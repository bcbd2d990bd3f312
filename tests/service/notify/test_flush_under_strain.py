"""What strains the two documents of notices: many writers, much text, clocks that were wrong, pools that turn often."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.documents import Json
from reconciler.engine.notice_state import LASTS, NoticeLine
from reconciler.errors import LeaseHeld
from reconciler.ports.notices import NoticeKind
from reconciler.service.notify import letters, waiting
from tests.service.notify.kit import NOW, letter, notice, status
from tests.service.notify.receivers import Post
from tests.service.notify.test_flush import Disk, Office


class Crowd(Disk):
    """A store in which other workers are always faster with the document of what waits."""

    crowded = False

    def save(self, name: str, body: Json, etag: str | None) -> str:
        if self.crowded and name == waiting.DOCUMENT:
            raise LeaseHeld("another worker was faster")
        return super().save(name, body, etag)


@pytest.fixture
def office(tmp_path: Path, post: Post) -> Office:
    return Office(tmp_path, post)


def test_what_other_workers_keep_adding_to_is_sent_once(office: Office) -> None:
    office.disk = crowd = Crowd(office.stores.state)
    office.hand_over("a", "b")
    crowd.crowded = True
    office.later()
    crowd.crowded = False
    office.hand_over("c", kind=NoticeKind.DRIFT)
    office.later(61)
    office.later(61)
    found = [one["pool"] for event in office.post.accepted() for one in event["data"]["notices"]]
    assert sorted(found) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (NoticeKind.RECOVERED, NoticeKind.STALLED), (NoticeKind.REPAIRED, NoticeKind.FIGHT),
        (NoticeKind.REPAIRED, NoticeKind.DRIFT), (NoticeKind.STALLED, NoticeKind.RECOVERED),
    ],
)  # fmt: skip
def test_what_a_pool_did_last_is_read_last(office: Office, first: NoticeKind, second: NoticeKind) -> None:
    office.hand_over("a", kind=first)
    office.hand_over("other", kind=NoticeKind.REFUSED)
    office.clock.advance(5)
    office.hand_over("a", kind=second)
    office.later()
    found = [one["data"]["kind"] for one in office.post.accepted() if one["data"]["notices"][0]["pool"] == "a"]
    assert found == [first.value, second.value]


def test_a_pool_that_turns_twice_is_shown_as_it_is_now(office: Office) -> None:
    for kind in (NoticeKind.STALLED, NoticeKind.RECOVERED, NoticeKind.STALLED, NoticeKind.RECOVERED):
        office.hand_over("a", kind=kind)
        office.clock.advance(2)
    office.later()
    assert [one["data"]["kind"] for one in office.post.accepted()] == ["stalled", "recovered"]


@pytest.mark.parametrize("ahead", [timedelta(days=10), timedelta(hours=3)])
def test_a_notice_from_a_clock_that_was_ahead_is_sent_once(office: Office, ahead: timedelta) -> None:
    told = status(notice("a", at=office.clock.now() + ahead))
    for number in range(6):
        office.outbox().hand_over([told])  # by a new process each time
        office.hand_over(f"other-{number}")
        office.later(2 * LASTS.total_seconds() + 60)
    pools = [one["pool"] for event in office.post.accepted() for one in event["data"]["notices"]]
    assert pools.count("a") == 1


def _long(number: int) -> NoticeLine:
    return NoticeLine(f"role {number} " + "🦊" * 290, "x" * 300, "y" * 300, "z" * 600)


def test_long_texts_of_many_pools_never_make_a_document_too_long_to_store(office: Office) -> None:
    office.targets = office.post.targets("slack", "webhook", "teams")
    lines = tuple(map(_long, range(20)))
    for start in range(0, 400, 100):
        office.hand_over(*(f"pool-{number:04}" for number in range(start, start + 100)), lines=lines)
    dropped = office.telemetry.total("reconciler.notices.dropped")
    assert 0 < dropped < 400, "the oldest are dropped, and counted"
    assert office.telemetry.total("reconciler.notices.failed") == 0
    office.later()
    (event,) = office.post.accepted()
    assert event["data"]["pools"] == 400 - dropped
    assert [len(office.post.accepted(name)) for name in ("slack", "teams")] == [1, 1]


def test_dead_letters_never_make_a_document_too_long_to_store() -> None:
    long = letter(notice("a", lines=tuple(map(_long, range(20)))))
    known = letters.Letters().with_dead([replace(long, id=str(number)) for number in range(letters.MOST_DEAD)], NOW)
    assert known.dead[-1].id == str(letters.MOST_DEAD - 1)
    assert len(json.dumps(known.to_json())) < letters.CHARACTERS + 1000


@pytest.mark.parametrize("most", [1, 3])
def test_at_least_one_is_stored(most: int) -> None:
    long = replace(notice("a"), text="x" * 1000)
    assert letters.fitting([], most, 10) == 0
    assert letters.fitting([long] * 5, most, 10) == 1
    assert letters.fitting([long] * 5, most, 10**6) == most


def test_a_notice_that_finds_no_place_among_others_is_counted_and_handed_over_by_the_next_look(office: Office) -> None:
    office.disk = crowd = Crowd(office.stores.state)
    crowd.crowded = True
    told, outbox = status(notice("a", at=office.clock.now())), office.outbox()
    outbox.hand_over([told])
    assert office.telemetry.total("reconciler.notices.failed", reason="LeaseHeld") == 1
    crowd.crowded = False
    outbox.hand_over([told])
    office.later()
    assert len(office.post.accepted()) == 1

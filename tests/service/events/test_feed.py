"""What a poll of the audit log leaves behind, and what a sweep of any process makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.documents import Json, moment
from reconciler.service.events.feed import INTERVAL, MOST, FeedReader, after_read, document
from reconciler.service.events.pools import ChangedPlace
from reconciler.survey import scopes
from reconciler.survey.demand import Demand
from reconciler.survey.evidence import Evidence
from reconciler.survey.memo import Key, Memo
from tests.contract.families import Settable

ORG = "fabrikam-prime"
WEB, API = "0f5e2d7c-1111-4222-8333-9a8b7c6d5e4f", "1f5e2d7c-1111-4222-8333-9a8b7c6d5e4f"
MINUTE = timedelta(minutes=1)


class Polled:
    """A poll and a sweep that share a store and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.clock = Settable()
        self.store = Local(folder / "state.db", self.clock)
        self.evidence = Evidence(self.clock.now)
        self.reader = FeedReader(self.store.state, self.evidence, self.clock)
        self.body: Json = {}

    def poll(self, *scopes_changed: str, whole: bool = True, cursor: str = "c") -> None:
        now = self.clock.now()
        changes = [ChangedPlace(ORG, one, now) for one in scopes_changed]
        before = self.body
        kept = timedelta(hours=4)
        self.body = after_read(before, ORG, changes, cursor=cursor, now=now, kept=kept, whole=whole)
        known = self.store.state.load(document(ORG))
        self.store.state.save(document(ORG), self.body, None if known is None else known.etag)

    def read(self, project: str) -> bool:
        """Whether a request about nothing in particular has to read a fact of the project."""
        now, read = self.clock.now(), list[str]()

        def fetched() -> str:
            read.append(project)
            return project

        Memo(self.clock.now, self.evidence.view((), Demand(now, now))).get(Key("authorized", ORG, project), fetched)
        return bool(read)


@pytest.fixture
def polled(tmp_path: Path) -> Iterator[Polled]:
    made = Polled(tmp_path)
    yield made
    made.store.close()


def test_a_log_counts_while_it_is_read_and_not_before_nor_after(polled: Polled) -> None:
    assert polled.reader.hear([ORG]) == frozenset()
    polled.poll()
    assert polled.reader.hear([ORG]) == {ORG}
    polled.clock.advance(2 * INTERVAL.total_seconds() + 1)
    assert polled.reader.hear([ORG]) == frozenset()


def test_a_place_that_changed_is_read_again_and_no_other(polled: Polled) -> None:
    polled.poll()
    polled.clock.advance(60)
    polled.reader.hear([ORG])
    assert [polled.read(one) for one in (WEB, API, WEB)] == [True, True, False]
    polled.clock.advance(60)
    polled.poll(scopes.project(ORG, WEB).text())
    polled.clock.advance(60)
    polled.reader.hear([ORG])

    assert [polled.read(one) for one in (WEB, API)] == [True, False]
    polled.reader.hear([ORG])
    assert not polled.read(WEB), "what was taken over once does not count again"


@pytest.mark.parametrize("scope", ["organization?organization=" + ORG, "a place of a later release"])
def test_what_is_not_understood_may_be_anywhere(polled: Polled, scope: str) -> None:
    polled.poll()
    polled.reader.hear([ORG])
    polled.clock.advance(60)
    assert polled.read(WEB)
    polled.clock.advance(60)
    polled.poll()
    polled.body = {**polled.body, "places": [[scope, moment(polled.clock.now()), moment(polled.clock.now())]]}
    known = polled.store.state.load(document(ORG))
    assert known is not None
    body = {**polled.body, "read": moment(polled.clock.now())}
    polled.store.state.save(document(ORG), body, known.etag)
    polled.clock.advance(30)
    polled.reader.hear([ORG])

    assert polled.read(WEB)


@pytest.mark.parametrize("how", ["first", "cut", "many"])
def test_where_entries_may_be_missing_everything_has_changed(polled: Polled, how: str) -> None:
    if how != "first":
        polled.poll()
    polled.reader.hear([ORG])
    polled.clock.advance(60)
    assert polled.read(WEB)
    polled.clock.advance(60)
    many = [scopes.project(ORG, API, queue=number).text() for number in range(1, MOST + 2)]
    polled.poll(*(many if how == "many" else ()), whole=how != "cut", cursor="d")
    polled.clock.advance(60)
    polled.reader.hear([ORG])

    assert len(polled.body["places"]) == 1
    assert polled.read(WEB)


def test_a_read_that_found_nothing_is_not_stored_each_time(polled: Polled) -> None:
    polled.poll()
    polled.clock.advance(60)
    polled.poll()
    first = polled.body
    polled.clock.advance(60)
    polled.poll()
    assert polled.body == first
    polled.clock.advance(INTERVAL.total_seconds())
    polled.poll()
    assert polled.body != first


@pytest.mark.parametrize(
    "body",
    [
        {}, {"read": 7}, {"read": "soon"}, {"read": "2999-01-01T00:00:00Z"}, {"read": None, "places": 7}, [],
        {"places": [["organization", "soon", "soon"]]},
    ],
)  # fmt: skip
def test_a_document_that_makes_no_sense_counts_for_nothing(polled: Polled, body: Json) -> None:
    polled.store.state.save(document(ORG), body, None)

    assert polled.reader.hear([ORG]) == frozenset()

"""Which entries of the operator are echoes: by the record of writes alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.documents import Json, moment
from reconciler.errors import Unavailable
from reconciler.ports.write_log import WriteLog, organization_chain
from reconciler.service.events.echoes import Echoes
from reconciler.service.events.pools import ChangedPlace
from reconciler.survey import scopes
from reconciler.survey.scopes import Scope
from tests.contract.families import Settable

ORG, WEB = "fabrikam-prime", "0f5e2d7c-1111-4222-8333-9a8b7c6d5e4f"
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
QUEUE = scopes.project(ORG, WEB, queue=31)
POOL = scopes.roles(ORG, agent_pool=7)
_QUEUE = {"organization": ORG, "projectId": WEB, "queueId": 31, "poolId": 7}
_POOL = {"organization": ORG, "poolId": 7}


@pytest.fixture
def record(tmp_path: Path) -> Iterator[WriteLog]:
    store = Local(tmp_path / "state.db", Settable())
    yield store.record
    store.close()


def written(record: WriteLog, name: str, place: Json, seconds: float, *proofs: tuple[str, float]) -> None:
    """An intent, and what reads showed afterwards; seconds after the entry."""
    at = moment(AT + timedelta(seconds=seconds))
    bodies: list[Json] = [{"kind": "intent", "id": name, "at": at, "place": place}]
    bodies += [
        {"kind": "proof", "of": name, "outcome": outcome, "at": moment(AT + timedelta(seconds=later))}
        for outcome, later in proofs
    ]
    record.append(organization_chain(ORG), bodies)


def changed(scope: Scope, at: datetime | None = AT, *, own: bool = True) -> ChangedPlace:
    return ChangedPlace(ORG, scope.text(), at, own)


@pytest.mark.parametrize(
    ("place", "scope", "seconds", "proofs", "echo"),
    [
        (_QUEUE, QUEUE, -1, [("verified", 2)], True),
        (_QUEUE, QUEUE, -1, [("verified", -3)], False),  # that identity may have changed it since
        (_QUEUE, QUEUE, -60, [("verified", -30)], False),
        (_QUEUE, QUEUE, -1, [], False),
        (_QUEUE, QUEUE, -1, [("not-seen", 2)], False),
        (_QUEUE, QUEUE, -1, [("not-seen", 2), ("verified", 9)], True),
        ({**_QUEUE, "queueId": 32}, QUEUE, -1, [("verified", 2)], False),
        ({**_QUEUE, "projectId": "another"}, QUEUE, -1, [("verified", 2)], False),
        (_POOL, POOL, -1, [("verified", 2)], True),
        (_POOL, QUEUE, -1, [("verified", 2)], False),
        (_QUEUE, POOL, -1, [("verified", 2)], False),
        (_POOL, scopes.roles(ORG), -1, [("verified", 2)], False),
        (_QUEUE, scopes.project(ORG, WEB), -1, [("verified", 2)], False),
        (_QUEUE, scopes.projects(ORG), -1, [("verified", 2)], False),
        ("damaged", QUEUE, -1, [("verified", 2)], False),
    ],
)
def test_a_place_that_was_verified_since_its_last_write_is_an_echo(
    record: WriteLog, place: Json, scope: Scope, *, seconds: float, proofs: Sequence[tuple[str, float]], echo: bool
) -> None:
    written(record, "run.1", place, seconds, *proofs)

    assert (Echoes(record).left([changed(scope)]) == frozenset()) is echo


def test_a_later_write_that_is_not_verified_makes_none(record: WriteLog) -> None:
    written(record, "run.1", _QUEUE, -20, ("verified", 2))
    written(record, "run.2", _QUEUE, -1)

    assert Echoes(record).left([changed(QUEUE)]) == {changed(QUEUE)}


def test_what_others_did_and_what_has_no_moment_is_none(record: WriteLog) -> None:
    written(record, "run.1", _QUEUE, -1, ("verified", 2))
    others, timeless = changed(QUEUE, own=False), changed(QUEUE, None)

    assert Echoes(record).left([others, timeless]) == {timeless}


class Away:
    """A record that cannot be read."""

    def since(self, _chain: str, _moment: datetime) -> Sequence[Json]:
        raise Unavailable("record: 503")


def test_without_the_record_nothing_is_an_echo() -> None:
    assert Echoes(Away()).left([changed(QUEUE)]) == {changed(QUEUE)}  # type: ignore[arg-type]  # the one method it needs

"""Conditions that do not flap, and a document that older and newer programs can share."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import errors
from reconciler.engine.status import REASONS, Condition, ConditionKind, Finding, InFlight, PoolStatus, Run, Truth
from reconciler.plan.sync import SyncCause, VerifiedSpec

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SYNC = Finding(Truth.TRUE, "InSync", "both planes are as the spec says")
DRIFT = Finding(Truth.FALSE, "OutOfSync", "drift: 1 change: 1 granting access")
FORBIDDEN = Finding(Truth.UNKNOWN, "Forbidden", "org: 403", stalled="Forbidden", stalled_message="org: 403")
UNWELL = Finding(Truth.UNKNOWN, "Unavailable", "org: 503", in_motion="Unavailable")

TIMES = st.integers(-(10**15), 10**15).map(lambda us: NOW + timedelta(microseconds=us))
TEXT = st.text(max_size=20)
COUNTS = st.integers(0, 10**6)
FINDINGS = st.sampled_from([SYNC, DRIFT, FORBIDDEN, UNWELL])
CONDITIONS = st.builds(Condition, st.sampled_from(ConditionKind), st.sampled_from(Truth), TEXT, TEXT, TIMES)
FLYING = st.builds(InFlight, TEXT.filter(bool), TEXT, TEXT, TEXT, st.floats(0, 1e6), TIMES)
STATUSES = st.builds(
    PoolStatus,
    key=TEXT,
    path=TEXT,
    attempted=TEXT,
    applied=TEXT,
    conditions=st.lists(CONDITIONS, max_size=3).map(tuple),
    run=st.none() | st.builds(Run, TIMES, TIMES, TEXT, COUNTS, COUNTS, COUNTS),
    covered=st.none() | TIMES,
    pending=st.none() | FLYING,
    waited=st.lists(TEXT, max_size=3).map(tuple),
    unverified=st.dictionaries(TEXT, COUNTS, max_size=3),
    verified=st.none() | st.builds(VerifiedSpec, TEXT.filter(bool), st.booleans()),
    cause=st.none() | st.sampled_from(SyncCause),
    attempts=COUNTS,
    error=TEXT,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)  # fmt: skip


def seen(status: PoolStatus, kind: ConditionKind) -> Condition:
    condition = status.condition(kind)
    assert condition is not None
    return condition


@given(STATUSES)
def test_a_status_comes_back_as_it_was_stored(status: PoolStatus) -> None:
    assert PoolStatus.from_json(status.key, json.loads(json.dumps(status.to_json()))) == status


@given(STATUSES, st.dictionaries(st.sampled_from(["new", "later"]), JSON))
def test_fields_of_a_newer_program_are_left_alone(status: PoolStatus, extra: dict[str, Any]) -> None:
    assert PoolStatus.from_json(status.key, {**status.to_json(), **extra}) == status


@given(STATUSES, st.data())
def test_a_damaged_document_costs_what_is_damaged_and_nothing_else(status: PoolStatus, data: st.DataObject) -> None:
    """A run begins with what can be read: state is a memory, the services are the truth."""
    body = status.to_json()
    name = data.draw(st.sampled_from(sorted(body)))
    body[name] = data.draw(JSON)

    read = PoolStatus.from_json(status.key, body)

    assert read.key == status.key
    assert PoolStatus.from_json(read.key, read.to_json()) == read


@given(JSON)
def test_anything_can_be_read(body: Any) -> None:
    assert PoolStatus.from_json("pool-1", body).key == "pool-1"


@pytest.mark.parametrize(
    "damaged",
    [
        {"conditions": [{"type": "Ready", "status": "Maybe", "since": "2026-06-01T12:00:00Z"}]},
        {"conditions": [{"type": "Merry", "status": "True", "since": "2026-06-01T12:00:00Z"}]},
        {"conditions": [{"type": "Ready", "status": "True", "since": "yesterday"}]},
        {"conditions": [{"type": "Ready", "status": "True", "since": "2026-06-01T12:00:00"}]},
        {"conditions": ["Ready"]},
        {"lastRun": {"started": "2026-06-01T12:00:00Z"}},
        {"pending": {"url": "", "since": "2026-06-01T12:00:00Z"}},
        {"pending": {"url": "https://x", "since": 7}},
        {"attempts": True, "unproven": {"a": "b"}, "waited": [1]},
        {"verified": {"spec": 7}, "outOfSync": "gone"},
    ],
)
def test_what_makes_no_sense_counts_as_never_stored(damaged: dict[str, Any]) -> None:
    assert PoolStatus.from_json("pool-1", damaged) == PoolStatus("pool-1")


@given(st.lists(FINDINGS, min_size=1, max_size=6), FINDINGS)
def test_the_same_finding_twice_changes_nothing(history: list[Finding], last: Finding) -> None:
    """Conditions do not flap."""
    status, now = PoolStatus("pool-1"), NOW
    for finding in history:
        status, now = status.found(finding, now), now + timedelta(minutes=15)
    status = status.found(last, now)

    assert status.found(last, now + timedelta(days=1)) == status


@given(st.lists(FINDINGS, min_size=2, max_size=8))
def test_since_moves_only_with_status_or_reason(history: list[Finding]) -> None:
    status = PoolStatus("pool-1").found(history[0], NOW)
    for step, finding in enumerate(history[1:], 1):
        before, status = status, status.found(finding, NOW + timedelta(minutes=step))
        for kind in ConditionKind:
            old, new = seen(before, kind), seen(status, kind)
            moved = (old.status, old.reason) != (new.status, new.reason)
            quiet = kind is not ConditionKind.READY and old.status is new.status is Truth.FALSE
            assert (old.since != new.since) == (moved and not quiet)


def test_the_same_trouble_with_other_details_keeps_its_since() -> None:
    """Two projects are out of sync and then three: it is the same reason."""
    later = Finding(Truth.FALSE, "OutOfSync", "drift: 2 changes: 2 granting access")
    status = PoolStatus("pool-1").found(DRIFT, NOW).found(later, NOW + timedelta(hours=1))

    ready = seen(status, ConditionKind.READY)
    assert (ready.since, ready.message) == (NOW, "drift: 2 changes: 2 granting access")


def test_trouble_that_time_may_heal_is_not_stalled() -> None:
    status = PoolStatus("pool-1").found(UNWELL, NOW)

    assert seen(status, ConditionKind.STALLED).status is Truth.FALSE
    assert seen(status, ConditionKind.RECONCILING).status is Truth.TRUE


def test_a_reason_is_a_word_of_the_list() -> None:
    with pytest.raises(ValueError, match="because is no reason"):
        PoolStatus("pool-1").found(Finding(Truth.FALSE, "because", ""), NOW)


def test_every_error_is_a_reason() -> None:
    kinds = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ReconcilerError)
    }

    assert {kind.__name__ for kind in kinds} | {
        "InSync",
        "OutOfSync",
        "Progressing",
        "Stalled",
        "Suspended",
        "OutsideWindow",
        "Degraded",
        "Overdue",
        "Replacing",
        "NotInSpecs",
        "Interrupted",
    } == REASONS


def test_a_message_is_one_line_and_not_endless() -> None:
    status = PoolStatus("pool-1").found(Finding(Truth.FALSE, "OutOfSync", "a\nb " + "x" * 2000), NOW)

    message = seen(status, ConditionKind.READY).message
    assert message.startswith("a b x")
    assert len(message) == 1000


def test_a_document_of_an_older_release_says_nothing_of_the_verified_spec() -> None:
    """And the document of a newer one holds all that an older release reads, under the same names."""
    older = {"key": "pool-1", "appliedRevision": "c0ffee", "unproven": {"a": 2}}
    status = PoolStatus.from_json("pool-1", older)

    assert (status.verified, status.cause, status.unverified) == (None, None, {"a": 2})
    assert older.items() <= status.to_json().items()


def test_why_it_is_out_of_sync_ends_with_ready() -> None:
    status = PoolStatus("pool-1", cause=SyncCause.DRIFT).found(DRIFT, NOW)

    assert status.cause is SyncCause.DRIFT
    assert status.found(SYNC, NOW).cause is None
    assert status.found(SYNC, NOW).found(UNWELL, NOW).cause is SyncCause.UNKNOWN


def test_a_signed_url_is_stored_and_never_shown() -> None:
    flying = InFlight("https://x?sig=secret", "update of pool pool-1", "pool", "pool:pool:pool-1", 7.0, NOW)
    status = PoolStatus("pool-1", pending=flying)

    assert "secret" in json.dumps(status.to_json())
    assert "secret" not in json.dumps(status.public())
    assert "secret" not in repr(status)

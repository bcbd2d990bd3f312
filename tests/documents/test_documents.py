"""Values of stored documents, which may be damaged or of an older release."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from reconciler.documents import Json, list_of, moment, moment_of, number_of, text_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_moment_is_written_in_utc_and_read_back() -> None:
    assert moment(NOON) == "2026-11-01T12:00:00Z"
    assert moment(NOON.astimezone(timezone(timedelta(hours=2)))) == "2026-11-01T12:00:00Z"
    assert moment_of(moment(NOON + timedelta(microseconds=5))) == NOON + timedelta(microseconds=5)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-11-01T12:00:00Z", NOON),
        ("2026-11-01T12:00:00+00:00", NOON),
        ("2026-11-01T14:00:00.000+02:00", NOON),
        ("2026-11-01T12:00:00", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1793534400, None),
    ],
)
def test_a_moment_is_read_in_every_zone_or_not_at_all(value: Json, read: datetime | None) -> None:
    assert moment_of(value) == read


@pytest.mark.parametrize("damaged", [None, 5, True, [], {}])
def test_a_text_of_another_kind_is_empty(damaged: Json) -> None:
    assert text_of({"x": damaged}, "x") == text_of({}, "x") == ""
    assert text_of({"x": "a"}, "x") == "a"


@pytest.mark.parametrize("damaged", [None, "5", True, -1, []])
def test_a_number_of_another_kind_is_zero(damaged: Json) -> None:
    assert number_of({"x": damaged}, "x") == number_of({}, "x") == 0
    assert number_of({"x": 2.5}, "x") == 2.5


@pytest.mark.parametrize("damaged", [None, "5", True, {}])
def test_a_list_of_another_kind_is_empty(damaged: Json) -> None:
    assert list_of({"x": damaged}, "x") == list_of({}, "x") == []
    assert list_of({"x": [1]}, "x") == [1]

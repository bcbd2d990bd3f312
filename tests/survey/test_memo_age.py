"""Each fact carries the moment at which its read began; a view of a memo, the oldest of what was requested through it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.errors import Unavailable
from reconciler.survey.memo import Key, Memo
from tests.contract.families import Settable

OLD, NEW, OTHER = Key("old"), Key("new"), Key("other")


def test_a_view_is_as_old_as_the_oldest_fact_that_was_requested_through_it() -> None:
    clock = Settable()
    memo = Memo(clock.now)
    began = clock.now()
    memo.get(OLD, lambda: clock.advance(5))
    memo.get(NEW, lambda: "fact")
    first, second, third = memo.view(), memo.view(), memo.view()

    first.get(NEW, lambda: "fact")
    assert first.oldest == clock.now()
    assert second.known([OLD, OTHER]) == {OLD: None}
    assert third.peek(NEW) == "fact"
    first.get(OLD, lambda: "fact")

    assert first.oldest == second.oldest == began
    assert third.oldest == clock.now()
    assert memo.view().oldest is None


def test_the_moment_is_that_before_the_read_was_sent() -> None:
    clock = Settable()
    memo, began = Memo(clock.now), clock.now()

    def slow(keys: Sequence[Key]) -> dict[Key, str]:
        clock.advance(30)
        return dict.fromkeys(keys, "fact")

    memo.many([OLD, NEW], slow)

    assert memo.oldest == began


def test_a_failed_read_has_a_moment_like_a_fact_and_a_forgotten_one_gets_a_new_one() -> None:
    clock = Settable()
    memo, began = Memo(clock.now), clock.now()

    def away() -> None:
        raise Unavailable("503")

    with pytest.raises(Unavailable):
        memo.get(OLD, away)
    clock.advance(5)
    view = memo.view()
    with pytest.raises(Unavailable):
        view.get(OLD, away)
    assert view.oldest == began
    memo.forget(lambda key: key == OLD)
    later = memo.view()
    later.get(OLD, lambda: "fact")

    assert later.oldest == clock.now()


def test_without_a_clock_a_fact_is_older_than_every_request() -> None:
    memo = Memo()
    memo.get(OLD, lambda: "fact")

    assert memo.oldest is not None
    assert memo.oldest.year == 1


def test_a_memo_that_begins_again_keeps_the_clock_and_no_fact() -> None:
    clock = Settable()
    memo = Memo(clock.now)
    memo.get(OLD, lambda: "fact")
    clock.advance(5)
    empty = memo.afresh(lambda _: True)

    assert empty.get(OLD, lambda: "read again") == "read again"
    assert empty.oldest == clock.now()

"""Each fact once: what two threads see, and what is dropped."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from reconciler.errors import NotFound, Unavailable
from reconciler.survey.memo import Key, Memo


def test_who_comes_second_waits_for_the_answer_of_the_first() -> None:
    memo, begun, go = Memo(), Event(), Event()
    answers: list[str] = []

    def slow() -> str:
        begun.set()
        assert go.wait(300)
        return "fact"

    def never() -> str:
        raise AssertionError("requested twice")

    first = Thread(target=lambda: answers.append(memo.get(Key("a"), slow)))
    first.start()
    assert begun.wait(300)
    second = Thread(target=lambda: answers.append(memo.get(Key("a"), never)))
    second.start()
    go.set()
    first.join()
    second.join()

    assert answers == ["fact", "fact"]


def test_what_is_being_fetched_has_no_answer_yet() -> None:
    memo = Memo()
    seen: list[dict[Key, object]] = []

    memo.get(Key("a"), lambda: seen.append(memo.known([Key("a"), Key("b")])))

    assert seen == [{}]
    assert memo.known([Key("a"), Key("b")]) == {Key("a"): None}


def test_a_remembered_failure_is_an_answer() -> None:
    """A caller that requests many facts at once gets the errors among them, not the first of them."""
    memo = Memo()
    error = NotFound("a: 404")

    def fail() -> object:
        raise error

    with pytest.raises(NotFound):
        memo.get(Key("a"), fail)

    assert memo.known([Key("a")]) == {Key("a"): error}


def test_a_transient_failure_of_several_is_the_failure_of_each() -> None:
    """The service is unwell: asking one by one would be asking more."""
    memo, requests = Memo(), []

    def unwell(keys: object) -> dict[Key, str]:
        requests.append(keys)
        raise Unavailable("503")

    for _ in range(2):
        with pytest.raises(Unavailable):
            memo.many((Key("a"), Key("b")), unwell)
    assert len(requests) == 1


def test_an_error_that_is_raised_again_and_again_does_not_grow() -> None:
    memo = Memo()

    def unwell() -> str:
        raise Unavailable("503")

    def depth() -> int:
        with pytest.raises(Unavailable) as raised:
            memo.get(Key("a"), unwell)
        return len(raised.traceback)

    depth()

    assert depth() == depth() == depth()


def test_forgetting_is_by_what_a_fact_is_about() -> None:
    memo = Memo()
    for key in (Key("queues", "o", "p"), Key("queues", "o", "q"), Key("me", "o")):
        memo.get(key, lambda: 1)

    memo.forget(lambda key: key.project == "p")

    keys = [Key("queues", "o", "p"), Key("queues", "o", "q"), Key("me", "o")]
    assert memo.known(keys) == dict.fromkeys(keys[1:], 1)

"""The work queue, in both families."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import pytest

from reconciler.errors import LeaseHeld
from reconciler.ports.stores import MessageQueue
from tests.contract.families import Family, Stores


def drained(queue: MessageQueue) -> list[str]:
    keys = []
    while messages := queue.take(32, 60):
        for message in messages:
            keys.append(message.text)
            queue.ack(message)
    return keys


def test_an_empty_queue_gives_nothing(one: Stores) -> None:
    assert (list(one.queue.take(5, 60)), one.queue.length()) == ([], 0)


def test_what_one_worker_asks_for_another_takes(one: Stores, other: Stores) -> None:
    one.queue.put("fabrikam")
    one.queue.put("contoso")
    first, second = sorted(other.queue.take(5, 60), key=lambda message: message.text)

    assert [(m.text, m.attempts) for m in (first, second)] == [("contoso", 1), ("fabrikam", 1)]
    assert first.inserted.tzinfo is not None
    assert abs(second.inserted - first.inserted.astimezone(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("seconds", [0.0, 0.2, -1.0])
def test_a_taken_message_is_hidden_for_a_second_at_least(family: Family, one: Stores, seconds: float) -> None:
    """Azure Storage takes no less, so no store gets less: what works on a laptop works there."""
    one.queue.put("fabrikam")
    (message,) = one.queue.take(5, seconds)

    assert list(one.queue.take(5, 60)) == []
    again = family.until(lambda: list(one.queue.take(5, 60)))
    assert [(one.text, one.attempts) for one in again] == [(message.text, 2)]


def test_a_taken_message_is_hidden_and_done_when_acknowledged(one: Stores, other: Stores) -> None:
    one.queue.put("fabrikam")
    (message,) = one.queue.take(5, 60)

    assert list(other.queue.take(5, 60)) == []
    assert one.queue.length() == 1
    one.queue.ack(message)
    assert one.queue.length() == 0
    one.queue.ack(message)


def test_no_more_is_taken_than_asked_for(one: Stores) -> None:
    for index in range(5):
        one.queue.put(f"pool-{index}")

    assert len(one.queue.take(2, 60)) == 2
    assert len(one.queue.take(100, 60)) == 3


def test_a_delayed_message_comes_when_its_time_has_come(family: Family, one: Stores) -> None:
    """A long operation is looked at again by such a message."""
    one.queue.put("later", delay=1.5)
    one.queue.put("now")

    assert [message.text for message in one.queue.take(5, 60)] == ["now"]
    assert one.queue.length() == 2
    (message,) = family.until(lambda: one.queue.take(5, 60))
    assert (message.text, message.attempts) == ("later", 1)


def test_a_delay_beyond_what_can_be_hidden_is_cut(one: Stores) -> None:
    one.queue.put("fabrikam", delay=30 * 86_400)

    assert (list(one.queue.take(5, 60)), one.queue.length()) == ([], 1)


def test_a_message_whose_worker_died_comes_again(family: Family, one: Stores, other: Stores) -> None:
    one.queue.put("fabrikam")
    (lost,) = one.queue.take(5, 1)
    (again,) = family.until(lambda: other.queue.take(5, 60))

    assert (again.text, again.attempts, again.inserted) == ("fabrikam", 2, lost.inserted)
    one.queue.ack(lost)
    assert other.queue.length() == 1
    other.queue.ack(again)
    assert other.queue.length() == 0


def test_a_message_can_be_hidden_for_longer_or_given_back(family: Family, one: Stores) -> None:
    one.queue.put("fabrikam")
    (message,) = one.queue.take(5, 60)
    message = one.queue.hide(message, 120)
    assert list(one.queue.take(5, 60)) == []

    one.queue.hide(message, 0)
    (again,) = family.until(lambda: one.queue.take(5, 60))
    assert (again.text, again.attempts) == ("fabrikam", 2)


def test_a_message_that_another_took_cannot_be_hidden(family: Family, one: Stores, other: Stores) -> None:
    one.queue.put("fabrikam")
    (lost,) = one.queue.take(5, 1)
    family.until(lambda: other.queue.take(5, 60))

    with pytest.raises(LeaseHeld, match="was taken by another worker"):
        one.queue.hide(lost, 60)


def test_a_message_that_is_done_cannot_be_hidden(one: Stores) -> None:
    one.queue.put("fabrikam")
    (message,) = one.queue.take(5, 60)
    one.queue.ack(message)

    with pytest.raises(LeaseHeld):
        one.queue.hide(message, 60)


def test_a_message_that_never_ends_is_set_aside_where_a_person_sees_it(family: Family, one: Stores) -> None:
    """Three deliveries here; then it lies in the poison queue, with its text."""
    one.queue.put("fabrikam")
    for attempt in (1, 2, 3):
        (message,) = family.until(lambda: one.queue.take(5, 60))
        assert message.attempts == attempt
        one.queue.hide(message, 0)

    def poisoned() -> object:
        assert list(one.queue.take(5, 60)) == []
        return one.poison.take(5, 60)

    family.until(poisoned)
    assert (one.queue.length(), one.poison.length()) == (0, 1)


def test_a_poison_message_waits_for_as_long_as_it_takes(family: Family, one: Stores) -> None:
    one.poison.put("fabrikam")
    for attempt in range(1, 7):
        (message,) = family.until(lambda: one.poison.take(5, 60))
        assert (message.text, message.attempts) == ("fabrikam", attempt)
        one.poison.hide(message, 0)

    assert family.until(lambda: drained(one.poison)) == ["fabrikam"]
    assert one.poison.length() == 0


def test_queues_of_other_names_are_apart(one: Stores) -> None:
    sweep = one.named("sweep-of-this-test")
    sweep.put("fabrikam")

    assert one.queue.length() == 0
    assert drained(sweep) == ["fabrikam"]


def test_racing_workers_take_every_message_once(family: Family, one: Stores) -> None:
    for index in range(60):
        one.queue.put(f"pool-{index}")
    workers = [family.worker() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        taken = Counter(key for keys in threads.map(lambda w: drained(w.queue), workers) for key in keys)
    for worker in workers:
        worker.close()

    assert taken == Counter(f"pool-{index}" for index in range(60))


def test_thousands_of_messages_on_one_pool_are_all_there(family: Family, one: Stores) -> None:
    """A storm of events; coalescing is the worker's matter, losing none is ours."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one.queue.put, ["fabrikam"] * family.many))

    assert one.queue.length() == family.many
    assert drained(one.queue) == ["fabrikam"] * family.many

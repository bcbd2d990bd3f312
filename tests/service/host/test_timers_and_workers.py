"""Timers keep their schedule, workers keep the queue's promises, and a stop lets what has begun come to its end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import azure.functions as func
import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.errors import Unavailable
from reconciler.service.host.timers import following, next_after, upcoming
from tests.deployment import until
from tests.service.host.serving import hosting, serving

QUARTER = "0 */15 * * * *"
TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
M = timedelta(minutes=1)


def test_a_timer_runs_when_its_schedule_says() -> None:
    assert next_after(QUARTER, TEN) == TEN + 15 * M
    assert next_after("30 */2 * * * *", TEN) == TEN + timedelta(seconds=30)
    assert following(QUARTER, TEN, TEN + M) == (TEN + 15 * M, False)


@pytest.mark.parametrize("took", [16, 50])
def test_runs_that_were_missed_are_made_up_for_once(took: int) -> None:
    """Then the schedule counts again; a sweep that took an hour is not followed by four at once."""
    now = TEN + took * M

    assert following(QUARTER, TEN, now) == (now, True)
    assert following(QUARTER, now, now) == (next_after(QUARTER, now), False)


def test_a_timer_whose_plan_was_made_under_a_clock_that_was_ahead_plans_again() -> None:
    """The clock was an hour ahead: without this no resync, no read of Git and of the audit log for an hour."""
    planned = next_after(QUARTER, TEN + 60 * M)

    assert upcoming(QUARTER, planned, TEN + M) == TEN + 15 * M
    assert upcoming(QUARTER, TEN + 15 * M, TEN + M) == TEN + 15 * M


def test_timers_run_here_and_survive_their_own_errors(queues: Local) -> None:
    ran: list[bool] = []
    app = func.FunctionApp()

    @app.timer_trigger("timer", "%ALWAYS%")
    def tick(timer: func.TimerRequest) -> None:
        ran.append(timer.past_due)
        raise Unavailable("once more")

    with serving(hosting(app, queues, timers=True)) as running:
        until(lambda: len(ran) >= 2)
        running.stop()
        assert running.ended()


def carrying(failures: int, seen: list[int]) -> func.FunctionApp:
    """An app that passes messages on, after it failed so often."""
    app = func.FunctionApp()

    @app.queue_trigger("message", "%IN%", "STORAGE")
    @app.queue_output("out", "%OUT%", "STORAGE")
    def carry(message: func.QueueMessage, out: func.Out[list[str]]) -> None:
        seen.append(message.dequeue_count or 0)
        assert message.insertion_time is not None
        assert message.insertion_time.tzinfo is not None
        out.set([message.get_body().decode(), "two"])
        if len(seen) <= failures:
            raise ZeroDivisionError(message.get_body().decode())

    return app


def test_outputs_go_out_when_the_function_has_returned_and_not_before(queues: Local) -> None:
    seen: list[int] = []
    queues.named("in").put("one")

    with serving(hosting(carrying(2, seen), queues)):
        until(lambda: queues.named("in").length() == 0)

    assert seen == [1, 2, 3]
    assert sorted(message.text for message in queues.named("out").take(10, 60)) == ["one", "two"]


def test_what_fails_five_times_is_poison_and_nothing_of_it_went_out(
    queues: Local, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []
    queues.named("in").put("one-canary")

    with serving(hosting(carrying(99, seen), queues)):
        until(lambda: queues.named("in-poison").length() == 1)

    assert seen == [1, 2, 3, 4, 5]
    assert queues.named("out").length() == 0
    assert "ZeroDivisionError" in caplog.text
    assert "one-canary" not in caplog.text


def test_a_failed_message_waits_before_it_comes_again(queues: Local) -> None:
    """Five attempts in a blink would make poison of every passing trouble."""
    seen: list[int] = []
    queues.named("in").put("one")

    with serving(hosting(carrying(99, seen), queues, retry=300.0)) as running:
        until(lambda: seen)
        running.stop()
        running.ended()

    assert seen == [1]
    assert queues.named("in").length() == 1
    assert list(queues.named("in").take(1, 60)) == []


def test_a_stop_waits_for_the_run_under_way_and_takes_nothing_more(queues: Local) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []
    app = func.FunctionApp()

    @app.queue_trigger("message", "%IN%", "STORAGE")
    def slow(message: func.QueueMessage) -> None:
        begun.set()
        assert go_on.wait(300)
        done.append(message.get_body())

    queues.named("in").put("one")
    queues.named("in").put("two")
    host = hosting(app, queues, workers=1)
    with serving(host) as running:
        assert begun.wait(300)
        running.stop()
        until(host._workers._stop.is_set)
        go_on.set()
        assert running.ended()

    assert done == [b"one"]
    assert queues.named("in").length() == 1


def test_a_run_that_does_not_end_in_time_is_told(queues: Local) -> None:
    begun, go_on = threading.Event(), threading.Event()
    app = func.FunctionApp()

    @app.queue_trigger("message", "%IN%", "STORAGE")
    def stuck(message: func.QueueMessage) -> None:
        begun.set()
        go_on.wait(300)

    queues.named("in").put("one")
    with serving(hosting(app, queues, workers=1, grace=0.1)) as running:
        assert begun.wait(300)
        running.stop()
        assert not running.ended()
        go_on.set()


def test_what_nobody_waits_for_comes_last_and_no_flood_holds_up_another_queue(queues: Local) -> None:
    done: list[str] = []
    app = func.FunctionApp()

    @app.queue_trigger("message", "sweep", "STORAGE")
    def batch(message: func.QueueMessage) -> None:
        done.append("sweep")

    @app.queue_trigger("message", "work", "STORAGE")
    def request(message: func.QueueMessage) -> None:
        done.append("work")

    @app.queue_trigger("message", "pool-events", "STORAGE")
    def event(message: func.QueueMessage) -> None:
        done.append("event")

    for _ in range(3):
        queues.named("sweep").put("batch")
    for _ in range(6):
        queues.named("pool-events").put("event")
    for _ in range(2):
        queues.named("work").put("key")
    with serving(hosting(app, queues, workers=1, patient=("sweep",))):
        until(lambda: len(done) == 11)

    assert done[-3:] == ["sweep"] * 3
    assert sorted(done[:4]) == ["event", "event", "work", "work"]


def test_a_worker_is_kept_free_of_what_nobody_waits_for(queues: Local) -> None:
    """Three batches under way would otherwise hold up an event for minutes."""
    begun, go_on, heard = threading.Semaphore(0), threading.Event(), threading.Event()
    under_way: list[str] = []
    app = func.FunctionApp()

    @app.queue_trigger("message", "sweep", "STORAGE")
    def batch(message: func.QueueMessage) -> None:
        under_way.append("sweep")
        begun.release()
        assert go_on.wait(300)

    @app.queue_trigger("message", "work", "STORAGE")
    def request(message: func.QueueMessage) -> None:
        heard.set()

    for _ in range(9):
        queues.named("sweep").put("batch")
    with serving(hosting(app, queues, workers=3, patient=("sweep",))):
        assert begun.acquire(timeout=300)
        assert begun.acquire(timeout=300)
        queues.named("work").put("key")
        assert heard.wait(300)
        assert under_way == ["sweep", "sweep"]
        go_on.set()
        until(lambda: queues.named("sweep").length() == 0)

"""What a function app declares is read, and what cannot be served is told in one line."""

from __future__ import annotations

import azure.functions as func
import pytest

from reconciler.service.host.bindings import BindingError, QueueOutput, read
from reconciler.service.host.timers import schedule_of


def timed(schedule: str) -> func.FunctionApp:
    app = func.FunctionApp()

    @app.timer_trigger("timer", schedule)
    def tick(timer: func.TimerRequest) -> None:
        return None

    return app


def test_triggers_outputs_and_the_wish_for_a_context_are_read() -> None:
    app = func.FunctionApp()

    @app.queue_trigger("message", "%IN%-poison", "STORAGE")
    @app.queue_output("out", "%OUT%", "STORAGE")
    def work(message: func.QueueMessage, out: func.Out[str], context: func.Context) -> None:
        return None

    (served,) = read(app.get_functions(), {"IN": "a", "OUT": "b"})

    assert (served.name, served.trigger, served.argument, served.wants_context) == (
        "work",
        "queueTrigger",
        "message",
        True,
    )
    assert (served.details["queueName"], served.outputs) == ("a-poison", (QueueOutput("out", "b"),))


def test_a_setting_that_a_binding_needs_is_named() -> None:
    with pytest.raises(BindingError, match="tick: the setting NAME is missing; its binding needs a value"):
        read(timed("%NAME%").get_functions(), {})


def test_a_trigger_of_another_kind_is_named() -> None:
    app = func.FunctionApp()

    @app.event_grid_trigger("event")
    def told(event: func.EventGridEvent) -> None:
        return None

    with pytest.raises(
        BindingError, match="told: one http, timer or queue trigger is served, this function has: eventGrid"
    ):
        read(app.get_functions(), {})


@pytest.mark.parametrize("schedule", ["* * * * *", "every minute", "61 * * * * *", "00:15:00", ""])
def test_a_schedule_is_ncrontab_of_six_fields(schedule: str) -> None:
    (served,) = read(timed("%S%").get_functions(), {"S": schedule})

    with pytest.raises(BindingError, match=r"tick: schedule '.*' is no NCRONTAB expression of six fields"):
        schedule_of(served)

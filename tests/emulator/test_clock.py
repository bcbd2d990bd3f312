from __future__ import annotations

from functools import partial

import pytest

from emulator.clock import Clock, Schedule
from emulator.frame import Request, Response
from emulator.router import Route, Router
from emulator.visible import Visible
from emulator.world import World


def test_what_is_planned_happens_in_order_of_time_then_of_entry() -> None:
    clock = Clock()
    done: list[str] = []
    agenda = Schedule(clock)
    for seconds, name in ((20, "late"), (10, "first"), (10, "second")):
        agenda.later(seconds, partial(done.append, name))
    assert agenda.run_due() == 0
    agenda.advance(15)
    assert done == ["first", "second"]
    agenda.advance(15)
    assert done == ["first", "second", "late"]


def test_advancing_stops_at_each_entry_on_the_way() -> None:
    """A job that schedules itself again in ten seconds does so six times in a minute, not once."""
    clock, seen = Clock(), []
    agenda = Schedule(clock)

    def again() -> None:
        seen.append(clock.now())
        agenda.later(10, again)

    agenda.later(10, again)
    agenda.advance(61)
    assert len(seen) == 6


def test_settling_gives_up_on_what_never_ends() -> None:
    agenda = Schedule(Clock())

    def again() -> None:
        agenda.later(1, again)

    again()
    with pytest.raises(RuntimeError, match="50 jobs"):
        agenda.settle(limit=50)


def test_an_entry_that_crashes_does_not_stop_the_clock(capsys: pytest.CaptureFixture[str]) -> None:
    agenda, done = Schedule(Clock()), []
    agenda.later(0, lambda: 1 / 0)
    agenda.later(0, lambda: done.append(1))
    assert agenda.run_due() == 2
    assert done == [1]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_moment_is_written_as_the_services_write_it() -> None:
    assert Clock().stamp(1780392600.123456) == "2026-06-02T09:30:00.1234560Z"


def test_a_write_is_seen_after_the_lag_and_never_before_an_earlier_one() -> None:
    now, lag = [0.0], [10.0]
    value = Visible("a", now=lambda: now[0], lag=lambda: lag[0])
    value.write("b")
    lag[0] = 1.0
    value.write("c")
    assert (value.read(), value.written) == ("a", "c")
    now[0] = 9.0
    assert value.read() == "a"
    now[0] = 10.0
    assert value.read() == "c"


def test_a_lagging_write_is_in_flight_until_it_is_seen() -> None:
    world = World({"devops.write-lag": 30})
    value = world.visible(1)
    value.write(2)
    assert (value.read(), len(world.agenda)) == (1, 1)
    world.agenda.settle()
    assert value.read() == 2


def test_fixed_segments_go_before_placeholders() -> None:
    def handler(world: World, request: Request) -> Response:
        raise NotImplementedError("routes are matched here, and none is called")

    names = {"any": "/{a}/x", "fixed": "/b/x"}
    router = Router(Route(name, "arm", "GET", template, handler) for name, template in names.items())
    found = [router.find("GET", path) for path in ("/b/X", "/c/x/", "/%62/x")]
    assert [match.route.name for match in found if match.route] == ["fixed", "any", "fixed"]
    assert found[1].params == {"a": "c"}
    assert router.find("PUT", "/b/x").allowed == ("GET",)

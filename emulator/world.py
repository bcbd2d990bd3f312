"""The emulator's whole state: two planes, one clock, the switches, and the log of requests.

Handlers and scheduled jobs run one at a time on the server's event loop, so nothing here needs a lock.
The Azure DevOps half is what `emulator.devops.estate.load` makes of the estate; the world only holds it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar

from emulator.clock import Clock, Schedule
from emulator.documents import Json
from emulator.events import Events
from emulator.faults import Faults
from emulator.gate import Gate
from emulator.principals import Principals
from emulator.requestlog import RequestLog
from emulator.state.arm import Arm
from emulator.state.devops import DevOps
from emulator.switch import Switches, Value
from emulator.switches import TABLE
from emulator.visible import Visible

T = TypeVar("T")


class World:
    """One estate and all that happens to it."""

    principals: Principals
    arm: Arm
    devops: DevOps

    def __init__(self, switches: Mapping[str, Value] | None = None) -> None:
        self.clock = Clock()
        self.agenda = Schedule(self.clock)
        self.switches = Switches(TABLE)
        for name, value in (switches or {}).items():
            self.switches.set(name, value)
        self.events = Events(self.clock)
        self.faults = Faults()
        self.log = RequestLog()
        self.latency = 0.0
        """Seconds added to every response of the two planes."""
        self.gate = Gate()
        self.spent: dict[tuple[str, str], deque[tuple[float, float]]] = {}
        """What each identity used up of its rate budget in each organization: moment and cost of each call."""
        self.principals = Principals(())
        self.first_switches = dict(switches or {})
        self.first_estate: Mapping[str, Json] = {}
        """What `reset` goes back to."""

    def later(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a job after so many seconds of the world's clock."""
        self.agenda.later(seconds, job)

    def visible(self, value: T) -> Visible[T]:
        """A value whose writes are seen after the switch `devops.write-lag`.

        A value that lags has something in flight: a job is planned for its moment, so that `settle` waits for it.
        """
        return Visible(value, now=self.clock.now, lag=self._lag)

    def _lag(self) -> float:
        lag = self.switches.number("devops.write-lag")
        if lag:
            self.later(lag, _nothing)
        return lag


def _nothing() -> None:
    """A moment that passes."""

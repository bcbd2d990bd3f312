"""Queue workers: threads that take messages and run the functions which declare a trigger for them.

As under the Functions host: a function that returns acknowledges its message, one that raises gets it again, and the
queue moves a message that was taken too often to its dead letters (``<queue>-poison``). Queues are read in
turn, so that a flood in one holds up no other. What may wait (`Lane.patient`) is taken only where no other lane has a
message, and never by the last free worker: a batch of the full resync takes minutes, and an event that comes then finds
a worker. Source: Microsoft Learn, "Azure Queue storage trigger for Azure Functions".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.engine.renewal import Wait, renewing
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.stores import Message, MessageQueue

_log = logging.getLogger("reconciler.serve")

HIDE = 60.0
"""Seconds for which a message is hidden: as long as a lease, so that both are free soon after a process was killed."""
RENEW = 20.0
"""Seconds between two renewals of that, while its function runs."""
RENEWALS = 15
"""Renewals at most: longer than a run may take (300 s), and not for ever where a function hangs."""
IDLE = 0.5
"""Seconds between two reads of empty queues."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue and the function that it starts."""

    name: str
    queue: MessageQueue
    run: Callable[[Message], None]
    patient: bool = False
    """Whether its messages may wait for those of all other lanes."""


class Workers:
    """Threads over all lanes, until `stop`."""

    def __init__(self, lanes: Sequence[Lane], count: int, retry: float, wait: Wait = threading.Event.wait) -> None:
        """`retry`: seconds until a message comes again whose function failed; `wait`: between two renewals."""
        self._urgent = [one for one in lanes if not one.patient]
        self._patient = [one for one in lanes if one.patient]
        self._patience = threading.Semaphore(max(1, count - 1))
        """One for each patient message at the same time."""
        self._retry = retry
        self._wait = wait
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._heard = self._turn = 0
        self._threads = [
            threading.Thread(target=self._loop, name=f"worker-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Begin taking messages."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take nothing more."""
        self._stop.set()
        self.nudge()

    def nudge(self) -> None:
        """This process put a message: read now. Messages of other processes are found within `IDLE` seconds."""
        with self._news:
            self._heard += 1
            self._news.notify_all()

    def join(self, seconds: float) -> bool:
        """Wait for runs under way; whether all ended."""
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _loop(self) -> None:
        while not self._stop.is_set():
            heard = self._heard
            if not self._step():
                self._rest(heard)

    def _rest(self, heard: int) -> None:
        """Wait for a nudge; one that came while the queues were read counts."""
        with self._news:
            self._news.wait_for(lambda: self._heard != heard or self._stop.is_set(), IDLE)

    def _step(self) -> bool:
        """Run one message; whether there was any."""
        with self._news:
            self._turn += 1
            first = self._turn % max(1, len(self._urgent))
        if any(self._one(lane) for lane in (*self._urgent[first:], *self._urgent[:first])):
            return True
        if not self._patience.acquire(blocking=False):
            return False
        try:
            return any(self._one(lane) for lane in self._patient)
        finally:
            self._patience.release()

    def _one(self, lane: Lane) -> bool:
        """Run one message of a lane; whether there was any."""
        try:
            taken = lane.queue.take(1, HIDE)
        except ReconcilerError as error:
            _log.warning("queue %s: %s", lane.name, error)
            return False
        if taken:
            self._handle(lane, _Taken(lane, taken[0]))
        return bool(taken)

    def _handle(self, lane: Lane, taken: _Taken) -> None:
        try:
            with renewing(taken.keep, RENEW, name=f"message of {lane.name}", wait=self._wait):
                lane.run(taken.message)
        except Exception as error:  # noqa: BLE001 - as the host does: whatever a function raises, the message comes again
            _failed(lane, taken.message, error, self._retry)
            return
        try:
            lane.queue.ack(taken.message)
        except ReconcilerError as trouble:
            # The message comes again, and its work is found to be done.
            _log.warning("queue %s: %s", lane.name, trouble)


class _Taken:
    """A message while its function runs: it stays hidden, under receipts that change."""

    def __init__(self, lane: Lane, message: Message) -> None:
        self._lane = lane
        self._left = RENEWALS
        self.message = message

    def keep(self) -> None:
        """Hide it for longer."""
        if not self._left:
            return
        self._left -= 1
        try:
            self.message = self._lane.queue.hide(self.message, HIDE)
        except LeaseHeld:
            self._left = 0
        except ReconcilerError as trouble:
            _log.warning("queue %s: %s", self._lane.name, trouble)


def _failed(lane: Lane, message: Message, error: Exception, retry: float) -> None:
    """Let the message come again later; the queue counts attempts."""
    _log.error("%s: attempt %d: %s", lane.name, message.attempts, type(error).__name__)
    try:
        lane.queue.hide(message, retry)
    except ReconcilerError as trouble:
        _log.warning("queue %s: %s", lane.name, trouble)

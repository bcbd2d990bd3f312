"""Several workers with clocks of their own over one store, in one thread.

What happens while a run is under way happens inside of it, so that every interleaving is a list of steps that can be
told again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from reconciler.engine import Outcome, Result, load_status
from reconciler.engine.look import OrganizationLook
from reconciler.engine.packed import Packed
from reconciler.engine.result import Failure
from reconciler.engine.status import Run
from reconciler.errors import LeaseHeld
from reconciler.ports.specs import Snapshot
from reconciler.ports.stores import Message
from reconciler.service.catalogue import Catalogue
from reconciler.service.queue import messages
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.outbox import Outbox
from reconciler.service.queue.worker import Worker
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.demand import Demand
from reconciler.telemetry import MemoryTelemetry
from tests.deployment import spec
from tests.keeping import START, Shelf

KEY = "pool-1"


@dataclass
class Time:
    """As it is, whatever clocks say."""

    seconds: float = 0.0


@dataclass
class Skewed:
    """A clock that is wrong by a few seconds."""

    time: Time
    wrong: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time.seconds + self.wrong)

    def monotonic(self) -> float:
        return self.time.seconds


@dataclass
class Line:
    """A queue: messages become visible by the store's clock, which rounds what it stamps to seconds."""

    clock: Skewed
    waiting: list[tuple[float, Message]] = field(default_factory=list)
    _ids: Iterable[int] = field(default_factory=count)

    def put(self, text: str, *, delay: float = 0.0) -> None:
        stamped = self.clock.now().replace(microsecond=0)
        one = Message(str(next(iter(self._ids))), text, stamped, 1, "")
        self.waiting.append((self.clock.time.seconds + delay, one))

    def put_all(self, texts: Sequence[str]) -> None:
        for text in texts:
            self.put(text)

    def pick(self, which: int) -> Message | None:
        """Any of the visible ones: no order is promised. It is hidden from others, and taken off at once."""
        seen = [entry for entry in self.waiting if entry[0] <= self.clock.time.seconds]
        if not seen:
            return None
        chosen = seen[which % len(seen)]
        self.waiting.remove(chosen)
        return chosen[1]

    def take(self, count: int, hide: float) -> Sequence[Message]:
        raise NotImplementedError("a step of the test picks its message and runs one pool; nobody asks for this")

    def hide(self, messages: Message, seconds: float) -> Message:
        raise NotImplementedError("a step of the test picks its message and runs one pool; nobody asks for this")

    def ack(self, messages: Message) -> None:
        raise NotImplementedError("a step of the test picks its message and runs one pool; nobody asks for this")

    def length(self) -> int:
        return len(self.waiting)


class Files:
    def snapshot(self) -> Snapshot:
        return Snapshot("c0ffee", {"pool-1.yaml": spec(KEY, "fabrikam-prime").encode()})


@dataclass
class Office:
    """Workers, one pool, one lease."""

    skews: Sequence[float]
    store_skew: float = 0.0
    outcome: Callable[[], Outcome] = lambda: Outcome.IN_SYNC
    during: Callable[[], None] = lambda: None
    """What else happens while a run is under way."""

    def __post_init__(self) -> None:
        self.time = Time()
        self.shelf = Shelf()
        self.line = Line(Skewed(self.time, self.store_skew))
        self.wishes: list[float] = []
        """When each was put, truly."""
        self.begun: list[float] = []
        """When the oldest thing was read that each run used, truly."""
        self.tried = 0
        """Runs that found the lease taken."""
        self._running = False
        self.workers = [self._worker(Skewed(self.time, wrong)) for wrong in self.skews]

    def _worker(self, clock: Skewed) -> Worker:
        outbox = Outbox(self.line, self.line, self.shelf, clock)
        runner = _Runner(self, clock)
        return Worker(
            Catalogue(Files(), clock), runner, self.shelf, outbox, clock, MemoryTelemetry(), lambda *_: None
        )  # fmt: skip

    def wish(self, trigger: str = "event") -> None:
        self.wishes.append(self.time.seconds)
        self.line.put(WorkMessage((KEY,), trigger).text())

    def work(self, who: int, which: int = 0) -> bool:
        """One worker handles one message; whether there was one."""
        taken = self.line.pick(which)
        if taken is None:
            return False
        asked = messages.read(taken.text)
        assert asked is not None
        self.workers[who % len(self.workers)].handle(asked, taken.inserted)
        return True

    def drain(self) -> None:
        for turn in range(10_000):
            if not self.line.waiting:
                return
            if not self.work(turn):
                self.time.seconds += 1.0
        raise AssertionError(f"messages are left: {self.line.waiting}")

    def unanswered(self) -> list[float]:
        """Requests after which no run read its specs and its facts; a clock's microseconds aside."""
        return [wish for wish in self.wishes if not any(begun >= wish - 1e-3 for begun in self.begun)]

    def run(self, spec: Spec, clock: Skewed, specs_read: datetime) -> Result:
        status = load_status(self.shelf, KEY)
        blank = Result(spec.name, "c0ffee", Outcome.FAILED, None, None, (), (), (), None, None, status)
        if self._running:
            self.tried += 1
            return replace(blank, failures=(Failure(None, LeaseHeld("pool-1: another worker has it")),), next_look=15.0)
        self._running = True
        read = (specs_read - START).total_seconds() - clock.wrong
        self.begun.append(min(read, self.time.seconds))
        started = clock.now()
        self.during()
        outcome = self.outcome()
        good = outcome is Outcome.IN_SYNC
        status = load_status(self.shelf, KEY)
        ended = replace(
            status,
            run=Run(started, clock.now(), outcome.value, specs_read=specs_read, facts_read=started),
            covered=min(started, specs_read) if good else status.covered,
        )
        known = self.shelf.load(f"pools/{KEY}")
        self.shelf.save(f"pools/{KEY}", ended.to_json(), None if known is None else known.etag)
        self._running = False
        return replace(blank, outcome=outcome, next_look=None if good else 40.0, status=ended)


@dataclass
class _Runner:
    office: Office
    clock: Skewed

    @contextmanager
    def look(self, _specs: Sequence[Spec], demand: Demand | None = None, *, shared: bool) -> Iterator[OrganizationLook]:
        assert demand is not None
        assert not shared
        yield OrganizationLook(self)

    def unchanged(self, *_: Any, **__: Any) -> Result | None:
        raise NotImplementedError("no look is shared here")

    def reconcile(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey | None = None,
        *,
        requested: datetime | None = None,  # noqa: ARG002 - nothing rests here
        specs_read: datetime | None = None,
        packed: Packed | None = None,
        trigger: str = "",  # noqa: ARG002 - nothing is written
    ) -> Result:
        assert (revision, survey, packed) == ("c0ffee", None, None)
        assert specs_read is not None
        return self.office.run(spec, self.clock, specs_read)

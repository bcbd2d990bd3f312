"""Whatever order writes take and wherever a worker dies, no status is lost, and none says InSync over what is not.

The world is known at every moment: a pool that is out of sync since a moment must never be shown as in sync by evidence
from after it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.sqlite.store import Local
from reconciler.engine.packed import Statuses
from reconciler.engine.status import ConditionKind, Truth
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.service.catalogue import Specs
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.worker import Report
from tests.contract.families import Settable
from tests.estate import Estate
from tests.examples import crossed, tries
from tests.service.queue.hall import Hall
from tests.service.queue.test_evidence_age import once_at, queue_of

POOLS = ("pool-1", "pool-2", "pool-3")


class Died(BaseException):
    """The process ended here."""


class Mortal:
    """A store of a process that dies at one of its calls, before or after the call took effect."""

    def __init__(self, behind: Any, life: Life) -> None:
        self._behind, self._life = behind, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        if not callable(found):
            return Mortal(found, self._life)

        def called(*args: Any, **options: Any) -> Any:
            self._life.before()
            answer = found(*args, **options)
            self._life.after()
            return Mortal(answer, self._life) if name in ("acquire", "named") else answer

        return called


@dataclass
class Life:
    """How many calls are left."""

    left: int | None = None
    late: bool = False
    """Whether the last call still takes effect."""
    calls: int = 0

    def before(self) -> None:
        self.calls += 1
        if self.left is not None and (self.left < 0 or (self.left == 0 and not self.late)):
            self.left = -1
            raise Died
        if self.left is not None:
            self.left -= 1

    def after(self) -> None:
        if self.left is not None and self.left < 0 and self.late:
            raise Died


@dataclass
class Place:
    """An estate whose drift is known, and workers that come and go."""

    folder: Path
    clock: Settable = field(default_factory=Settable)
    estate: Estate = field(default_factory=Estate)
    out: dict[str, datetime] = field(default_factory=dict)
    """Since when a pool is out of sync."""
    _stores: list[Local] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.hall = self.worker()
        self.hall.safety = Safety(self._stores[0].safety, self.clock, service=True)
        self.hall.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")
        self.hall = self.worker()

    def worker(self, life: Life | None = None) -> Hall:
        """A process that knows nothing but what is stored."""
        stores = Local(self.folder / "state.db", self.clock)
        self._stores.append(stores)
        mortal: Any = Mortal(stores, life) if life is not None else stores
        # A death between index and document of the safety store blocks the pool until its owner repairs it: another rule.
        safety = Safety(stores.safety, self.clock, service=True)
        return Hall(mortal, self.clock, 3, safety=safety, estate=self.estate, holder=f"host-{next(self._names)}")

    def drift(self, pool: str) -> None:
        self.clock.advance(1)
        self.estate.open.discard(queue_of(self.hall, pool))
        self.out.setdefault(pool, self.clock.now())
        self.clock.advance(1)

    def handle(
        self,
        keys: tuple[str, ...],
        trigger: str,
        life: Life | None = None,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """One message, by a process of its own; it may die. `then`: what happens after its first pool."""
        self.clock.advance(61)  # a lease of a process that died has run out
        with suppress(Died):
            hall = self.worker(life)
            listen, left = hall.worker.listen, [then]

            def told(work: WorkMessage, report: Report, specs: Specs) -> None:
                listen(work, report, specs)
                if left:
                    left.pop()()

            replace(hall.worker, listen=told).handle(WorkMessage(keys, trigger), self.clock.now())
        self.estate.before = lambda _name, _args: None
        self.clock.advance(1)
        self.holds()

    def holds(self) -> None:
        """What is shown is true."""
        for pool in POOLS:
            if queue_of(self.hall, pool) in self.estate.open:
                self.out.pop(pool, None)
        specs = self.hall.worker.catalogue.specs().by_key
        for pool in POOLS:
            status = Statuses(self._stores[0].state).of(specs[pool])
            ready = None if status is None else status.condition(ConditionKind.READY)
            if status is None or ready is None or ready.status is not Truth.TRUE:
                continue
            assert status.seen is not None
            assert status.seen <= self.clock.now()
            assert pool not in self.out or status.seen <= self.out[pool], pool

    def healed(self) -> None:
        """One whole resync later all is repaired and seen, and the next one writes nothing and stores no status."""
        self.handle(POOLS, "sweep")
        for _ in range(20):
            if not self.hall.left:
                break
            self.clock.advance(60)
            for queue in (self.hall.outbox.events, self.hall.outbox.sweeps):
                self.hall.turn(queue)
        self.handle(POOLS, "sweep")
        began, writes = self.clock.now(), len(self.estate.writes)
        tags = self._stores[0].state.versions("pools/")
        self.handle(POOLS, "sweep")
        assert not self.out
        assert sorted(tags) == [f"pools/{pool}" for pool in POOLS]
        specs = self.hall.worker.catalogue.specs().by_key
        for pool in POOLS:
            status = Statuses(self._stores[0].state).of(specs[pool])
            assert status is not None
            assert status.seen is not None
            assert status.seen >= began
        assert len(self.estate.writes) == writes
        assert self._stores[0].state.versions("pools/") == tags

    def close(self) -> None:
        for one in self._stores:
            one.close()


@contextmanager
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        made = Place(Path(folder))
        yield made
        made.close()


def _meanwhile(made: Place, step: str, pool: str) -> Callable[[], None]:
    """What happens during a resync."""

    def event() -> None:
        made.estate.before = lambda _name, _args: None
        made.worker().worker.handle(WorkMessage((pool,), "event"), made.clock.now())

    happens: dict[str, Callable[[], None]] = {"drift": lambda: made.drift(pool), "event": event, "nothing": _nothing}
    return happens[step]


def _nothing() -> None:
    """Nothing happens."""


@pytest.mark.soaked
def test_a_resync_that_dies_at_any_of_its_calls_leaves_what_is_true() -> None:
    """One pool drifted, one is as it was, and one has no status yet."""
    with place() as made:
        made.handle(POOLS[:2], "sweep")
        made.handle(POOLS[:2], "sweep")
        made.drift("pool-1")
        whole = Life()
        made.handle(POOLS, "sweep", whole)
    assert whole.calls > 20
    for at, late in crossed(range(whole.calls), (False, True), one_of=2):
        with place() as made:
            made.handle(POOLS[:2], "sweep")
            made.handle(POOLS[:2], "sweep")
            made.drift("pool-1")
            made.handle(POOLS, "sweep", Life(at, late))
            made.healed()


STEPS = st.one_of(
    st.tuples(st.just("drift"), st.sampled_from(POOLS)),
    st.tuples(st.just("event"), st.sampled_from(POOLS)),
    st.tuples(st.just("sweep"), st.sampled_from(["nothing", "drift", "event"]), st.sampled_from(POOLS), st.booleans()),
    st.tuples(st.just("dies"), st.integers(0, 45), st.booleans()),
)


@given(st.lists(STEPS, max_size=9))
@settings(deadline=None, max_examples=tries(20))
def test_in_any_order_of_looks_runs_drift_and_deaths_what_is_shown_is_true(steps: list[tuple[Any, ...]]) -> None:
    """What happens during a resync happens before its first read, or after its first pool, with all facts read."""
    with place() as made:
        for step in steps:
            match step:
                case ("drift", pool):
                    made.drift(pool)
                case ("event", pool):
                    made.handle((pool,), "event")
                case ("dies", at, late):
                    made.handle(POOLS, "sweep", Life(at, late))
                case (_, what, pool, early):
                    happens = _meanwhile(made, what, pool)
                    if early:
                        made.estate.before = once_at("projects", happens)
                    made.handle(POOLS, "sweep", then=_nothing if early else happens)
        made.healed()

"""Every call site of four stories with every fault, once and for as long as a look takes; what comes of each.

Call sites come from the emulator's log of a run without faults, so a new one cannot be forgotten. What is right is
said by the spec and by the emulator's dump, never by a plan: `Cell` names the case, `played` the problems.
"""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from itertools import cycle, product
from pathlib import Path
from typing import Any

from emulator import Running
from reconciler.adapters.boundary import ESCAPED
from reconciler.documents import moment_of
from reconciler.engine import Outcome, Result, load_status
from reconciler.engine.status import REASONS, ConditionKind, PoolStatus
from reconciler.engine.status import Truth as Word
from tests.faults.marks import KEPT, Ideal, Mark, mark_of
from tests.faults.oracle import Before, judged, unlike
from tests.faults.stories import STORIES, begun
from tests.fresh import Routes, forget_routes, known_routes
from tests.scenarios.almanac import Almanac, ahead_of
from tests.scenarios.drafts import POOL
from tests.scenarios.world import World

LOOKS = 12
"""Looks after which a fault was met, or after which it is over and the pool has to be in sync."""
REQUESTS = 1200
"""Of one look: one that takes more does not end."""
SLEPT = 240.0
"""Seconds of sleeping in one look, all threads together."""
SHORTEST = ("change", "access", "create", "replace")
"""Stories by what a run of them costs."""
DOCS = Path(__file__).parents[2] / "docs" / "operations.md"

YEAR = str(365 * 86400)
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "refused": {"kind": "refused"},
    "reset": {"kind": "reset"},
    "time-out before the effect": {"kind": "timeout-before"},
    "time-out after the effect": {"kind": "timeout-after"},
    "401": {"kind": "401"},
    "token expires": {"kind": "expired"},
    "203 sign-in": {"kind": "203"},
    "302 to sign-in": {"kind": "302"},
    "403": {"kind": "403"},
    "404": {"kind": "404"},
    "409": {"kind": "409"},
    "412": {"kind": "412"},
    "429 without a time": {"kind": "429-bare"},
    "429 for seconds": {"kind": "429", "seconds": 3},
    "429 until a date": {"kind": "429", "value": "in a minute"},
    "429 for a year": {"kind": "429", "value": YEAR},
    "429 for no time that is one": {"kind": "429", "value": "1e999"},
    "200 that asks for quiet": {"kind": "retry-after", "seconds": 30},
    "500": {"kind": "500"},
    "503": {"kind": "503", "seconds": 2},
    "503 with a byte order mark": {"kind": "503-bom", "seconds": 2},
    "empty 200": {"kind": "empty"},
    "200 with null": {"kind": "null"},
    "truncated": {"kind": "truncated"},
    "wrong content type": {"kind": "text"},
    "HTML": {"kind": "html"},
    "unknown fields": {"kind": "fields"},
    "unknown words": {"kind": "enums"},
    "null entries": {"kind": "nulls"},
    "entries twice": {"kind": "doubled"},
    "page that repeats": {"kind": "repeated"},
    "token without end": {"kind": "endless"},
    "huge": {"kind": "huge"},
    "trickle": {"kind": "trickle"},
}
HELD = frozenset({"timeout-before", "timeout-after", "trickle"})
"""Kinds for which nothing but time ends an exchange."""


@dataclass(frozen=True, order=True, slots=True)
class Site:
    """A call site: an operation of one plane."""

    plane: str
    method: str
    route: str

    def __str__(self) -> str:
        return f"{self.plane} {self.method} {self.route}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One case."""

    story: str
    site: Site
    fault: str
    lasting: bool

    def __str__(self) -> str:
        return f"{self.story}: {self.fault} at {self.site}, {'for a look' if self.lasting else 'once'}"


@dataclass(slots=True)
class Played:
    """What came of a case."""

    problems: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    """Reasons of the conditions in the look that met the fault."""
    looks: int = 0
    """Until the pool was in sync, after the fault was over."""
    requests: int = 0
    """The most of one look."""
    slept: float = 0.0
    """The most of one look."""
    escaped: set[str] = field(default_factory=set)
    """Answers that no code of ours foresaw, by the line that says so."""
    rejoined: bool = False
    """It ended where it stood again as the story without a fault."""


class HurriedClock(Almanac):
    """A clock whose stopwatch can be faster than time, for exchanges that only time ends."""

    pace = 1.0
    slept = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        return super().monotonic() * self.pace

    def skip(self, seconds: float) -> None:
        """Make it later."""
        self.slept += seconds
        super().skip(seconds)


class Stage:
    """One emulator, and a new world for each case."""

    def __init__(self, running: Running, folder: Path) -> None:
        self._running = running
        self._folder = folder
        self._number = 0
        self._routes: Routes = ({}, {})
        self.ideals = {name: self._ideal(name) for name in STORIES}

    def sites(self) -> dict[str, tuple[Site, ...]]:
        """The call sites of each story, sorted."""
        return {name: ideal.sites for name, ideal in self.ideals.items()}

    def cells(self, *, every: bool = False) -> Iterator[Cell]:
        """Each call site with each fault, once and lasting: in one of its stories in turn, or in every one of them."""
        stories: dict[Site, list[str]] = {}
        for story, sites in self.sites().items():
            for site in sites:
                stories.setdefault(site, []).append(story)
        for site, names in sorted(stories.items()):
            for number, (fault, lasting) in enumerate(product(FAULTS, (False, True))):
                for name in names if every else [names[(number // 2 + lasting) % len(names)]]:
                    yield Cell(name, site, fault, lasting)

    def play(self, cell: Cell, *, whole: bool = False) -> Played:
        """One case, from the beginning of its story to both planes in sync.

        `whole`: to the end even where it stands again as the story without a fault (`tests.faults.marks`).
        """
        known = cell.site.route not in KEPT
        world = self._world(cell.story, self._routes if known else ({}, {}))
        try:
            return _Run(world, cell, self.ideals[cell.story], whole=whole or cell.site.route in KEPT).play()
        finally:
            world.do.clear_faults()
            world.close()

    def seen_after(self, cell: Cell, what: str, **arguments: str) -> list[str]:
        """What the oracle says of the pool after an edit by hand, and no look."""
        world = self._world(cell.story)
        try:
            before = Before(world, cell.story)
            world.by_hand(what, pool=POOL, **arguments)
            return list(before.crossed(world, ()))
        finally:
            world.close()

    def _world(self, story: str, routes: Routes = ({}, {})) -> World:
        self._number += 1
        if self._number % 50 == 0:
            gc.collect()  # threads of worlds that ended end with the last reference to these
        folder = self._folder / f"run-{self._number}"
        folder.mkdir()
        forget_routes(routes)
        world = World(self._running, folder)
        world.clock = HurriedClock(ahead_of(self._running))
        begun(story, world)
        return world

    def _ideal(self, story: str) -> Ideal:
        """The story without a fault."""
        world = self._world(story)
        try:
            marks: list[Mark] = []
            for _ in range(LOOKS):
                result = world.sweep()[POOL]
                marks.append(_mark(world, result))
                if not result.next_look:
                    break
                world.later(result.next_look + 1)
                world.do.settle()
            assert result.outcome in {Outcome.APPLIED, Outcome.IN_SYNC}, result
            log, end, self._routes = world.do.requests(), world.do.state(), known_routes()
            assert judged(world, story) == []
            world.finish()
            sites = sorted({Site(one["plane"], one["method"], one["route"]) for one in log})
            writes = frozenset((one["method"], one["path"]) for one in log if one["write"])
            return Ideal(end, writes, tuple(sites), tuple(marks))
        finally:
            world.close()


class _Run:
    """One case while it is played."""

    def __init__(self, world: World, cell: Cell, ideal: Ideal, *, whole: bool) -> None:
        self._world = world
        self._whole = whole
        self._cell = cell
        self._ideal = ideal
        self._before = Before(world, cell.story)
        self._played = Played()
        self._log: list[Any] = []
        clock = world.clock
        assert isinstance(clock, HurriedClock)
        self._clock = clock

    def play(self) -> Played:
        world, fault = self._world, dict(FAULTS[self._cell.fault])
        if fault["kind"] in HELD:
            world.patience(1.0 if fault["kind"] == "trickle" else 0.5)
            self._clock.pace = 30.0
        if fault.get("value") == "in a minute":
            now = moment_of(world.do.now())
            assert now is not None
            fault["value"] = format_datetime(now.replace(microsecond=0) + timedelta(seconds=60), usegmt=True)
        site = self._cell.site
        fault |= {"route": site.route, "method": site.method, "plane": site.plane}
        world.do.fault(**fault, count=None if self._cell.lasting else 1)
        self._meet()
        world.do.clear_faults()
        if fault["kind"] in HELD:
            self._clock.pace = 1.0
            world.patience(30.0)
        self._recover()
        return self._played

    def _meet(self) -> None:
        """Look until one look has met the fault."""
        for _ in range(LOOKS):
            result = self._look()
            if self._world.do.fault_hits():
                if result is not None:
                    self._played.reasons = {one.reason for one in result.status.conditions if _says(one)}
                return
            self._pass(result)
        self._wrong("the fault was never met")

    def _recover(self) -> None:
        """Look until a look has nothing left to do; then once more, for nothing."""
        for turn in range(1, LOOKS + 1):
            self._pass(None if turn % 3 == 0 else self._last)
            result = self._look()
            if result is not None and not self._whole:
                rest = _mark(self._world, result).found_in(self._ideal.marks)
                if rest >= 0:
                    self._played.looks, self._played.rejoined = turn + rest, True
                    return
            if result is not None and result.outcome in {Outcome.IN_SYNC, Outcome.APPLIED} and not result.next_look:
                self._played.looks = turn
                break
        else:
            told = self._last.status.conditions if self._last else ()
            self._wrong(f"not in sync after {LOOKS} looks: {[(c.kind.value, c.reason, c.message) for c in told]}")
            return
        self._world.do.settle()
        self._world.later(7200)
        written = len(self._log)
        result = self._look()
        again = [f"{one['method']} {one['path']}" for one in self._log[written:] if one["write"]]
        if again:
            self._wrong(f"a converged pool is written to: {again}")
        if result is None or result.outcome is not Outcome.IN_SYNC:
            self._wrong(f"at the end {result.outcome if result else None}")
        for line in (*judged(self._world, self._cell.story), *unlike(self._ideal.end, self._world.do.state())):
            self._wrong(f"at the end: {line}")

    _last: Result | None = None

    def _look(self) -> Result | None:
        """One look at the pool, and what may be said of the world after it."""
        world = self._world
        self._clock.slept = 0.0
        world.do.reset_log()
        try:
            result = world.sweep()[POOL]
        except Exception as error:  # noqa: BLE001 - whatever leaves a look is a crash
            self._wrong(f"crash: {type(error).__name__}: {error}")
            result = None
        log = world.do.requests()
        self._log += log
        self._played.requests = max(self._played.requests, len(log))
        self._played.slept = max(self._played.slept, self._clock.slept)
        if len(log) > REQUESTS or self._clock.slept > SLEPT:
            self._wrong(f"hangs: {len(log)} requests, {self._clock.slept:g} s of sleep in one look")
        for one in log:
            if one["write"] and (one["method"], one["path"]) not in self._ideal.writes:
                self._wrong(f"wrong write: {one['method']} {one['path']} {one['body']}")
        for line in self._before.crossed(world, log):
            self._wrong(line)
        if result is not None:
            self._said(result)
        self._last = result
        return result

    def _said(self, result: Result) -> None:
        status, found = result.status, judged(self._world, self._cell.story)
        if found and (_ready(status) or _ready(load_status(self._world.parts.store.state, POOL))):
            self._wrong(f"false InSync: {found}")
        reasons = {one.reason for one in status.conditions if _says(one)}
        if unknown := sorted(reasons - documented()):
            self._wrong(f"reasons that docs/operations.md does not explain: {unknown}")
        texts = [one.message for one in status.conditions]
        self._played.escaped |= {_plain(text) for text in texts if ESCAPED in text}
        if any(token in text for token in self._world.running.tokens.values() for text in texts):
            self._wrong("a token is in a condition")

    def _pass(self, result: Result | None) -> None:
        """Time until the next look: what the run asked for, or until the next full resync."""
        self._world.later((result.next_look if result and result.next_look else 3600) + 1)
        self._world.do.settle()

    def _wrong(self, line: str) -> None:
        if line not in self._played.problems:
            self._played.problems.append(line)


def _mark(world: World, result: Result) -> Mark:
    document = world.parts.store.state.load(f"pools/{POOL}")
    return mark_of(document.body if document else None, result, world.do.state())


def _says(condition: Any) -> bool:
    """Whether the condition says something: a stall that is none does not."""
    return condition.kind is ConditionKind.READY or condition.status is Word.TRUE


def _ready(status: PoolStatus) -> bool:
    condition = status.condition(ConditionKind.READY)
    return condition is not None and condition.status is Word.TRUE


def _plain(text: str) -> str:
    found = re.search(rf"[^:;]*: [^:;]*: the answer {ESCAPED} \([^)]*\)", text)
    return found[0].strip() if found else text


@cache
def documented() -> frozenset[str]:
    """Reasons with an entry in docs/operations.md."""
    return frozenset(re.findall(r"^### (\w+)$", DOCS.read_text(), re.MULTILINE)) & REASONS


def sampled(cells: Sequence[Cell], part: int, parts: int) -> list[Cell]:
    """A part of a sample that has every call site, every fault and both modes, not all with each other.

    One cell for each fault, once or lasting in turn, at the call site that has the fewest so far, in the shortest story of
    those.
    """
    groups: dict[str, list[Cell]] = {name: [] for name in FAULTS}
    lasting = dict(zip(FAULTS, cycle((False, True)), strict=False))
    for cell in cells:
        if cell.lasting is lasting[cell.fault]:
            groups[cell.fault].append(cell)
    taken: Counter[Site] = Counter()
    chosen = []
    for group in groups.values():
        found = min(group, key=lambda cell: (taken[cell.site], SHORTEST.index(cell.story)))
        taken[found.site] += 1
        chosen.append(found)
    return chosen[part::parts]

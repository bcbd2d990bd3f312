"""What must hold, from the specs' own words and the emulator's dump: never from a plan of the program.

Times are true ones. A process whose clock is wrong stamps with it, so what it says of moments is compared with the
largest error of any clock so far.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.documents.chain import problems
from reconciler.engine.status import PoolStatus
from reconciler.ports.write_log import WriteLog
from tests.simulation import intended
from tests.simulation.holds import Held, Holds
from tests.simulation.intended import OPERATOR, ORGANIZATIONS, Cell, Commit, Json
from tests.simulation.virtual import TIME
from tests.simulation.wire import Sent

MARGIN = 6.0
"""Seconds by which the program takes two clocks to differ, and one more for rounding."""


class Violation(BaseException):
    """Something that must never happen; the first word says which rule. No program takes it for an error of its own."""


@dataclass
class Past:
    """What was so when: a value for each stretch of time."""

    times: list[float] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> None:
        """From now on."""
        if not self.values or self.values[-1] != value:
            self.times.append(TIME.now)
            self.values.append(value)

    def since(self, moment: float) -> list[Any]:
        """Every value that was so at that moment or later, oldest first."""
        return self.values[max(0, bisect_right(self.times, moment) - 1) :]


@dataclass
class Oracles:
    """Looks at everything that happens; `Violation` where a rule is broken."""

    cells: Callable[[], dict[Cell, Json]]
    arm: Callable[[str], Json]
    """What ARM answers about a pool, or None."""
    estate: Past = field(default_factory=Past)
    heads: Past = field(default_factory=Past)
    """Which commit was at the head of what git shows."""
    commits: list[Commit] = field(default_factory=list)
    holds: Holds = field(default_factory=Holds)
    error_of_clocks: float = 0.0
    lag: float = 0.0
    """How long, at most, what Azure DevOps answers is behind what was written."""
    max_age: float = 3600.0
    before: dict[Cell, Json] = field(default_factory=dict)
    got: Json = None
    writes: int = 0

    def look(self) -> dict[Cell, Json]:
        """Note how the estate is now."""
        now = self.cells()
        self.estate.add(now)
        return now

    # --- writes ------------------------------------------------------------------------------------------

    def writing(self, path: str) -> None:
        """A handler that writes is about to run."""
        self.before = self.look()
        self.got = self.arm(path.rsplit("/", 1)[-1]) if "/Microsoft.DevOpsInfrastructure/" in path else None

    def written(self, sent: Sent, put: float, held: Held) -> None:
        """A write of the operator was answered.

        `put`: since when the message waits whose run made it. `held`: what the owner held back when it was decided.
        """
        self._not_held(sent, held)
        if not sent.done:
            return
        self.writes += 1
        heads = [self.commits[one] for one in self.heads.since(put - self.error_of_clocks - MARGIN)]
        after = self.look()
        if sent.plane == "arm" and sent.method == "PUT":
            self._put(sent, self.holds.approved_only(held, sent.path.rsplit("/", 1)[-1], heads))
        for cell in sorted({*self.before, *after}, key=str):
            old, new = self.before.get(cell), after.get(cell)
            if old != new and cell[0] != "arm":
                self._changed(
                    cell, old, new, self.holds.approved_only(held, cell[2], heads) if len(cell) > 2 else heads, sent
                )
                for why in held.change(cell, old, new, self.error_of_clocks + MARGIN) if len(cell) > 2 else ():
                    raise Violation(f"held back: {sent.line} changed {cell} from {old!r} to {new!r}, despite {why}")
        self._nobody_locked_out(after, sent)

    def _not_held(self, sent: Sent, held: Held) -> None:
        """No write is sent that a mode or a pause of its pool or of an organization holds back."""
        pool, organizations = "", [sent.path.split("/")[1]]
        if sent.plane == "arm":
            pool = sent.path.rsplit("/", 1)[-1]
            profiles = (sent.body or {}).get("properties", {}).get("organizationProfile", {}).get("organizations", [])
            organizations = [one["url"].rsplit("/", 1)[-1] for one in profiles]
        for why in held.whole(pool, organizations, self.error_of_clocks + MARGIN):
            raise Violation(f"held back: {sent.line} was sent despite {why}")

    def _changed(self, cell: Cell, old: Json, new: Json, heads: list[Commit], sent: Sent) -> None:
        if cell[0] == "rest of queue" and (old is None or _same_but_pipelines(old, new)):
            return  # what comes with a new queue
        if cell[0] == "open" and old is None and new is False:
            return  # likewise
        wanted = [asked for one in heads for asked in self._asked(cell, one)]
        if cell[0] == "role" and (cell[3], new) == (OPERATOR, "Administrator") and wanted:
            return  # an operator who would be left without a right is assigned it first (docs/facets.md)
        if not any(asked.get(cell, ...) == new for asked in wanted):
            raise Violation(f"asked-for: {sent.line} changed {cell} from {old!r} to {new!r}, and no spec says so")
        if (cell[0] == "role" and new != "Administrator") or (cell[0] == "inherit" and new is False):
            self._grants_first(cell, wanted, sent)

    def _asked(self, cell: Cell, commit: Commit) -> Iterable[dict[Cell, Json]]:
        """What the spec of the cell's pool asks for, at a commit that lets it be written."""
        name = cell[2] if len(cell) > 2 else ""
        spec = commit.get(name)
        if spec is not None and intended.writes(spec):
            yield intended.asked(name, spec, self.before)

    def _grants_first(self, cell: Cell, wanted: list[dict[Cell, Json]], sent: Sent) -> None:
        place = ("role", cell[1], cell[2])
        for asked in wanted:
            grants = {one: role for one, role in asked.items() if one[:3] == place and role}
            if all(self.before.get(one) == role for one, role in grants.items()):
                return
        raise Violation(f"grant-first: {sent.line} narrowed {cell} before every role of its place was granted")

    def _nobody_locked_out(self, after: Mapping[Cell, Json], sent: Sent) -> None:
        for cell in after:
            if cell[0] != "agents":
                continue
            place = ("role", *cell[1:3])
            there = {one[3] for one, role in after.items() if one[:3] == place and role == "Administrator"}
            was = {one[3] for one, role in self.before.items() if one[:3] == place and role == "Administrator"}
            inherited = bool(after.get(("inherit", *cell[1:3])))
            if was and not there and not inherited:
                raise Violation(f"lock-out: {sent.line} left {cell[1:3]} without an administrator")
            if OPERATOR in was and OPERATOR not in there:
                raise Violation(f"lock-out: {sent.line} took the operator's own role at {cell[1:3]}")

    def _put(self, sent: Sent, heads: list[Commit]) -> None:
        name = sent.path.rsplit("/", 1)[-1]
        specs = [one[name] for one in heads if name in one and intended.writes(one[name])]
        if not specs:
            raise Violation(f"asked-for: {sent.line}: no spec that may be written names {name}")
        body = dict(intended.flat({**sent.body["properties"], "tags": sent.body.get("tags") or {}}))
        got = self.got
        there = {} if got is None else dict(intended.flat({**got["properties"], "tags": got.get("tags") or {}}))
        for path, value in body.items():
            if (path in there and there[path] == value) or path[-1] == "openAccess":
                continue
            asked = [intended.asked(name, one, self.before).get(("arm", name, *path), ...) for one in specs]
            if value not in asked and there:
                raise Violation(f"asked-for: {sent.line} sends {path} as {value!r}, and no spec says so")
        for path in sorted(set(there) - set(body)):
            if path[-1] != "openAccess" and path[0] != "provisioningState":
                raise Violation(f"unmanaged: {sent.line} leaves out {path}, which the pool has")

    # --- reports -----------------------------------------------------------------------------------------

    def reported(self, name: str, revision: str, status: PoolStatus, skew: float, taken: float) -> None:
        """A run ended with the claim that a pool is in sync; `taken`: when it took its message."""
        seen = status.seen
        if seen is None:
            raise Violation(f"evidence: {name} is reported in sync without the moment of its evidence")
        moment = seen.timestamp() - skew
        age = taken - moment
        if age > self.max_age + self.error_of_clocks + MARGIN:
            raise Violation(f"evidence: {name} is reported in sync by evidence that is {age:.0f} s old")
        spec = self.commits[int(revision, 16)].get(name)
        if spec is None:
            raise Violation(f"evidence: {name} is reported in sync at a commit that does not name it")
        self.look()
        past = self.estate.since(moment - self.lag - self.error_of_clocks - 1.0)
        for cell in self.missing(name, spec, past):
            raise Violation(f"false InSync: {name}: {cell} was never as the spec says since {moment - TIME.now:.1f} s")

    def missing(self, name: str, spec: Json, past: list[dict[Cell, Json]]) -> list[Cell]:
        """Cells that were at none of these times as the spec asked at that time."""
        left: set[Cell] | None = None
        for there in past:
            wanted = intended.asked(name, spec, there)
            wrong = {cell for cell, value in wanted.items() if there.get(cell) != value}
            left = wrong if left is None else left & wrong
            if not left:
                return []
        return sorted(left or ())

    # --- the end -----------------------------------------------------------------------------------------

    def record(self, log: WriteLog, *, open_intents: int) -> None:
        """The record is whole: its hashes, and a result for each intent but those of runs that were cut off."""
        intents: dict[str, str] = {}
        for chain in log.chains():
            entries = list(log.entries(chain))
            for line in problems(entries):
                raise Violation(f"record: {chain}: {line}")
            for entry in entries:
                if entry["kind"] == "intent":
                    intents[entry["id"]] = f"{chain}: {entry.get('change', '')}"
                elif entry["kind"] == "result":
                    intents.pop(str(entry.get("of", "")), None)
        if len(intents) > open_intents:
            raise Violation(f"record: {len(intents)} intents have no result: {sorted(intents.values())[:3]}")


def _same_but_pipelines(old: Json, new: Json) -> bool:
    """Whether only the permits of single pipelines differ: those are no facts of this simulation."""
    return old is not None and new is not None and old[:3] == new[:3]


def moment_of_put(put: datetime, skew: float) -> float:
    """The true time of a stamp by a clock that is wrong by so much."""
    return put.timestamp() - skew


def organization_names() -> tuple[str, ...]:
    """All of them."""
    return tuple(ORGANIZATIONS.values())

"""What the deployment's owner holds back: modes, pauses and windows, in words of the simulation (docs/modes.md).

A setting counts before the next write. So what counts for a write is what was set when its exchange was begun: a
process that is held up there has decided already, and one write of each may still go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tests.simulation.intended import Cell, Commit, Json
from tests.simulation.virtual import BEGIN, TIME

FIELDS = {"roles": "role", "openAccess": "open", "inheritance": "inherit"}
"""Field of a pause → the kind of cell that it governs."""
WRITING = ("enforce", "approved")


@dataclass(frozen=True, slots=True)
class Window:
    """When changes of some risks may be made: minutes of each hour, from and for how many."""

    risks: tuple[str, ...]
    minutes: tuple[int, ...]
    length: int

    @property
    def document(self) -> Json:
        """As the policy says it."""
        cron = ",".join(str(one) for one in self.minutes)
        length = f"00:{self.length:02}:00"
        return {"risks": list(self.risks), "cron": f"{cron} * * * *", "timeZone": "UTC", "length": length}

    def open(self, moment: float, error: float) -> bool:
        """Whether it was open at a moment, by any clock that is wrong by so much at most."""
        minute = (moment - BEGIN) % 3600.0
        opens = (60.0 * one + around for one in self.minutes for around in (-3600.0, 0.0, 3600.0))
        return any(one - error <= minute < one + 60.0 * self.length + error for one in opens)


@dataclass(frozen=True, slots=True)
class Held:
    """What counts at one moment."""

    at: float = 0.0
    modes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Scope (``organization`` or ``pool`` and its name; both empty: the deployment) → mode."""
    pauses: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    """Scope and field → until when."""
    windows: tuple[Window, ...] = ()

    def mode(self, pool: str) -> str:
        """Of everything about a pool, organizations aside."""
        found = [self.modes.get(("", ""), "enforce"), self.modes.get(("pool", pool), "enforce")]
        return min(found, key=["stop", "report", "approved", "enforce"].index)

    def whole(self, pool: str, organizations: Iterable[str], error: float) -> Iterator[str]:
        """Why nothing may be written for a pool (empty: unknown which one) in these organizations."""
        scopes = [("", ""), ("pool", pool), *(("organization", one) for one in organizations)]
        for scope in scopes:
            if self.modes.get(scope, "enforce") not in WRITING:
                yield f"mode {self.modes[scope]} of {' '.join(scope).strip() or 'the deployment'}"
            if self.pauses.get((*scope, ""), 0.0) > self.at + error:
                yield f"a pause of {' '.join(scope)}"

    def change(self, cell: Cell, old: Json, new: Json, error: float) -> Iterator[str]:
        """Why this cell of an agent pool may not change."""
        yield from self.whole(cell[2], [cell[1]], error)
        for name, kind in FIELDS.items():
            if cell[0] == kind and self.pauses.get(("pool", cell[2], name), 0.0) > self.at + error:
                yield f"a pause of {name} of {cell[2]}"
        risk = risk_of(cell, old, new)
        named = [one for one in self.windows if risk in one.risks]
        if named and not any(one.open(self.at, error) for one in named):
            yield f"no window for what {risk}"


def risk_of(cell: Cell, old: Json, new: Json) -> str:
    """What a change of a cell does to people; empty: nothing, or nothing that was decided for itself."""
    if cell[0] == "role":
        return "widens" if new == "Administrator" else "narrows"
    if cell[0] in ("open", "inherit") and None not in (old, new):
        return "widens" if new else "narrows"
    return ""


@dataclass
class Holds:
    """What is set now."""

    held: Held = Held()
    approved: dict[str, list[Json]] = field(default_factory=dict)
    """Pool → every spec of it that was approved."""

    def now(self) -> Held:
        """What counts for a write that is decided now."""
        return replace(self.held, at=TIME.now)

    def set_mode(self, scope: tuple[str, str], mode: str | None) -> None:
        """None clears it."""
        rest = {one: value for one, value in self.held.modes.items() if one != scope}
        self.held = replace(self.held, modes=rest if mode is None else {**rest, scope: mode})

    def pause(self, scope: tuple[str, str, str], until: float) -> None:
        """Until a true time; 0: it goes on."""
        self.held = replace(self.held, pauses={**self.held.pauses, scope: until})

    def set_windows(self, windows: tuple[Window, ...]) -> None:
        """Those of the policy from now on."""
        self.held = replace(self.held, windows=windows)

    def approved_only(self, held: Held, name: str, heads: list[Commit]) -> list[Commit]:
        """The commits by which a pool may be written: in mode `approved`, those with a spec that was approved."""
        if held.mode(name) != "approved":
            return heads
        return [{name: one} for one in self.approved.get(name, [])]

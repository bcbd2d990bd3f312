"""What goes wrong on purpose: which requests are hit, how often, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase

from emulator.documents import Json
from emulator.frame import Request

BEFORE = ("refused", "timeout-before", "401", "203", "302", "403", "404", "409", "429", "500", "503")
"""Kinds that answer, or drop the connection, instead of the handler: nothing has happened."""
AFTER = ("timeout-after", "retry-after", "truncated", "slow")
"""Kinds that spoil the answer of a handler that has done its work."""
KINDS = (*BEFORE, *AFTER)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; the filters are globs, blind to case, and all of them must fit."""

    kind: str
    route: str = "*"
    method: str = "*"
    organization: str = "*"
    plane: str = "*"
    path: str = "*"
    caller: str = "*"
    count: int | None = 1
    """How many requests are hit; None: all of them until faults are cleared."""
    skip: int = 0
    """How many fitting requests pass unharmed before."""
    seconds: float = 1.0
    """Retry-After of 429, 503 and `retry-after`; how long `slow` takes; how long a time-out holds the connection."""
    number: int = 0

    def fits(self, operation: str, request: Request) -> bool:
        """Whether the request is one of those meant."""
        pairs = (
            (self.route, operation),
            (self.method, request.method),
            (self.organization, request.params.get("organization", "")),
            (self.plane, request.plane),
            (self.path, request.path),
            (self.caller, request.caller),
        )
        return all(fnmatchcase(found.lower(), wanted.lower()) for wanted, found in pairs)


class Faults:
    """The faults that are set, in order; the first that fits is used up."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._number = 0

    def add(self, raw: Mapping[str, Json]) -> Fault:
        """Set one; ValueError for an unknown kind or field."""
        try:
            fault = Fault(**raw)
        except TypeError as error:
            raise ValueError(f"fault: {error}") from None
        if fault.kind not in KINDS:
            raise ValueError(f"fault: kind {fault.kind!r} is not one of: {', '.join(KINDS)}")
        self._number += 1
        self._set.append(replace(fault, number=self._number))
        return self._set[-1]

    def take(self, operation: str, request: Request) -> Fault | None:
        """The fault that hits this request; counts it down."""
        hit = None
        for index, fault in enumerate(self._set):
            if not fault.fits(operation, request):
                continue
            if fault.skip:
                self._set[index] = replace(fault, skip=fault.skip - 1)
                continue
            hit = fault
            self._set[index] = fault if fault.count is None else replace(fault, count=fault.count - 1)
            break
        self._set = [fault for fault in self._set if fault.count is None or fault.count > 0]
        return hit

    def dump(self) -> list[dict[str, Json]]:
        """What is still set."""
        return [asdict(fault) for fault in self._set]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._set.clear()

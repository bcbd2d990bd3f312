"""Faults: which requests fail on purpose, how often, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase

from emulator.documents import Json
from emulator.frame import Request

BEFORE = ("refused", "timeout-before", "401", "203", "302", "403", "404", "409", "429", "500", "503")
"""Kinds that respond, or drop the connection, instead of the handler: nothing was done."""
AFTER = ("timeout-after", "retry-after", "truncated", "slow", "nulls")
"""Kinds that change the response of a handler that has done its work."""
KINDS = (*BEFORE, *AFTER)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; the filters are globs without regard to case, and all of them must match."""

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
    value: str | None = None
    """The header of `retry-after` as it is sent, in place of the seconds: a date, a word, nothing."""
    number: int = 0

    def fits(self, operation: str, request: Request) -> bool:
        """Whether a request matches."""
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
    """The faults that are set, in order; the first that matches applies."""

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
        """The faults that are still set."""
        return [asdict(fault) for fault in self._set]

    def clear(self) -> None:
        """Remove all faults."""
        self._set.clear()

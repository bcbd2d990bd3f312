"""Faults: which requests fail on purpose, how often, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from emulator.documents import Json
from emulator.frame import Request

STATUSES = ("401", "203", "302", "403", "404", "409", "412", "429", "500", "503")
"""Kinds that are a status in the plane's own shape."""
BEFORE = ("refused", "reset", "timeout-before", *STATUSES, "429-bare", "503-bom", "html", "expired")
"""Kinds that respond, or drop the connection, instead of the handler: nothing was done."""
AFTER = (
    "timeout-after",
    "retry-after",
    "truncated",
    "slow",
    "nulls",
    "null",
    "empty",
    "text",
    "fields",
    "enums",
    "doubled",
    "repeated",
    "endless",
    "huge",
    "trickle",
)
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
    """Retry-After of 429, 503 and `retry-after` as it is sent, in place of the seconds: a date, a word, nothing."""
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


_EVERYWHERE: Mapping[str, Any] = {"route": "*", "method": "*", "organization": "*", "path": "*", "count": None}
"""What becomes of the filters of `expired` with its first hit: the plane accepts that token nowhere any more."""


class Faults:
    """The faults that are set, in order; the first that matches applies."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._number = 0
        self.hits = 0
        """Requests that were hit since faults were last cleared."""

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
            self.hits += 1
            self._set[index] = fault if fault.count is None else replace(fault, count=fault.count - 1)
            if fault.kind == "expired":
                self._set[index] = replace(fault, kind="401", plane=request.plane, **_EVERYWHERE)
            break
        self._set = [fault for fault in self._set if fault.count is None or fault.count > 0]
        return hit

    def dump(self) -> list[dict[str, Json]]:
        """The faults that are still set."""
        return [asdict(fault) for fault in self._set]

    def clear(self) -> None:
        """Remove all faults."""
        self._set.clear()
        self.hits = 0

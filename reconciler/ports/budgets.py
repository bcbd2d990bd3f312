"""What is known of an organization's rate budget for one identity: pure values, and their stored form.

Azure DevOps allows an identity so much consumption (200 TSTU) in a sliding window of five minutes, and does not publish
what a call costs. So the budget is counted in calls, as observed: the calls that were made in the window when the
service first slowed one, or announced what remains (Microsoft Learn: Azure DevOps rate and usage limits,
`X-RateLimit-*`). Until then no budget is known, and nothing waits for one.

A full resync may use 80 % of it, minute by minute; the rest is for events and people. All moments are seconds since the
epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.documents import Json, JsonObject, moment, moment_of
from reconciler.ports.pacing import Priority

WINDOW = 300
"""Seconds of the service's window."""
SLICE = 60
"""Seconds in which calls are counted together."""
_SLICES = WINDOW // SLICE
SWEEPS = 0.8
"""Share of the budget that a full resync may use; the rest is kept for events and people."""
_SHARES = {Priority.SWEEP: SWEEPS, Priority.EVENT: 1.0}
LEAST = 30.0
"""No lower budget is believed: something else used the window."""
STEADY = 3600.0
"""Seconds after which a learned budget may grow: who else used it may have ended."""
GROWTH = 1.1
"""Factor for each window that was used up without being slowed."""
ENOUGH = 0.5
"""Share of the limit in use from which the announced remainder says what a call costs."""
SOME = 0.1
"""Share of the limit in use from which it may show that more is allowed than was learned before."""
INTERVAL = 900.0
"""Seconds between two full resyncs, unless said."""
MAXIMUM_AGE = 4 * 3600.0
"""Seconds within which every fact is verified, unless said."""
_ROUNDING = 0.01
_LOOKS = 32
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one response says of the budget."""

    slowed: bool = False
    """The call was delayed or blocked, or the service requests fewer calls."""
    limit: float | None = None
    """TSTU, as `remaining`."""
    remaining: float | None = None

    @property
    def numbers(self) -> bool:
        """Whether the service named its limit or what remains of it."""
        return self.limit is not None or self.remaining is not None

    @property
    def used(self) -> float:
        """Share of the limit in use; 0 where it is not known."""
        if self.slowed or (self.remaining is not None and self.remaining <= 0):
            return 1.0
        if self.limit is None or self.remaining is None or self.limit <= 0:
            return 0.0
        return max(0.0, 1.0 - self.remaining / self.limit)


@dataclass(frozen=True, slots=True)
class RateBudget:
    """Calls in a window, allowed and made."""

    calls: float | None = None
    """Calls that a window allows; None: not known."""
    since: float = 0.0
    """When this number was learned, or grew."""
    slowed: float = 0.0
    """When the service last slowed or blocked a call; 0: never."""
    spent: Mapping[int, int] = field(default_factory=dict)
    """Slice (seconds since the epoch / 60) → calls of all workers that are known."""

    def made(self, now: float, slices: int = _SLICES) -> int:
        """Calls in this slice and the ones before it."""
        last = int(now // SLICE)
        return sum(count for one, count in self.spent.items() if last - slices < one <= last)

    def wait(self, priority: Priority, now: float) -> float:
        """Seconds until a call of this priority is within its share of the budget; 0: now."""
        share = _SHARES.get(priority)
        if self.calls is None or share is None:
            return 0.0
        allowed = share * self.calls
        part = math.ceil(allowed / _SLICES) if priority is Priority.SWEEP else self.calls
        first = int(now // SLICE)
        for one in range(first, first + _SLICES + 2):
            begins = max(now, float(one * SLICE))
            # The service's window may hold a part of one slice more.
            bounds = ((1, part), (_SLICES, allowed), (_SLICES + 1, self.calls))
            if all(self.made(begins, slices) + 1 <= most for slices, most in bounds):
                return begins - now + _ROUNDING if begins > now else 0.0
        return float(WINDOW + SLICE)

    def called(self, now: float, count: int = 1) -> RateBudget:
        """With calls that are sent now."""
        last = int(now // SLICE)
        kept = {one: made for one, made in self.spent.items() if last - _SLICES <= one <= last}
        kept[last] = kept.get(last, 0) + count
        spent = replace(self, spent=kept)
        return replace(spent, calls=spent.calls * GROWTH, since=now) if spent.calls and spent.grows(now) else spent

    def answered(self, began: float, now: float, figures: Figures) -> RateBudget:
        """With what a response says; `began`: when its call was sent.

        A single refusal without numbers is a pause and no measure: only a second one within a window is.
        """
        again = self.slowed < began <= self.slowed + WINDOW
        known = self if not figures.slowed or began <= self.slowed else replace(self, slowed=now)
        if figures.used < SOME or not (figures.numbers or again or self.calls is not None):
            return known
        before, seen = self.calls, max(LEAST, self.made(now, _SLICES + 1) / figures.used)
        if figures.used >= 1.0:
            seen = min(seen, before or seen)
        elif figures.used < ENOUGH:
            seen = max(seen, before) if before is not None else 0.0
        return known if seen in {before, 0.0} else replace(known, calls=seen, since=now)

    def joined(self, other: RateBudget) -> RateBudget:
        """With what another worker learned later; calls that were made are `other`'s."""
        later = other if other.since > self.since else self
        return RateBudget(later.calls, later.since, max(self.slowed, other.slowed), other.spent)

    def sweeps(self, seconds: float) -> int | None:
        """Calls that full resyncs may make in so many seconds; None: no limit is known."""
        return None if self.calls is None else int(SWEEPS * self.calls * seconds / WINDOW)

    def grows(self, now: float) -> bool:
        """Whether a window was used up, and nothing was slowed for long enough."""
        used_up = self.calls is not None and self.made(now) >= 0.9 * SWEEPS * self.calls
        return used_up and now - self.slowed >= STEADY and now - self.since >= WINDOW


@dataclass(frozen=True, slots=True)
class Looks:
    """Calls that full resyncs made, as measured."""

    done: tuple[tuple[float, int], ...] = ()
    """When a look ended, and its calls; oldest first."""
    part: int = 0
    """Calls of a look that a later message goes on with."""
    most: tuple[float, int] = (0.0, 0)
    """The largest need within a day."""

    def ended(self, now: float, calls: int, interval: float) -> Looks:
        """With the calls of a look that ended, beside those of its part."""
        made = (now, self.part + calls)
        kept = [one for one in self.done if now - interval < one[0] <= now]
        looks = Looks((*kept, made)[-_LOOKS:], 0, self.most)
        need, (at, most) = looks.needs(now, interval) or 0, self.most
        return looks if most > need and now - at < _DAY else replace(looks, most=(now, need))

    def needs(self, now: float, interval: float) -> int | None:
        """Calls for one full resync: those of the last interval, or the last ones; None: none was measured."""
        recent = [calls for at, calls in self.done if now - interval < at]
        return sum(recent) if recent else self.done[-1][1] if self.done else None

    def joined(self, other: Looks) -> Looks:
        """With what another worker measured; what is left to do is `other`'s."""
        done = tuple(sorted({*self.done, *other.done}))[-_LOOKS:]
        return Looks(done, other.part, max(self.most, other.most, key=lambda one: one[1]))


@dataclass(frozen=True, slots=True)
class Rate:
    """All that is stored of one identity in one organization."""

    until: datetime | None = None
    """The service requests no calls before."""
    budget: RateBudget = RateBudget()
    looks: Looks = Looks()
    interval: float = INTERVAL
    """Seconds between two full resyncs."""

    def body(self) -> JsonObject:
        """The stored form; what is not known is left out."""
        budget, looks = self.budget, self.looks
        found: dict[str, Json] = {}
        if self.until is not None:
            found["until"] = moment(self.until)
        if budget.calls is not None:
            found["budget"] = {"calls": round(budget.calls, 1), "since": int(budget.since)}
        if budget.slowed:
            found["slowed"] = int(budget.slowed)
        if budget.calls is not None and budget.spent:
            found["spent"] = {str(one): count for one, count in sorted(budget.spent.items())}
        if looks.done:
            found["looks"] = [[int(at), calls] for at, calls in looks.done]
            found["most"] = [int(looks.most[0]), looks.most[1]]
            found["interval"] = int(self.interval)
        if budget.calls is not None and looks.part:
            found["part"] = looks.part
        return found


def document_name(organization: str) -> str:
    """Name of the state document with the rates of an organization, by identity."""
    return f"gates/{organization.lower()}"


def rates(body: Json, now: float) -> dict[str, Rate]:
    """Identity → its rate; unreadable parts are as unknown, also moments that lie ahead of `now`."""
    found = body.items() if isinstance(body, Mapping) else ()
    return {str(identity): _rate(one, now) for identity, one in found}


def _rate(body: Json, now: float) -> Rate:
    if not isinstance(body, Mapping):
        return Rate(moment_of(body))
    learned = body.get("budget")
    calls, since = (learned.get("calls"), learned.get("since")) if isinstance(learned, Mapping) else (None, None)
    allowed = _past(calls, float("inf"))
    known = allowed >= LEAST and _past(since, now) > 0
    spent = body.get("spent")
    pairs = [(one, count) for one, count in spent.items() if one.isdecimal()] if isinstance(spent, Mapping) else []
    budget = RateBudget(
        allowed if known else None,
        _past(since, now) if known else 0.0,
        _past(body.get("slowed"), now),
        {int(one): int(_past(count, float("inf"))) for one, count in pairs if int(one) <= now // SLICE},
    )
    most = _pairs([body.get("most")], now)
    looks = Looks(_pairs(body.get("looks"), now)[-_LOOKS:], int(_past(body.get("part"), float("inf"))))
    looks = replace(looks, most=most[0]) if most else looks
    return Rate(moment_of(body.get("until")), budget, looks, _past(body.get("interval"), _DAY) or INTERVAL)


def _pairs(body: Json, now: float) -> tuple[tuple[float, int], ...]:
    entries = [one for one in body if isinstance(one, list) and len(one) == 2] if isinstance(body, list) else []  # noqa: PLR2004
    found = ((_past(at, now), int(_past(calls, float("inf")))) for at, calls in entries)
    return tuple(sorted(one for one in found if min(one) > 0))


def _past(value: Json, now: float) -> float:
    """A number above 0 and up to `now`, or 0."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 < value <= now else 0.0


@dataclass(frozen=True, slots=True)
class Need:
    """What an organization needs and has, for status, metrics and health."""

    organization: str
    needs: int
    """Calls for one full resync, as measured."""
    has: int | None
    """Calls that full resyncs may make in one interval; None: the service has named no limit."""
    whole: int
    """Calls that verify every fact once, as measured within a day."""
    whole_has: int | None
    """Calls that full resyncs may make within the maximum age of evidence."""
    maximum: float = MAXIMUM_AGE
    """This age in seconds."""

    @property
    def short(self) -> bool:
        """Whether a full resync takes longer than its interval."""
        return self.has is not None and self.needs > self.has

    @property
    def too_old(self) -> bool:
        """Whether evidence gets older than its maximum age."""
        return self.whole_has is not None and self.whole > self.whole_has

    def __str__(self) -> str:
        """One line with both figures."""
        if self.has is None:
            return f"{self.organization} needs {self.needs} calls per sweep; no limit is known"
        return f"{self.organization} needs {self.needs} calls per sweep, has {self.has}"

    def age_text(self) -> str:
        """One line with both figures, where the budget does not allow the maximum age; else empty."""
        if not self.too_old:
            return ""
        hours = f"{self.maximum / 3600:.3g} h"
        return (
            f"{self.organization}: verifying every fact within {hours} needs {self.whole} calls, and the rate budget "
            f"allows {self.whole_has}; evidence gets older"
        )

    def to_json(self) -> JsonObject:
        """The documented form."""
        return {
            "organization": self.organization,
            "needs": self.needs,
            "has": self.has,
            "text": str(self),
            "age": self.age_text(),
        }


def need_of(organization: str, known: Iterable[Rate], now: float, maximum: float = MAXIMUM_AGE) -> Need | None:
    """The need of the identity that made most calls for full resyncs; None where no full resync was measured.

    `maximum`: the maximum age of evidence in seconds.
    """
    found = [
        Need(
            organization,
            need,
            one.budget.sweeps(one.interval),
            max(need, one.looks.most[1]),
            one.budget.sweeps(maximum),
            maximum,
        )
        for one in known
        if (need := one.looks.needs(now, one.interval)) is not None
    ]
    return max(found, key=lambda one: one.needs, default=None)

"""Caps: the most removals, widenings, restarts and destructions of a pool, an organization, and all; in a run or a day.

Over a cap nothing of that kind is written; it waits for the approval of its plan. Counts over time come from the record
of writes; where it cannot be read, what a cap counts is not written either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ReconcilerError
from reconciler.plan.model import FIGHT, Change, Refusal
from reconciler.plan.policy import Cap, CapKind, CapPeriod, CapScope, Policy
from reconciler.plan.targets import Risk

_KINDS = {
    Risk.NARROWS: CapKind.REMOVALS,
    Risk.WIDENS: CapKind.WIDENINGS,
    Risk.RESTARTS: CapKind.RESTARTS,
    Risk.DESTROYS: CapKind.DESTRUCTIONS,
}
_PERIODS = {CapPeriod.RUN: "in one run", CapPeriod.DAY: "in 24 hours"}


def counts_of(change: Change) -> Counter[CapKind]:
    """How much a change counts of each kind: each of its lines, or the change itself where it has none.

    A line that brings code widens beside what its risk says: another image restarts agents and runs under every job.
    """
    lines = change.details or (change,)
    found = Counter(_KINDS[line.risk] for line in lines if line.risk in _KINDS)
    found[CapKind.WIDENINGS] = sum(line.widens for line in lines)
    if change.risk in _KINDS and not found[_KINDS[change.risk]]:
        found[_KINDS[change.risk]] = 1
    return found


@dataclass(frozen=True, slots=True)
class CapCheck:
    """The caps of one run, with what was written before and what is approved."""

    spent: Callable[[CapKind, CapScope, str], int] = lambda _kind, _scope, _name: 0
    """How much of a kind was written in the last 24 hours in the pool, in an organization (by name), or in all."""
    approved: Callable[[Change], bool] = lambda _: False
    """Whether the owner approved a plan that shows this change; then no cap holds it back."""

    fought: Callable[[Change], str] = lambda _: ""
    """Why a change is not made, since another owner makes the opposite again and again; empty: no one does."""
    checked: bool = True
    """False: no record of writes is read, so caps over 24 hours are not checked, and the plan says so."""
    forget: Callable[[], None] = lambda: None
    """Called after writes of this run: `spent` then counts them too."""

    def lifted(self) -> CapCheck:
        """The same as if the owner had approved all that is planned."""
        return replace(self, approved=lambda _: True)

    def unchecked(self, changes: Collection[Change], policy: Policy) -> str:
        """What is not checked of these changes, for people; empty where all is."""
        if self.checked or not changes:
            return ""
        caps = [cap for cap in policy.caps if cap.period is CapPeriod.DAY]
        kinds = sorted({cap.kind for cap in caps for change in changes if counts_of(change)[cap.kind]})
        if not kinds:
            return ""
        return f"caps over 24 hours not checked ({', '.join(kinds)}): the record of writes is not read"

    def room(self, change: Change, made: Sequence[Change], pool: str, policy: Policy) -> bool:
        """Whether a change may go out beside those that this run made, by the caps of a run."""
        if self.approved(change):
            return True
        return not any(
            sum(counts_of(one)[cap.kind] for one in group) > cap.most
            for cap in policy.caps
            if cap.period is CapPeriod.RUN and counts_of(change)[cap.kind]
            for _, group in _groups(cap.scope, pool, (*made, change))
            if change in group
        )

    def overtaken(self, change: Change, policy: Policy) -> str:
        """Why a change whose intent is on record must not go out: other pools reached a cap over 24 hours meanwhile.

        Each run records its intent before it counts, so of two that count at once at least one sees the other. Within
        a pool nothing overtakes: one pool has one run at a time.
        """
        if self.approved(change):
            return ""
        for cap in policy.caps:
            if cap.period is not CapPeriod.DAY or cap.scope is CapScope.POOL or not counts_of(change)[cap.kind]:
                continue
            name = change.place.organization if cap.scope is CapScope.ORGANIZATION and change.place else ""
            if cap.scope is CapScope.ORGANIZATION and not name:
                continue
            self.forget()
            if self.spent(cap.kind, cap.scope, name) > cap.most:
                where = f"in {name}" if name else "in all"
                text = f"runs of other pools reached the policy's cap of {cap.most} {cap.kind} {where} in 24 hours"
                return f"{text}{_line(cap)} meanwhile"
        return ""

    def refusals(self, pool: str, changes: Sequence[Change], policy: Policy) -> list[Refusal]:
        """Every change that a cap holds back; the first cap that does says so."""
        found: dict[str, Refusal] = {
            change.id: Refusal(change, FIGHT, text)
            for change in changes
            if not self.approved(change) and (text := self.fought(change))
        }
        for cap in policy.caps:
            for change, message in self._over(cap, pool, changes):
                if change.id not in found and not self.approved(change):
                    text = f"{change.kind} {change.subject}: {message}"
                    found[change.id] = Refusal(change, f"cap-{cap.kind}", text)
        return list(found.values())

    def _over(self, cap: Cap, pool: str, changes: Sequence[Change]) -> Iterator[tuple[Change, str]]:
        counted = [change for change in changes if counts_of(change)[cap.kind]]
        for name, group in _groups(cap.scope, pool, counted):
            planned = sum(counts_of(change)[cap.kind] for change in group)
            where = {CapScope.POOL: "for this pool", CapScope.ALL: "in all"}.get(cap.scope, f"in {name}")
            try:
                before = self.spent(cap.kind, cap.scope, name) if cap.period is CapPeriod.DAY else 0
            except ReconcilerError as error:
                message = f"how many {cap.kind} there were {where} {_PERIODS[cap.period]} is not known: {error}"
            else:
                if before + planned <= cap.most:
                    continue
                already = f"{before} were made, and " if before else ""
                message = (
                    f"{already}{planned} {cap.kind} are planned {where}; the policy's cap is {cap.most} "
                    f"{_PERIODS[cap.period]}{_line(cap)}; they wait for an approval of this plan"
                )
            yield from ((change, message) for change in group)


NOTHING_SPENT = CapCheck()
"""Nothing was written before, and nothing is approved."""
NOT_CHECKED = CapCheck(checked=False)
"""For a plan that reads no record: caps over time are not known to be reached."""


def _groups(scope: CapScope, pool: str, changes: Iterable[Change]) -> list[tuple[str, list[Change]]]:
    if scope is not CapScope.ORGANIZATION:
        found = list(changes)
        return [(pool if scope is CapScope.POOL else "", found)] if found else []
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if change.place is not None:
            groups.setdefault(change.place.organization, []).append(change)
    return sorted(groups.items())


def _line(cap: Cap) -> str:
    return f" (policy:{cap.line})" if cap.line else ""

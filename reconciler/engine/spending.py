"""What was written in the last 24 hours, counted from the record of writes for the caps of the policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.documents import JsonObject, number_of, text_of
from reconciler.plan.caps import NOT_CHECKED, CapCheck
from reconciler.plan.policy import CapKind, CapScope
from reconciler.ports.clock import Clock
from reconciler.ports.write_log import organization_chain, subscription_chain
from reconciler.safety import SafetyFacts, Unknown
from reconciler.safety.approvals import Approvals
from reconciler.spec.model import Spec

PERIOD = timedelta(hours=24)


class RecordReads(Protocol):
    """The reads of the record of writes that counting needs."""

    def since(self, chain: str, moment: datetime) -> Sequence[JsonObject]:
        """As of `WriteLog`."""

    def chains(self) -> Sequence[str]:
        """As of `WriteLog`."""


def cap_check(
    log: RecordReads | None, spec: Spec, facts: SafetyFacts, clock: Clock, policy: str, *, now: datetime | None = None
) -> CapCheck:
    """What caps count for a pool, and what the owner approved beyond them; `log`: None where no record is read.

    `policy`: its digest. Approvals that cannot be read lift no cap.
    """
    approvals = Approvals() if isinstance(facts.approvals, Unknown) else facts.approvals
    approved = approvals.of_now(spec.blob, policy, now or clock.now())
    if log is None:
        return replace(NOT_CHECKED, approved=approved)
    spending = Spending(log, spec, clock)
    return CapCheck(spending.spent, approved, forget=spending.forget)


class Spending:
    """Counts of one run; a chain is read when a cap over time first needs it, and once."""

    def __init__(self, log: RecordReads, spec: Spec, clock: Clock) -> None:
        self._log = log
        self._spec = spec
        self._clock = clock
        self._read: dict[str, list[JsonObject]] = {}

    def forget(self) -> None:
        """Read again: this run wrote."""
        self._read.clear()

    def spent(self, kind: CapKind, scope: CapScope, name: str) -> int:
        """How much of a kind the record shows. Errors of the store leave this method: then nothing is known."""
        if scope is CapScope.ORGANIZATION:
            return _counted(self._writes(organization_chain(name)), kind)
        if scope is CapScope.ALL:
            return sum(_counted(self._writes(chain), kind) for chain in self._log.chains())
        chains = [organization_chain(one.name) for one in self._spec.organizations]
        chains.append(subscription_chain(self._spec.subscription))
        mine = [one for chain in chains for one in self._writes(chain)]
        return _counted([one for one in mine if text_of(one, "pool").casefold() == self._spec.key], kind)

    def _writes(self, chain: str) -> list[JsonObject]:
        """Intents of the period, without those that the service rejected: what may have been made counts."""
        if chain not in self._read:
            entries = self._log.since(chain, self._clock.now() - PERIOD)
            rejected = {text_of(one, "of") for one in entries if one.get("outcome") == "rejected"}
            self._read[chain] = [
                one for one in entries if one.get("kind") == "intent" and text_of(one, "id") not in rejected
            ]
        return self._read[chain]


def _counted(intents: list[JsonObject], kind: CapKind) -> int:
    found: Counter[str] = Counter()
    for one in intents:
        counts = one.get("counts")
        if isinstance(counts, dict):
            found[kind] += int(number_of(counts, kind))
    return found[kind]

"""Whether an organization's list of authorized resources was shown to be complete, and which pairs are tried next.

The list of a project's authorized resources without an id is published ("type" and "id" are optional,
vsts-rest-api-specs build 7.2), but every known caller passes an id, so nobody attests that it holds every queue.
Being in it proves open. Missing from it proves closed only where the list was *shown*: pairs that the pair read
(`pipelinePermissions`) says are open were in it. That is tried on first use, again on a few pairs of each sweep, and
believed no longer from the first miss on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from reconciler.capabilities.questions import COMPLETE, INCOMPLETE
from reconciler.plan import Json
from reconciler.ports import Queue

FIRST_TRIAL = 8
"""Pairs tried where the list was not yet shown."""
TOLD_TRIAL = 2
"""Pairs tried by every run where the list was not shown here, and found complete by asking."""
AFTER_A_MISS = 24
"""Pairs that have to agree in a row before a list is believed again; three trials at least."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was learned about one organization's list; stored between runs."""

    agreed: int = 0
    """Open pairs found in the list since the last miss."""
    misses: int = 0
    """Open pairs that were missing from it, ever."""
    cursor: int = 0
    """Where the next trial begins, so that in time every pair has its turn."""

    @property
    def shown(self) -> bool:
        """Whether missing from the list proves closed."""
        return self.agreed >= (AFTER_A_MISS if self.misses else 1)

    def seen(self, agreed: int, misses: int) -> Evidence:
        """With pairs that were tried; one miss outweighs all that agreed."""
        if misses:
            return replace(self, agreed=0, misses=self.misses + misses)
        return replace(self, agreed=min(self.agreed + agreed, AFTER_A_MISS))

    def merged(self, stored: Evidence) -> Evidence:
        """With what another worker stored meanwhile: whoever saw more misses is right."""
        known = max(self, stored, key=lambda evidence: (evidence.misses, evidence is self))
        return replace(known, cursor=max(self.cursor, stored.cursor))

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {"agreed": self.agreed, "misses": self.misses, "cursor": self.cursor}

    @classmethod
    def from_json(cls, body: Json) -> Evidence:
        """From the stored form; unknown fields are left alone, what cannot be read counts as nothing learned."""
        if not isinstance(body, Mapping):
            return cls()
        numbers = {name: body.get(name) for name in ("agreed", "misses", "cursor")}
        return cls(**{name: n for name, n in numbers.items() if type(n) is int and n >= 0})


class Ledger:
    """The evidence of one batch, and how many pairs it may still try. One object for a survey and its fresh copies."""

    def __init__(self, evidence: Mapping[str, Evidence], sample: int) -> None:
        self._lock = Lock()
        self._evidence = dict(evidence)
        self._sample = sample
        self._left: dict[str, int] = {}
        self._changed: set[str] = set()

    def of(self, organization: str) -> Evidence:
        """What is known of an organization."""
        with self._lock:
            return self._evidence.get(organization, Evidence())

    def shown(self, organization: str, told: str = "") -> bool:
        """Whether the silence of the organization's lists counts.

        `told` is what was found out by asking: that they are incomplete outweighs what was learned here, that they
        are complete stands in for it until the first miss.
        """
        evidence = self.of(organization)
        if told == INCOMPLETE:
            return False
        return evidence.shown or (told == COMPLETE and not evidence.misses)

    def draw(
        self, organization: str, pairs: Sequence[Queue], pools: Sequence[int], *, told: str = ""
    ) -> tuple[Queue, ...]:
        """Pairs to try now, chosen by the spec and the cursor alone, never by what is in the list.

        `pairs` are all of one agent pool; `pools` are the batch's agent pools. A list that was shown
        is tried again on pairs of one pool a sweep, another one each time.
        """
        if told == INCOMPLETE:
            return ()  # there is nothing left to find out
        ordered = sorted(pairs, key=lambda queue: (queue.project_id, queue.id))
        shown = self.shown(organization, told)
        with self._lock:
            evidence = self._evidence.get(organization, Evidence())
            left = self._left.setdefault(organization, self._trial(evidence, shown=shown))
            turn, which = divmod(evidence.cursor, max(len(pools), 1))
            others = shown and any(queue.pool_id in pools and queue.pool_id != pools[which] for queue in pairs)
            count = 0 if others else min(left, len(ordered))
            if not count:
                return ()
            self._left[organization] = left - count
            self._put(organization, replace(evidence, cursor=evidence.cursor + 1))
        start = turn * count % len(ordered)
        return tuple((ordered[start:] + ordered[:start])[:count])

    def saw(self, organization: str, agreed: int, misses: int) -> None:
        """Take note of pairs that were tried."""
        with self._lock:
            seen = self._evidence.get(organization, Evidence()).seen(agreed, misses)
            self._put(organization, seen)
            if seen.shown:
                self._left[organization] = 0  # this batch has its answer; the next one tries again

    def changed(self) -> dict[str, Evidence]:
        """What was learned since this was last asked, for storing."""
        with self._lock:
            learned = {organization: self._evidence[organization] for organization in sorted(self._changed)}
            self._changed.clear()
        return learned

    def _trial(self, evidence: Evidence, *, shown: bool) -> int:
        """How many pairs may be tried now. What was only told is tried by every run, by that of one pool too."""
        if evidence.shown:
            return self._sample
        return max(self._sample, TOLD_TRIAL) if shown else FIRST_TRIAL

    def _put(self, organization: str, evidence: Evidence) -> None:
        if self._evidence.get(organization) != evidence:
            self._evidence[organization] = evidence
            self._changed.add(organization)

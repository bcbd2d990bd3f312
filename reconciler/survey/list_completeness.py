"""Whether an organization's list of authorized resources was shown to be complete, and which pairs are tried next.

The list of a project's authorized resources without an id is published ("type" and "id" are optional,
vsts-rest-api-specs build 7.2), but every known caller passes an id, so there is no evidence that it holds every queue.
A queue in it is open. One that is missing from it is closed only where the list was *shown* to be complete: pairs that
are open by the pair read (`pipelinePermissions`) were in it. That is tried on first use, and again in each resync on
pairs that count as closed because they are missing; from the first miss on it no longer counts.

Nor is it published that a list is not cut at some length; it has no paging. A list shorter than another one of the
organization cannot have been cut there. What is missing from the longest ones is not closed, unless a list of that
length held what is desired open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from reconciler.documents import Json
from reconciler.ports.devops import Queue
from reconciler.survey.capabilities.questions import COMPLETE, INCOMPLETE

FIRST_TRIAL = 8
"""Pairs tried where the list was not yet shown."""
CAPABILITY_TRIAL = 2
"""Pairs tried by every run where the list was not shown here, and `probe` found it complete."""
AFTER_A_MISS = 24
"""Pairs that have to agree in a row before a list counts again; three trials at least."""


_ANY_POOL = 0
_NUMBERS = ("agreed", "misses", "cursor", "longest")


@dataclass(frozen=True, slots=True)
class ListEvidence:
    """What was learned about one organization's list; stored between runs."""

    agreed: int = 0
    """Open pairs found in the list since the last miss."""
    misses: int = 0
    """Open pairs that were missing from it, ever."""
    cursor: int = 0
    """Where the next trial begins, so that in time every pair has its turn."""
    longest: int = 0
    """Length of the longest list that held an open pair as it should."""

    @property
    def shown(self) -> bool:
        """Whether what is missing from the list is closed."""
        return self.agreed >= (AFTER_A_MISS if self.misses else 1)

    def spans(self, length: int, longest: int) -> bool:
        """Whether a list of this length cannot have been cut; `longest` is the longest of all that were read."""
        return length < longest or length <= self.longest

    def seen(self, agreed: int, misses: int) -> ListEvidence:
        """With pairs that were tried; one miss outweighs all that agreed."""
        if misses:
            return replace(self, agreed=0, misses=self.misses + misses)
        return replace(self, agreed=min(self.agreed + agreed, AFTER_A_MISS))

    def merged(self, stored: ListEvidence) -> ListEvidence:
        """With what another worker stored meanwhile: the one with more misses counts."""
        known = max(self, stored, key=lambda evidence: (evidence.misses, evidence is self))
        return replace(known, cursor=max(self.cursor, stored.cursor), longest=max(self.longest, stored.longest))

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {name: getattr(self, name) for name in _NUMBERS}

    @classmethod
    def from_json(cls, body: Json) -> ListEvidence:
        """From the stored form; unknown fields are ignored, what cannot be read counts as nothing learned."""
        if not isinstance(body, Mapping):
            return cls()
        numbers = {name: body.get(name) for name in _NUMBERS}
        return cls(**{name: n for name, n in numbers.items() if type(n) is int and n >= 0})


_NOTHING_LEARNED = ListEvidence()


class Ledger:
    """The evidence of one batch, and how many pairs it may still try. One object for a survey and its fresh copies."""

    def __init__(self, evidence: Mapping[str, ListEvidence], sample: int) -> None:
        self._lock = Lock()
        self._evidence = dict(evidence)
        self._sample = sample
        self._left: dict[tuple[str, int], int] = {}
        self._turns: dict[str, int] = {}
        self._changed: set[str] = set()

    def evidence_of(self, organization: str) -> ListEvidence:
        """What is known of an organization."""
        with self._lock:
            return self._evidence.get(organization, _NOTHING_LEARNED)

    def shown(self, organization: str, capability: str = "") -> bool:
        """Whether what is missing from the organization's lists is closed.

        `capability` is what `probe` found: *incomplete* outweighs what was learned here, *complete* stands in for it
        until the first miss.
        """
        evidence = self.evidence_of(organization)
        if capability == INCOMPLETE:
            return False
        return evidence.shown or (capability == COMPLETE and not evidence.misses)

    def absence_counts(self, organization: str, length: int, longest: int, capability: str = "") -> bool:
        """Whether what is missing from a list of this length is closed; `longest`: of all that were read."""
        return self.shown(organization, capability) and self.evidence_of(organization).spans(length, longest)

    def draw(self, organization: str, pairs: Sequence[Queue], *, capability: str = "") -> tuple[Queue, ...]:
        """Pairs to try now, chosen by the spec and the cursor alone, never by what is in the list.

        `pairs` are all of one agent pool. A list that was shown is tried again on each pool once a resync, beginning
        where the one before ended; until then on a few pairs of the first pools that have some.
        """
        if not pairs or capability == INCOMPLETE:
            return ()  # where `probe` found them incomplete there is nothing left to find out
        shown = self.shown(organization, capability)
        with self._lock:
            evidence = self._evidence.get(organization, _NOTHING_LEARNED)
            whose = pairs[0].pool_id if shown else _ANY_POOL
            left = self._left.setdefault((organization, whose), self._trial(evidence, shown=shown))
            count = min(left, len(pairs))
            if not count:
                return ()
            self._left[organization, whose] = left - count
            turn = self._turns.setdefault(organization, evidence.cursor)
            self._put(organization, replace(evidence, cursor=turn + 1))
        ordered = sorted(pairs, key=lambda queue: (queue.project_id, queue.id))
        start = turn * count % len(ordered)
        return tuple((ordered[start:] + ordered[:start])[:count])

    def note_length(self, organization: str, length: int) -> None:
        """Take note of a list of this length that held an open pair as it should."""
        with self._lock:
            evidence = self._evidence.get(organization, _NOTHING_LEARNED)
            if length > evidence.longest:
                self._put(organization, replace(evidence, longest=length))

    def note_trials(self, organization: str, agreed: int, misses: int) -> None:
        """Take note of pairs that were tried."""
        with self._lock:
            seen = self._evidence.get(organization, _NOTHING_LEARNED).seen(agreed, misses)
            self._put(organization, seen)
            if seen.shown:
                self._left[organization, _ANY_POOL] = 0  # this batch has its answer; the next one tries again

    def changed(self) -> dict[str, ListEvidence]:
        """What was learned since the last call, for storing."""
        with self._lock:
            learned = {organization: self._evidence[organization] for organization in sorted(self._changed)}
            self._changed.clear()
        return learned

    def _trial(self, evidence: ListEvidence, *, shown: bool) -> int:
        """How many pairs may be tried now. What only `probe` found is tried by every run, of one pool too."""
        if evidence.shown:
            return self._sample
        return max(self._sample, CAPABILITY_TRIAL) if shown else FIRST_TRIAL

    def _put(self, organization: str, evidence: ListEvidence) -> None:
        if self._evidence.get(organization) != evidence:
            self._evidence[organization] = evidence
            self._changed.add(organization)

"""Evidence between processes: one document for each organization, so that a restart or another instance goes on.

It is a help, and nothing rests on it alone: a fact has its moment, is used where it is fresh enough, and decides no
write. What cannot be read counts as never stored. Facts ahead of the clock, or beyond the maximum age, are left out.
The same document says whether the organization's lists of authorized resources were shown to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from contextlib import suppress
from itertools import accumulate
from typing import Any

from reconciler.documents import Json
from reconciler.documents.packing import packed, unpacked
from reconciler.engine.memory import evidence_document
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.clock import MARGIN
from reconciler.ports.stores import StateStore
from reconciler.spec.model import Spec
from reconciler.survey import ListEvidence, fact_codecs
from reconciler.survey.evidence import Evidence
from reconciler.survey.organization_facts import OrganizationFacts

FIELD = "facts"
LARGEST = 4_000_000
"""Characters of packed facts at most; where there are more, the ones that were read last are stored."""
MOST = 300_000
"""Queues and ids in them at most: a few megabytes, and a second of CPU."""
_TRIES = 3


class Snapshots:
    """Loads and saves the evidence of one process."""

    def __init__(self, state: StateStore, evidence: Evidence | None) -> None:
        """`evidence`: None where each batch reads for itself; then lists alone are loaded and saved."""
        self._state = state
        self._evidence = evidence
        self._known: dict[str, tuple[str | None, Mapping[str, Json]]] = {}
        """Organization → ETag and body of its document, without the facts."""
        self._saved: dict[str, int] = {}

    def load(self, specs: Iterable[Spec]) -> dict[str, ListEvidence]:
        """What is stored of the lists of these specs' organizations; facts that others read later are taken over."""
        names = sorted({one.name for spec in specs for one in spec.organizations})
        return {name: lists for name in names if (lists := self._load(name)) is not None}

    def save(self, specs: Iterable[Spec], learned: Mapping[str, ListEvidence]) -> None:
        """Store what was read and learned since the last time, with what others stored; nothing where nothing was.

        An error of the store is not raised: the facts are read again, at the latest when they are too old.
        """
        for name in sorted({one.name for spec in specs for one in spec.organizations} | learned.keys()):
            with suppress(ReconcilerError):
                self._save(name, learned.get(name))

    def _save(self, organization: str, learned: ListEvidence | None) -> None:
        for _ in range(_TRIES):
            facts = None if self._evidence is None else self._evidence.of(organization)
            changes = 0 if facts is None else facts.changes
            if learned is None and changes == self._saved.get(organization, 0):
                return
            if organization not in self._known:
                self._load(organization)
            tag, body = self._known[organization]
            if learned is not None:
                body = {**body, **learned.merged(ListEvidence.from_json(body)).to_json()}
            whole = body if facts is None else {**body, FIELD: _packed(facts)}
            try:
                self._known[organization] = self._state.save(evidence_document(organization), whole, tag), body
            except LeaseHeld:
                self._load(organization)
                continue
            self._saved[organization] = changes
            return

    def _load(self, organization: str) -> ListEvidence | None:
        stored = self._state.load(evidence_document(organization))
        before = self._known.get(organization)
        body = stored.body if stored is not None and isinstance(stored.body, Mapping) else {}
        tag = None if stored is None else stored.etag
        if self._evidence is not None and (before is None or before[0] != tag):
            self._learn(self._evidence, organization, body.get(FIELD))
        self._known[organization] = tag, {name: value for name, value in body.items() if name != FIELD}
        return None if stored is None else ListEvidence.from_json(body)

    def _learn(self, evidence: Evidence, organization: str, stored: Any) -> None:
        body = unpacked(stored)
        if not isinstance(body, dict) or body.get("format") != fact_codecs.FORMAT:
            return
        with suppress(ValueError):
            facts = fact_codecs.read(organization, body.get("facts"))
            now = evidence.now()
            least, most = now - evidence.max_age, now + MARGIN
            believed = {key: slot for key, slot in facts.items() if least <= slot.began <= most}
            evidence.of(organization).learn(believed, body.get("feed"))


def _packed(known: OrganizationFacts) -> Json:
    facts, feed = known.snapshot()
    newest = sorted(facts.items(), key=lambda one: one[1].began, reverse=True)
    sizes = accumulate(len(slot.value) if isinstance(slot.value, Sized) else 1 for _, slot in newest)
    newest = newest[: sum(1 for size in sizes if size <= MOST)]
    while True:
        found: dict[str, Any] = {"format": fact_codecs.FORMAT, "feed": feed, "facts": fact_codecs.written(newest)}
        body = packed(found)
        if not newest or len(str(body)) <= LARGEST:
            return body
        newest = newest[: len(newest) // 2]

"""Evidence between processes: one document for each organization, so that a restart or another instance goes on.

It is a help, and nothing rests on it alone: a fact has its moment, is used where it is fresh enough, and decides no
write. What cannot be read counts as never stored. Facts ahead of the clock, or beyond the maximum age, are left out.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from reconciler.documents import Json
from reconciler.documents.packing import packed, unpacked
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.clock import MARGIN
from reconciler.ports.stores import StateStore
from reconciler.survey import fact_codecs
from reconciler.survey.evidence import Evidence

LARGEST = 4_000_000
"""Characters of a document at most; where there are more facts, the ones that were read last are stored."""
_TRIES = 3


def document(organization: str) -> str:
    """Name of the state document."""
    return f"facts/{organization}"


class Snapshots:
    """Loads and saves the evidence of one process."""

    def __init__(self, state: StateStore, evidence: Evidence) -> None:
        self._state = state
        self._evidence = evidence
        self._tags: dict[str, str | None] = {}
        self._saved: dict[str, int] = {}

    def load(self, organization: str) -> None:
        """Take over what other processes read later than this one. An error of the store leaves all as it is."""
        with suppress(ReconcilerError):
            self._load(organization)

    def save(self, organization: str) -> None:
        """Store what was read since the last time, with what others stored meanwhile; nothing where nothing was.

        An error of the store is not raised: the facts are read again, at the latest when they are too old.
        """
        with suppress(ReconcilerError):
            for _ in range(_TRIES):
                changes = self._evidence.of(organization).changes
                if changes == self._saved.get(organization, 0):
                    return
                try:
                    body, tag = self._body(organization), self._tags.get(organization)
                    self._tags[organization] = self._state.save(document(organization), body, tag)
                except LeaseHeld:
                    self._load(organization)
                    continue
                self._saved[organization] = changes
                return

    def _load(self, organization: str) -> None:
        stored = self._state.load(document(organization))
        tag = None if stored is None else stored.etag
        if tag == self._tags.get(organization) and organization in self._tags:
            return
        self._tags[organization] = tag
        body = None if stored is None else unpacked(stored.body)
        if not isinstance(body, dict) or body.get("format") != fact_codecs.FORMAT:
            return
        with suppress(ValueError):
            facts = fact_codecs.read(organization, body.get("facts"))
            now = self._evidence.now()
            least, most = now - self._evidence.max_age, now + MARGIN
            believed = {key: slot for key, slot in facts.items() if least <= slot.began <= most}
            self._evidence.of(organization).learn(believed, body.get("feed"))

    def _body(self, organization: str) -> Json:
        facts, feed = self._evidence.of(organization).snapshot()
        newest = sorted(facts.items(), key=lambda one: one[1].began, reverse=True)
        while True:
            found: dict[str, Any] = {"format": fact_codecs.FORMAT, "feed": feed, "facts": fact_codecs.written(newest)}
            body = packed(found)
            if not newest or len(str(body)) <= LARGEST:
                return body
            newest = newest[: len(newest) // 2]

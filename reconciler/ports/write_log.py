"""The record of writes: append-only and hash-chained, one chain for each organization or subscription."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from reconciler.documents import Json, JsonObject
from reconciler.documents.chain import ChainEnd

LONGEST_ENTRY = 64 * 1024
"""Bytes of one entry as JSON; a longer one is refused, so long values are cut before."""


def organization_chain(organization: str) -> str:
    """The chain of what is written to an organization of Azure DevOps."""
    return f"devops/{organization.lower()}"


def subscription_chain(subscription: str) -> str:
    """The chain of what is written to ARM, which is all for a pool of GitHub."""
    return f"arm/{subscription.lower()}"


class WriteLog(Protocol):
    """Entries in chains (`reconciler.documents.chain`). An entry is a JSON object with its time under ``at``."""

    def append(self, chain: str, bodies: Sequence[JsonObject]) -> ChainEnd:
        """Add entries: all or none, in this order, and no other process adds one between them.

        `Rejected` where the end of the chain is damaged or missing: nothing is added to it before an owner has sealed
        the damage (`seal`). Any other `ReconcilerError`: it is not known whether the entries were added.
        """

    def since(self, chain: str, moment: datetime) -> Sequence[JsonObject]:
        """Entries of this moment and later, oldest first. `Rejected` where one that is read on the way is damaged."""

    def entries(self, chain: str) -> Iterator[Json]:
        """All entries, oldest first; a damaged one as the text that it is."""

    def chains(self) -> Sequence[str]:
        """Names of all chains, sorted."""

    def seal(self, chain: str, reason: str, at: datetime) -> None:
        """Go on after a damaged or missing end, as an owner: a new segment begins, and its checkpoint says so."""

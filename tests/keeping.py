"""Clock, state and leases in memory: the ports as small as they can be, and as strict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reconciler.documents import Json, JsonObject, moment_of
from reconciler.documents.chain import ChainEnd, end_of, line_of, linked
from reconciler.errors import LeaseHeld, ReconcilerError, Rejected
from reconciler.ports.stores import StoredDocument

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """Time passes when a test says so."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds


@dataclass
class Shelf:
    """Documents with tags; what is stored goes through JSON, as it would outside."""

    documents: dict[str, tuple[str, int]] = field(default_factory=dict)
    saves: list[str] = field(default_factory=list)
    before: Callable[[str], object] = str
    fail: ReconcilerError | None = None
    """Raised by every read, where it is set."""

    def load(self, name: str) -> StoredDocument | None:
        if self.fail is not None:
            raise self.fail
        if name not in self.documents:
            return None
        text, tag = self.documents[name]
        return StoredDocument(json.loads(text), str(tag))

    def save(self, name: str, body: Json, etag: str | None) -> str:
        self.before(name)
        known = self.documents.get(name)
        if (None if known is None else str(known[1])) != etag:
            raise LeaseHeld(f"{name}: another worker stored it")
        tag = 1 if known is None else known[1] + 1
        self.documents[name] = (json.dumps(body), tag)
        self.saves.append(name)
        return str(tag)

    def names(self, prefix: str) -> Sequence[str]:
        return sorted(name for name in self.documents if name.startswith(prefix))

    def versions(self, prefix: str) -> Mapping[str, str]:
        if self.fail is not None:
            raise self.fail
        return {name: str(tag) for name, (_, tag) in self.documents.items() if name.startswith(prefix)}

    def touch(self, name: str) -> None:
        """As another worker would: same text, new tag."""
        text, tag = self.documents.get(name, ("{}", 0))
        self.documents[name] = (text, tag + 1)


@dataclass
class Ledger:
    """The record of writes; what is stored goes through JSON, as it would outside."""

    lines: dict[str, list[bytes]] = field(default_factory=dict)
    appends: list[str] = field(default_factory=list)
    """The chain of each request."""
    reads: list[str] = field(default_factory=list)
    before: Callable[[str, Sequence[JsonObject]], object] = lambda _chain, _bodies: None

    def append(self, chain: str, bodies: Sequence[JsonObject]) -> ChainEnd:
        self.before(chain, bodies)
        self.appends.append(chain)
        known = self.lines.setdefault(chain, [])
        entries, end = linked(bodies, (end_of(json.loads(known[-1])) if known else None) or ChainEnd())
        known += [line_of(entry) for entry in entries]
        return end

    def since(self, chain: str, moment: datetime) -> Sequence[JsonObject]:
        self.reads.append(chain)
        if any(end_of(one) is None for one in self.entries(chain)):
            raise Rejected(f"record {chain}: damaged")
        return [one for one in self.entries(chain) if (moment_of(one["at"]) or START) >= moment]

    def entries(self, chain: str) -> Iterator[Json]:
        return map(json.loads, self.lines.get(chain, []))

    def chains(self) -> Sequence[str]:
        return sorted(self.lines)

    def seal(self, chain: str, reason: str, at: datetime) -> None:
        raise AssertionError(f"{chain}: {reason} {at}")

    def all(self) -> list[JsonObject]:
        """Every entry of every chain."""
        return [entry for chain in self.chains() for entry in self.entries(chain)]


@dataclass
class Slip:
    """A lease that counts what is asked of it."""

    desk: Desk
    key: str

    def renew(self) -> None:
        self.desk.renewals += 1
        if self.desk.on_renew is not None:
            raise self.desk.on_renew

    def release(self) -> None:
        self.desk.held.discard(self.key)
        if self.desk.on_release is not None:
            raise self.desk.on_release


@dataclass
class Desk:
    """Gives leases, one for each key."""

    held: set[str] = field(default_factory=set)
    renewals: int = 0
    on_renew: Exception | None = None
    on_release: Exception | None = None

    def acquire(self, key: str, seconds: float, holder: str = "") -> Slip:  # noqa: ARG002 - no one asks who has it
        assert seconds == 60.0
        if key in self.held:
            raise LeaseHeld(f"{key}: another worker has it")
        self.held.add(key)
        return Slip(self, key)

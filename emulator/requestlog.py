"""The log of requests and responses, for tests that count and for people.

No credential is kept: the Authorization header never gets here, and values under secret-looking names are masked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from emulator.documents import Json

MASK = "***"
SECRET_NAMES = ("password", "authorization", "secret", "token", "httpheaders")
SIGNED = frozenset({"t", "c", "s", "h"})
"""Names in the signed query of an operation's URL."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request and its answer; `status` 0 where the connection was dropped instead."""

    plane: str
    route: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    status: int
    caller: str
    at: str
    write: bool


class RequestLog:
    """Entries in order of their answers, and the number of connections opened on each plane."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self.connections: Counter[str] = Counter()

    def add(self, entry: LogEntry) -> None:
        """Keep it."""
        self._entries.append(entry)

    def dump(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [asdict(entry) for entry in self._entries]

    def counters(self) -> dict[str, Json]:
        """Reads, writes and connections, of each plane and of both together."""
        found: dict[str, Json] = {
            plane: {
                "reads": sum(1 for e in self._entries if e.plane == plane and not e.write),
                "writes": sum(1 for e in self._entries if e.plane == plane and e.write),
                "connections": self.connections[plane],
            }
            for plane in ("arm", "devops")
        }
        found["total"] = {key: found["arm"][key] + found["devops"][key] for key in ("reads", "writes", "connections")}
        return found

    def clear(self) -> None:
        """Start with an empty log."""
        self._entries.clear()
        self.connections.clear()


def masked_query(query: Mapping[str, str]) -> dict[str, str]:
    """The query without the signature of an operation's URL."""
    signed = set(query) >= SIGNED
    return {name: MASK if signed and name in SIGNED else value for name, value in query.items()}


def masked(body: Json) -> Json:
    """A body without what looks like a secret."""
    if isinstance(body, dict):
        return {k: MASK if any(s in k.lower() for s in SECRET_NAMES) else masked(v) for k, v in body.items()}
    if isinstance(body, list):
        return [masked(item) for item in body]
    return body

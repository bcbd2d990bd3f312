"""What a pool's document holds beside conditions and runs, and how documents are read that may be damaged.

What is missing, unknown or not of its type counts as never stored: no run ends because a document was written by
another release, or by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def moment(time: datetime) -> str:
    """A moment as it is stored: UTC, ending in Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_of(value: Any) -> datetime | None:
    """The moment that a stored text says; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text of a stored document; empty where it has none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def number_of(body: Mapping[str, Any], name: str) -> float:
    """A number of a stored document that is not negative; 0 where it has none."""
    value = body.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else 0


def list_of(body: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a stored document; empty where it has none."""
    value = body.get(name)
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the spec's names stood for when they last resolved, so that a renamed thing is recognised by its id."""

    pools: Mapping[str, int] = field(default_factory=dict)
    """``organization/agent pool`` as the spec writes it → pool id."""
    projects: Mapping[str, str] = field(default_factory=dict)
    """``organization/project`` as the spec writes it → project id."""
    busy_since: datetime | None = None
    """Since when agents at work hold a change back."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        busy = None if self.busy_since is None else moment(self.busy_since)
        return {"agentPools": dict(self.pools), "projects": dict(self.projects), "busySince": busy}

    @classmethod
    def from_json(cls, body: Any) -> Remembered:
        """From the stored form; what is not of its type counts as never known."""
        if not isinstance(body, Mapping):
            return cls()
        pools, projects = body.get("agentPools"), body.get("projects")
        return cls(
            {name: n for name, n in pools.items() if type(n) is int} if isinstance(pools, Mapping) else {},
            {name: i for name, i in projects.items() if isinstance(i, str)} if isinstance(projects, Mapping) else {},
            moment_of(body.get("busySince")),
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """A write that the service rejected for what it asks, and that is not asked again at every look."""

    message: str
    """What the service said; said again while it rests, so that conditions do not flap."""
    revision: str
    """With another one it is asked at once."""
    attempts: int
    until: datetime

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "message": self.message,
            "revision": self.revision,
            "attempts": self.attempts,
            "until": moment(self.until),
        }

    @classmethod
    def from_json(cls, body: Any) -> Rest | None:
        """From the stored form; None for what cannot be read: it is asked again."""
        if not isinstance(body, Mapping) or (until := moment_of(body.get("until"))) is None:
            return None
        return cls(text_of(body, "message"), text_of(body, "revision"), int(number_of(body, "attempts")), until)


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something that is not there yet, and that time was expected to bring."""

    since: datetime
    looks: int
    """Runs that missed it."""
    spec: str = ""
    """Digest of the spec that asks for it: another spec is another wait."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"since": moment(self.since), "looks": self.looks, "spec": self.spec}

    @classmethod
    def from_json(cls, body: Any) -> Awaited | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or (since := moment_of(body.get("since"))) is None:
            return None
        return cls(since, int(number_of(body, "looks")), text_of(body, "spec"))


@dataclass(frozen=True, slots=True)
class Replacing:
    """A pool that is deleted to be made anew, from before the deletion until it is seen to be there again."""

    facet: str
    description: str
    """For people: what was replaced by what."""
    revision: str
    """Commit that asked for it."""
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "facet": self.facet,
            "description": self.description,
            "revision": self.revision,
            "since": moment(self.since),
        }

    @classmethod
    def from_json(cls, body: Any) -> Replacing | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or (since := moment_of(body.get("since"))) is None:
            return None
        return cls(text_of(body, "facet"), text_of(body, "description"), text_of(body, "revision"), since)

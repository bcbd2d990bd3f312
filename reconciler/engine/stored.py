"""Parts of a pool's document beside conditions and runs, read so that a damaged document does no harm.

What is missing, unknown or not of its type counts as never stored: no run ends because a document was written by
another release, or by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.documents import list_of, moment, moment_of, number_of, text_of
from reconciler.errors import Forbidden, ReconcilerError, Rejected
from reconciler.survey.owed import Owed, owed_of


@dataclass(frozen=True, slots=True)
class Rest:
    """A write that the service rejected for its content, and that is not sent again by every run."""

    message: str
    """The service's message; repeated while the change rests, so that conditions do not flap."""
    revision: str
    """The commit. Earlier releases compare it; this one does where `basis` is missing."""
    attempts: int
    until: datetime
    basis: str = ""
    """Digest of the spec's content and of the write: with another one it is sent at once."""
    organization: str = ""
    """Where it was rejected; empty for an assignment, about which other rejections there say nothing."""
    reason: str = ""
    """Class name of the error; empty for `Rejected`."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "message": self.message,
            "revision": self.revision,
            "attempts": self.attempts,
            "until": moment(self.until),
            "basis": self.basis,
            "organization": self.organization,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, body: Any) -> Rest | None:
        """From the stored form; None for what cannot be read: it is sent again."""
        if not isinstance(body, Mapping) or (until := moment_of(body.get("until"))) is None:
            return None
        message, revision, basis, organization, reason = (
            text_of(body, name) for name in ("message", "revision", "basis", "organization", "reason")
        )
        return cls(message, revision, int(number_of(body, "attempts")), until, basis, organization, reason)

    @property
    def error(self) -> ReconcilerError:
        """The error, as the service's response made it."""
        return (Forbidden if self.reason == Forbidden.__name__ else Rejected)(self.message)


@dataclass(frozen=True, slots=True)
class Ineffective:
    """Lines of confirmed writes that a new read showed again (`reconciler.engine.without_effect`)."""

    spec: str
    """Digest of the spec's content: with another content the count starts again."""
    lines: Mapping[str, int]
    """Digest of a line, under its facet → how often it was written and was there again."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"spec": self.spec, "lines": dict(self.lines)}

    @classmethod
    def from_json(cls, body: Any) -> Ineffective | None:
        """From the stored form; None for what cannot be read: it is written once more."""
        if not isinstance(body, Mapping) or not isinstance(lines := body.get("lines"), Mapping):
            return None
        return cls(text_of(body, "spec"), {str(line): n for line, n in lines.items() if type(n) is int})


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something that does not exist yet, and that Azure was expected to create."""

    since: datetime
    runs: int
    """Runs that missed it."""
    spec: str = ""
    """Digest of the spec that desires it: another spec is another wait."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"since": moment(self.since), "looks": self.runs, "spec": self.spec}

    @classmethod
    def from_json(cls, body: Any) -> Awaited | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or (since := moment_of(body.get("since"))) is None:
            return None
        return cls(since, int(number_of(body, "looks")), text_of(body, "spec"))


@dataclass(frozen=True, slots=True)
class Replacing:
    """A pool that is deleted to be replaced, from before the deletion until it and its checks are seen again."""

    facet: str
    description: str
    """What is replaced by what, for messages."""
    revision: str
    """Commit that requires it."""
    since: datetime
    owed: tuple[Owed, ...] = ()
    """Checks that were not found on the new queues yet, and pipelines that name the old ones."""
    created: bool = False
    """Whether the new pool was seen."""

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "facet": self.facet,
            "description": self.description,
            "revision": self.revision,
            "since": moment(self.since),
            "owed": [one.to_json() for one in self.owed],
            "created": self.created,
        }

    @classmethod
    def from_json(cls, body: Any) -> Replacing | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or (since := moment_of(body.get("since"))) is None:
            return None
        owed = tuple(one for one in map(owed_of, list_of(body, "owed")) if one is not None)
        facet, description = text_of(body, "facet"), text_of(body, "description")
        return cls(facet, description, text_of(body, "revision"), since, owed, body.get("created") is True)

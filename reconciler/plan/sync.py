"""Why a pool is out of sync: *drift* (the world changed) or *pending* (the spec changed), from evidence.

The evidence is the content of the spec with which both planes were last verified to be in sync. The content counts,
not the commit: a push that leaves this pool's spec as it was changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from reconciler.documents import Json, text_of
from reconciler.plan.model import Plan
from reconciler.spec.model import Mode, Spec


class SyncCause(StrEnum):
    """Why a pool is out of sync."""

    DRIFT = "drift"
    """The world changed: the pool was verified in sync with the spec that it has now."""
    PENDING = "pending"
    """The spec changed since the pool was verified in sync. The world may have changed as well."""
    UNKNOWN = "unknown"
    """It was never verified in sync, or nothing is known to differ: something could not be read."""


@dataclass(frozen=True, slots=True)
class VerifiedSpec:
    """The content of the spec with which a pool was last verified in sync."""

    digest: str
    superseded: bool = False
    """Whether another content was written since; then the old one, when it comes back, is pending as well."""

    def before_writing(self, digest: str) -> VerifiedSpec:
        """As it is to be stored before anything is written for this content."""
        return self if digest == self.digest else replace(self, superseded=True)

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {"spec": self.digest, "superseded": self.superseded}

    @classmethod
    def from_json(cls, body: Json) -> VerifiedSpec | None:
        """From the stored form; None for what cannot be read: it counts as never verified."""
        if not isinstance(body, Mapping) or not text_of(body, "spec"):
            return None
        return cls(text_of(body, "spec"), body.get("superseded") is not False)


def spec_digest(spec: Spec, today: date) -> str:
    """A short digest of what a spec desires on a day (UTC), the same in every process for equal specs.

    What says only how and when it is applied does not count: file, mode, pauses, `disruption`, `replace`. Exceptions
    that have ended are left out: from the day after their last one the spec desires something else.
    """
    valid = tuple(one for one in spec.access.open_access if one.until is None or today <= one.until)
    access = replace(spec.access, open_access=valid)
    desired = replace(spec, access=access, path="", mode=Mode.ENFORCE, until=None, reason="", pauses=())
    content = _fields(replace(desired, disruption=None, replace=False))
    del content["blob"], content["lines"], content["pauses"]
    if not spec.arm_api_version:
        del content["arm_api_version"]  # as in digests that were stored before there was this field
    text = json.dumps(content, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_OF_A_RUN = frozenset({"silent", "leaving"})
"""Of organizations: what the body says already, and what a run found in ARM. Stored digests have neither."""


def _fields(value: Any) -> dict[str, Any]:
    """The fields of one dataclass. Not `asdict`, which copies all below: each run makes several digests."""
    names = (one.name for one in fields(value))
    return {name: getattr(value, name) for name in names if name not in _OF_A_RUN}


def _plain(value: object) -> object:
    if is_dataclass(value):
        return _fields(value)
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)


def sync_cause(verified: VerifiedSpec | None, digest: str, *plans: Plan) -> SyncCause:
    """Why the pool of these plans (of one run, from first to last) is out of sync with a spec of this content."""
    if verified is None:
        return SyncCause.UNKNOWN
    if verified.superseded or verified.digest != digest:
        return SyncCause.PENDING
    different = any(plan.changes or plan.refusals for plan in plans)
    return SyncCause.DRIFT if different else SyncCause.UNKNOWN

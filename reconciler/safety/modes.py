"""How far writing goes, set by the deployment's owner above every spec: for all, an organization, or one pool.

Of several settings the strictest counts. A setting that cannot be read blocks writing in what it governs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.documents import moment, text_of
from reconciler.errors import ReconcilerError, Rejected
from reconciler.safety.documents import SafetyDocuments, SafetyIndex
from reconciler.spec.model import WriteMode

VARIABLE = "RECONCILER_MODE"


@dataclass(frozen=True, slots=True)
class ModeScope:
    """What a setting governs: the deployment where both are empty, else one organization, or one pool."""

    organization: str = ""
    pool: str = ""

    @property
    def document(self) -> str:
        """Name of its document."""
        if self.pool:
            return f"mode/pools/{self.pool.lower()}"
        return f"mode/organizations/{self.organization.lower()}" if self.organization else "mode"

    def __str__(self) -> str:
        if self.pool:
            return f"pool {self.pool}"
        return f"organization {self.organization}" if self.organization else "deployment"


@dataclass(frozen=True, slots=True)
class ModeSetting:
    """A mode, with what it governs and where it was set."""

    mode: WriteMode
    place: str
    """``RECONCILER_MODE``, a spec's ``file:line``, or the document with who set it and when."""
    scope: ModeScope = ModeScope()
    reason: str = ""
    unknown: ReconcilerError | None = field(default=None, compare=False)
    """Why the setting cannot be read; the mode is then `report`."""

    def __str__(self) -> str:
        """``mode report (RECONCILER_MODE)``, with the reason where one was given."""
        if self.unknown is not None:
            return str(self.unknown)
        governs = "" if self.scope == ModeScope() else f" of {self.scope}"
        return f"mode {self.mode}{governs} ({self.place}){f': {self.reason}' if self.reason else ''}"

    def to_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "mode": self.mode.value,
            "place": self.place,
            "organization": self.scope.organization or None,
            "pool": self.scope.pool or None,
            "reason": self.reason,
            "unreadable": None if self.unknown is None else str(self.unknown),
        }


def scope_of(document: str) -> ModeScope | None:
    """What a document of this name governs; None for the deployment's, and for all that hold no mode."""
    for kind in ("organization", "pool"):
        prefix = f"mode/{kind}s/"
        if document.startswith(prefix):
            return ModeScope(**{kind: document.removeprefix(prefix)})
    return None


UNGOVERNED = ModeSetting(WriteMode.ENFORCE, "no mode is set in the safety store: services report")


@dataclass(frozen=True, slots=True)
class Modes:
    """The settings that one run knows."""

    deployment: ModeSetting = UNGOVERNED
    """The strictest of environment and document."""
    pool: ModeSetting | None = None
    organizations: Mapping[str, ModeSetting] = field(default_factory=dict)
    """By lower-case name, where one is set."""

    def of_pool(self) -> ModeSetting:
        """What counts for everything about the pool."""
        return strictest([self.deployment, *([self.pool] if self.pool else [])])

    def for_organizations(self, names: Iterable[str]) -> ModeSetting:
        """What counts for a write that reaches these organizations."""
        found = [self.organizations[name.lower()] for name in names if name.lower() in self.organizations]
        return strictest([self.of_pool(), *found])


def strictest(settings: Iterable[ModeSetting]) -> ModeSetting:
    """The strictest; of equal ones the first, but one that cannot be read before others that write nothing."""
    return min(settings, key=lambda one: (one.mode.rank, one.unknown is None))


def of_deployment(settings: Iterable[ModeSetting]) -> ModeSetting:
    """What counts for everything: the strictest setting that governs neither an organization nor a pool."""
    return strictest(one for one in settings if one.scope == ModeScope())


def holding(settings: Sequence[ModeSetting]) -> list[str]:
    """The settings that hold writes back: what counts for the deployment, then organizations and pools."""
    others = [one for one in settings if one.scope != ModeScope()]
    held = [*([of_deployment(settings)] if settings else []), *others]
    return [str(one) for one in held if one.mode is not WriteMode.ENFORCE]


def read_modes(
    documents: SafetyDocuments,
    index: SafetyIndex,
    key: str,
    organizations: Iterable[str],
    *,
    environment: ModeSetting,
    unset: ModeSetting,
) -> Modes:
    """The settings for one pool; `environment` counts beside the deployment's document, `unset` where that has none."""
    stored = read_setting(documents, index, ModeScope())
    # All that have a mode: a pool may reach an organization in ARM that its spec no longer lists.
    others = {
        scope.organization for name in index.names if (scope := scope_of(name)) is not None and scope.organization
    }
    return Modes(
        strictest([environment, stored or unset]),
        read_setting(documents, index, ModeScope(pool=key)),
        {
            name.lower(): setting
            for name in sorted({*map(str.lower, organizations), *others})
            if (setting := read_setting(documents, index, ModeScope(organization=name.lower())))
        },
    )


def read_setting(documents: SafetyDocuments, index: SafetyIndex, scope: ModeScope) -> ModeSetting | None:
    """The stored setting; None where none is set. One that cannot be read is `unknown`."""
    try:
        body = documents.load(scope.document, index)
        return None if body is None else _setting(body, scope)
    except ReconcilerError as error:
        return unreadable(error, scope)


def unreadable(error: ReconcilerError, scope: ModeScope = ModeScope()) -> ModeSetting:
    """A setting that cannot be read: nothing is written in what it governs."""
    return ModeSetting(WriteMode.REPORT, scope.document, scope, unknown=error)


def write_setting(
    documents: SafetyDocuments, scope: ModeScope, mode: WriteMode | None, *, reason: str, by: str, at: datetime
) -> None:
    """Store a setting; None clears it."""
    body = {
        "mode": None if mode is None else mode.value,
        "reason": reason,
        "by": by,
        "at": moment(at.replace(microsecond=0)),
    }
    documents.change(scope.document, lambda _: body, replace_missing=True)


def _setting(body: Mapping[str, Any], scope: ModeScope) -> ModeSetting | None:
    if "mode" in body and body["mode"] is None:
        return None
    try:
        mode = WriteMode(text_of(body, "mode"))
    except ValueError:
        raise Rejected(
            f"safety store: the document {scope.document} holds no mode that this release knows; set the mode again"
        ) from None
    place = f"set {text_of(body, 'at')} by {text_of(body, 'by')}"
    return ModeSetting(mode, place, scope, text_of(body, "reason"))

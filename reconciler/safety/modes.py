"""How far writing goes, set by the deployment's owner above every spec: for all, an organization, or one pool.

Of several settings the strictest counts. A setting that cannot be read blocks writing in what it governs. A pause is
a setting with an end: an organization, a pool or a field of one is reported until then (`reconciler.safety.pauses`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.documents import moment, moment_of, text_of
from reconciler.errors import ReconcilerError, Rejected
from reconciler.safety import pauses
from reconciler.safety.documents import SafetyDocuments, SafetyIndex
from reconciler.spec.model import WriteMode

VARIABLE = "RECONCILER_MODE"
LONGEST_REASON = 500
"""Characters; it is shown with every plan and condition that the setting holds back."""


class HoldKind(StrEnum):
    """What holds writes back."""

    MODE = "mode"
    PAUSE = "pause"
    WINDOW = "window"
    """Of the policy: its changes wait for the next opening."""


@dataclass(frozen=True, slots=True)
class ModeScope:
    """What a setting governs: the deployment where both are empty, else one organization, or one pool."""

    organization: str = ""
    pool: str = ""
    field: str = ""
    """Of a pause of one field of the pool."""

    @property
    def document(self) -> str:
        """Name of its document."""
        if self.pool:
            return f"mode/pools/{self.pool.lower()}"
        return f"mode/organizations/{self.organization.lower()}" if self.organization else "mode"

    def __str__(self) -> str:
        if self.pool:
            return f"{self.field} of pool {self.pool}" if self.field else f"pool {self.pool}"
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
    kind: HoldKind = HoldKind.MODE
    until: datetime | None = None
    """When it ends by itself; None: a person has to end it."""

    def __str__(self) -> str:
        """``mode report (RECONCILER_MODE)``, with the reason where one was given."""
        if self.unknown is not None:
            return str(self.unknown)
        if self.kind is HoldKind.WINDOW:
            return f"held until {_moment(self.until, 'an opening that is not in sight')}: {self.place}"
        if self.kind is HoldKind.PAUSE:
            what = "" if self.scope == ModeScope() else f"{self.scope} "
            until = f" until {moment(self.until)}" if self.until else ""
            return f"{what}paused{until} ({self.place}){f': {self.reason}' if self.reason else ''}"
        governs = "" if self.scope == ModeScope() else f" of {self.scope}"
        return f"mode {self.mode}{governs} ({self.place}){f': {self.reason}' if self.reason else ''}"

    def to_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "mode": self.mode.value,
            "place": self.place,
            "organization": self.scope.organization or None,
            "pool": self.scope.pool or None,
            **({"field": self.scope.field or None} if self.kind is HoldKind.PAUSE else {}),
            **({"until": _moment(self.until)} if self.kind is HoldKind.PAUSE else {}),
            "reason": self.reason,
            "unreadable": None if self.unknown is None else str(self.unknown),
        }


def _moment(when: datetime | None, absent: str | None = None) -> str | None:
    return absent if when is None else moment(when)


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
    pauses: tuple[ModeSetting, ...] = ()
    """Of the pool, its fields, and organizations, as far as they are not over."""

    def of_pool(self) -> ModeSetting:
        """What counts for everything about the pool."""
        paused = [one for one in self.pauses if one.scope.pool and not one.scope.field]
        return strictest([self.deployment, *([self.pool] if self.pool else []), *paused])

    def for_organizations(self, names: Iterable[str]) -> ModeSetting:
        """What counts for a write that reaches these organizations."""
        wanted = {name.lower() for name in names}
        found = [self.organizations[name] for name in sorted(wanted) if name in self.organizations]
        paused = [one for one in self.pauses if one.scope.organization in wanted]
        return strictest([self.of_pool(), *found, *paused])

    def of_fields(self) -> tuple[ModeSetting, ...]:
        """The pauses of single fields of the pool."""
        return tuple(one for one in self.pauses if one.scope.field)


def strictest(settings: Iterable[ModeSetting]) -> ModeSetting:
    """The strictest; of equal ones one that cannot be read first, then the one that holds for longest."""
    return min(settings, key=lambda one: (one.mode.rank, one.unknown is None, *_ends(one)))


def _ends(one: ModeSetting) -> tuple[bool, float]:
    return (False, 0.0) if one.until is None else (True, -one.until.timestamp())


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
    now: datetime,
) -> Modes:
    """The settings for one pool; `environment` counts beside the deployment's document, `unset` where that has none."""
    stored = read_setting(documents, index, ModeScope())
    # All that have a mode: a pool may reach an organization in ARM that its spec no longer lists.
    others = {
        scope.organization for name in index.names if (scope := scope_of(name)) is not None and scope.organization
    }
    pool, paused = read_scope(documents, index, ModeScope(pool=key), now)
    of_organizations = {}
    for name in sorted({*map(str.lower, organizations), *others}):
        setting, more = read_scope(documents, index, ModeScope(organization=name), now)
        paused = (*paused, *more)
        if setting is not None:
            of_organizations[name] = setting
    return Modes(strictest([environment, stored or unset]), pool, of_organizations, paused)


def read_setting(documents: SafetyDocuments, index: SafetyIndex, scope: ModeScope) -> ModeSetting | None:
    """The stored mode; None where none is set. One that cannot be read is `unknown`."""
    return read_scope(documents, index, scope, None)[0]


def read_scope(
    documents: SafetyDocuments, index: SafetyIndex, scope: ModeScope, now: datetime | None
) -> tuple[ModeSetting | None, tuple[ModeSetting, ...]]:
    """The stored mode of a scope, and its pauses that are not over; `now`: None where those are not wanted.

    Where any of it cannot be read, the mode is `unknown`.
    """
    try:
        body = documents.load(scope.document, index)
        if body is None:
            return None, ()
        return _setting(body, scope), () if now is None else _pauses(body, scope, now)
    except ReconcilerError as error:
        return unreadable(error, scope), ()


def unreadable(error: ReconcilerError, scope: ModeScope = ModeScope()) -> ModeSetting:
    """A setting that cannot be read: nothing is written in what it governs."""
    return ModeSetting(WriteMode.REPORT, scope.document, scope, unknown=error)


def write_setting(
    documents: SafetyDocuments, scope: ModeScope, mode: WriteMode | None, *, reason: str, by: str, at: datetime
) -> None:
    """Store a mode; None clears it. Pauses of the same scope stay."""
    mode_alone = {
        "mode": None if mode is None else mode.value,
        "reason": reason,
        "by": by,
        "at": moment(at.replace(microsecond=0)),
    }

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        return mode_alone | ({"pauses": body["pauses"]} if body.get("pauses") else {})

    documents.change(scope.document, edit, replace_missing=True)


def write_pauses(
    documents: SafetyDocuments, scope: ModeScope, fields: Mapping[str, dict[str, Any] | None], now: datetime
) -> list[str]:
    """Store pauses of a scope, by field (empty: all of it), or end them (None); returns those that counted before.

    An error where the document of the scope cannot be read: the mode that it may hold must not be lost. One that was
    not stored to its end holds none, and repeating the command ends it.
    """
    before: list[str] = []
    index = documents.index()
    begun = scope.document in index.entering
    known = None if begun else documents.load(scope.document, index)
    if known is None and not begun and not any(fields.values()):
        return before

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        with suppress(Rejected):
            before[:] = [one.scope.field for one in _pauses(body, scope, now)]
        return pauses.changed(body if known is not None else {"mode": None, **body}, fields, now)

    documents.change(scope.document, edit)
    return before


def _pauses(body: Mapping[str, Any], scope: ModeScope, now: datetime) -> tuple[ModeSetting, ...]:
    try:
        found = pauses.stored(body)
    except ValueError as error:
        raise Rejected(f"safety store: the document {scope.document} {error}; pause or resume it again") from None
    ends = {name: moment_of(one.get("until")) for name, one in found.items()}
    return tuple(
        ModeSetting(
            WriteMode.REPORT, pauses.said(one), replace(scope, field=name), text_of(one, "reason"),
            kind=HoldKind.PAUSE, until=end,
        )
        for name, one in sorted(found.items())
        if (end := ends[name]) is not None and end > now
    )  # fmt: skip


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

"""Every kind of stored document: its name, its fields, its version. What is in no row can be neither loaded nor saved.

`read` judges a document of the state before it is used. A field of another type is left out, the rest is kept;
a document of another version, or one that is no JSON object, counts as empty. The reader of each kind takes an empty
document for *never stored*. Documents of the safety store are not repaired: unreadable, they stop the writes that they
govern (`governs`).

A stored document carries a mark beside its content: the version of its kind, and the deployment that it belongs to.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.documents import Json, JsonObject, text_of

MARK = "document"
"""The field that holds the mark; no kind has one of that name."""
DAMAGED = "damaged/"
"""Below it are the documents that were set aside, as they were found."""
OWNER = "owner"
"""The document that says which deployment a store belongs to."""
LARGEST = 32 * 1024 * 1024
"""Bytes of a document; more is neither stored nor read."""
DEEPEST = 200
"""Levels of a document; no kind has more than ten."""

TEXT = "text"
NUMBER = "number"
FLAG = "flag"
LIST = "list"
OBJECT = "object"
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_TYPES: Mapping[str, tuple[type, ...]] = {
    TEXT: (str,), NUMBER: (int, float), FLAG: (bool,), LIST: (list,), OBJECT: (dict,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of document."""

    name: str
    """Of the one document, or of the folder where there are several, ending in a slash."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Field → type; null counts as absent. Fields that are not named here are passed on: another release has them."""
    values: str = ""
    """Type of all values, where the fields are names of other things; values of another type are left out."""
    version: int = 1
    governs: bool = False
    """Whether it decides what may be written: unreadable, it is an error and not empty."""

    @property
    def label(self) -> str:
        """The name for metrics and messages: without the slash."""
        return self.name.removesuffix("/")


@dataclass(frozen=True, slots=True)
class Read:
    """A document as it may be used."""

    body: Json
    """Without the mark."""
    problem: str = ""
    """What was left out, and why; empty where nothing was."""
    deployment: str = ""
    """Whose it is; empty where it has no mark."""


STATE = (
    DocumentKind("pools/", {
        "key": TEXT, "path": TEXT, "attemptedRevision": TEXT, "appliedRevision": TEXT, "conditions": LIST,
        "lastRun": OBJECT, "covered": TEXT, "seen": TEXT, "pending": OBJECT, "waited": LIST, "unproven": OBJECT,
        "resting": OBJECT, "ineffective": OBJECT, "remembered": OBJECT, "awaited": OBJECT, "replacing": OBJECT,
        "attempts": NUMBER, "error": TEXT, "unreadySince": TEXT, "outOfSync": TEXT, "verified": OBJECT,
        "forgottenAt": TEXT, "notices": OBJECT,
    }),
    DocumentKind("evidence/"),
    DocumentKind("looks/"),
    DocumentKind("follow-ups/", {"at": TEXT}),
    DocumentKind("sweep", {"at": TEXT, "since": TEXT, "pools": NUMBER, "missed": FLAG}),
    DocumentKind("git", {"revision": TEXT, "files": OBJECT, "pools": LIST, "warned": TEXT}),
    DocumentKind("audit/", {"cursor": TEXT, "refusedUntil": TEXT, "read": TEXT, "places": LIST}),
    DocumentKind("gates/"),
    DocumentKind("sightings/", {"seen": LIST}),
    DocumentKind("fights/", {"fields": OBJECT}),
    DocumentKind("notices/", {"waiting": LIST, "taken": OBJECT, "flushAt": TEXT, "messages": LIST, "dead": LIST}),
    DocumentKind("deliveries", values=OBJECT),
    DocumentKind("idempotency", values=OBJECT),
    DocumentKind("serve-key", {"sha256": TEXT}),
    DocumentKind(OWNER, {"deployment": TEXT}, governs=True),
)  # fmt: skip
"""Documents of the state store."""

SAFETY = tuple(
    DocumentKind(name, governs=True)
    for name in ("index", "mode", "mode/", "operators", "agent-pools/", "agent-pool-owners/", "approvals/", "undone/")
)
"""Documents of the safety store; `reconciler.safety` judges their fields."""


def kind_of(name: str, kinds: tuple[DocumentKind, ...] = STATE) -> DocumentKind:
    """The kind of a document. `LookupError` for a name that no row has: a mistake in the program."""
    for kind in kinds:
        folder = kind.name.endswith("/")
        if (folder and name.startswith(kind.name) and name != kind.name) or (not folder and name == kind.name):
            return kind
    raise LookupError(f"document {name}: no kind is registered for it in reconciler/documents/kinds.py")


def parsed(content: bytes, size: int = 0) -> Json:
    """A stored document of so many bytes (0: all that is given). `ValueError` says why it is none.

    What JSON does not have (``NaN``, ``1e999``) is read as null: such a field counts as absent.
    """
    if max(len(content), size) > LARGEST:
        raise ValueError(f"has more than {LARGEST} bytes")
    if content.count(b"[") + content.count(b"{") > DEEPEST and _is_deep(content):
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    try:
        return json.loads(content, parse_float=_finite, parse_constant=lambda _: None)
    except ValueError:
        raise ValueError("is no JSON") from None


def read(kind: DocumentKind, body: Json) -> Read:
    """The part of a document that can be used, and what is wrong with the rest."""
    if not isinstance(body, dict):
        return Read({}, "is no JSON object")
    mark = body.get(MARK)
    mark = mark if isinstance(mark, dict) else {}
    version, deployment = mark.get("version", kind.version), text_of(mark, "deployment")
    if version != kind.version or isinstance(version, bool):
        shown = version if isinstance(version, int) else "unknown"
        return Read({}, f"has version {shown}, and this release reads version {kind.version}", deployment)
    wrong = [name for name, value in body.items() if name != MARK and not _fits(kind, name, value)]
    content = {name: value for name, value in body.items() if name != MARK and name not in wrong}
    named = ", ".join(sorted(name for name in wrong if name in kind.fields)) or ("its entries" if wrong else "")
    return Read(content, f"has another type in {named}" if wrong else "", deployment)


def marked(kind: DocumentKind, body: JsonObject, deployment: str) -> dict[str, Json]:
    """A document as it is stored."""
    return {**body, MARK: {"version": kind.version, "deployment": deployment}}


def _fits(kind: DocumentKind, name: str, value: Json) -> bool:
    wanted = kind.fields.get(name, kind.values)
    if not wanted or value is None:
        return True
    return isinstance(value, _TYPES[wanted]) and (wanted == FLAG or not isinstance(value, bool))


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _is_deep(content: bytes) -> bool:
    """Whether a JSON text has too many levels, by its brackets: parsing it would use up the stack."""
    depth = 0
    for token in _BRACKET.finditer(content):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > DEEPEST:
            return True
    return False

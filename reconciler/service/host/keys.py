"""The function key of `serve`: compared by its digest, and made at the first start where no setting has one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.errors import LeaseHeld
from reconciler.ports.stores import StateStore

DOCUMENT = "serve-key"
COOKIE = "mdp-reconciler"


def _digest(text: str) -> bytes:
    """Header bytes that are no UTF-8 arrive as surrogates; they are compared as the bytes that they were."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True)
class FunctionKey:
    """What callers have to send. The default requires nothing."""

    digest: bytes = b""
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """The cookie of a browser that signed in, while this process runs."""

    @classmethod
    def of(cls, text: str) -> FunctionKey:
        """The key with this text; an empty one requires nothing."""
        return cls(_digest(text)) if text else cls()

    @property
    def required(self) -> bool:
        """Whether callers need a key."""
        return bool(self.digest)

    def matches(self, given: str) -> bool:
        """Whether a caller may pass with this text, compared in constant time."""
        return not self.required or hmac.compare_digest(_digest(given), self.digest)

    def signed_in(self, cookie: str) -> bool:
        """Whether this is the cookie of a browser that signed in."""
        return self.required and hmac.compare_digest(_digest(cookie), _digest(self.session))


def stored(state: StateStore) -> FunctionKey | None:
    """The key that was made at an earlier start; None where there is none."""
    document = state.load(DOCUMENT)
    known = document.body.get("sha256") if document is not None and isinstance(document.body, dict) else None
    if isinstance(known, str) and len(known) == 64:  # noqa: PLR2004 - digits of a SHA-256
        with suppress(ValueError):  # a damaged document: a new key is made, and no old one is valid
            return FunctionKey(bytes.fromhex(known))
    return None


def made() -> tuple[FunctionKey, str]:
    """A new key, and its text."""
    text = secrets.token_urlsafe(32)
    return FunctionKey.of(text), text


def keep(state: StateStore, key: FunctionKey) -> None:
    """Store the key for later starts: its digest alone."""
    document = state.load(DOCUMENT)
    with suppress(LeaseHeld):  # another process stored one at the same moment; this one is valid while it runs
        state.save(DOCUMENT, {"sha256": key.digest.hex()}, document.etag if document is not None else None)

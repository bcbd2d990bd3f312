"""Expected errors, in two families: transient ones, which a retry may solve, and terminal ones.

::

    ReconcilerError
    ├── Transient            retried later; nothing has to change first
    │   ├── Throttled        the service throttles (429, Retry-After, X-RateLimit-*)
    │   ├── NotReady         something does not exist yet, or is being created
    │   ├── LeaseHeld        another worker has this pool
    │   ├── Unavailable      no response, 5xx, a cut-off or unreadable response
    │   └── NotEffective     a write succeeded, and a new read shows no effect
    └── Terminal             the spec, the policy or a right has to change first
        ├── SpecInvalid      the spec itself is wrong
        ├── Refused          a guard or the policy does not allow it
        ├── Forbidden        the identity lacks a right (401, 403, a sign-in page)
        ├── NotFound         what the spec names does not exist, or is hidden from the identity
        ├── Rejected         the service rejects this request (400, 409, 422)
        ├── WrittenWithoutEffect  a write was confirmed, and writing it again would change nothing
        ├── Immutable        only a new resource can have this value
        └── Moved            the pool is in another resource group or subscription than the spec says

Anything else is a bug: it is not caught, the platform redelivers the message, and at last it is a dead letter.

Messages are one line, ``where: what, with both values``, deterministic, and redacted here, where they are made: they
end up in conditions, which must not flap.
"""

from __future__ import annotations

from reconciler.documents.redaction import redact


class ReconcilerError(Exception):
    """Base of all expected failures; its class name is the reason in a condition."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(redact(message))
        self.retry_after = retry_after
        """Seconds to wait, where the service names them."""

    @property
    def reason(self) -> str:
        """CamelCase word for a condition."""
        return type(self).__name__


class Transient(ReconcilerError):
    """A retry may succeed; the worker backs off and retries."""


class Throttled(Transient):
    """The service throttles."""


class NotReady(Transient):
    """Something does not exist yet, or is still being created."""


class LeaseHeld(Transient):
    """Another worker holds this pool, or took it over."""


class Unavailable(Transient):
    """No response, a 5xx, or a response that cannot be read to its end."""


class NotEffective(Transient):
    """A write succeeded, and a new read shows no effect."""


class Terminal(ReconcilerError):
    """A retry does not help; the spec, the policy or a right has to change."""


class SpecInvalid(Terminal):
    """The spec is wrong; the message lists each problem with file and line."""


class Refused(Terminal):
    """A guard or the policy does not allow this."""


class Forbidden(Terminal):
    """The identity is not signed in or lacks a right."""


class NotFound(Terminal):
    """What the spec names does not exist, or is hidden from this identity: the services do not distinguish these."""


class Rejected(Terminal):
    """The service rejects this request."""


class WrittenWithoutEffect(Terminal):
    """A write was confirmed, and a new read shows that it changed nothing: not repeated until the spec changes."""


class Immutable(Terminal):
    """Only a new resource can have this value."""


class Moved(Terminal):
    """The pool is in another resource group or subscription than the spec says."""


def family(reason: str) -> type[ReconcilerError]:
    """`Transient` or `Terminal`, by the class name that a gap or a condition carries; unknown names are terminal."""
    return (
        Transient
        if reason in {Transient.__name__, *(kind.__name__ for kind in Transient.__subclasses__())}
        else Terminal
    )

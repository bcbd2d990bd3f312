"""What can go wrong, in two families: what time may heal, and what it will not.

::

    ReconcilerError
    ├── Transient            look again later; nothing has to change first
    │   ├── Throttled        the service asked for fewer calls (429, Retry-After, X-RateLimit-*)
    │   ├── NotReady         something does not exist yet, or is being made
    │   ├── LeaseHeld        another worker has this pool
    │   ├── Unavailable      no answer, 5xx, a cut-off or unreadable answer
    │   └── NotEffective     the service said yes, and a fresh read says no
    └── Terminal             somebody has to change something first
        ├── SpecInvalid      the spec itself is wrong
        ├── Refused          a guard or the policy says no
        ├── Forbidden        the identity may not (401, 403, a sign-in page)
        ├── NotFound         what the spec names does not exist, or is hidden from the identity
        ├── Rejected         the service refuses this request as it is (400, 409, 422)
        └── Immutable        only a new resource could have this value

Anything else is a bug: it is not caught, the platform redelivers, and quarantine shows it.

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
        """Seconds that the service asked us to wait, where it said so."""

    @property
    def reason(self) -> str:
        """CamelCase word for a condition."""
        return type(self).__name__


class Transient(ReconcilerError):
    """Time may heal this; the worker backs off and looks again."""


class Throttled(Transient):
    """The service asked for fewer calls."""


class NotReady(Transient):
    """Something does not exist yet, or is still being made."""


class LeaseHeld(Transient):
    """Another worker holds this pool, or took it over."""


class Unavailable(Transient):
    """No answer, a 5xx, or an answer that cannot be read to its end."""


class NotEffective(Transient):
    """A write was answered with success and a fresh read shows no effect."""


class Terminal(ReconcilerError):
    """Waiting does not help; the spec, the policy or a grant has to change."""


class SpecInvalid(Terminal):
    """The spec is wrong; the message lists each problem with file and line."""


class Refused(Terminal):
    """A guard or the policy does not allow this."""


class Forbidden(Terminal):
    """The identity is not signed in or lacks a right."""


class NotFound(Terminal):
    """What the spec names does not exist, or is hidden from this identity: the services tell no difference."""


class Rejected(Terminal):
    """The service refuses this request as it is."""


class Immutable(Terminal):
    """Only a new resource could have this value."""


def family(reason: str) -> type[ReconcilerError]:
    """`Transient` or `Terminal`, by the class name that a gap or a condition carries; unknown names are terminal."""
    return (
        Transient
        if reason in {Transient.__name__, *(kind.__name__ for kind in Transient.__subclasses__())}
        else Terminal
    )

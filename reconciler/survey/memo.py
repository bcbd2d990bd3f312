"""Each fact once, also when two threads request it at the same time; a failed read is remembered like a fact.

A remembered failure keeps the pools of one batch from repeating a request that just failed. An exception that is
not of `reconciler.errors` is a bug: it is raised and not remembered.

A fact carries the moment at which its read began, and each view of a memo the oldest moment of the facts that were
requested through it: that is the age of what follows from them.

A memo lives as long as a message. Where it stands before the evidence of the process (`reconciler.survey.evidence`),
facts that are fresh enough for the message come from there, and what is read here goes there; errors never do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar

from reconciler.errors import ReconcilerError, Terminal

T = TypeVar("T")


class Key(NamedTuple):
    """Names a fact; what it is about comes first, so that a write can empty what it touched."""

    kind: str
    organization: str = ""
    project: str = ""
    """Project id; empty where the fact is not about one project."""
    detail: Any = None


key_of = lru_cache(1024)(Key)
"""The key of a fact about a whole organization, or subscription: each pool of a batch asks for the same few."""

BEGUN = "begun"
"""Kind of the key that says that an organization's first reads were sent; no fact, so nothing is as fresh as it."""


def _unknown() -> datetime:
    """The moment of a fact for which no clock is given: older than every request."""
    return datetime.min.replace(tzinfo=UTC)


class Slot:
    """A fact that is being fetched, or was; `began`: before its read was sent."""

    __slots__ = ("_fetching", "began", "changed", "error", "ready", "value")

    def __init__(self, began: datetime) -> None:
        self.began = began
        self.changed = began  # since when a shared fact has this value, as far as it was read
        # Held until the fact is there. An event does the same at ten times the price, and there is one for each fact.
        self._fetching = Lock()
        self._fetching.acquire()
        self.ready = False
        self.value: Any = None
        self.error: BaseException | None = None

    def settle(self, value: Any, error: BaseException | None = None) -> None:
        """Let go all who wait for it."""
        self.value, self.error = value, error
        self.ready = True
        self._fetching.release()

    def wait(self) -> Any:
        """The value, as soon as it is there; raises the error that the read ended with."""
        if not self.ready:
            with self._fetching:
                pass
        if self.error is not None:
            # Without this every raise would lengthen the traceback of one shared exception.
            raise self.error.with_traceback(None)
        return self.value


class OutOfTimeError(Exception):
    """A message has read for as long as it may. What was read stays, and the rest of the message reads on from there.

    No error of a service: no gap, no condition and no attempt comes of it.
    """


Fetch = Callable[[Sequence[Key]], Mapping[Key, Any]]


class Shared(Protocol):
    """Facts that outlive a message: what a memo needs of `reconciler.survey.evidence.View`."""

    def slot(self, key: Key, began: datetime) -> tuple[Slot, bool] | None:
        """One that is fresh enough, or a new one that the caller has to fill (True); None: not a fact to share."""

    def fresh_enough(self, key: Key) -> Slot | None:
        """One that is known and fresh enough; begins nothing."""

    def afresh(self, again: Callable[[Key], bool], before: datetime | None) -> Shared:
        """One that gives no fact for which `again` holds, or that was read `before`: those are read again."""

    def settled(self, slots: Mapping[Key, Slot]) -> None:
        """Take over what slots hold that the caller was to fill."""

    def forget(self, touched: Callable[[Key], bool], organizations: Iterable[str]) -> None:
        """Drop facts about these organizations (the empty name: about ARM), reads under way included."""


class Memo:
    """Facts by key. The first caller fetches; all others wait for the result."""

    def __init__(
        self,
        now: Callable[[], datetime] = _unknown,
        shared: Shared | None = None,
        over: Callable[[], bool] = lambda: False,
    ) -> None:
        """`shared`: where facts of other messages come from; None: every fact is read.

        `over`: whether no further read may begin (`OutOfTimeError`); reads before a write, and after it, always may.
        """
        self._now, self._over = now, over
        self._made = now()
        self._shared = shared
        self._lock = Lock()
        self._slots: dict[Key, Slot] = {}
        self._oldest: datetime | None = None

    def view(self) -> Memo:
        """The same facts, with a moment of its own for those that are requested through it."""
        view = Memo(self._now, self._shared, self._over)
        view._lock, view._slots, view._made = self._lock, self._slots, self._made
        return view

    def afresh(self, again: Callable[[Key], bool], before: datetime | None = None, *, keeps_own: bool = False) -> Memo:
        """One by the same clock in which no fact is known for which `again` holds, or that was read `before`.

        Others stay as they are. `keeps_own`: so do those that were read for this very message.
        """
        if self._shared is None:
            return Memo(self._now)
        other = Memo(self._now, self._shared.afresh(again, before))
        with self._lock:
            for key, slot in self._slots.items():
                young = before is None or slot.began >= before
                if key.kind != BEGUN and ((not again(key) and young) or (keeps_own and slot.began >= self._made)):
                    other._slots[key] = slot
        return other

    def used(self) -> dict[Key, Slot]:
        """All that was requested of this message, errors included."""
        with self._lock:
            return dict(self._slots)

    @property
    def oldest(self) -> datetime | None:
        """When the read of the oldest fact began that was requested here, failed reads included; None: none was."""
        return self._oldest

    def get(self, key: Key, fetch: Callable[[], T]) -> T:
        """The fact, fetched now if it was not; raises the error that the read ended with."""
        slot = self._slots.get(key)
        if slot is not None and slot.ready:  # by far the most questions: no lock, no copies, no further call
            if self._oldest is None or slot.began < self._oldest:
                self._note(slot)
            value: T = slot.value if slot.error is None else slot.wait()
        else:
            value = self._read((key,), lambda _: {key: fetch()})[key]
        return value

    def many(self, keys: Sequence[Key], fetch: Fetch) -> dict[Key, Any]:
        """The facts of all keys, those not requested before in one fetch; raises the first error."""
        found = self._there(keys)
        return self._read(keys, fetch) if found is None else found

    def _read(self, keys: Sequence[Key], fetch: Fetch) -> dict[Key, Any]:
        """The same, of which at least one is not there yet, or was an error."""
        if self._over() and self.unrequested(keys):
            raise OutOfTimeError
        slots: dict[Key, Slot] = {}
        mine: list[Key] = []
        with self._lock:
            for key in dict.fromkeys(keys):
                slot = self._slots.get(key)
                if slot is None:
                    slot, new = self._begin(key)
                    self._slots[key] = slot
                    if new:
                        mine.append(key)
                slots[key] = slot
        for slot in slots.values():
            self._note(slot)
        # Own slots are filled before foreign ones are waited for, so two threads never wait for each other.
        self._fill({key: slots[key] for key in mine}, fetch)
        return {key: slot.wait() for key, slot in slots.items()}

    def _there(self, keys: Sequence[Key]) -> dict[Key, Any] | None:
        """The facts, where all of them were read without an error; None: `many` has more to do."""
        slots = [self._slots.get(key) for key in keys]
        found = {}
        for key, slot in zip(keys, slots, strict=True):
            if slot is None or not slot.ready or slot.error is not None:
                return None
            found[key] = slot.value
        for slot in slots:
            if slot is not None:
                self._note(slot)
        return found

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """Those that are there: the fact, or the error that the read ended with."""
        found: dict[Key, Any] = {}
        for key in keys:
            slot = self._slots.get(key) or self._adopted(key)
            if slot is not None and slot.ready:
                if self._oldest is None or slot.began < self._oldest:
                    self._note(slot)
                found[key] = slot.error or slot.value
        return found

    def unrequested(self, keys: Iterable[Key]) -> list[Key]:
        """Those that were not requested yet, and are not known well enough without a request."""
        return [key for key in keys if key not in self._slots and self._adopted(key) is None]

    def began(self, key: Key) -> datetime | None:
        """When the read of a fact began that is known, or on its way; None: it would have to be requested."""
        slot = self._slots.get(key)
        if slot is None and self._shared is not None:
            slot = self._adopted(key)
        return None if slot is None else slot.began

    def peek(self, key: Key) -> Any:
        """The fact, where it is known already; None where it is not, or could not be read."""
        with self._lock:
            slot = self._slots.get(key)
        if slot is None or not slot.ready:
            return None
        self._note(slot)
        return slot.value

    def forget(self, touched: Callable[[Key], bool], organizations: Iterable[str] = ()) -> None:
        """Drop the facts for which `touched` holds; they are fetched again when requested.

        `organizations`: those about which shared facts are dropped too.
        """
        with self._lock:
            for key in [key for key in self._slots if touched(key)]:
                del self._slots[key]
        if self._shared is not None:
            self._shared.forget(touched, organizations)

    def forget_missing(self, kind: str, organization: str) -> None:
        """Drop what was requested and not found or not told, since it may exist by now."""
        with self._lock:
            slots = [(k, slot) for k, slot in self._slots.items() if (k.kind, k.organization) == (kind, organization)]
        missing = {k for k, slot in slots if slot.value is None or isinstance(slot.value, ReconcilerError)}
        if missing:
            self.forget(missing.__contains__, [organization])

    def _begin(self, key: Key) -> tuple[Slot, bool]:
        """Under the lock: the slot of a fact that this message has not, and whether it has to be fetched here."""
        began = self._now()
        shared = None if self._shared is None else self._shared.slot(key, began)
        return (Slot(began), True) if shared is None else shared

    def _adopted(self, key: Key) -> Slot | None:
        """A shared fact that is fresh enough: from now on this message's too, so that it stays the same."""
        slot = None if self._shared is None else self._shared.fresh_enough(key)
        if slot is None:
            return None
        with self._lock:
            return self._slots.setdefault(key, slot)

    def _note(self, slot: Slot) -> None:
        if self._oldest is None or slot.began < self._oldest:
            with self._lock:
                self._oldest = slot.began if self._oldest is None else min(slot.began, self._oldest)

    def _fill(self, slots: Mapping[Key, Slot], fetch: Fetch) -> None:
        if slots:
            try:
                self._fetch(slots, fetch)
            finally:
                if self._shared is not None:
                    self._shared.settled(slots)

    def _fetch(self, slots: Mapping[Key, Slot], fetch: Fetch) -> None:
        try:
            values = fetch(tuple(slots))
        except ReconcilerError as error:
            if isinstance(error, Terminal) and len(slots) > 1:
                # One of several is at fault; requested one by one, the others keep their facts.
                for key, slot in slots.items():
                    self._fetch({key: slot}, fetch)
                return
            for slot in slots.values():
                slot.settle(None, error)
        except BaseException as error:
            with self._lock:
                for key in slots:
                    self._slots.pop(key, None)
            for slot in slots.values():
                slot.settle(None, error)
            raise
        else:
            for key, slot in slots.items():
                slot.settle(values.get(key))

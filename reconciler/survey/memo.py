"""Each fact once, also when two threads request it at the same time; a failed read is remembered like a fact.

A remembered failure keeps the pools of one batch from repeating a request that just failed. An exception that is
not of `reconciler.errors` is a bug: it is raised and not remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from reconciler.errors import ReconcilerError, Terminal


class Key(NamedTuple):
    """Names a fact; what it is about comes first, so that a write can empty what it touched."""

    kind: str
    organization: str = ""
    project: str = ""
    """Project id; empty where the fact is not about one project."""
    detail: Any = None


class _Slot:
    """A fact that is being fetched, or was."""

    __slots__ = ("_fetching", "error", "ready", "value")

    def __init__(self) -> None:
        # Held until the fact is there. An event does the same at ten times the price, and there is one for each fact.
        self._fetching = Lock()
        self._fetching.acquire()
        self.ready = False
        self.value: Any = None
        self.error: BaseException | None = None

    def settle(self, value: Any, error: BaseException | None = None) -> None:
        self.value, self.error = value, error
        self.ready = True
        self._fetching.release()

    def wait(self) -> Any:
        if not self.ready:
            with self._fetching:
                pass
        if self.error is not None:
            # Without this every raise would lengthen the traceback of one shared exception.
            raise self.error.with_traceback(None)
        return self.value


Fetch = Callable[[Sequence[Key]], Mapping[Key, Any]]


class Memo:
    """Facts by key. The first caller fetches; all others wait for the result."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: dict[Key, _Slot] = {}

    def get(self, key: Key, fetch: Callable[[], Any]) -> Any:
        """The fact, fetched now if it was not; raises the error that the read ended with."""
        slot = self._slots.get(key)
        if slot is not None and slot.ready:  # by far the most questions: no lock, no copies
            return slot.wait()
        return self.many((key,), lambda _: {key: fetch()})[key]

    def many(self, keys: Sequence[Key], fetch: Fetch) -> dict[Key, Any]:
        """The facts of all keys, those not requested before in one fetch; raises the first error."""
        slots: dict[Key, _Slot] = {}
        mine: list[Key] = []
        with self._lock:
            for key in keys:
                if key not in self._slots:
                    self._slots[key] = _Slot()
                    mine.append(key)
                slots[key] = self._slots[key]
        # Own slots are filled before foreign ones are waited for, so two threads never wait for each other.
        self._fill({key: slots[key] for key in mine}, fetch)
        return {key: slot.wait() for key, slot in slots.items()}

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """Those that are there: the fact, or the error that the read ended with."""
        slots = ((key, self._slots.get(key)) for key in keys)
        return {key: slot.error or slot.value for key, slot in slots if slot is not None and slot.ready}

    def unrequested(self, keys: Iterable[Key]) -> list[Key]:
        """Those that were not requested yet."""
        with self._lock:
            return [key for key in keys if key not in self._slots]

    def peek(self, key: Key) -> Any:
        """The fact, where it is known already; None where it is not, or could not be read."""
        with self._lock:
            slot = self._slots.get(key)
        return slot.value if slot is not None and slot.ready else None

    def forget(self, touched: Callable[[Key], bool]) -> None:
        """Drop the facts for which `touched` holds; they are fetched again when requested."""
        with self._lock:
            for key in [key for key in self._slots if touched(key)]:
                del self._slots[key]

    def forget_missing(self, kind: str, organization: str) -> None:
        """Drop what was requested and not found or not told, since it may exist by now."""
        with self._lock:
            slots = [(k, slot) for k, slot in self._slots.items() if (k.kind, k.organization) == (kind, organization)]
            for key, slot in slots:
                if slot.value is None or isinstance(slot.value, ReconcilerError):
                    del self._slots[key]

    def _fill(self, slots: Mapping[Key, _Slot], fetch: Fetch) -> None:
        if not slots:
            return
        try:
            values = fetch(tuple(slots))
        except ReconcilerError as error:
            if isinstance(error, Terminal) and len(slots) > 1:
                # One of several is at fault; requested one by one, the others keep their facts.
                for key, slot in slots.items():
                    self._fill({key: slot}, fetch)
                return
            for slot in slots.values():
                slot.settle(None, error)
        except BaseException as error:
            self.forget(lambda key: key in slots)
            for slot in slots.values():
                slot.settle(None, error)
            raise
        else:
            for key, slot in slots.items():
                slot.settle(values.get(key))

"""All facts that a process knows, by organization, each with the moment at which its read began. It outlives messages.

A message reads through a view with a demand: a fact that is fresh enough is used as it is, one that is too old is read
again in place, once for all messages that need it meanwhile. What a write touched is dropped. Errors are no facts:
they belong to the message in which they happened, and what was read before them stays.

Never evidence: modes, approvals and recorded operators (the owner's word counts at once), the state of machines, and
what is computed from other facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import Project
from reconciler.spec.model import Spec
from reconciler.survey import scope as batch_scope
from reconciler.survey import scopes
from reconciler.survey.demand import Demand
from reconciler.survey.memo import Key, Slot
from reconciler.survey.scopes import Scope

LOCAL = frozenset({"begun", "groups", "hidden projects", "machines", "recorded operators"})
"""Kinds of facts that no two messages share."""


class Organization:
    """What is known of one organization; of ARM where its name is empty. Safe to share between threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = Lock()
        self._facts: dict[Key, Slot] = {}
        self._reading: dict[Key, Slot] = {}
        self._hinted: dict[Key, datetime] = {}

    def fresh(self, key: Key, needed: datetime | None) -> Slot | None:
        """A fact, or a read under way, that began when it is needed or later; None needed: only a new read will do."""
        with self._lock:
            return self._fresh(key, needed)

    def slot(self, key: Key, began: datetime, needed: datetime | None) -> tuple[Slot, bool]:
        """The same, or else a new one that the caller has to fill (True)."""
        with self._lock:
            if (known := self._fresh(key, needed)) is not None:
                return known, False
            self._reading[key] = slot = Slot(began)
            return slot, True

    def settled(self, key: Key, slot: Slot) -> None:
        """Keep what a slot holds, unless it is an error, or was dropped while it was read."""
        with self._lock:
            if self._reading.get(key) is not slot:
                return
            del self._reading[key]
            if slot.error is not None or isinstance(slot.value, ReconcilerError):
                return
            known = self._facts.get(key)
            if known is None or known.began <= slot.began:
                self._facts[key] = slot

    def forget(self, touched: Callable[[Key], bool]) -> None:
        """Drop facts and reads under way."""
        with self._lock:
            for slots in (self._facts, self._reading):
                for key in [key for key in slots if touched(key)]:
                    del slots[key]

    def hint(self, scope: Scope, at: datetime) -> None:
        """Something of this scope may have changed until `at`: what was read earlier does not count any more."""
        with self._lock:
            for slots in (self._facts, self._reading):
                for key, slot in slots.items():
                    if slot.began < at and scope.holds(key):
                        self._hinted[key] = max(at, self._hinted.get(key, at))

    def peek(self, key: Key) -> Any:
        """The value of a fact of any age; None where there is none."""
        slot = self._facts.get(key)
        return None if slot is None else slot.value

    def forget_older(self, than: datetime) -> None:
        """Drop the facts that were read earlier."""
        with self._lock:
            self._facts = {key: slot for key, slot in self._facts.items() if slot.began >= than}
            self._hinted = {key: at for key, at in self._hinted.items() if key in self._facts or key in self._reading}

    def _fresh(self, key: Key, needed: datetime | None) -> Slot | None:
        if needed is None:
            return None
        least = max(needed, self._hinted.get(key, needed))
        for slots in (self._facts, self._reading):
            slot = slots.get(key)
            if slot is not None and slot.began >= least:
                return slot
        return None


class Evidence:
    """The facts of a process: one registry for all organizations. Safe to share between threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self._lock = Lock()
        self._organizations: dict[str, Organization] = {}
        self._commit: object = None
        self._named: Mapping[str, frozenset[str]] = {}

    def of(self, organization: str) -> Organization:
        """What is known of one organization; of ARM for the empty name."""
        found = self._organizations.get(organization)
        if found is not None:
            return found
        with self._lock:
            return self._organizations.setdefault(organization, Organization(organization))

    def names(self) -> Sequence[str]:
        """Organizations of which something was requested, sorted; the empty name for ARM."""
        with self._lock:
            return sorted(self._organizations)

    def name(self, specs: Iterable[Spec], commit: object) -> None:
        """Take note of all pools that the specs of a commit name: lists are requested for all of them at once.

        `commit`: what tells these specs from others; the same one costs nothing. Organizations that no spec names any
        more are dropped.
        """
        if commit is not None and self._commit == commit:
            return
        pools = batch_scope.scope_of(specs)[0]
        with self._lock:
            self._commit, self._named = commit, pools
            for organization in self._organizations.keys() - pools.keys() - {""}:
                del self._organizations[organization]

    def interest(self, batch: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """Agent pools by organization about which lists are requested: those of the batch, and all that are named."""
        named = self._named
        return {name: pools | named.get(name, frozenset()) for name, pools in batch.items()}

    def projects(self, organization: str) -> Sequence[Project] | None:
        """The projects that are known, however old; None: they were never read."""
        known: Sequence[Project] | None = self.of(organization).peek(Key("projects", organization))
        return known

    def hint(self, scope: Scope, at: datetime) -> None:
        """Something of this scope may have changed until `at`. Its facts are read again when they are next needed."""
        for one in scopes.placed((scope,), (), self.projects):
            self.of(one.organization).hint(one, at)

    def forget_older(self, than: datetime) -> None:
        """Drop the facts that were read earlier: no demand takes them any more."""
        for name in self.names():
            self.of(name).forget_older(than)

    def view(self, specs: Iterable[Spec], demand: Demand | None) -> View:
        """What a batch of these specs reads through; without a demand it reads everything itself, for others to use."""
        if demand is None:
            return View(self, lambda _: None)
        return View(self, demand.placed(specs, self.projects).needed)


class View:
    """The evidence as one message may use it (`reconciler.survey.memo.Shared`)."""

    def __init__(self, evidence: Evidence, needed: Callable[[Key], datetime | None]) -> None:
        """`needed`: when a fact must have been read; None: by this message itself."""
        self._evidence = evidence
        self.needed = needed

    def afresh(self, afresh: Callable[[Key], bool]) -> View:
        """One that reads by itself each fact for which `afresh` holds."""
        needed = self.needed
        return View(self._evidence, lambda key: None if afresh(key) else needed(key))

    def slot(self, key: Key, began: datetime) -> tuple[Slot, bool] | None:
        """A fact that is fresh enough, or a new slot to fill; None: this kind is not shared."""
        if key.kind in LOCAL:
            return None
        return self._evidence.of(key.organization).slot(key, began, self.needed(key))

    def fresh_enough(self, key: Key) -> Slot | None:
        """A fact that is fresh enough."""
        if key.kind in LOCAL:
            return None
        return self._evidence.of(key.organization).fresh(key, self.needed(key))

    def settled(self, slots: Mapping[Key, Slot]) -> None:
        """Keep what this message read."""
        for key, slot in slots.items():
            if key.kind not in LOCAL:
                self._evidence.of(key.organization).settled(key, slot)

    def forget(self, touched: Callable[[Key], bool], organizations: Iterable[str]) -> None:
        """Drop what a write touched."""
        for organization in organizations:
            self._evidence.of(organization).forget(touched)

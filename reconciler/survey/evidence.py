"""All facts that a process knows, by organization, each with the moment at which its read began. It outlives messages.

A message reads through a view with a demand: a fact that is fresh enough is used as it is, one that is too old is read
again in place, once for all messages that need it meanwhile. What a write touched is dropped. Errors are no facts:
they belong to the message in which they happened, and what was read before them stays.

Never evidence: modes, approvals and recorded operators (the owner's word counts at once), the state of machines, and
what is computed from other facts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import Project
from reconciler.spec.model import Spec
from reconciler.survey import scope as batch_scope
from reconciler.survey import scopes
from reconciler.survey.demand import MAX_AGE, Demand
from reconciler.survey.feeds import Trust
from reconciler.survey.memo import Key, Slot
from reconciler.survey.rotation import Feed
from reconciler.survey.scopes import Scope
from reconciler.telemetry import NO_TELEMETRY, Metrics

LOCAL = frozenset({"begun", "groups", "hidden projects", "machines", "recorded operators"})
"""Kinds of facts that no two messages share."""
_TIDY = timedelta(minutes=10)
"""How often facts beyond the maximum age are dropped."""
_HINTS = 100
"""Hints that are kept one by one, for facts that are learned of later; older ones count for all of them."""


class OrganizationFacts:
    """What is known of one organization; of ARM where its name is empty. Safe to share between threads."""

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self._now = now
        self._lock = Lock()
        self._facts: dict[Key, Slot] = {}
        self._reading: dict[Key, Slot] = {}
        self._hinted: dict[Key, datetime] = {}
        self._dropped: dict[Key, datetime] = {}
        self._hints: list[tuple[Scope, datetime]] = []
        self._all_hinted: datetime | None = None
        self._trust = Trust()
        self._changes = 0

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
                if known is not None and known.value != slot.value and not self._announced(key, known):
                    self._trust.differs(key, slot.began)
                self._put(key, slot)
                self._changes += 1
                if key.kind == "projects":
                    self._only({one.id for one in slot.value}, slot.began)

    def forget(self, touched: Callable[[Key], bool]) -> None:
        """Drop facts and reads under way."""
        now = self._now()
        with self._lock:
            for slots in (self._facts, self._reading):
                for key in [key for key in slots if touched(key)]:
                    del slots[key]
                    self._dropped[key] = now

    def hint(self, scope: Scope, at: datetime) -> None:
        """Something of this scope may have changed until `at`: what was read earlier does not count any more."""
        with self._lock:
            self._hints.append((scope, at))
            for _, moment in self._hints[:-_HINTS]:
                self._all_hinted = max(moment, self._all_hinted or moment)
            self._hints = self._hints[-_HINTS:]
            for slots in (self._facts, self._reading):
                for key, slot in slots.items():
                    if slot.began < at and scope.holds(key):
                        self._hinted[key] = max(at, self._hinted.get(key, at))
            self._trust.hinted(scope)

    def heard(self, feed: Feed) -> tuple[int, bool]:
        """See `feeds.Trust.heard`."""
        with self._lock:
            return self._trust.heard(feed, self._now())

    def counts(self, now: datetime) -> bool:
        """Whether reads may be postponed for the feed."""
        with self._lock:
            return self._trust.counts(now)

    @property
    def distrusted_until(self) -> datetime | None:
        """Until when its feed does not count, since it left out changes; may be over."""
        return self._trust.feed.distrusted_until

    @property
    def changes(self) -> int:
        """Grows with every fact that is read: what was saved at the same number is the same."""
        return self._changes

    def snapshot(self) -> tuple[dict[Key, Slot], dict[str, Any]]:
        """The facts that no hint made old, and what is known of the feed."""
        with self._lock:
            facts = {k: slot for k, slot in self._facts.items() if self._hinted.get(k, slot.began) <= slot.began}
            return facts, self._trust.to_json()

    def learn(self, facts: Mapping[Key, Slot], trust: Any) -> None:
        """Take over what another process read later than this one, or read at all; a hint since outweighs it."""
        with self._lock:
            now = self._now()
            self._trust.learn(trust, now)
            for key, slot in facts.items():
                known = self._facts.get(key)
                if self._outdated(key, slot.began):
                    continue
                if known is None or known.began < slot.began:
                    self._put(key, slot)

    def oldest(self, holds: Callable[[Key], bool], judged: datetime) -> list[datetime] | None:
        """When the reads of these facts began; None where one is not what it was at a moment, or is not known now."""
        with self._lock:
            if any(holds(key) for key in self._dropped):
                return None
            held = [(key, slot) for key, slot in self._facts.items() if holds(key)]
            if any(slot.changed > judged or slot.began < self._hinted.get(key, slot.began) for key, slot in held):
                return None
            return [slot.began for _, slot in held]

    def still(self, key: Key, slot: Slot) -> bool:
        """Whether a slot holds what is known now. One that ended with an error holds nothing."""
        known = self._facts.get(key)
        return known is not None and slot.ready and slot.error is None and (known is slot or known.value == slot.value)

    def began(self, key: Key) -> datetime | None:
        """When the read of a fact began that is known, whatever its age."""
        slot = self._facts.get(key)
        return None if slot is None else slot.began

    def peek(self, key: Key) -> Any:
        """The value of a fact of any age; None where there is none."""
        slot = self._facts.get(key)
        return None if slot is None else slot.value

    def values(self, kind: str, project: str) -> list[Any]:
        """The values of all facts of a kind about a project, of any age."""
        with self._lock:
            return [slot.value for key, slot in self._facts.items() if (key.kind, key.project) == (kind, project)]

    def forget_older(self, than: datetime) -> None:
        """Drop the facts that were read earlier."""
        now = self._now()
        with self._lock:
            self._dropped |= {key: now for key, slot in self._facts.items() if slot.began < than}
            self._facts = {key: slot for key, slot in self._facts.items() if slot.began >= than}
            self._hinted = {key: at for key, at in self._hinted.items() if key in self._facts or key in self._reading}
            self._dropped = {key: at for key, at in self._dropped.items() if at >= than}

    def _announced(self, key: Key, known: Slot) -> bool:
        """Whether a hint said that a fact may be another by now."""
        return self._hinted.get(key, known.began) > known.began

    def _put(self, key: Key, slot: Slot) -> None:
        """Under the lock: the newest that is known of a fact; it keeps the moment since when it has this value."""
        known = self._facts.get(key)
        slot.changed = known.changed if known is not None and known.value == slot.value else self._now()
        self._facts[key] = slot
        self._dropped.pop(key, None)

    def _only(self, projects: Collection[str], at: datetime) -> None:
        """Under the lock: drop facts of projects that a newer list does not have."""
        gone = [k for k, slot in self._facts.items() if k.project and k.project not in projects and slot.began < at]
        for key in gone:
            del self._facts[key]

    def _outdated(self, key: Key, began: datetime) -> bool:
        """Whether a write or a hint came after a fact was read that is not known here."""
        later = [at for at in (self._dropped.get(key), self._all_hinted) if at is not None]
        return any(began < at for at in later) or any(began < at and one.holds(key) for one, at in self._hints)

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

    def __init__(
        self, now: Callable[[], datetime], max_age: timedelta = MAX_AGE, telemetry: Metrics = NO_TELEMETRY
    ) -> None:
        """`max_age`: how old a fact may become; older ones are dropped."""
        self.now = now
        self.max_age = max_age
        self._telemetry = telemetry
        self._lock = Lock()
        self._tidied = now()
        self._organizations: dict[str, OrganizationFacts] = {}
        self._commit: object = None
        self._named: Mapping[str, frozenset[str]] = {}
        self._judged: dict[str, tuple[datetime, Spec]] = {}

    def of(self, organization: str) -> OrganizationFacts:
        """What is known of one organization; of ARM for the empty name."""
        found = self._organizations.get(organization)
        if found is not None:
            return found
        with self._lock:
            return self._organizations.setdefault(organization, OrganizationFacts(organization, self.now))

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
        batch = tuple(specs)
        pools = batch_scope.scope_of(batch)[0]
        with self._lock:
            self._commit, self._named = commit, pools
            for key in self._judged.keys() - {spec.key for spec in batch}:
                del self._judged[key]
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

    def seen(self, spec: Spec, about: Iterable[Scope]) -> datetime | None:
        """When the read of the oldest fact of these scopes began, where a run judged them as they are now.

        None where no run of the pool did, or with another spec, or left work; where one of the facts changed, was
        dropped or hinted at since; or where there is none. A message that was put before this moment is done.
        """
        judged = self._judged.get(spec.key)
        if judged is None or judged[1] != spec:
            return None
        placed = scopes.placed(about, [spec], self.projects)
        names = {"", *(one.name for one in spec.organizations)} | {one.organization for one in placed}
        moments: list[datetime] = []
        for name in sorted(names):
            found = self.of(name).oldest(lambda key: any(scope.holds(key) for scope in placed), judged[0])
            if found is None:
                return None
            moments += found
        return min(moments, default=None)

    def judged(self, spec: Spec, used: Mapping[Key, Slot]) -> None:
        """A run of the pool used these facts and left no work; it counts where they are still what is known."""
        at = self.now()
        same = all(self.of(key.organization).still(key, slot) for key, slot in used.items() if key.kind not in LOCAL)
        with self._lock:
            self._judged.pop(spec.key, None)
            if same:
                self._judged[spec.key] = at, spec

    def hint(self, scope: Scope, at: datetime) -> None:
        """Something of this scope may have changed until `at`. Its facts are read again when they are next needed."""
        for one in scopes.placed((scope,), (), self.projects):
            self.of(one.organization).hint(one, at)

    def heard(self, organization: str, feed: Feed) -> bool:
        """The change feed of an organization was read. True where it left out too much, and is distrusted from now on.

        Call it after the hints of what was read.
        """
        known = self.of(organization)
        gaps, turned = known.heard(feed)
        if gaps:
            self._telemetry.count("reconciler.feed.gaps", gaps, organization=organization)
        distrusted = float(organization in self.distrusted())
        self._telemetry.gauge("reconciler.feed.distrusted", distrusted, organization=organization)
        return turned

    def quiet(self) -> frozenset[str]:
        """Organizations whose feed counts now: their sweeps may postpone reads."""
        now = self.now()
        return frozenset(name for name in self.names() if name and self.of(name).counts(now))

    def distrusted(self) -> dict[str, datetime]:
        """Organizations whose feed left out changes → until when it does not count."""
        now = self.now()
        found = {name: self.of(name).distrusted_until for name in self.names()}
        return {name: until for name, until in found.items() if until is not None and now < until}

    def _tidy(self) -> None:
        now = self.now()
        if timedelta() <= now - self._tidied < _TIDY:
            return
        self._tidied = now
        for name in self.names():
            self.of(name).forget_older(now - self.max_age)

    def view(self, specs: Iterable[Spec], demand: Demand | None) -> View:
        """What a batch of these specs reads through; without a demand it reads everything itself, for others to use."""
        self._tidy()
        if demand is None:
            return View(self, lambda _: None)
        return View(self, demand.placed(specs, self.projects).needed)


class View:
    """The evidence as one message may use it (`reconciler.survey.memo.Shared`)."""

    def __init__(self, evidence: Evidence, needed: Callable[[Key], datetime | None]) -> None:
        """`needed`: when a fact must have been read; None: by this message itself."""
        self._evidence = evidence
        self.needed = needed

    def afresh(self, again: Callable[[Key], bool], before: datetime | None) -> View:
        """One that reads by itself each fact for which `again` holds, or that was read `before`."""

        def needed(key: Key) -> datetime | None:
            least = None if again(key) else self.needed(key)
            return least if least is None or before is None else max(least, before)

        return View(self._evidence, needed)

    def _least(self, key: Key) -> datetime | None:
        """When a fact must have been read. That of a pair is compared with its project's list, and never older."""
        needed = self.needed(key)
        if needed is None or key.kind != "permissions":
            return needed
        listed = self._evidence.of(key.organization).began(Key("authorized", key.organization, key.project))
        return needed if listed is None else max(needed, listed)

    def slot(self, key: Key, began: datetime) -> tuple[Slot, bool] | None:
        """A fact that is fresh enough, or a new slot to fill; None: this kind is not shared."""
        if key.kind in LOCAL:
            return None
        return self._evidence.of(key.organization).slot(key, began, self._least(key))

    def fresh_enough(self, key: Key) -> Slot | None:
        """A fact that is fresh enough."""
        if key.kind in LOCAL:
            return None
        return self._evidence.of(key.organization).fresh(key, self._least(key))

    def settled(self, slots: Mapping[Key, Slot]) -> None:
        """Keep what this message read."""
        for key, slot in slots.items():
            if key.kind not in LOCAL:
                self._evidence.of(key.organization).settled(key, slot)

    def forget(self, touched: Callable[[Key], bool], organizations: Iterable[str]) -> None:
        """Drop what a write touched."""
        for organization in organizations:
            self._evidence.of(organization).forget(touched)

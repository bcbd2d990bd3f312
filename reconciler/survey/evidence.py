"""All facts that a process knows, by organization, each with the moment at which its read began. It outlives messages.

A message reads through a view with a demand: a fact that is fresh enough is used as it is, one that is too old is read
again in place, once for all messages that need it meanwhile. What a write touched is dropped. Errors are no facts:
they belong to the message in which they happened, and what was read before them stays.

Never evidence: modes, approvals and recorded operators (the owner's word counts at once), the state of machines, and
what is computed from other facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

from reconciler.ports.clock import MARGIN
from reconciler.ports.devops import Project
from reconciler.spec.model import Spec
from reconciler.survey import scope as batch_scope
from reconciler.survey import scopes
from reconciler.survey.demand import MAX_AGE, Demand
from reconciler.survey.memo import Key, Slot
from reconciler.survey.organization_facts import OrganizationFacts
from reconciler.survey.rotation import Feed
from reconciler.survey.scopes import Scope, ScopeKind
from reconciler.telemetry import NO_TELEMETRY, Metrics

LOCAL = frozenset({"begun", "groups", "hidden projects", "machines", "recorded operators"})
"""Kinds of facts that no two messages share."""
_TIDY = timedelta(minutes=10)
"""How often facts beyond the maximum age are dropped."""


class Evidence:
    """The facts of a process: one registry for all organizations. Safe to share between threads."""

    def __init__(
        self,
        now: Callable[[], datetime],
        max_age: timedelta = MAX_AGE,
        telemetry: Metrics = NO_TELEMETRY,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """`max_age`: how old a fact may become; older ones are dropped. `monotonic`: the clock's stopwatch."""
        self.now = now
        self._monotonic = monotonic
        self._apart = self._measured()
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

    def _measured(self) -> timedelta:
        """How far clock and stopwatch are apart, from a moment that does not matter."""
        seconds = 0.0 if self._monotonic is None else self._monotonic()
        return self.now() - datetime(2000, 1, 1, tzinfo=UTC) - timedelta(seconds=seconds)

    def _unless_set(self) -> None:
        """Drop everything where the clock was set: what was read before looks younger, or older, than it is."""
        if self._monotonic is None:
            return
        before, self._apart = self._apart, self._measured()
        if abs(self._apart - before) > MARGIN:
            with self._lock:
                self._organizations.clear()
                self._judged.clear()
            self._tidied = self.now()

    def _tidy(self) -> None:
        self._unless_set()
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
        placed = demand.placed(specs, self.projects)
        if demand.rotation is None:
            for scope in placed.scopes:
                if scope.kind not in {ScopeKind.POOL, ScopeKind.ARM}:
                    self.of(scope.organization).announced(scope)
        return View(self, placed.needed, in_turn=demand.rotation is not None)


class View:
    """The evidence as one message may use it (`reconciler.survey.memo.Shared`)."""

    def __init__(self, evidence: Evidence, needed: Callable[[Key], datetime | None], *, in_turn: bool = False) -> None:
        """`needed`: when a fact must have been read; None: by this message itself. `in_turn`: of a full resync."""
        self._evidence = evidence
        self._in_turn = in_turn
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
                self._evidence.of(key.organization).settled(key, slot, in_turn=self._in_turn)

    def forget(self, touched: Callable[[Key], bool], organizations: Iterable[str]) -> None:
        """Drop what a write touched."""
        for organization in organizations:
            self._evidence.of(organization).forget(touched)

"""The record of one run: the intent of each write before it is sent, its result and what a read showed afterwards.

A write whose intent could not be recorded is not sent. Results wait for the next intent of the same chain, or for the
end of the pass, so a write costs one further request and not two; a run that dies between the two leaves an intent
without a result, which says that the write may have been made.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from reconciler.documents import Json, JsonObject, moment
from reconciler.documents.redaction import redacted
from reconciler.engine.naming import pseudonym, without_names
from reconciler.engine.spec_lines import line_of
from reconciler.engine.status import InFlight
from reconciler.errors import ReconcilerError, Refused, Terminal, Transient, Unavailable
from reconciler.plan import target_form
from reconciler.plan.caps import counts_of
from reconciler.plan.model import Change, Detail, Plan, facet_of
from reconciler.ports.clock import Clock
from reconciler.ports.write_log import LONGEST_ENTRY, WriteLog, organization_chain, subscription_chain
from reconciler.spec.model import Spec

FORMAT = 1
"""Of entries; a reader of another release leaves what it does not know as it is."""
LONGEST_VALUE = 4_000
"""Characters of one value in an entry; a longer one is stored as its hash."""
LONGEST_BODY = LONGEST_ENTRY - 4_096
"""Characters of an entry before its links; of a longer one only the hash of the details is stored."""
LONGEST_ERROR = 1_000
RUN_MOMENT = "%Y%m%dT%H%M%SZ"
"""How the id of a run begins (UTC)."""


Blame: TypeAlias = Callable[[Change], JsonObject | None]
"""Who made the drift that a change corrects, as an entry has it (`reconciler.engine.attribution`); None: no drift."""


def no_one(change: Change) -> JsonObject | None:  # noqa: ARG001 - a `Blame`
    """No drift is attributed."""
    return None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is the same in every entry of a run."""

    spec: Spec
    revision: str
    plan_hash: str
    policy: str
    """Digest of the policy."""
    started: datetime
    trigger: str
    """What caused the run: a trigger of the service (``event``, ``audit``, ``git``, ``http``, ``sweep``,
    ``follow-up``), or ``command`` or ``onboard``."""
    cause: str = ""
    """`SyncCause` of the plan: drift, pending, both, or unknown."""
    trace: str = ""
    names: bool = True
    """Whether entries may name people."""

    @property
    def run(self) -> str:
        """Id of the run: one pool has one run at a time. It begins with the moment, so that its entries are found."""
        digest = hashlib.sha256(f"{self.spec.key} {moment(self.started)}".encode()).hexdigest()
        return f"{self.started.astimezone(UTC):{RUN_MOMENT}}-{digest[:12]}"

    def to_json(self) -> dict[str, Json]:
        """The fields of an intent that say where it comes from."""
        return {
            "run": self.run,
            "pool": self.spec.name,
            "trigger": self.trigger,
            "cause": self.cause,
            "commit": self.revision,
            "file": self.spec.path,
            "spec": self.spec.blob,
            "plan": self.plan_hash,
            "policy": self.policy,
            "trace": self.trace,
        }


class Recorder:
    """Writes the entries of one run."""

    def __init__(self, log: WriteLog, facts: RunFacts, clock: Clock, blame: Blame = no_one) -> None:
        """`blame`: who made the drift that a change corrects."""
        self._log = log
        self._blame = blame
        self._facts = facts
        self._clock = clock
        self._number = 0
        self._intents: dict[str, tuple[str, str]] = {}
        """Id of a change → chain and id of its intent."""
        self._changes: dict[str, Change] = {}
        self._blamed: set[str] = set()
        self.actors: dict[str, JsonObject | None] = {}
        """Id of a change that was recorded → who made the drift that it corrects."""
        self._open: str | None = None
        """The change whose write went out and has no result yet."""
        self._waiting: dict[str, list[JsonObject]] = defaultdict(list)
        """By chain, entries that are to be written with the next one."""
        self._failed: dict[str, ReconcilerError] = {}
        """By chain, why it cannot be written in this run: one cause is one error, and no further tries."""

    def intend(self, change: Change) -> None:
        """Record that this change is about to be written. An error where it cannot be: the write must not go out."""
        chain = chain_of(self._facts.spec, change)
        if (known := self._failed.get(chain)) is not None:
            raise known
        self._number += 1
        name = f"{self._facts.run}.{self._number}"
        try:
            self._append(chain, [*self._waiting[chain], self._intent(name, change)])
        except ReconcilerError as error:
            self._failed[chain] = _not_recorded(error)
            raise self._failed[chain] from error
        self._waiting[chain].clear()
        self._intents[change.id] = (chain, name)
        self._changes[change.id] = change
        self._open = change.id

    def entry(self, change: Change) -> str:
        """Id of the intent of a change; empty where it has none."""
        return self._intents.get(change.id, ("", ""))[1]

    def blamed(self, change: Change) -> bool:
        """Whether the maker of the drift that a change corrected is named."""
        return change.id in self._blamed

    def reference(self, change: Change) -> str:
        """Where the intent of a change is: stored with a long operation, whose result comes in a later run."""
        chain, name = self._intents[change.id]
        return f"{chain}#{name}"

    def result(self, change: Change, error: ReconcilerError | None = None, *, pending: bool = False) -> None:
        """Note what the service said. A transient error leaves open whether the change was made."""
        self._open = None
        outcome = "pending" if pending else "confirmed"
        if error is not None:
            outcome = "rejected" if isinstance(error, Terminal) else "unknown"
        self._note(change.id, "result", outcome, error)

    def withdrawn(self, change: Change, error: ReconcilerError) -> None:
        """Note that a change was not sent, although its intent is on record: it counts for no cap."""
        self._open = None
        self._note(change.id, "result", "rejected", error)

    def proof(self, changes: Iterable[Change], seen: Iterable[Change]) -> None:
        """Note which of these changes a new read showed."""
        shown = {change.id for change in seen}
        for change in changes:
            self._note(change.id, "proof", "verified" if change.id in shown else "not-seen")

    def operation_over(self, operation: InFlight, error: ReconcilerError | None, plan: Plan) -> None:
        """Note how a long operation of an earlier run ended, and whether its change is still planned."""
        chain, mark, name = operation.record.partition("#")
        if not mark:
            return  # begun by a release without a record
        change_id = operation.change
        self._intents[change_id] = (chain, name)
        self._note(change_id, "result", "failed" if error else "over", error)
        left = {change.id for change in plan.changes} | {refusal.change.id for refusal in plan.refusals}
        facet = facet_of(change_id)
        if error is None and not any(gap.facet == facet for gap in plan.gaps):
            self._note(change_id, "proof", "not-seen" if change_id in left else "verified")

    def flush(self) -> ReconcilerError | None:
        """Write what waits; the error where that is not possible. Called at the end of each pass, whatever happened."""
        if self._open is not None:
            change_id, self._open = self._open, None
            self._note(change_id, "result", "unknown", Unavailable("the run was interrupted during the write"))
        found: ReconcilerError | None = None
        for chain in sorted(name for name, entries in self._waiting.items() if entries):
            if (known := self._failed.get(chain)) is not None:
                found = found or known
                continue
            try:
                self._append(chain, self._waiting[chain])
            except ReconcilerError as error:
                self._failed[chain] = found = _not_recorded(error)
            else:
                self._waiting[chain].clear()
        return found

    def _append(self, chain: str, bodies: list[JsonObject]) -> None:
        self._log.append(chain, bodies)

    def _note(self, change_id: str, kind: str, outcome: str, error: ReconcilerError | None = None) -> None:
        chain, name = self._intents[change_id]
        body: dict[str, Json] = {
            "v": FORMAT, "kind": kind, "at": moment(self._clock.now()), "of": name, "run": self._facts.run,
            "pool": self._facts.spec.name, "change": change_id, "outcome": outcome,
        }  # fmt: skip
        if error is not None:
            body["error"] = {"reason": error.reason, "message": str(error)[:LONGEST_ERROR]}
        self._waiting[chain].append(self._named(self._changes.get(change_id), body))

    def _actor(self, change: Change) -> JsonObject | None:
        actor = self._blame(change)
        if actor is None:
            return None
        if actor.get("id") or actor.get("name"):
            self._blamed.add(change.id)
        if self._facts.names or "name" not in actor:
            return actor
        kept = {name: value for name, value in actor.items() if name != "name"}
        return {"id": pseudonym(str(actor["name"])), **kept}

    def _named(self, change: Change | None, body: dict[str, Json]) -> dict[str, Json]:
        """An entry with the names of people, or with what stands for them."""
        if self._facts.names:
            return body
        return {name: without_names(change, value) for name, value in body.items()}

    def _intent(self, name: str, change: Change) -> JsonObject:
        body: dict[str, Json] = {
            "v": FORMAT,
            "kind": "intent",
            "id": name,
            "at": moment(self._clock.now()),
            **self._facts.to_json(),
            "line": line_of(self._facts.spec, change),
            "actor": self.actors.setdefault(change.id, self._actor(change)),
            **described(change),
        }
        body = self._named(change, body)
        if len(json.dumps(body)) > LONGEST_BODY:
            body["details"] = _digest(body["details"])
        return body


def chain_of(spec: Spec, change: Change) -> str:
    """The chain in which a change of a pool is recorded."""
    place = change.place
    return subscription_chain(spec.subscription) if place is None else organization_chain(place.organization)


def described(change: Change) -> dict[str, Json]:
    """A change as an entry says it: place, subject, before, after and risks; of an ARM body the lines that change."""
    place = {name: value for name, value in target_form.to_json(change.target).items() if name != "body"}
    fields: dict[str, Json] = {
        "change": change.id,
        "facet": change.facet,
        "what": change.kind,
        "subject": change.subject,
        "action": change.action.value,
        "route": change.route.value,
        "place": {name: _bounded(value) for name, value in place.items()},
        "before": _bounded(change.before),
        "after": _bounded(change.after),
        "details": [_line(detail) for detail in change.details],
        "risk": change.risk.value,
        "counts": {kind.value: count for kind, count in sorted(counts_of(change).items()) if count},
        "risks": sorted(risk.value for risk in change.risks),
    }
    return {name: redacted(value) for name, value in fields.items()}


def _line(detail: Detail) -> dict[str, Json]:
    return {
        "path": detail.path,
        "before": _bounded(detail.before),
        "after": _bounded(detail.after),
        "risk": detail.risk.value,
    }


def _bounded(value: Json) -> Json:
    return value if len(json.dumps(value, default=str)) <= LONGEST_VALUE else _digest(value)


def _digest(value: Json) -> dict[str, Json]:
    text = json.dumps(value, sort_keys=True, default=str)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text)}


def _not_recorded(error: ReconcilerError) -> ReconcilerError:
    """Why nothing is written. A lease or a rejected write is something else: neither is taken for one of the pool's."""
    message = f"nothing is written without its entry in the record of writes: {error}"
    if isinstance(error, Transient):
        return Unavailable(message, retry_after=error.retry_after)
    return Refused(message)

"""Two owners of one field: what another changes back again and again is corrected no more until they agree.

After corrections of `MOST` changes of the same field in 24 hours, each by the same principal, the field is quarantined:
plans refuse its change by the rule ``fight`` and name both owners. A change of the spec's file ends that; so does an
approval of the plan, after which counting begins again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property

from reconciler.documents import Json, JsonObject, moment, moment_of, text_of
from reconciler.engine.recorder import chain_of
from reconciler.engine.sightings import StateReads
from reconciler.engine.spec_lines import line_of
from reconciler.engine.written_fields import fields_of, fields_of_entry
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.plan.model import Change
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.ports.write_log import WriteLog
from reconciler.spec.model import Spec

MOST = 3
"""Corrections of one field by one other owner within `PERIOD`, after which the next is refused."""
PERIOD = timedelta(hours=24)


class Quarantine:
    """The fields of one pool that are corrected no more."""

    def __init__(self, state: StateReads, spec: Spec) -> None:
        self._state = state
        self._spec = spec

    def held(self, change: Change) -> str:
        """Why a change is not made: both owners; empty where no one fights over it."""
        for name in fields_of(change):
            found = self._known.get(name)
            if isinstance(found, Mapping) and found.get("spec") == self._spec.blob and not found.get("released"):
                often = f"{found.get('actor')} changed it {found.get('times')} times in 24 hours"
                owner = f"{self._spec.path}:{line_of(self._spec, change)}"
                return (
                    f"{change.kind} {change.subject}: {often}, and {owner} says otherwise; it is corrected no more: "
                    "agree who owns it, then change that file or approve this plan"
                )
        return ""

    @cached_property
    def _document(self) -> str:
        return f"fights/{self._spec.key}"

    @cached_property
    def _known(self) -> dict[str, dict[str, Json]]:
        with suppress(ReconcilerError):
            document = self._state.load(self._document)
            fields = document.body.get("fields") if document is not None and isinstance(document.body, dict) else None
            if isinstance(fields, dict):
                return {name: one for name, one in fields.items() if isinstance(one, dict)}
        return {}


class Fights(Quarantine):
    """The same, with what a run adds."""

    def __init__(self, state: StateStore, log: WriteLog, spec: Spec, clock: Clock) -> None:
        super().__init__(state, spec)
        self._store = state
        self._log = log
        self._clock = clock

    def note(self, written: Iterable[Change]) -> list[str]:
        """Quarantine what these writes corrected too often, release what an approval allowed; returns the new texts."""
        changes, before = list(written), dict(self._known)
        now, kept = moment(self._clock.now()), dict(self._known)
        for change in changes:
            for name in fields_of(change):
                if self._in_quarantine(name):
                    kept[name] = {**kept[name], "released": now}
                elif (fight := self._fight(change, name)) is not None:
                    kept[name] = fight
        if kept == before:
            return []
        self._save({name: one for name, one in kept.items() if one.get("spec") == self._spec.blob})
        new = [one for one in changes if any(kept.get(name) != before.get(name) for name in fields_of(one))]
        return [text for text in map(self.held, new) if text]

    def _in_quarantine(self, name: str) -> bool:
        found = self._known.get(name)
        return found is not None and found.get("spec") == self._spec.blob and not found.get("released")

    def _fight(self, change: Change, name: str) -> dict[str, Json] | None:
        """What the record shows of a field, where it was corrected too often."""
        after = moment_of(self._known.get(name, {}).get("released"))
        mine = [
            one for one in self._entries(change) if name in fields_of_entry(one) and _of_drift(one, self._spec.blob)
        ]
        mine = [one for one in mine if after is None or (moment_of(one.get("at")) or after) > after]
        if not mine or not (who := _who(mine[-1])):
            return None
        times = len({_which(one) for one in mine if _who(one) == who})
        if times < MOST:
            return None
        actor = mine[-1]["actor"]
        return {"spec": self._spec.blob, "actor": actor.get("name") or actor.get("id"), "times": times}

    def _entries(self, change: Change) -> list[JsonObject]:
        with suppress(ReconcilerError):
            entries = self._log.since(chain_of(self._spec, change), self._clock.now() - PERIOD)
            rejected = {text_of(one, "of") for one in entries if one.get("outcome") == "rejected"}
            return [one for one in entries if one.get("kind") == "intent" and text_of(one, "id") not in rejected]
        return []

    def _save(self, fields: dict[str, dict[str, Json]]) -> None:
        """The run holds the pool's lease, so no one else writes it; what is lost is found by the next correction."""
        with suppress(LeaseHeld):
            document = self._store.load(self._document)
            self._store.save(self._document, {"fields": fields}, None if document is None else document.etag)
        self._known.clear()
        self._known.update(fields)


def _of_drift(entry: JsonObject, blob: str) -> bool:
    return entry.get("cause") == "drift" and entry.get("spec") == blob


def _which(entry: JsonObject) -> str:
    """The change that was corrected, by its moment: a correction that is tried again takes back the same one."""
    actor = entry.get("actor")
    return (text_of(actor, "at") if isinstance(actor, Mapping) else "") or text_of(entry, "id")


def _who(entry: JsonObject) -> str:
    """The actor of the drift; empty where no one is named."""
    actor = entry.get("actor")
    return (text_of(actor, "id") or text_of(actor, "name")) if isinstance(actor, Mapping) else ""

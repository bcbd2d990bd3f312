"""Which deployment a store belongs to, by the document `owner`, which its first use writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from reconciler.documents import Json, text_of
from reconciler.documents.kinds import OWNER, kind_of, marked, read
from reconciler.errors import Forbidden, LeaseHeld, ReconcilerError, Refused, Rejected, Terminal
from reconciler.ports.stores import StateStore


class Owner:
    """The deployment, and whether the store is its own. Safe to share between threads."""

    def __init__(self, state: Callable[[], StateStore], place: str, given: str, default: str) -> None:
        """`place`: the store, for messages; `given`: what was set; `default`: the name of a store without an owner."""
        self._state = state
        self._place = place
        self._given = given
        self._default = default
        self._lock = threading.Lock()
        self._known = ""
        self._etag: str | None = None

    @property
    def name(self) -> str:
        """This deployment: as it is set, else as the store says, else the default."""
        if self._given:
            return self._given
        try:
            return self._stored() or self._default
        except Terminal:  # `check` reports it
            return self._default

    def refusal(self) -> Terminal | None:
        """Why this deployment may not use the store; None: it may. Errors of the store leave it."""
        try:
            self.check()
        except Terminal as error:
            return error
        return None

    def check(self) -> None:
        """Before a read: `Refused` where the store is another deployment's, `Rejected` where that cannot be read."""
        stored = self._stored()
        if not self.adopts(stored):
            raise self.foreign(self._place, stored)

    def adopts(self, mark: str) -> bool:
        """Whether what has this mark is this deployment's: its own, and what was stored before there was a name."""
        return mark in ("", self.name, self._default)

    def claim(self) -> None:
        """Before a write: as `check`, and a store without an owner, or with none but the default, becomes its own.

        An identity that may not read the document, as a person with rights on the safety facts alone, goes on: each
        document has the mark too.
        """
        try:
            self.check()
        except Forbidden:
            return
        with self._lock:
            known, etag = self._known, self._etag
        if known == self.name:
            return
        try:
            self._state().save(OWNER, marked(kind_of(OWNER), {"deployment": self.name}, self.name), etag)
        except (LeaseHeld, Forbidden):  # another process was faster; or an ingress, which may not write this document
            self._forget()
            self.check()
        else:
            self._forget()

    def foreign(self, what: str, other: str) -> Refused:
        """The error about something of another deployment."""
        return Refused(
            f"{what}: belongs to the deployment {other}, and this one is {self._given or self._default}; give each "
            "deployment a container of its own (RECONCILER_CONTAINER) or a state file, or one name to apps of one "
            "deployment (RECONCILER_DEPLOYMENT)"
        )

    def _stored(self) -> str:
        """The owner on record, read once in a process; empty where there is none yet."""
        with self._lock:
            if not self._known:
                document = self._state().load(OWNER)
                self._known = "" if document is None else self._of(document.body)
                self._etag = None if document is None else document.etag
            return self._known

    def _forget(self) -> None:
        with self._lock:
            self._known, self._etag = "", None

    def _of(self, body: Json) -> str:
        found = read(kind_of(OWNER), body)
        if found.problem or not (name := text_of(found.body, "deployment")):
            content = json.dumps(marked(kind_of(OWNER), {"deployment": self._given or self._default}, ""))
            raise Rejected(
                f"{self._place}: the document {OWNER}, which names the deployment, is damaged; where the store is this "
                f"deployment's own, write it again as {content}"
            )
        return name


def unless_unread(owner: Owner) -> None:
    """As `Owner.check`, but where it cannot be read whose the store is, reading goes on."""
    try:
        owner.check()
    except Refused:
        raise
    except ReconcilerError:
        return

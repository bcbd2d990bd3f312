"""Sends what waits: forms messages, sends those that are due, and stores what came of each.

One worker at a time does this, under a lease; a message is stored before it is sent, so that one whose result was lost
goes out again with the same id. A receiver that is down delays its own messages alone, and no run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.config.notify import NotifyTarget, Receiver
from reconciler.documents import Json
from reconciler.engine.notice_state import Notice, NoticeLine
from reconciler.errors import LeaseHeld, NotFound, ReconcilerError
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.notices import Delivery, NoticeKind, NoticeSender, OutgoingMessage
from reconciler.ports.stores import Leases, MessageQueue, StateStore, StoredDocument
from reconciler.service.notify import cloudevents, slack, teams
from reconciler.service.notify.letters import ATTEMPTS, DOCUMENT, MOST, Letter, Letters, fitting, grouped
from reconciler.service.notify.waiting import DOCUMENT as WAITING
from reconciler.service.notify.waiting import FLUSH, TRIES, WaitingNotices
from reconciler.telemetry import Telemetry

LEASE = 60.0
SENDING = 35.0
"""Seconds after which a message of the queue begins to send no further one: its lease still holds at the end."""
AGAIN = 60.0
"""Seconds until a flush is tried again that the store did not let happen."""
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Receivers:
    """Where messages go."""

    targets: Sequence[NotifyTarget]
    sender: NoticeSender
    page: str = ""
    deployment: str = ""

    def send(self, letter: Letter, now: datetime) -> Delivery:
        """Send one message once."""
        target = next((one for one in self.targets if one.name == letter.target), None)
        if target is None:
            return Delivery(accepted=False, why=f"{letter.target} is not set any more", passing=False)
        headers, content = {"content-type": JSON}, b""
        match target.receiver:
            case Receiver.TEAMS:
                content = teams.body(letter, self.page)
            case Receiver.SLACK:
                content = slack.body(letter, self.page)
            case Receiver.WEBHOOK:
                content = cloudevents.body(letter, self.page, self.deployment)
                signed = cloudevents.signed(letter.id, content, target.keys, now)
                headers = {"content-type": cloudevents.CONTENT_TYPE, **signed}
        try:
            return self.sender.send(OutgoingMessage(target.url.reveal(), content, headers))
        except ReconcilerError as error:
            return Delivery(accepted=False, why=str(error))


@dataclass(frozen=True, slots=True)
class Flush:
    """One flush after the other; keeps nothing between them."""

    state: StateStore
    leases: Leases
    queue: MessageQueue
    clock: Clock
    telemetry: Telemetry
    receivers: Receivers
    say: Callable[..., None]
    """Logs what came of a message: its result, then fields."""

    def run(self) -> None:
        """Send what is due. Errors of the store and of receivers are counted, and tried again later."""
        try:
            lease = self.leases.acquire(DOCUMENT, LEASE)
        except LeaseHeld as error:
            self.queue.put(FLUSH, delay=error.retry_after or AGAIN)  # the holder may have read before the last notice
            return
        except ReconcilerError as error:
            self._later(error)
            return
        try:
            self._held()
        except ReconcilerError as error:
            self._later(error)
        finally:
            with suppress(ReconcilerError):
                lease.release()

    def _later(self, error: ReconcilerError) -> None:
        self.telemetry.count("reconciler.notices.failed", reason=error.reason)
        self.say("failed", reason=error.reason, message=str(error))
        self.queue.put(FLUSH, delay=AGAIN)

    def _held(self) -> None:
        now, box = self.clock.now(), _Box(self.state, self.state.load(DOCUMENT))
        letters = self._formed(box, now)
        until, waits, tried = self.clock.monotonic() + SENDING, letters.waits(now), list[Letter]()
        for letter in letters.open:
            if letter.target in waits:
                tried.append(replace(letter, due=waits[letter.target]))
            elif not letter.is_due(now) or self.clock.monotonic() >= until:
                tried.append(letter)
            elif (failed := self._sent(letter, now)) is not None:
                tried.append(failed)
                if failed.attempts < ATTEMPTS and failed.due is not None:
                    waits[letter.target] = failed.due
        dead = [one for one in tried if one.attempts >= ATTEMPTS]
        left = replace(letters, open=tuple(one for one in tried if one not in dead))
        box.save(self._going_on(self._buried(left, dead, now), now))

    def _buried(self, letters: Letters, dead: Sequence[Letter], now: datetime) -> Letters:
        for one in dead:
            self.telemetry.count("reconciler.notices.dead", receiver=one.target)
            self.say("dead", target=one.target, kind=one.kind.value, pools=one.pools, message=one.why, letter=one.id)
        return letters.with_dead(dead, now)

    def _going_on(self, letters: Letters, now: datetime) -> Letters:
        """Put the message that goes on with what is left, unless one is queued that is due by then."""
        if not letters.open:
            return replace(letters, flush=None)
        due = min(one.due if one.due and not one.is_due(now) else now for one in letters.open)
        due = max(due, now + timedelta(seconds=1))
        if letters.flush is not None and now + MARGIN < letters.flush <= due + MARGIN:
            return letters
        self.queue.put(FLUSH, delay=(due - now).total_seconds())
        return replace(letters, flush=due)

    def _formed(self, box: _Box, now: datetime) -> Letters:
        """The messages, with those of what waits: stored before it is taken from there, and both before a send."""
        letters = box.letters
        for _ in range(TRIES):
            document = self.state.load(WAITING)
            waiting = WaitingNotices.from_json(document.body if document is not None else None)
            if document is None or not waiting.notices:
                return letters
            known = {name for letter in (*letters.open, *letters.dead) for name in letter.ids}
            new = [one for one in waiting.notices if one.id not in known]
            formed = grouped(new, self.receivers.targets, now)
            letters = replace(letters, open=(*letters.open, *formed))
            most = fitting(letters.open, MOST)
            over = [replace(one, why="too many messages wait") for one in letters.open[most:]]
            letters = self._buried(replace(letters, open=letters.open[:most]), over, now)
            box.save(letters)
            with suppress(LeaseHeld):  # a worker added one meanwhile
                self.state.save(WAITING, waiting.without(waiting.notices, now).to_json(), document.etag)
                return letters
        raise LeaseHeld(
            "notices: other workers add to what waits; it is sent later"
        )  # sent now, it would be sent twice

    def _sent(self, letter: Letter, now: datetime) -> Letter | None:
        """None where it was accepted; else as it is to be tried again, or a dead letter."""
        delivery = self.receivers.send(letter, now)
        target, kind = letter.target, letter.kind.value
        if delivery.accepted:
            self.telemetry.count("reconciler.notices.sent", receiver=target, notice=kind)
            self.say("sent", target=target, kind=kind, pools=letter.pools, letter=letter.id)
            return None
        self.telemetry.count("reconciler.notices.unsent", receiver=target)
        self.say(
            "unsent", target=target, kind=kind, message=delivery.why, attempts=letter.attempts + 1, letter=letter.id
        )
        failed = letter.failed(delivery, self.clock.now())
        return failed if delivery.passing else replace(failed, attempts=ATTEMPTS)


class _Box:
    """The document of the messages, saved under its tag."""

    def __init__(self, state: StateStore, document: StoredDocument | None) -> None:
        self._state = state
        self._etag = None if document is None else document.etag
        self.letters = Letters.from_json(None if document is None else document.body)
        self._stored: Json = self.letters.to_json() if document is not None else Letters().to_json()

    def save(self, letters: Letters) -> None:
        """Where it changed."""
        body = letters.to_json()
        if body != self._stored:
            self._etag = self._state.save(DOCUMENT, body, self._etag)
            self._stored = body


def trial(target: NotifyTarget, now: datetime) -> Letter:
    """A message that tests a receiver; its filter does not count."""
    line = NoticeLine("this is a test", "sent by a person", "received")
    notice = Notice(
        "test", NoticeKind.RECOVERED, now, "test", "", "Test", "a test of notify, nothing happened", (line,)
    )
    name = f"test-{target.name}-{int(now.timestamp())}"
    return Letter(name, target.name, NoticeKind.RECOVERED, "", "Test", (notice,), (), now)


def resend(state: StateStore, leases: Leases, queue: MessageQueue, ids: Sequence[str]) -> int:
    """Put dead letters, or all of them, on their way again; how many. `NotFound` for ids that none has."""
    lease = leases.acquire(DOCUMENT, LEASE)
    try:
        document = state.load(DOCUMENT)
        letters = Letters.from_json(None if document is None else document.body)
        if unknown := sorted(set(ids) - {one.id for one in letters.dead}):
            raise NotFound(f"notify: no dead letter has the id {unknown[0][:60]!r}; `notify list` shows them")
        again = letters.resent(ids)
        count = len(letters.dead) - len(again.dead)
        if document is not None and count:
            queue.put(FLUSH, delay=1.0)
            state.save(DOCUMENT, again.to_json(), document.etag)
        return count
    finally:
        lease.release()


def is_flush(text: str) -> bool:
    """Whether a work message is the one that sends notices."""
    if text == FLUSH:
        return True
    try:
        body = json.loads(text) if len(text) < 200 and "notify" in text else None  # noqa: PLR2004 - no such text is longer
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("notify") == "flush"

"""What people read about a pool: notices from its status before and after, and from what its run saw and wrote.

One pure function, `noticed`. It is level-triggered: a status keeps what people were told (`NoticeState.told`), so that
the same state is told once, whichever process finds it and however often. A notice is due

================== =================================================================================================
kind               where
================== =================================================================================================
`drift`            the world changed, and nothing is under way that changes it back
`refused`          guards or the policy refuse changes, and an approval would not help
`approval-wanted`  a cap holds changes back, or mode ``approved`` waits for an approval of the spec
`stalled`          any other reason for which an administrator has to act
`fight`            a field is corrected no more; the refusals that follow are silent while the spec's file is as it is
`window-opened`    of a pool that waited for its window, what waited is written
`repaired`         a pool is in sync again by the operator's own corrections of drift
`recovered`        a pool is in sync again after `refused`, `stalled` or `drift`
================== =================================================================================================

and where a standing one changes its content. A rollout of a changed spec, a pause, a retry and a first run are silent.
A run leaves one notice at most; a pool that has had `MOST` within an hour waits until that hour is over.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.documents import Json, JsonObject, moment, text_of
from reconciler.engine.naming import without_names
from reconciler.engine.notice_state import LINES, Notice, NoticeLine, NoticeState
from reconciler.engine.status import OUTSIDE_WINDOW, Condition, ConditionKind, Finding, PoolStatus, Truth
from reconciler.plan.model import FIGHT, Change, Refusal
from reconciler.plan.sync import SyncCause
from reconciler.ports.notices import NoticeKind

SILENT = frozenset({"Suspended", "NotInSpecs"})
"""Reasons of `Ready` that tell nothing and end nothing: people chose them."""
MOST = 4
"""Notices of one pool within an hour; the last of them says that further ones wait."""
LONGEST = 300
"""Characters of a value in a line."""
LONGEST_TEXT = 600
_NUMBER = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b|\d+", re.IGNORECASE)
"""Times, counts, and ids of single requests: the same trouble has others with each try."""
_UNDER_WAY = "Progressing"


def no_one(change: Change) -> JsonObject | None:  # noqa: ARG001 - as `reconciler.engine.recorder.Blame`
    """No drift is attributed."""
    return None


@dataclass(frozen=True, slots=True)
class RunFindings:
    """What a run saw and wrote, as far as people read about it."""

    organization: str = ""
    blob: str = ""
    """Git's id of the spec file's content."""
    left: Sequence[Change] = ()
    """Planned, and not made."""
    refusals: Sequence[Refusal] = ()
    written: Sequence[Change] = ()
    in_window: bool = False
    """Whether something was written that a window of the policy had to be open for."""
    drift: bool = False
    """Whether what was written corrected drift."""
    unapproved: bool = False
    """Whether the spec waits for an approval."""
    fights: Sequence[str] = ()
    """Fields that are corrected no more since this run: both owners."""
    blame: Callable[[Change], JsonObject | None] = field(default=no_one, compare=False)
    named: bool = False
    """Whether people are named."""
    run: str = ""
    cut_off: Sequence[NoticeLine] | None = None
    """Corrections that an earlier run had begun when it was cut off; None: nothing is known of them, as of a run that
    did not plan."""


NOTHING_SEEN = RunFindings()


def noticed(before: Sequence[Condition], after: PoolStatus, seen: RunFindings, now: datetime) -> NoticeState:
    """The notices of a status that is stored now; `before`: its conditions as the last run left them."""
    ready = after.condition(ConditionKind.READY)
    state = after.notices
    if seen.cut_off is not None and ready is not None:
        state = _continued(state, ready, seen, seen.cut_off)
    if seen.drift and seen.written:
        state = replace(state, done=_merged(state.done, [_line(one, seen) for one in seen.written]))
    if ready is None or (ready.reason in SILENT and not _is_stalled(after)):
        return state
    found = _found(before, after, ready, state, seen)
    if found is None:
        return _over(state) if _good(ready) else state
    if state.lately(now) >= MOST:  # told once it is quiet: `told` stays behind what is so
        told = {kind: digest for kind, digest in state.told.items() if kind != found.kind.value}
        return replace(state, told=told) if found.kind is NoticeKind.FIGHT else state
    notice = _notice(found, after, state, seen, now)
    kept = _over(state) if _good(ready) else state
    if not _good(ready) or found.kind is NoticeKind.FIGHT:
        kept = replace(kept, told={**kept.told, found.kind.value: found.digest})
    return kept.with_notice(replace(notice, damped=state.lately(now) == MOST - 1), now)


def beginning(state: NoticeState, changes: Iterable[Change], *, named: bool) -> NoticeState:
    """Before a run corrects drift: what it is about to correct, in case it is cut off before it can say so."""
    return replace(state, begun=_merged(state.begun, [_line(one, RunFindings(named=named)) for one in changes]))


def _continued(state: NoticeState, ready: Condition, seen: RunFindings, begun: Sequence[NoticeLine]) -> NoticeState:
    """What a run was about to correct when it was cut off is made where the pool is in sync; what is left is not."""
    if _good(ready):
        return replace(state, begun=(), done=_merged(state.done, begun))
    left = {_line(one, replace(seen, blame=no_one)).what for one in seen.left}
    return replace(state, begun=tuple(line for line in begun if line.what not in left))


def with_finding(known: PoolStatus, finding: Finding, now: datetime) -> PoolStatus:
    """A status with conditions that no run found, and their notice."""
    status = known.found(finding, now)
    return replace(status, notices=noticed(known.conditions, status, NOTHING_SEEN, now))


@dataclass(frozen=True, slots=True)
class _Found:
    kind: NoticeKind
    digest: str
    text: str
    cause: str
    changes: Sequence[Change] = ()
    """Shown as lines; none: what was done is."""


def _found(
    before: Sequence[Condition], after: PoolStatus, ready: Condition, state: NoticeState, seen: RunFindings
) -> _Found | None:
    """What people do not know yet."""
    told, digest = state.told, _digest([seen.blob])
    if seen.fights:  # each run has its own: another field, or one that was released and is fought over again
        return _Found(NoticeKind.FIGHT, digest, _said("; ".join(seen.fights), seen), "Fight")
    if _good(ready):
        return _ended(before, ready, state, seen)
    standing = _standing(after, ready, seen)
    if standing is not None and told.get(standing.kind) != standing.digest:
        return standing
    if _waited(before) and ready.reason != OUTSIDE_WINDOW and seen.in_window:
        return _Found(NoticeKind.WINDOW, "", "the window is open: changes are being applied", OUTSIDE_WINDOW)
    return None


def _standing(after: PoolStatus, ready: Condition, seen: RunFindings) -> _Found | None:
    """What is so until a person changes it; None while the operator is at it."""
    stalled, moving = after.condition(ConditionKind.STALLED), after.condition(ConditionKind.RECONCILING)
    if stalled is not None and _is_stalled(after):
        if stalled.reason == "Refused" and seen.refusals:
            return _refused(stalled, seen)
        text = stalled.message or ready.message
        kind = NoticeKind.REFUSED if stalled.reason == "Refused" else NoticeKind.STALLED
        return _Found(kind, _digest([stalled.reason, _NUMBER.sub("", text)]), _said(text, seen), stalled.reason)
    if seen.unapproved and seen.left:
        ids = [seen.blob, *_ids(seen.left)]
        return _Found(NoticeKind.APPROVAL, _digest(ids), _said(ready.message, seen), ready.reason, seen.left)
    under_way = moving is not None and moving.status is Truth.TRUE and moving.reason == _UNDER_WAY
    if after.cause is SyncCause.DRIFT and seen.left and not under_way:
        digest = _digest(_ids(seen.left))
        return _Found(NoticeKind.DRIFT, digest, _said(ready.message, seen), ready.reason, seen.left)
    return None


def _refused(stalled: Condition, seen: RunFindings) -> _Found:
    changes = [one.change for one in seen.refusals]
    ids, text = _digest(_ids(changes)), _said(stalled.message, seen)
    if all(one.rule == FIGHT for one in seen.refusals):
        return _Found(NoticeKind.FIGHT, _digest([seen.blob]), text, "Fight", changes)
    if all(one.approvable for one in seen.refusals):
        return _Found(NoticeKind.APPROVAL, ids, text, stalled.reason, changes)
    return _Found(NoticeKind.REFUSED, ids, text, stalled.reason, changes)


def _ended(before: Sequence[Condition], ready: Condition, state: NoticeState, seen: RunFindings) -> _Found | None:
    """What is over, for a pool that is in sync."""
    told = set(state.told)
    if told & {NoticeKind.REFUSED.value, NoticeKind.STALLED.value}:
        return _Found(NoticeKind.RECOVERED, "", "in sync again", ready.reason)
    if _waited(before) and seen.in_window:
        text = "the window opened: the changes that waited are applied, and the pool is in sync"
        return _Found(NoticeKind.WINDOW, "", text, OUTSIDE_WINDOW, seen.written)
    if state.done or (seen.drift and seen.written):
        return _Found(NoticeKind.REPAIRED, "", "drift was corrected, and read back", ready.reason)
    if NoticeKind.DRIFT.value in told:
        return _Found(NoticeKind.RECOVERED, "", "in sync again, without a write of the operator", ready.reason)
    return None


def _notice(found: _Found, after: PoolStatus, state: NoticeState, seen: RunFindings, now: datetime) -> Notice:
    lines = tuple(_line(one, seen) for one in found.changes[:LINES]) or state.done[:LINES]
    count = len(found.changes) or len(state.done)
    name = _digest([after.key, found.kind.value, found.digest, moment(now)])
    return Notice(
        name, found.kind, now, after.key, seen.organization, found.cause, found.text, lines,
        max(0, count - len(lines)), after.attempted, seen.run,
    )  # fmt: skip


def _over(state: NoticeState) -> NoticeState:
    """Of a pool in sync: nothing stands but a fight, which is told once for each content of the spec's file."""
    fight = {kind: digest for kind, digest in state.told.items() if kind == NoticeKind.FIGHT.value}
    return replace(state, told=fight, done=())


def _is_stalled(status: PoolStatus) -> bool:
    """Also beside a pause: a pool that was deleted to be replaced, and then paused, does not exist."""
    stalled = status.condition(ConditionKind.STALLED)
    return stalled is not None and stalled.status is Truth.TRUE


def _good(ready: Condition) -> bool:
    return ready.status is Truth.TRUE


def _waited(before: Sequence[Condition]) -> bool:
    return any(one.kind is ConditionKind.READY and one.reason == OUTSIDE_WINDOW for one in before)


def _ids(changes: Iterable[Change]) -> list[str]:
    return sorted(one.id for one in changes)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:32]


def _merged(done: Sequence[NoticeLine], more: Sequence[NoticeLine]) -> tuple[NoticeLine, ...]:
    """By what was changed: the last line counts."""
    return tuple({line.what: line for line in (*done, *more)}.values())[-LINES:]


def _line(change: Change, seen: RunFindings) -> NoticeLine:
    def said(value: Json) -> Json:
        return value if seen.named else without_names(change, value)

    actor = seen.blame(change)
    by = _who(actor) if isinstance(actor, Mapping) else ""
    subject = f"{change.kind} {said(change.subject)}"
    return NoticeLine(_cut(subject), _short(said(change.before)), _short(said(change.after)), _said(by, seen))


def _who(actor: JsonObject) -> str:
    name = text_of(actor, "name") or text_of(actor, "id")
    return f"{text_of(actor, 'confidence')} {name}".strip() if name else ""


def _short(value: Json) -> str:
    if value is None:
        return ""
    return _cut(value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True))


def _cut(text: str, longest: int = LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _said(text: str, seen: RunFindings) -> str:
    return _cut(text if seen.named else str(without_names(None, text)), LONGEST_TEXT)

"""`history` for people: one line for each write, and a run with everything that its writes have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from reconciler.cli.screen import Screen
from reconciler.documents import Json, JsonObject, moment_of, text_of
from reconciler.engine.status import ConditionKind, PoolStatus
from reconciler.plan import render
from reconciler.plan.render import SHORT_REVISION

_SIGNS = {"create": "+", "remove": "-", "update": "~"}
_LONGEST = 60
"""Characters of one value in a line."""


def show_writes(writes: Json, screen: Screen) -> None:
    """A table, newest first: when, pool, what from what to what, result, why, run."""
    for one in writes:
        cells = (_at(one), text_of(one, "pool"), _what(one), _ended(one), _why(one), text_of(one, "run"))
        screen.result(render.clean("  ".join(cells)))


def written(write: JsonObject) -> str:
    """One write without pool and run: when, what, how it ended, and why."""
    return "  ".join((f"{_at(write)} UTC", _what(write), _ended(write), _why(write)))


def show_run(run: JsonObject, screen: Screen) -> None:
    """A run, its writes, and the fields that each changed."""
    trigger, commit = text_of(run, "trigger") or "not known", text_of(run, "commit") or "no commit"
    lines = [
        f"run {run['run']} of {run['pool']}, started {_when(run['started'])}, trigger {trigger}",
        f"  spec {run['file'] or '-'} @ {commit}; plan {run['plan'] or '-'}; policy {run['policy'] or '-'}",
    ]
    for one in run["writes"]:
        lines += [
            f"  {_at(one)}  {_what(one)}  {_ended(one)}  {_why(one)}",
            *(f"      {line}" for line in _details(one)),
        ]
    for line in lines:
        screen.result(render.clean(line))


def now_of(status: PoolStatus) -> str:
    """Since when a pool is as it is; empty where no run is stored."""
    ready = status.condition(ConditionKind.READY)
    if ready is None:
        return ""
    said = f": {ready.message}" if ready.message else ""
    return f"{status.key}: Ready {ready.status}, {ready.reason}, since {ready.since:%Y-%m-%d %H:%M:%S} UTC{said}"


def _details(write: JsonObject) -> Iterator[str]:
    for detail in write.get("details") or ():
        with suppress(AttributeError):  # another release's form
            yield f"{detail.get('path')}: {' → '.join(render.move(detail.get('before'), detail.get('after')))}"
    for name in ("result", "proof"):
        said = write.get(name)
        if isinstance(said, dict) and isinstance(said.get("error"), dict):
            yield f"{said['error'].get('reason')}: {said['error'].get('message')}"


def _at(write: JsonObject) -> str:
    return _when(write.get("at"))


def _when(value: Json) -> str:
    at = moment_of(value)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "not known"


def _what(write: JsonObject) -> str:
    sign = _SIGNS.get(text_of(write, "action"), "?")
    values = " → ".join(render.move(write.get("before"), write.get("after"), _LONGEST))
    return f"{sign} {write.get('what')} {write.get('subject')}: {values}"


def _ended(write: JsonObject) -> str:
    """Verified, or how far the write is known to have come."""
    proof, result = write.get("proof") or {}, write.get("result") or {}
    return str(proof.get("outcome") or result.get("outcome") or "sent, result not known")


def _why(write: JsonObject) -> str:
    commit = text_of(write, "commit")[:SHORT_REVISION]
    line = f":{write['line']}" if write.get("line") else ""
    cause = text_of(write, "cause").replace("unknown", "cause unknown")
    said = [cause, by(write.get("actor")), text_of(write, "trigger")]
    said.append(f"{write.get('file') or ''}{line}{' @ ' + commit if commit else ''}")
    return f"({', '.join(filter(None, said))})"


def by(actor: Json) -> str:
    """``by ann@fabrikam.com``, ``probably by …``; empty where nothing is known of it."""
    if not isinstance(actor, dict):
        return ""
    who = actor.get("name") or actor.get("id")
    return f"{actor.get('confidence')} {who}" if who else ""

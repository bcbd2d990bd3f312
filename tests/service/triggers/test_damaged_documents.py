"""Every kind of document, with every kind of damage: nothing raises, and the pools of everybody else go on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from reconciler.engine import load_status, unnamed
from reconciler.engine.status import ConditionKind, Truth
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, messages, timers, web
from tests.deployment import Deployment, take
from tests.examples import crossed

DEEP = 100_000
NAMES = {
    "pools": "pools/build-pool",
    "follow-ups": "follow-ups/build-pool",
    "sweep": "sweep",
    "git": "git",
    "audit": "audit/fabrikam-prime",
    "evidence": "evidence/fabrikam-prime",
    "gates": "gates/fabrikam-prime",
}
FIELDS = (
    "attempts",
    "at",
    "since",
    "files",
    "pools",
    "cursor",
    "refusedUntil",
    "missed",
    "conditions",
    "longest",
    "until",
)
BODIES = {
    "empty": "{}",
    "list": '["a", 1, null]',
    "number": "17",
    "null": "null",
    "text": '"yes"',
    "truncated": '{"at": "2026-11-0',
    "infinite": json.dumps({"retryAfter": 1, **dict.fromkeys(FIELDS, 0)}).replace("0", "1e999"),
    "types": json.dumps({name: [{"x": 7}] for name in FIELDS}),
    "texts": json.dumps(dict.fromkeys(FIELDS, "2026-99-99")),
    "deep": '{"attempts": ' + "[" * DEEP + "]" * DEEP + "}",
    "huge": json.dumps({"files": {f"specs/{n}.yaml": "x" * 100 for n in range(50_000)}, "attempts": 10**400}),
    "version": json.dumps({"document": {"version": 99}, "at": 1}),
}


def plant(deployment: Deployment, name: str, text: str) -> None:
    with closing(sqlite3.connect(deployment.folder / "state.db")) as file:
        sql = "INSERT OR REPLACE INTO documents (name, body, etag) VALUES (?, ?, 'planted')"
        file.execute(sql, (name, text))
        file.commit()


def http(context: TriggerContext, name: str, path: str) -> None:
    answered = web.answer(context, name, HttpRequest("GET", path))
    assert answered.status < 500, answered.body


def run(context: TriggerContext) -> None:
    specs = context.catalogue.specs()
    spec = specs.by_key["build-pool"]
    with context.worker.reconciler.look([spec], shared=False) as look:
        look.reconcile(spec, specs.revision)


STEPS: dict[str, Callable[[TriggerContext], Any]] = {
    "health": lambda context: http(context, "health", "/api/health"),
    "pools": lambda context: http(context, "pools", "/api/pools"),
    "statuses": lambda context: unnamed.statuses(context.state),
    "watch_git": timers.watch_git,
    "watch_audit": timers.watch_audit,
    "sweep": timers.sweep,
    "follow-up": lambda context: context.outbox.follow_up("build-pool", 60.0),
    "quarantine": lambda context: messages.quarantine(context, '{"keys":["build-pool"]}', "work"),
    "work": lambda context: messages.work(context, '{"keys":["build-pool"]}', None),
    "run": run,
}


def raised(context: TriggerContext, step: Callable[[TriggerContext], Any]) -> str:
    try:
        step(context)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
        return f"{type(error).__name__}: {str(error)[:100]}"
    return ""


def sampled(kind: str) -> Iterator[tuple[str, list[str]]]:
    """Each body with the steps before which it is planted: in `make test` all of both, and each pair for some kind.

    A run is the last step of each, and has to find the pool in sync.
    """
    turn = list(NAMES).index(kind)
    chosen = crossed(BODIES, [*STEPS][turn:] + [*STEPS][:turn], one_of=3)
    for body in BODIES:
        yield body, [name for name in STEPS if name == "run" or (body, name) in chosen]


@pytest.mark.soaked
@pytest.mark.parametrize("kind", NAMES)
def test_no_damage_of_a_document_stops_anything(deployment: Deployment, kind: str) -> None:
    first = deployment.context()
    messages.work(first, '{"keys":["build-pool"]}', None)
    found = {}
    for body, names in sampled(kind):
        context = deployment.context()
        for name in names:
            plant(deployment, NAMES[kind], BODIES[body])
            if problem := raised(context, STEPS[name]):
                found[body, name] = problem
        ready = load_status(context.state, "build-pool").condition(ConditionKind.READY)
        if ready is None or ready.status is not Truth.TRUE:
            found[body, "ready"] = str(ready)
        take(context.outbox.events)
        take(context.outbox.sweeps)
    assert not found

"""A full resync that its timer does not start is started by whatever else runs, and its absence shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.errors import Unavailable
from reconciler.ports.stores import StoredDocument
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, messages, timers, web
from reconciler.service.triggers.overdue import ResyncWatch, Swept
from tests.deployment import POOLS, Deployment, take, texts, until, with_options

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
M = timedelta(minutes=1)


def stored(context: TriggerContext, body: dict[str, Any]) -> None:
    document = context.state.load("sweep")
    context.state.save("sweep", body, document.etag if document is not None else None)


def ago(context: TriggerContext, minutes: float) -> str:
    return moment(context.clock.now() - timedelta(minutes=minutes))


def health(context: TriggerContext) -> tuple[int, str]:
    answered = web.answer(context, "health", HttpRequest("GET", "/api/health"))
    (check,) = [check for check in answered.body["checks"] if check["name"] == "state"]
    return answered.status, check["detail"]


INVOCATIONS: list[tuple[str, Callable[[TriggerContext], object]]] = [
    ("an event", lambda context: messages.pool_changed(context, "no event")),
    ("an audit entry", lambda context: messages.devops_changed(context, "[]")),
    ("a message", lambda context: messages.work(context, json.dumps({"keys": ["unknown"]}), None)),
    ("the read of Git", timers.watch_git),
    ("the read of the audit log", timers.watch_audit),
    ("a health probe", health),
    ("a caller", lambda context: web.answer(context, "pools", HttpRequest("GET", "/api/pools"))),
]


@pytest.mark.parametrize("invoke", [one[1] for one in INVOCATIONS], ids=[one[0] for one in INVOCATIONS])
@pytest.mark.parametrize("body", ["at", "since"])
def test_any_invocation_starts_an_overdue_resync_once(
    deployment: Deployment, context: TriggerContext, invoke: Callable[[TriggerContext], object], body: str
) -> None:
    """HTTP leaves it to the worker, which may be another app."""
    fresh = deployment.context()
    stored(context, {body: ago(context, 23)})

    invoke(context)
    invoke(context)
    for text in texts(context.outbox.events):
        messages.work(fresh, text, None)

    assert context.outbox.sweeps.length() == len(POOLS)
    assert Swept.read(getattr(context.state.load("sweep"), "body", {}), context.clock.now()).at is not None


@pytest.mark.parametrize("body", [{"at": 22}, {"since": 22}, {}, {"at": "soon"}, {"at": -60}, {"since": -60 * 24 * 30}])
def test_a_resync_that_is_not_overdue_is_left_to_its_timer(context: TriggerContext, body: dict[str, Any]) -> None:
    """What cannot be read, or lies ahead of the clock, counts from now on."""
    stored(context, {name: ago(context, value) if isinstance(value, int) else value for name, value in body.items()})

    timers.keep_swept(context)

    assert context.outbox.sweeps.length() == 0
    last = timers.swept(context).last
    assert last is not None
    assert last <= context.clock.now()


def test_a_process_looks_once_in_an_interval(context: TriggerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = context.state.load

    def counted(_self: object, name: str) -> StoredDocument | None:
        loaded.append(name)
        return load(name)

    stored(context, {"at": ago(context, 1)})
    monkeypatch.setattr(type(context.state), "load", counted)

    for _ in range(100):
        timers.keep_swept(context)

    assert loaded == ["sweep"]


def test_a_resync_that_cannot_be_started_fails_no_other_function(
    deployment: Deployment, context: TriggerContext, caplog: pytest.LogCaptureFixture
) -> None:
    stored(context, {"at": ago(context, 60)})
    (deployment.repository.path / ".git").rename(deployment.folder / "away")

    with caplog.at_level("INFO", "reconciler"):
        assert messages.pool_changed(context, "no event") == []

    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [line["reason"] for line in lines if line["event"] == "sweep"] == ["Overdue", "NotFound"]


def test_the_first_resync_is_awaited_for_two_intervals(context: TriggerContext) -> None:
    assert health(context) == (200, "no full resync yet, for 0 minutes")

    stored(context, {"since": ago(context, 31)})
    context.watch.not_before(context.clock.now() + M)

    assert health(context) == (503, "no full resync yet, for 31 minutes")


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1), timedelta(days=30)])
def test_a_resync_under_a_clock_that_was_ahead_is_no_fresh_one(context: TriggerContext, ahead: timedelta) -> None:
    stored(context, {"at": moment(context.clock.now() + ahead)})

    assert health(context) == (200, "no full resync yet, for 0 minutes")
    assert health(with_options(context, sweep_seconds=1e-6))[0] == 503


def test_a_watch_lets_one_caller_look_and_doubts_a_moment_beyond_a_day() -> None:
    watch = ResyncWatch()

    assert [watch.due(NOW), watch.due(NOW), watch.due(NOW + M)] == [True, False, True]
    watch.not_before(NOW + 30 * M)
    assert [watch.due(NOW + 29 * M), watch.due(NOW + 30 * M)] == [False, True]
    watch.not_before(NOW + timedelta(days=30))
    assert watch.due(NOW + M)


def test_an_event_that_was_missed_before_the_first_resync_makes_it_due(context: TriggerContext) -> None:
    timers.missed(context, Unavailable("git: 503"), "audit")
    context.watch.not_before(context.clock.now())

    timers.keep_swept(context)

    assert context.outbox.sweeps.length() == len(POOLS)


def test_an_audit_log_that_was_refused_is_read_on_from_where_it_was(
    deployment: Deployment, context: TriggerContext
) -> None:
    timers.watch_audit(context)
    cursor = getattr(context.state.load("audit/fabrikam-prime"), "body", {})["cursor"]
    deployment.cloud.do.fault("403", organization="fabrikam-prime", route="*audit*", count=1)
    timers.watch_audit(context)
    refused = context.state.load("audit/fabrikam-prime")
    assert refused is not None
    assert (refused.body["cursor"], "refusedUntil" in refused.body) == (cursor, True)
    deployment.cloud.do.edit("create-project", organization="fabrikam-prime", name="New")

    context.state.save("audit/fabrikam-prime", {**refused.body, "refusedUntil": ago(context, 1)}, refused.etag)
    timers.watch_audit(context)

    def requested() -> list[str]:
        timers.watch_audit(context)
        return texts(context.outbox.events)

    (text,) = until(requested)
    assert json.loads(text)["keys"] == ["build-pool"]
    assert set(getattr(context.state.load("audit/fabrikam-prime"), "body", {})) == {"cursor", "places", "read"}


@pytest.mark.parametrize("which", ["audit", "group"])
def test_an_event_that_specs_are_missing_for_makes_a_resync_due_and_no_dead_letter(
    deployment: Deployment, which: str
) -> None:
    """Git is away in a process that never read it: the event is taken, and nothing of it is lost."""
    context, git = deployment.context(), deployment.repository.path / ".git"
    timers.sweep(context)
    take(context.outbox.sweeps)
    before = context.outbox.sweeps.length()
    git.rename(deployment.folder / "away")
    fresh = deployment.context()
    entry = {"actionId": "Project.CreateCompleted", "scopeDisplayName": "fabrikam-prime (Organization)"}
    group = {
        "id": "1", "subject": "/subscriptions/s/resourceGroups/rg", "eventType": "Microsoft.Resources.ResourceDeleteSuccess",
        "data": {"operationName": "Microsoft.Resources/subscriptions/resourceGroups/delete"},
    }  # fmt: skip

    taken = (
        messages.devops_changed(fresh, json.dumps(entry))
        if which == "audit"
        else messages.pool_changed(fresh, json.dumps(group))
    )
    (deployment.folder / "away").rename(git)
    fresh.watch.not_before(fresh.clock.now())
    timers.keep_swept(fresh)

    assert taken == []
    assert fresh.outbox.sweeps.length() == before + len(POOLS)
    assert not timers.swept(fresh).missed

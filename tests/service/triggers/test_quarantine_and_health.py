"""What could not be handled is seen by a person; and the health of this deployment can be read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.config.settings import Settings
from reconciler.config.triggers import state
from reconciler.engine import load_status
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import SpecInvalid
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, messages, timers, web
from tests.deployment import CANARY, Deployment, spec, trace_id, until, with_options, work_off


def health(context: TriggerContext) -> tuple[int, dict[str, Any]]:
    answered = web.answer(context, "health", HttpRequest("GET", "/api/health"))
    return answered.status, {check["name"]: check for check in answered.body["checks"]}


def test_a_poisoned_pool_is_stalled_where_people_look_and_a_sweep_heals_it(
    deployment: Deployment, context: TriggerContext
) -> None:
    messages.quarantine(context, '{"keys":["build-pool"],"trigger":"event"}', "work")

    stalled = load_status(context.state, "build-pool").condition(ConditionKind.STALLED)
    assert stalled is not None
    assert (stalled.status, stalled.reason) == (Truth.TRUE, "Stalled")
    assert "work-poison" in stalled.message
    assert deployment.metrics.total("reconciler.quarantined", queue="work") == 1

    timers.sweep(with_options(context, sweep_seconds=0.0))
    work_off(context)

    healed = load_status(context.state, "build-pool")
    assert [condition.status for condition in healed.conditions] == [Truth.TRUE, Truth.FALSE, Truth.FALSE]


def test_all_pools_of_a_poisoned_resync_are_stalled(context: TriggerContext) -> None:
    """Its text names one of them; which pools it is about, the specs say."""
    text = '{"keys":["a"],"trigger":"sweep","organization":"fabrikam-prime"}'
    messages.quarantine(context, text, "sweep")

    assert context.state.names("pools/") == ["pools/build-pool"]


def test_quarantine_leaves_alone_what_is_not_ours_and_what_is_being_worked_on(context: TriggerContext) -> None:
    lease = context.leases.acquire("build-pool", 60)
    for text in ('{"keys":["elsewhere"]}', '{"keys":["build-pool"]}', "{", "\x00"):
        messages.quarantine(context, text, "sweep")

    assert context.state.names("pools/") == []
    lease.release()


def test_a_service_that_never_swept_is_healthy_and_one_that_stopped_sweeping_is_not(context: TriggerContext) -> None:
    assert health(context)[0] == 200

    timers.sweep(context)
    status, checks = health(context)
    assert (status, checks["state"]["detail"]) == (200, "last full resync 0 minutes ago")

    until(lambda: health(with_options(context, sweep_seconds=1e-6))[0] != 200)
    status, checks = health(with_options(context, sweep_seconds=1e-6))
    assert (status, checks["state"]["ok"], checks["specs"]["ok"]) == (503, False, True)


def test_a_pool_in_sync_that_is_read_no_more_is_unhealthy_and_its_age_is_shown(context: TriggerContext) -> None:
    assert health(context)[1]["evidence"] == {
        "name": "evidence", "ok": True, "detail": "no pool is known to be in sync"
    }  # fmt: skip
    timers.sweep(with_options(context, sweep_seconds=0.0))
    work_off(context)

    status, checks = health(context)
    assert (status, checks["evidence"]["detail"]) == (200, "oldest of 2 pools in sync seen 0 minutes ago")
    old = load_status(context.state, "build-pool")
    assert old.seen is not None
    document = context.state.load("pools/build-pool")
    assert document is not None
    old = replace(old, seen=old.seen - timedelta(hours=2))
    context.state.save("pools/build-pool", old.to_json(), document.etag)
    status, checks = health(context)
    assert (status, checks["evidence"]["detail"]) == (503, "oldest of 2 pools in sync seen 120 minutes ago")
    assert "build-pool" not in str(checks)

    timers.watch_audit(context)
    assert health(context)[1]["evidence"]["ok"]
    assert not health(with_options(context, max_age=300.0))[1]["evidence"]["ok"]

    known, tomorrow = context.worker.evidence, context.clock.now() + timedelta(hours=20)
    assert known is not None
    known.of("fabrikam-prime").learn({}, {"gaps": [], "until": tomorrow.isoformat()})
    detail = health(context)[1]["evidence"]["detail"]
    assert detail.endswith("; 1 audit logs left out changes, so every resync reads everything")


def test_a_git_that_is_away_shows(deployment: Deployment, context: TriggerContext) -> None:
    fresh = deployment.context()
    context.catalogue.specs()
    (deployment.repository.path / ".git").rename(deployment.folder / "away")

    assert (health(context)[0], health(context)[1]["specs"]["detail"]) == (
        503,
        "Git cannot be read; the last good commit applies",
    )
    assert health(fresh)[0] == 503


def test_settings_that_make_no_shop_are_answered_without_a_word_of_them() -> None:
    def wire() -> TriggerContext:
        raise SpecInvalid(f"RECONCILER_SPECS: {CANARY}")

    answered = web.served(wire, "health", HttpRequest("GET", "/api/health"))

    assert (answered.status, answered.content_type) == (500, "application/problem+json")
    assert CANARY not in str(answered.body)


def test_every_line_that_is_logged_is_json_and_tells_no_secret(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """Claims, tokens, webhook secrets and signed addresses all pass through here; none may stay."""
    context = deployment.context(APP_ROLE="")
    claims = {"id": "1", "subject": CANARY, "eventType": CANARY, "data": {"claims": CANARY, "sig": CANARY}}
    entry = {"actionId": "Project.CreateCompleted", "actorUPN": CANARY, "details": CANARY, "ipAddress": CANARY}
    secret = {"authorization": f"Bearer {CANARY}", "x-functions-key": CANARY, "x-hub-signature-256": CANARY}
    with caplog.at_level("DEBUG"):
        messages.pool_changed(context, json.dumps(claims))
        messages.pool_changed(context, CANARY)
        messages.devops_changed(context, json.dumps([entry, {"actionId": CANARY}]))
        messages.work(context, json.dumps({"keys": [CANARY.upper()], "trigger": "x"}), None)
        deployment.commit(**{"build-pool": spec("build-pool", concurrency=3)})
        messages.work(context, "build-pool", None)
        messages.work(context, "build-pool", None)
        for door in ("github_push", "azure_repos_push", "reconcile", "plan", "pool"):
            request = HttpRequest(
                "POST", f"/api?code={CANARY}", params={"name": "x"}, headers=secret, body=CANARY.encode()
            )
            web.answer(context, door, request)
        work_off(context)

    lines = [record.getMessage() for record in caplog.records if record.name == "reconciler"]
    assert {json.loads(line)["event"] for line in lines} >= {"run", "dropped", "http"}
    everything = "\n".join(record.getMessage() for record in caplog.records)
    planted = [CANARY, *deployment.cloud.tokens.values(), "sig="]
    assert [word for word in planted if word in everything] == []


def test_a_run_is_one_line_with_what_somebody_on_call_asks(
    deployment: Deployment, context: TriggerContext, caplog: pytest.LogCaptureFixture
) -> None:
    deployment.close_access("build-pool", "Web")
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    with caplog.at_level("INFO", "reconciler"):
        messages.work(context, json.dumps({"keys": ["build-pool"], "trigger": "event", "trace": trace}), None)

    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "reconciler"]
    assert [one["event"] for one in lines] == ["write", "run"]
    line = lines[-1]
    assert line["revision"] == deployment.repository.git("rev-parse", "HEAD")
    assert trace_id(line["trace"]) == trace_id(trace)
    assert line | {"seconds": 0, "revision": ""} == {
        "event": "run", "pool": "build-pool", "trigger": "event", "trace": line["trace"], "revision": "", "seconds": 0,
        "outcome": "applied", "planned": {"create": 1, "widens": 1}, "written": {"create": 1, "widens": 1},
        "verified": {"create": 1, "widens": 1}, "reason": "InSync",
        "message": line["message"],
    }  # fmt: skip


def test_a_message_without_a_trace_belongs_to_its_invocation(
    context: TriggerContext, caplog: pytest.LogCaptureFixture
) -> None:
    trace = "00-" + "e" * 32 + "-" + "f" * 16 + "-01"
    with caplog.at_level("INFO", "reconciler"):
        messages.work(context, "build-pool", None, trace)

    assert [trace_id(json.loads(record.getMessage())["trace"]) for record in caplog.records] == [trace_id(trace)]


def test_the_stores_of_the_bindings_hold_the_state_too() -> None:
    """One storage account is enough for a deployment."""
    named = state({"RECONCILER_STORAGE__accountName": "fabrikam"})

    assert Settings.read({}, beneath=named).state == (
        "https://fabrikam.blob.core.windows.net https://fabrikam.queue.core.windows.net"
    )
    assert state({"RECONCILER_STORAGE": "UseDevelopmentStorage=true"}) == {
        "RECONCILER_STATE": "UseDevelopmentStorage=true"
    }
    assert state({"RECONCILER_STORAGE__queueServiceUri": "https://q"}) == {}

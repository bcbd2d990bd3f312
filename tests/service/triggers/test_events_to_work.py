"""Events become requests on the work queue, and requests become repairs, with real stores and both planes emulated."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from benchmarks.estates import GROUP, SUBSCRIPTION
from emulator.documents import Json
from reconciler.service.triggers import TriggerContext, messages, timers
from tests.deployment import CANARY, POOLS, Deployment, plan_of, spec, trace_id, until, untraced, work_off

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
OTHER = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"


def written(pool: str = "build-pool", **more: Any) -> str:
    """What Event Grid delivers when a caller writes a pool, claims and all."""
    subject = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools/{pool}"
    return json.dumps({
        "id": "1", "topic": "/subscriptions/x", "subject": subject, "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "data": {"claims": {"name": CANARY}, "authorization": {"evidence": CANARY}}, **more,
    })  # fmt: skip


def test_an_event_about_a_pool_is_one_wish_for_it(context: TriggerContext) -> None:
    (text,) = messages.pool_changed(context, written("Build-Pool"), TRACE)
    request = json.loads(text)

    assert (request["keys"], request["trigger"], request["scopes"]) == (
        ["build-pool"],
        "event",
        ["arm?pool=build-pool"],
    )
    assert set(request) == {"keys", "trigger", "trace", "scopes"}
    assert trace_id(request["trace"]) == trace_id(TRACE)


def test_an_event_brings_its_own_trace_where_it_has_one(deployment: Deployment, context: TriggerContext) -> None:
    """CloudEvents carry the trace of what caused them; the platform's begins with the delivery."""
    (text,) = messages.pool_changed(context, written(traceparent=OTHER), TRACE)
    (span,) = deployment.metrics.named("event")

    assert (span.parent, span.links) == (OTHER, [TRACE])
    assert json.loads(text)["trace"] == span.traceparent


@pytest.mark.parametrize("word", ["resource", "extension"])
def test_an_edit_of_tags_and_a_move_request_the_pool(
    deployment: Deployment, context: TriggerContext, word: str
) -> None:
    """As the emulated ARM announces them: neither is a write of the pool."""
    cloud = deployment.cloud
    cloud.do.switch("arm.tags-subject", word)
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools/build-pool"
    url = f"{cloud.arm}{path}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"
    since = max((entry["sequence"] for entry in cloud.do.events()), default=0)
    sent = {"operation": "Merge", "properties": {"tags": {"team": "b"}}}
    requests.patch(
        url, json=sent, headers={"Authorization": f"Bearer {cloud.tokens['arm']}"}, timeout=20
    ).raise_for_status()

    (tagged,) = [json.dumps(entry["event"]) for entry in cloud.do.events(since=since)]
    (text,) = messages.pool_changed(context, tagged)
    group = json.loads(written())
    group["subject"] = path.partition("/providers/")[0].upper()
    group["eventType"] = "Microsoft.Resources.ResourceDeleteSuccess"
    group["data"]["operationName"] = "Microsoft.Resources/subscriptions/resourceGroups/delete"

    assert json.loads(text)["keys"] == ["build-pool"]
    assert [json.loads(text)["keys"] for text in messages.pool_changed(context, json.dumps(group))] == [
        [name] for name in sorted(POOLS)
    ]


def test_what_is_no_event_about_pools_is_counted_and_dropped(deployment: Deployment, context: TriggerContext) -> None:
    for text in ("no json", "\ufffd\ufffd", json.dumps({"eventType": "x"}), "[" * 100_000):
        assert messages.pool_changed(context, text) == []

    assert deployment.metrics.total("reconciler.events.dropped", trigger="event") == 4


def test_an_event_leads_to_a_proven_repair_and_leaves_nothing_behind(
    deployment: Deployment, context: TriggerContext
) -> None:
    deployment.close_access("build-pool", "Web")
    for text in messages.pool_changed(context, written()):
        context.outbox.events.put(text)

    work_off(context)

    assert deployment.is_open("build-pool", "Web")
    assert plan_of(context, "build-pool") == []
    assert deployment.metrics.total("reconciler.runs", result="applied", trigger="event") == 1


def test_a_plan_over_http_says_drift_from_the_deployments_own_state(
    deployment: Deployment, context: TriggerContext
) -> None:
    specs = context.catalogue.specs()
    spec = specs.by_key["build-pool"]
    never_verified = context.plan(spec, specs.revision)["outOfSync"]
    context.outbox.events.put("build-pool")
    work_off(context)
    in_sync = context.plan(spec, specs.revision)["outOfSync"]
    deployment.close_access("build-pool", "Web")

    assert (never_verified, in_sync) == (None, None)
    assert context.plan(spec, specs.revision)["outOfSync"] == "drift"


def test_what_the_emulated_services_publish_is_understood(deployment: Deployment, context: TriggerContext) -> None:
    """Two hands wrote the two sides from the same facts; here they meet."""
    deployment.commit(**{"build-pool": (deployment.repository.path / "specs/build-pool.yaml").read_text().replace("'maximumConcurrency': 2", "'maximumConcurrency': 3").replace("'parallelism': 2", "'parallelism': 3")})  # fmt: skip
    messages.work(context, "build-pool", None)
    work_off(context)
    told: list[Json] = until(lambda: deployment.cloud.do.events("arm"))

    wishes = [text for event in told for text in messages.pool_changed(context, json.dumps([event["event"]]))]
    assert {untraced(text) for text in wishes} == {'{"keys":["build-pool"],"trigger":"event"}'}


@pytest.mark.parametrize("shape", ["entry", "list"])
def test_a_new_project_in_the_audit_stream_gets_its_queue(
    deployment: Deployment, context: TriggerContext, shape: str
) -> None:
    """In either shape: the one on the stream is not published."""
    deployment.cloud.do.edit("create-project", organization="fabrikam-prime", name="New")
    entry = deployment.cloud.do.events("audit")[-1]["event"]
    body = {"id": "1", "eventType": "AzureDevOps.Audit", "topic": "t", "subject": "s", "data": entry}
    wishes = messages.devops_changed(
        context, json.dumps({**body, "data": entry if shape == "entry" else [entry]}), TRACE
    )

    assert [json.loads(text)["keys"] for text in wishes] == [["build-pool"]]
    context.outbox.events.put(wishes[0])
    work_off(context)
    assert deployment.is_open("build-pool", "New")


@pytest.mark.parametrize("way", ["stream", "poll"])
def test_an_audited_change_in_a_project_that_was_renamed_is_repaired(deployment: Deployment, way: str) -> None:
    """The entry has the new name and the spec the old one; the pool's status has the id of both."""
    listed = spec("build-pool").replace("'projects': []", "'projects': ['Web', 'Api']")
    deployment.commit(**{"build-pool": listed})
    context = deployment.context()
    context.outbox.events.put("build-pool")
    work_off(context)
    deployment.cloud.do.edit("rename-project", organization="fabrikam-prime", project="Web", to="Site")
    timers.watch_audit(context)
    work_off(context)
    deployment.close_access("build-pool", "Site")

    if way == "poll":
        timers.watch_audit(context)
    else:
        entry = deployment.cloud.do.events("audit")[-1]["event"]
        for text in messages.devops_changed(context, json.dumps(entry)):
            context.outbox.events.put(text)
    work_off(context)

    assert deployment.is_open("build-pool", "Site")
    deployment.cloud.do.reset_log()
    context.outbox.events.put("build-pool")
    work_off(context)
    assert deployment.cloud.do.count(writes=True) == 0


def test_an_audited_change_elsewhere_concerns_nobody(deployment: Deployment, context: TriggerContext) -> None:
    entry = {"actionId": "Git.CreateRepo", "scopeDisplayName": "fabrikam-prime (Organization)", "actorUPN": CANARY}

    assert messages.devops_changed(context, json.dumps(entry)) == []
    assert deployment.metrics.total("reconciler.events.dropped", trigger="audit") == 1


def test_a_text_that_asks_for_nothing_and_a_pool_of_nobody_end_without_a_trace(context: TriggerContext) -> None:
    messages.work(context, "{", None)
    messages.work(context, "somebody-elses-pool", None)

    assert context.state.names("pools/") == []
    assert context.outbox.events.length() == 0


def test_one_dead_organization_does_not_stop_the_other(deployment: Deployment, context: TriggerContext) -> None:
    """A batch with both: the one that answers is repaired, the other says why not and is looked at later."""
    for pool in POOLS:
        deployment.close_access(pool, "Api")
    deployment.cloud.do.fault("503", organization="fabrikam-tailspin", count=None)

    messages.work(context, json.dumps({"keys": sorted(POOLS), "trigger": "sweep"}), None)

    assert deployment.is_open("build-pool", "Api")
    assert not deployment.is_open("test-pool", "Api")
    assert context.outbox.events.length() == 1
